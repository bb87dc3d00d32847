// One direction of audio from one source in a session, as one process sees it:
// its hops, its media position, and what it declares about missing media.

import {
  tick,
  type DomainNs,
  type HopName,
  type MediaRange,
  type StreamState,
  type Tick,
} from '@framescope/protocol';
import { lean, nameIfAny, nameOf, optionsOf, tickOf } from '../coerce.ts';
import { HopProbe, isFrameLength, isTick } from '../hot/hop-probe.ts';
import { JumpList, JUMPS_MAX } from '../hot/jump-list.ts';
import type { MarkRing } from '../hot/mark-ring.ts';
import type { Problems } from '../problems.ts';
import { Hop, type HopOptions, type TimedMark } from './hop.ts';
import type { TimedMarks } from './timed-marks.ts';

/** Declared ranges kept between two flushes; a second has 100 frames at most. */
const RANGES_MAX = 1_024;

/** What a stream needs of its session. */
export interface StreamHost {
  readonly role: string;
  readonly ring: MarkRing;
  /** A closed ring: marks of hops there was no room for are counted there. */
  readonly refusingRing: MarkRing;
  /** Marks that bring their time. */
  readonly timed: TimedMarks;
  readonly problems: Problems;
  now(): DomainNs;
  /** Remembers a quantity in the flight recorder. */
  sample(stream: string, name: string, value: number): void;
  /** Frames had to be made up where the user hears them. */
  underrun(stream: Stream, startTick: Tick, endTick: Tick): void;
  /** Gives a new hop its code in the ring; `undefined` when the session has too many. */
  enrol(stream: Stream, probe: (code: number) => ProbedHop): ProbedHop | undefined;
}

/** A hop with its hot half, which users do not see. */
export interface ProbedHop {
  readonly hop: Hop;
  readonly probe: HopProbe;
}

/**
 * One direction of audio in a session, as this process sees it. Got from `session.stream(name)`. Its
 * media clock counts samples per channel from 0, whole numbers only. Nothing in it throws.
 */
export class Stream {
  readonly name: string;
  readonly sampleRate: number;
  /** `up`: from the user toward the agent. `down`: toward the user. */
  readonly direction: 'up' | 'down';

  readonly #host: StreamHost;
  readonly #hops = new Map<string, ProbedHop>();
  readonly #jumps = new JumpList();
  #ranges: MediaRange[] = [];

  /** Made by `Session.stream`. */
  constructor(host: StreamHost, state: StreamState) {
    this.#host = host;
    this.name = state.name;
    this.sampleRate = state.sampleRate;
    this.direction = state.direction;
  }

  /**
   * The hop of that name in this process, made at the first call. A lookup of some 20 ns; keep the
   * result where it matters. A hop counts its samples from tick 0 (or from where an anchor put the
   * stream); one that sees only part of the stream uses `markAt`.
   */
  hop(name: string, options?: HopOptions): Hop {
    const known = options === undefined ? this.#hops.get(name) : undefined;
    return (known ?? this.#probed(name, options)).hop;
  }

  /** The foremost tick that any hop of this process has reached. */
  get position(): Tick {
    let position = 0;
    for (const { probe } of this.#hops.values()) position = Math.max(position, probe.nextTick());
    return tick(position);
  }

  /** Samples made up in place of missing ones left `hopName` now (packet loss concealment). */
  conceal(hopName: string | Hop, startTick: number, samples: number): void {
    this.#declare('conceal', hopName, startTick, samples);
  }

  /** Samples thrown away before this hop, on purpose: they did not pass it. */
  drop(hopName: string | Hop, startTick: number, samples: number): void {
    this.#declare('drop', hopName, startTick, samples);
  }

  /** Samples that nobody sends: DTX, mute. They are not lost. */
  silence(hopName: string | Hop, startTick: number, samples: number): void {
    this.#declare('silence', hopName, startTick, samples);
  }

  /**
   * Remembers that `name` (`queue_depth`, `jitter_buffer_target_ms`, …: a unit belongs in the name)
   * is `value` now, in the flight recorder: a minute is kept in memory and leaves only when a
   * trigger is pulled. About 100 ns; call it up to some 30 times a second for all quantities of a
   * session together. Values that are no finite numbers are counted and left out. Never throws.
   */
  sample(name: string, value: number): void {
    const { problems } = this.#host;
    const sample = (): void => {
      if (typeof value !== 'number' || !Number.isFinite(value))
        return problems.report('bad_argument', 'stream.sample: value is a finite number');
      this.#host.sample(this.name, nameOf(name, 'unnamed', 'stream.sample', problems), value);
    };
    problems.guard('stream.sample', sample);
  }

  /**
   * Where the next frame on a wire starts: at the `send` hop, or, where none is marked, at the
   * rearmost hop in use. `breakCount` rises when the ticks do not follow each other.
   */
  sendPlace(isFirst: boolean): { readonly tick: Tick; readonly breakCount: number } {
    const send = this.#probed('send').probe;
    const used = [...this.#hops.values()].map(one => one.probe).filter(probe => probe.isUsed);
    const ticks = used.map(probe => probe.nextTick());
    const isSend = send.isUsed || isFirst || used.length === 0;
    const at = isSend ? send.nextTick() : Math.min(...ticks);
    return { tick: tick(at), breakCount: send.breakCount };
  }

  /** The peer says that the next frame starts at `place`: hops jump there once they pass this point. */
  follow(place: Tick): void {
    const { position } = this;
    if (!isTick(place) || position === place || this.#hasHopAt(place)) return;
    if (!this.#jumps.add(position, place))
      this.#host.problems.report(
        'too_many_jumps',
        `stream ${this.name}: more than ${JUMPS_MAX} jumps; positions are no longer corrected`,
      );
  }

  /** A hop that stands there is right: another one being ahead of it (a re-chunker) is no jump. */
  #hasHopAt(place: Tick): boolean {
    for (const { probe } of this.#hops.values())
      if (probe.isUsed && probe.nextTick() === place) return true;
    return false;
  }

  /** Hands over the ranges declared since the last call. */
  takeRanges(): readonly MediaRange[] {
    const ranges = this.#ranges;
    this.#ranges = [];
    return ranges;
  }

  /** A hop by its name, or itself: one that is reported for another place has no short name. */
  #ofHop(hop: string | Hop): ProbedHop {
    if (!(hop instanceof Hop)) return this.#probed(hop);
    for (const one of this.#hops.values()) if (one.hop === hop) return one;
    return this.#probed(hop.name.name);
  }

  #probed(name: string, options?: HopOptions): ProbedHop {
    const find = (): ProbedHop => this.#findOrAdd(name, options);
    return this.#host.problems.guard('stream.hop', find, () => this.#findOrAdd('unnamed'));
  }

  #findOrAdd(name: string, options?: HopOptions): ProbedHop {
    const { problems, role: own } = this.#host;
    const { after, nth, role: given } = optionsOf(options);
    const role = nameIfAny(given, 'hop role', problems) ?? own;
    const safeName = nameOf(name, 'unnamed', 'stream.hop', problems);
    const safeNth = typeof nth === 'number' && nth >= 0 && nth < 256 ? Math.floor(nth) : 0;
    const count = safeNth === 0 ? '' : `#${safeNth + 1}`;
    const key = role === own ? `${safeName}${count}` : `${role}/${safeName}${count}`;
    const safeAfter = nameIfAny(after, 'hop after', problems);
    const hop = lean<HopName>({ role, name: safeName, nth: safeNth, after: safeAfter });
    return this.#hops.get(key) ?? this.#add(key, hop);
  }

  #add(key: string, name: HopName): ProbedHop {
    const { ring, refusingRing, problems } = this.#host;
    const make = (on: MarkRing, code: number): ProbedHop => {
      const probe = new HopProbe(on, code, this.#jumps);
      const { timed } = this.#host;
      const markTimed: TimedMark = (start, samples, atNs) =>
        void (on === ring ? timed.push(code, start, samples, atNs) : on.push(code, start, samples));
      return { hop: new Hop(name, probe, markTimed), probe };
    };
    const enrolled = this.#host.enrol(this, code => make(ring, code));
    if (enrolled === undefined) {
      problems.report(
        'too_many_hops',
        `stream ${this.name}: no room for hop ${key}; its marks are dropped`,
      );
      return make(refusingRing, 0);
    }
    this.#hops.set(key, enrolled);
    return enrolled;
  }

  #declare(
    kind: MediaRange['kind'],
    hopName: string | Hop,
    startTick: number,
    samples: number,
  ): void {
    const { problems } = this.#host;
    const where = `stream.${kind}`;
    const declare = (): void => {
      const start = tickOf(startTick, where, problems);
      if (start === undefined) return;
      if (!isFrameLength(samples))
        return problems.report('bad_argument', `${where}: samples is a whole number above 0`);
      if (this.#ranges.length >= RANGES_MAX)
        return problems.report('ranges_full', `${where}: over ${RANGES_MAX} ranges in one flush`);
      const { hop, probe } = this.#ofHop(hopName);
      const end = tick(start + samples);
      const atNs = this.#host.now();
      this.#ranges.push({ kind, hop: hop.name, startTick: start, endTick: end, atNs });
      probe.skipTo(end);
      if (kind === 'conceal' && hop.name.name === 'playout') this.#host.underrun(this, start, end);
    };
    problems.guard(where, declare);
  }
}
