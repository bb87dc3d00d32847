// One hop of one stream, where frames are marked: the media position of the
// hop, and the jumps of the stream that it has not made yet.
//
// The position lives in a Float64Array of the stream: a double in a field is
// boxed when it outgrows 31 bits (after 12 hours at 48 kHz), and a box is garbage.

import type { MarkRing } from './mark-ring.ts';
import type { JumpList } from './jump-list.ts';

/** Samples in one frame at most: ten minutes at 48 kHz. More is a mistake in units. */
export const FRAME_SAMPLES_MAX = 28_800_000;
/** Ticks are whole numbers a double holds exactly. */
const TICK_MAX = 9_007_199_254_740_991 - FRAME_SAMPLES_MAX;

export class HopProbe {
  /** How often the ticks did not follow each other: what is sent on needs a new anchor. */
  breakCount = 0;
  /** True once a frame was marked or declared. */
  isUsed = false;

  readonly #ring: MarkRing;
  readonly #code: number;
  readonly #jumps: JumpList;
  /** Where in `positions` this hop's stands. */
  readonly #at: number;
  #jumpsMade = 0;

  /** @param code Index of this hop in its session; below 65,536. */
  constructor(ring: MarkRing, code: number, jumps: JumpList) {
    this.#ring = ring;
    this.#code = code;
    this.#jumps = jumps;
    this.#at = jumps.claim();
  }

  /** The tick that the next frame starts with, jumps of the stream included. */
  nextTick(): number {
    this.#jump();
    return this.#jumps.positions[this.#at]!;
  }

  /**
   * The next `samples` ticks left this hop now. About 60 ns and no garbage. A count that is no
   * whole number above 0 is refused and counted; never throws.
   */
  mark(samples: number): void {
    if (!isFrameLength(samples)) {
      this.#ring.refuseBad();
      return;
    }
    this.#jump();
    const start = this.#jumps.positions[this.#at]!;
    this.#ring.push(this.#code, start, samples);
    this.#jumps.positions[this.#at] = start + samples;
    // Not written again: among the hops of a hundred calls each line of cache counts.
    if (!this.isUsed) this.isUsed = true;
  }

  /**
   * Ticks `startTick` to `startTick + samples` left this hop now: after a loss, late, or repeated.
   * `mark` goes on after the highest tick marked. Costs and refuses like `mark`.
   */
  markAt(startTick: number, samples: number): void {
    if (!isFrameLength(samples) || !isTick(startTick)) {
      this.#ring.refuseBad();
      return;
    }
    this.#ring.push(this.#code, startTick, samples);
    this.advance(startTick, samples);
  }

  /** A mark that makes no sense; counted where all hops of a session count. */
  refuse(): void {
    this.#ring.refuseBad();
  }

  /** The frame was marked in another way: moves the position as `markAt` does. */
  advance(startTick: number, samples: number): void {
    if (startTick === this.nextTick()) {
      this.#jumps.positions[this.#at] = startTick + samples;
      this.isUsed = true;
    } else this.skipTo(startTick + samples);
  }

  /** Moves the position forward to `tick`, over ticks accounted for in another way. */
  skipTo(tick: number): void {
    this.#jumpsMade = this.#jumps.count;
    this.breakCount = (this.breakCount + 1) | 0;
    const positions = this.#jumps.positions;
    if (tick > positions[this.#at]!) positions[this.#at] = tick;
    this.isUsed = true;
  }

  /** Makes the jumps of the stream that lie at or before the position. */
  #jump(): void {
    while (this.#jumpsMade < this.#jumps.count) {
      const beyond = this.#jumps.positions[this.#at]! - this.#jumps.at(this.#jumpsMade);
      if (beyond < 0) return;
      this.#jumps.positions[this.#at] = this.#jumps.to(this.#jumpsMade) + beyond;
      this.#jumpsMade = (this.#jumpsMade + 1) | 0;
      this.breakCount = (this.breakCount + 1) | 0;
    }
  }
}

/** False also for what is no number: callers may be untyped. */
export function isFrameLength(samples: unknown): boolean {
  return (
    typeof samples === 'number' && samples >= 1 && samples <= FRAME_SAMPLES_MAX && samples % 1 === 0
  );
}

/** A whole number from 0 that leaves room for a frame. */
export function isTick(tick: unknown): boolean {
  return typeof tick === 'number' && tick >= 0 && tick <= TICK_MAX && tick % 1 === 0;
}
