// How much the way from sender to client varies: the last 250 transits (5 s of
// frames), their least, and the 98th percentile above it.

import { FRAME_MS } from '../common/audio.ts';

const WINDOW = 250;
const PERCENTILE = 0.98;
/** Before anything is known. Web clients start at about this. */
const FIRST_TARGET_MS = 60;
/** With fewer transits than this the first target stands. */
const ENOUGH = 25;
const TARGET_MIN_MS = 40;
const TARGET_MAX_MS = 400;
/** The wire counts tenths of a millisecond in 32 bits. */
const WRAP_MS = 2 ** 32 / 10;

export class TransitWindow {
  readonly #transits: number[] = [];
  #at = 0;
  #targetMs = FIRST_TARGET_MS;

  get targetMs(): number {
    return this.#targetMs;
  }

  /** Takes a transit (any offset between the clocks); returns its jitter in ms. */
  add(rawTransitMs: number): number {
    const transitMs = ((rawTransitMs % WRAP_MS) + WRAP_MS) % WRAP_MS;
    if (this.#transits.length < WINDOW) this.#transits.push(transitMs);
    else this.#transits[this.#at] = transitMs;
    this.#at = (this.#at + 1) % WINDOW;
    const sorted = this.#transits.toSorted((a, b) => a - b);
    const leastMs = sorted[0] ?? transitMs;
    if (sorted.length >= ENOUGH) this.#targetMs = targetOf(sorted, leastMs);
    return transitMs - leastMs;
  }
}

function targetOf(sorted: readonly number[], leastMs: number): number {
  const rank = Math.ceil(PERCENTILE * sorted.length) - 1;
  const jitterMs = (sorted[rank] ?? leastMs) - leastMs;
  return Math.min(TARGET_MAX_MS, Math.max(TARGET_MIN_MS, jitterMs + FRAME_MS));
}
