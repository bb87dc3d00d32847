// Bounds by resampling sessions, not turns: one bad call is fifty slow turns, and they say as much
// as one.
//
// Each draw takes as many sessions as there are, with replacement, and computes the figure anew;
// the bounds are the figure ± 1.96 standard deviations of the draws. Fifty draws place those within
// a tenth; the generator is seeded, so that a page loaded again shows the same bounds.

const Z_95 = 1.959964;
const DRAWS_MIN = 50;
const DRAWS_MAX = 200;
/** Sessions drawn in all: keeps the answer under a tenth of a second. */
const WORK_MAX = 2_500_000;

export const drawsFor = (sessions: number): number =>
  Math.max(DRAWS_MIN, Math.min(DRAWS_MAX, Math.floor(WORK_MAX / Math.max(sessions, 1))));

/** Numbers in [0, 1), the same each time (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each of `count` sessions is drawn, into `weights`. */
export function drawWeights(weights: Uint16Array, count: number, random: () => number): void {
  weights.fill(0, 0, count);
  for (let i = 0; i < count; i++) weights[Math.floor(random() * count)]!++;
}

/** Mean and standard deviation while values come in; those that are no number are left out. */
export class Spread {
  count = 0;
  #mean = 0;
  #squares = 0;

  add(value: number): void {
    if (Number.isNaN(value)) return;
    this.count++;
    const before = value - this.#mean;
    this.#mean += before / this.count;
    this.#squares += before * (value - this.#mean);
  }

  /** `figure` ± 1.96 standard deviations; null when most draws gave no figure. */
  around(
    figure: number,
    draws: number,
  ): { readonly lowNs: number; readonly highNs: number } | null {
    if (this.count < draws / 2 || this.count < 2) return null;
    const half = Z_95 * Math.sqrt(this.#squares / (this.count - 1));
    return { lowNs: Math.round(figure - half), highNs: Math.round(figure + half) };
  }
}
