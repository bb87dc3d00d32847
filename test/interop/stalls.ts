// How long a program under test stood still around a moment, as it measured itself (programs/stalls.py,
// programs/stalls.mjs). What a framework tells of a moment and what its services log of it are taken by one
// event loop some of its turns apart: they differ by what the loop really did, and by how long it was not
// let run. The first is held to the limit; the second is measured and allowed for, where it was.

/** From and to, Unix ns: the loop was not back in time. The stall is at most as long as the gap. */
export type Gap = readonly [fromUnixNs: string, toUnixNs: string];

/** The loop's own running time between a moment and what is told of it. */
const BUDGET_NS = 5_000_000;

export class Stalls {
  readonly #gaps: readonly { readonly from: bigint; readonly to: bigint }[];

  constructor(gaps: readonly Gap[]) {
    this.#gaps = gaps.map(([from, to]) => ({ from: BigInt(from), to: BigInt(to) }));
  }

  /** ms stood still in the 5 ms of running time from a moment on. */
  after(at: bigint): number {
    let [stoodNs, leftNs, now] = [0, BUDGET_NS, at];
    for (const { from, to } of this.#gaps) {
      if (to <= now) continue;
      if (from > now) leftNs -= Number(from - now);
      if (leftNs <= 0) break;
      stoodNs += Number(to - (from > now ? from : now));
      now = to;
    }
    return stoodNs / 1e6;
  }

  /** ms stood still in the 5 ms of running time up to a moment. */
  before(at: bigint): number {
    let [stoodNs, leftNs, now] = [0, BUDGET_NS, at];
    for (const { from, to } of this.#gaps.toReversed()) {
      if (from >= now) continue;
      if (to < now) leftNs -= Number(now - to);
      if (leftNs <= 0) break;
      stoodNs += Number((to < now ? to : now) - from);
      now = from;
    }
    return stoodNs / 1e6;
  }

  /** ms stood still on either side. */
  around(at: bigint): number {
    return this.before(at) + this.after(at);
  }

  /** ms stood still between two moments. */
  between(start: bigint, end: bigint): number {
    let stoodNs = 0;
    for (const { from, to } of this.#gaps)
      stoodNs += Math.max(0, Number((to < end ? to : end) - (from > start ? from : start)));
    return stoodNs / 1e6;
  }

  get longestMs(): number {
    return Math.max(0, ...this.#gaps.map(({ from, to }) => Number(to - from) / 1e6));
  }
}

/**
 * A program that stood still as long as this has not done what its script says (it was interrupted later, or decided
 * before its transcript): such a conversation is led again if it came out otherwise. One that did not is wrong at once.
 */
export const STOOD_STILL_MS = 50;
export const AGAIN_MAX = 3;
