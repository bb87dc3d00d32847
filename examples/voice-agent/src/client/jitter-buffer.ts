// The jitter buffer: gives up one frame each 20 ms, as late as jitter asks for
// and as early as it allows.
//
//   transit   = arrival − time of sending (two clocks: only differences count)
//   jitter    = transit − least transit of the last 5 s
//   target    = 98th percentile of that jitter + one frame, 40 … 400 ms; or fixed
//
// A spurt of speech starts `target` after its first frame would have come at
// best. A frame that is not there when its turn comes is concealed by the
// decoder. If by then the target has grown, the slot is repeated, which moves
// the rest of the spurt back; else the frame is given up, and counted as late
// when it does come. Five in a row and the sender has gone quiet: silence, and
// a fresh start. The target falls only between spurts, where nobody hears it.

import { FRAME_MS } from '../common/audio.ts';
import type { Packet } from '../common/packet.ts';
import { TransitWindow } from './transit-window.ts';

const CONCEAL_LIMIT = 5;
/** 10 s of audio: a sender that runs further ahead than this is broken. */
const CAPACITY = 500;

export type Pulled =
  | { readonly kind: 'frame'; readonly packet: Packet }
  /** `sequence` is undefined when time was stretched and no frame given up. */
  | { readonly kind: 'concealed'; readonly sequence: number | undefined }
  | { readonly kind: 'silence' };

export interface JitterBufferCounts {
  played: number;
  concealed: number;
  /** Came after its turn was over. */
  late: number;
  /** Spurts that ran dry before their end. */
  underruns: number;
  /** Refused because the buffer was full. */
  refused: number;
}

export class JitterBuffer {
  readonly counts: JitterBufferCounts = {
    played: 0,
    concealed: 0,
    late: 0,
    underruns: 0,
    refused: 0,
  };
  readonly #frames = new Map<number, Packet>();
  readonly #transits = new TransitWindow();
  readonly #fixedMs: number | undefined;
  #next = 0;
  #isPlaying = false;
  #startAtMs = 0;
  #concealedInRow = 0;
  /** How long after its best possible arrival the next frame is played. */
  #delayMs = 0;

  /** `fixedMs`: how deep, whatever the line does; absent: as deep as its jitter asks for. */
  constructor(fixedMs?: number) {
    this.#fixedMs = fixedMs;
  }

  get targetMs(): number {
    return this.#fixedMs ?? this.#transits.targetMs;
  }

  get depth(): number {
    return this.#frames.size;
  }

  get isPlaying(): boolean {
    return this.#isPlaying;
  }

  /** A frame arrived. False if it came too late or there is no room. */
  push(packet: Packet, nowMs: number): boolean {
    const jitterMs = this.#transits.add(nowMs - packet.sentMs);
    if (packet.sequence < this.#next) {
      this.counts.late += 1;
      return false;
    }
    if (this.#frames.size >= CAPACITY) {
      this.counts.refused += 1;
      return false;
    }
    if (!this.#isPlaying && this.#frames.size === 0) {
      this.#startAtMs = nowMs - jitterMs + this.targetMs;
      this.#delayMs = Math.max(this.targetMs, jitterMs);
    }
    this.#frames.set(packet.sequence, packet);
    return true;
  }

  /** What to play in the 20 ms from now. */
  pull(nowMs: number): Pulled {
    if (!this.#isPlaying && !this.#tryStart(nowMs)) return { kind: 'silence' };
    const packet = this.#frames.get(this.#next);
    return packet === undefined ? this.#conceal() : this.#play(packet);
  }

  /** Forgets everything that is not played yet (barge-in); returns what that was. */
  clear(): Packet[] {
    const dropped = [...this.#frames.values()];
    for (const { sequence } of dropped) this.#next = Math.max(this.#next, sequence + 1);
    this.#frames.clear();
    this.#isPlaying = false;
    this.#concealedInRow = 0;
    return dropped;
  }

  #tryStart(nowMs: number): boolean {
    if (this.#frames.size === 0 || nowMs < this.#startAtMs) return false;
    this.#next = Math.min(...this.#frames.keys());
    this.#isPlaying = true;
    this.#concealedInRow = 0;
    return true;
  }

  #play(packet: Packet): Pulled {
    this.#frames.delete(packet.sequence);
    this.#next = packet.sequence + 1;
    this.#concealedInRow = 0;
    this.counts.played += 1;
    if (packet.isSpurtEnd) this.#stopPlaying();
    return { kind: 'frame', packet };
  }

  #conceal(): Pulled {
    if (this.#concealedInRow >= CONCEAL_LIMIT && this.#frames.size === 0) {
      this.counts.underruns += 1;
      this.#stopPlaying();
      return { kind: 'silence' };
    }
    this.#concealedInRow += 1;
    this.counts.concealed += 1;
    if (this.#frames.size === 0 && this.#delayMs + FRAME_MS <= this.targetMs) {
      this.#delayMs += FRAME_MS;
      return { kind: 'concealed', sequence: undefined };
    }
    const sequence = this.#next;
    this.#next += 1;
    return { kind: 'concealed', sequence };
  }

  #stopPlaying(): void {
    this.#isPlaying = false;
    // Frames of the next spurt that came early start it.
    this.#startAtMs = -Infinity;
  }
}
