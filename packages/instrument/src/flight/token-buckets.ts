// How often each reason may act: a few times at once, then one now and then. A
// call that goes wrong goes wrong all the time; ten dumps, or ten spans, tell as
// much as a thousand.

/** How much a bucket holds, how fast it fills, and how many reasons there may be. */
export interface BucketSize {
  readonly burst: number;
  readonly refillNs: number;
  readonly reasonsMax: number;
}

interface Bucket {
  tokens: number;
  filledNs: number;
}

export class TokenBuckets {
  readonly #size: BucketSize;
  readonly #buckets = new Map<string, Bucket>();

  constructor(size: BucketSize) {
    this.#size = size;
  }

  /** True, and a token less, when `reason` may act now. */
  take(reason: string, nowNs: number): boolean {
    const { burst, refillNs, reasonsMax } = this.#size;
    let bucket = this.#buckets.get(reason);
    if (bucket === undefined) {
      if (this.#buckets.size >= reasonsMax) this.#forgetFull(nowNs);
      if (this.#buckets.size >= reasonsMax) return false;
      bucket = { tokens: burst, filledNs: nowNs };
      this.#buckets.set(reason, bucket);
    }
    const due = Math.floor((nowNs - bucket.filledNs) / refillNs);
    if (due > 0) {
      bucket.tokens = Math.min(burst, bucket.tokens + due);
      bucket.filledNs += due * refillNs;
    }
    if (bucket.tokens === 0) return false;
    bucket.tokens -= 1;
    return true;
  }

  /** A bucket that has filled up again is as good as new. */
  #forgetFull(nowNs: number): void {
    const { burst, refillNs } = this.#size;
    for (const [reason, { tokens, filledNs }] of this.#buckets)
      if (tokens + Math.floor((nowNs - filledNs) / refillNs) >= burst) this.#buckets.delete(reason);
  }
}
