// A hop whose audio is not cut as the stream is: resampled, spliced, stretched.
// It counts its own samples; what is marked are the stream's ticks, so that hops
// before and behind it stay comparable for the whole call.

import { lowest, tick, type Tick } from '@framescope/protocol';
import type { Hop, HopOptions } from '../hop/hop.ts';
import { Stream } from '../hop/stream.ts';
import { isFrameLength, isTick } from '../hot/hop-probe.ts';
import type { SessionPort } from '../ports.ts';
import type { Session } from '../session.ts';
import { sessionOr } from '../adapters/common/session-or.ts';
import { plainOptions } from '../transport/plain-options.ts';
import { SegmentMap } from './segment-map.ts';

/** Where and how a hop's own samples lie on its stream. */
export interface BentHopOptions extends HopOptions {
  /** Hertz of what passes this hop. Default: that of the stream. */
  readonly sampleRate?: number;
  /** Tick of the stream that its first sample is. Default: where the hop stands. */
  readonly tick?: number;
}

/** What changes from the next sample on. */
export interface Bend {
  /** Tick of the stream that the next sample is: after a splice. Default: as the rate so far says. */
  readonly tick?: number;
  /** So many samples of this hop… */
  readonly samples?: number;
  /** …are so many ticks of the stream (both or neither): a stretch, another rate. */
  readonly ticks?: number;
}

/** Terms of a rate: 768 kHz against 1. */
const RATE_TERM_MAX = 768_000;

/**
 * A hop that counts in samples of its own and marks ticks of its stream. Got from `bentHop`. Nothing in
 * it throws; what makes no sense is counted.
 */
export class BentHop {
  /** The hop as others see it. */
  readonly hop: Hop;
  readonly #stream: Stream;
  readonly #port: SessionPort;
  readonly #map: SegmentMap;
  #next = 0;
  /** Where the hop stood when we left it: somewhere else, the stream has jumped (an anchor said so). */
  #left: number;

  /** Made by `bentHop`. */
  constructor(session: Session, stream: Stream, name: string, options: Partial<BentHopOptions>) {
    this.#stream = stream;
    this.#port = session.port();
    const { sampleRate, tick: first, ...own } = options;
    this.hop = stream.hop(name, own);
    const rate = isRateTerm(sampleRate) ? sampleRate : stream.sampleRate;
    if (sampleRate !== undefined && rate !== sampleRate)
      this.#refuse(`sampleRate is in hertz, 1 to ${RATE_TERM_MAX}`);
    const [samples, ticks] = lowest(rate, stream.sampleRate);
    const at = isTick(first) ? tick(first as number) : this.hop.nextTick;
    this.#map = new SegmentMap({ sample: 0, tick: at, samples, ticks });
    this.#left = this.hop.nextTick;
    if (samples !== ticks || at !== 0) this.#tell();
  }

  /** The hop's own sample that the next `mark` starts with. */
  get nextSample(): number {
    return this.#next;
  }

  /** The tick of the stream that it starts with. */
  get nextTick(): Tick {
    return this.#map.tickOf(this.#next);
  }

  /** Tick of one of the hop's own samples, as a vendor names positions (`audio_end_ms` × rate). Exact. */
  tickOf(sample: number): Tick {
    const isSample = Number.isSafeInteger(sample) && sample >= 0;
    if (!isSample) this.#refuse('tickOf: a sample is a whole number from 0');
    return this.#map.tickOf(isSample ? sample : this.#next);
  }

  /**
   * The next `samples` samples, counted at this hop's rate, left it now. A chunk too short for a whole
   * tick waits for the next. About 100 ns. Never throws.
   */
  mark(samples: number): void {
    const range = this.#pass(samples);
    // What is refused is counted where marks are.
    if (range === undefined) this.hop.mark(samples);
    else if (range.ticks > 0) this.hop.markAt(range.start, range.ticks);
    this.#left = this.hop.nextTick;
  }

  /** The next `samples` samples were thrown away before this hop. */
  drop(samples: number): void {
    this.#declare('drop', samples);
  }

  /** The next `samples` samples are silence that nobody sends. */
  silence(samples: number): void {
    this.#declare('silence', samples);
  }

  /** The next `samples` samples were made up here. */
  conceal(samples: number): void {
    this.#declare('conceal', samples);
  }

  /**
   * From the next sample on the axis goes on elsewhere (`tick`: samples were cut out or put in, and
   * are nobody's loss) or at another rate (`samples`, `ticks`: stretched, resampled anew). Told to the
   * collector once, with an exact rate. Never throws.
   */
  bend(given: Bend): void {
    const { tick: to, samples, ticks } = plainOptions(given);
    const { last } = this.#map;
    const hasRate = samples !== undefined || ticks !== undefined;
    if (
      (hasRate && !(isRateTerm(samples) && isRateTerm(ticks))) ||
      !(to === undefined || isTick(to))
    )
      return this.#refuse(
        `bend: tick is a whole number from 0, samples and ticks are whole numbers from 1 to ${RATE_TERM_MAX}`,
      );
    const [own, media] = hasRate ? lowest(samples!, ticks!) : [last.samples, last.ticks];
    const at = to === undefined ? this.nextTick : tick(to);
    this.#map.add({ sample: this.#next, tick: at, samples: own, ticks: media });
    this.#tell();
  }

  #declare(kind: 'drop' | 'silence' | 'conceal', samples: number): void {
    const range = this.#pass(samples);
    if (range === undefined) return this.#refuse(`${kind}: samples is a whole number above 0`);
    if (range.ticks > 0) this.#stream[kind](this.hop, range.start, range.ticks);
    this.#left = this.hop.nextTick;
  }

  #pass(samples: number): { readonly start: Tick; readonly ticks: number } | undefined {
    if (!isFrameLength(samples) || !Number.isSafeInteger(this.#next + samples)) return undefined;
    const { nextTick } = this.hop;
    if (nextTick !== this.#left) this.bend({ tick: nextTick });
    const start = this.nextTick;
    this.#next += samples;
    return { start, ticks: Math.max(0, this.nextTick - start) };
  }

  #refuse(what: string): void {
    this.#port.problems.report('bad_argument', `bentHop: ${what}`);
  }

  #tell(): void {
    const { role, name, nth } = this.hop.name;
    const { sample, tick: at, samples, ticks } = this.#map.last;
    this.#port.lineage({
      kind: 'segment',
      stream: this.#stream.name,
      role,
      hop: name,
      nth,
      sample,
      tick: at,
      samples,
      ticks,
      at: this.#port.clock.now(),
    });
  }
}

/**
 * A hop whose audio has another rate or is cut otherwise than its stream: `bentHop(call, mic, 'send', {
 * sampleRate: 24_000 }).mark(480)` marks 320 ticks of a stream of 16 kHz. Make it once, where the
 * resampler is made. Never throws.
 */
export function bentHop(
  session: Session,
  stream: Stream,
  name: string,
  options: BentHopOptions = {},
): BentHop {
  const call = sessionOr(session);
  const on = stream instanceof Stream ? stream : call.stream('unnamed');
  return new BentHop(call, on, name, plainOptions(options));
}

const isRateTerm = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= RATE_TERM_MAX;
