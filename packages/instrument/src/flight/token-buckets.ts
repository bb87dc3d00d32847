// How often each reason may pull a trigger: a few at once, then one now and
// then. A call that goes wrong goes wrong all the time; ten dumps tell as much
// as a thousand.

const BURST = 3;
const REFILL_NS = 30_000_000_000;
/** Reasons are the user's words; a bound on them. */
const REASONS_MAX = 32;

interface Bucket {
  tokens: number;
  filledNs: number;
}

export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();

  /** True, and a token less, when `reason` may act now. */
  take(reason: string, nowNs: number): boolean {
    let bucket = this.#buckets.get(reason);
    if (bucket === undefined) {
      if (this.#buckets.size >= REASONS_MAX) return false;
      bucket = { tokens: BURST, filledNs: nowNs };
      this.#buckets.set(reason, bucket);
    }
    const due = Math.floor((nowNs - bucket.filledNs) / REFILL_NS);
    if (due > 0) {
      bucket.tokens = Math.min(BURST, bucket.tokens + due);
      bucket.filledNs += due * REFILL_NS;
    }
    if (bucket.tokens === 0) return false;
    bucket.tokens -= 1;
    return true;
  }
}
