// Is it chance that slow turns share a value? Calls keep their turns, the values are dealt out anew.
//
//   call        1    2    3    4    5        residual: slow turns beyond the call's fair share
//   residual   +7   −1   +5   −1   −2   …
//   host        a    b    a    c    b        of a: +12, and how often would any value get so far
//   dealt       c    a    b    a    b        when the same residuals fall on other calls?
//
// A permutation test with the greatest of all values in each deal (Westfall and Young 1993), so that
// many attributes are no more likely to fool than one, and a single bad call cannot. Where there are
// thousands of calls the sum over a value's calls is normal enough, and Bonferroni's bound is used.
//
// Of frames a call has thousands that share its line: there each call weighs the same, by its share of slow
// frames. Else one call of an hour would outweigh a hundred short ones, and all that it has not would seem to tell.

import { seededRandom } from './resample.ts';

/** No more than one deal in a hundred may look as telling. */
export const ALPHA = 0.01;
const DEALS = 400;
/** What a call weighs: as much as it has turns, or as any other. */
export type Weight = 'turns' | 'same';
/** Calls × values × deals: some 50 ms. */
const WORK_MAX = 20_000_000;

export interface Judged {
  readonly z: number;
  readonly isSure: boolean;
}

export class Deals {
  readonly #residuals: Float64Array;
  readonly #cells: readonly { readonly calls: readonly number[] }[];
  readonly #greatest: Float64Array;

  constructor(
    calls: readonly { readonly inside: number; readonly outside: number }[],
    cells: readonly { readonly calls: readonly number[] }[],
    weight: Weight = 'turns',
  ) {
    // Each call's slow ones and all of its own, in what it weighs.
    const weighed = calls.map(({ inside, outside }) => {
      const all = inside + outside;
      return weight === 'turns' || all === 0 ? { inside, all } : { inside: inside / all, all: 1 };
    });
    const inside = weighed.reduce((sum, one) => sum + one.inside, 0);
    const all = weighed.reduce((sum, one) => sum + one.all, 0);
    const fair = all === 0 ? 0 : inside / all;
    this.#residuals = Float64Array.from(weighed, one => one.inside - fair * one.all);
    this.#cells = cells;
    const work = DEALS * cells.reduce((sum, cell) => sum + cell.calls.length, calls.length);
    this.#greatest = work > WORK_MAX ? new Float64Array(0) : this.#dealt();
  }

  judge(cell: number): Judged {
    const z = this.#zOf(this.#residuals, this.#cells[cell]!.calls);
    if (this.#greatest.length === 0) return { z, isSure: z > zBeyond(ALPHA / this.#cells.length) };
    let asFar = 0;
    for (const greatest of this.#greatest) if (greatest >= z) asFar++;
    return { z, isSure: (asFar + 1) / (this.#greatest.length + 1) <= ALPHA };
  }

  /** The greatest z of any cell, deal by deal. */
  #dealt(): Float64Array {
    const random = seededRandom(1);
    const residuals = this.#residuals.slice();
    const greatest = new Float64Array(DEALS);
    for (let deal = 0; deal < DEALS; deal++) {
      for (let i = residuals.length - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1));
        [residuals[i], residuals[j]] = [residuals[j]!, residuals[i]!];
      }
      let most = -Infinity;
      for (const { calls } of this.#cells) most = Math.max(most, this.#zOf(residuals, calls));
      greatest[deal] = most;
    }
    return greatest;
  }

  /** The sum over these calls in standard deviations of a deal; residuals sum to 0. */
  #zOf(residuals: Float64Array, calls: readonly number[]): number {
    const n = residuals.length;
    const k = calls.length;
    if (n < 2 || k === n) return 0;
    let sum = 0;
    for (const call of calls) sum += residuals[call]!;
    const variance = ((k * (n - k)) / (n * (n - 1))) * this.#squares;
    return variance <= 0 ? 0 : sum / Math.sqrt(variance);
  }

  get #squares(): number {
    return (this.#squaresKnown ??= this.#residuals.reduce((sum, one) => sum + one * one, 0));
  }
  #squaresKnown: number | undefined;
}

/** The z that a share `p` of a normal distribution lies beyond (bound of Mills' ratio, p < 0.1: a little too far). */
export function zBeyond(p: number): number {
  let z = 1;
  for (let round = 0; round < 60; round++)
    z = Math.sqrt(Math.max(1, -2 * Math.log(p * z * Math.sqrt(2 * Math.PI))));
  return z;
}
