// Which tick an RTP timestamp is, for each SSRC: learnt from tags, carried on by
// the timestamp. A relay may rewrite SSRC and timestamps; then the next tag of
// the new SSRC teaches the new offset.

import { tick, type Tick } from '@framescope/protocol';
import type { Stream } from '../hop/stream.ts';
import type { Problems } from '../problems.ts';

/** SSRCs known at a time: a call has two; a relay that renumbers some more. */
const SSRCS_MAX = 64;
/** Five seconds of 20 ms packets. */
const HELD_MAX = 256;
const STREAMS_MAX = 256;

interface Known {
  readonly stream: Stream;
  readonly timestamp: number;
  readonly tick: number;
}

interface Bound {
  readonly stream: Stream;
  /** A tick near which the next tag's 32 bits are meant. */
  near: number;
}

interface Packet {
  readonly ssrc: number;
  readonly timestamp: number;
}

interface Held extends Packet {
  readonly samples: number;
  readonly atNs: number;
}

export class RtpPlaces {
  readonly #problems: Problems;
  readonly #clockRate: number | undefined;
  /** By stream number of the tag. */
  readonly #bound = new Map<number, Bound>();
  readonly #known = new Map<number, Known>();
  #held: Held[] = [];

  constructor(problems: Problems, clockRate: unknown) {
    this.#problems = problems;
    const isRate =
      typeof clockRate === 'number' && Number.isSafeInteger(clockRate) && clockRate > 0;
    this.#clockRate = isRate ? clockRate : undefined;
    if (clockRate !== undefined && !isRate)
      problems.report('bad_argument', 'RtpLink: clockRate is in hertz; the sample rate is used');
  }

  /** An anchor said which stream a number means, and about where it stands. */
  bind(streamNumber: number, stream: Stream, near: number): void {
    if (this.#bound.size < STREAMS_MAX || this.#bound.has(streamNumber))
      this.#bound.set(streamNumber, { stream, near });
  }

  /** A tag said which tick this packet begins with; `tickNear` unwraps its 32 bits. */
  learn(packet: Packet, streamNumber: number, tickNear: (near: number) => Tick): void {
    const bound = this.#bound.get(streamNumber);
    if (bound === undefined || !isPacket(packet)) return;
    const at = tickNear(bound.near);
    bound.near = at;
    if (this.#known.size >= SSRCS_MAX && !this.#known.has(packet.ssrc)) this.#forgetOldest();
    // Taken out and put back: the map's order is that of last use.
    this.#known.delete(packet.ssrc);
    this.#known.set(packet.ssrc, { stream: bound.stream, timestamp: packet.timestamp, tick: at });
  }

  placeOf(packet: Packet): { readonly stream: Stream; readonly tick: Tick } | undefined {
    if (!isPacket(packet)) {
      this.#problems.report('bad_argument', 'rtp: ssrc and timestamp are whole numbers of 32 bits');
      return undefined;
    }
    const known = this.#known.get(packet.ssrc);
    if (known === undefined) return undefined;
    const { stream } = known;
    // Signed: a packet may be older than the one that taught us, and the timestamp wraps.
    const passed = (packet.timestamp - known.timestamp) | 0;
    const rate = this.#clockRate ?? stream.sampleRate;
    const at = known.tick + Math.floor((passed * stream.sampleRate) / rate);
    return at < 0 ? undefined : { stream, tick: tick(at) };
  }

  /** Keeps a packet whose place is not known yet. */
  hold(packet: Packet, samples: number, atNs: number): void {
    if (!isPacket(packet)) return;
    if (this.#held.length >= HELD_MAX) {
      this.#held.shift();
      this.#problems.report(
        'rtp_unplaced',
        'rtp: packets without a place: no anchor came with them. Does the sender tag, and the relay pass the extension on?',
      );
    }
    const { ssrc, timestamp } = packet;
    this.#held.push({ ssrc, timestamp, samples, atNs });
  }

  /** Marks what waited for this SSRC's first place. */
  release(ssrc: number): void {
    if (this.#held.length === 0) return;
    const released = this.#held.filter(one => one.ssrc === ssrc);
    this.#held = this.#held.filter(one => one.ssrc !== ssrc);
    for (const one of released) {
      const place = this.placeOf(one);
      place?.stream.hop('receive').markAt(place.tick, one.samples, one.atNs);
    }
  }

  #forgetOldest(): void {
    const oldest = this.#known.keys().next();
    if (oldest.done !== true) this.#known.delete(oldest.value);
  }
}

const isUint32 = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32;

const isPacket = (packet: Packet): boolean => isUint32(packet?.ssrc) && isUint32(packet?.timestamp);
