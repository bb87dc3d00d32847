// Frames added up by columns of time in one walk over minutes: dense counts, the 32 worst of each
// column with the session they belong to, and what never got a latency.

import {
  bucketUpperNs,
  rankOf,
  SKETCH_SCALE,
  SKETCH_ZERO_NS,
  type QuantileInterval,
  type QuantileIntervals,
  type Quantiles,
} from '@framescope/protocol';
import { BUCKET_MIN, BUCKETS, type MinuteCursor, type WorstValue } from '../rollup/minute-codec.ts';
import type { FacetSession } from '../store/store.ts';
import { isQuotable } from './kaplan-meier.ts';
import { QUANTILES, rankInterval } from './wait-quantiles.ts';

const WORST_COUNT = 32;

/** One of the worst; `session` where it was known without asking. */
export interface WorstFrame extends WorstValue {
  readonly minute: number;
  readonly of: FacetSession | undefined;
}

/** Counts of one column, or of several together. */
export class FrameSum {
  count = 0;
  zeroCount = 0;
  lostCount = 0;
  overBudgetCount = 0;
  minNs: number = Infinity;
  maxNs: number = -Infinity;
  readonly buckets: Float64Array = new Float64Array(BUCKETS);
  /** Slowest first. */
  worst: WorstFrame[] = [];

  add(entry: MinuteCursor, of: FacetSession | undefined): void {
    this.count += entry.count;
    this.zeroCount += entry.zeroCount;
    this.lostCount += entry.lostCount;
    this.overBudgetCount += entry.overBudgetCount;
    if (entry.count === 0) return;
    if (entry.minNs < this.minNs) this.minNs = entry.minNs;
    if (entry.maxNs > this.maxNs) this.maxNs = entry.maxNs;
    entry.addBuckets(this.buckets, 0);
    // Most minutes have none among the worst of their column: those are never read.
    if (this.worst.length === WORST_COUNT && entry.maxNs <= this.worst.at(-1)!.valueNs) return;
    this.#keep(entry.worst().map(one => ({ ...one, minute: entry.minute, of })));
  }

  merge(other: FrameSum): void {
    this.count += other.count;
    this.zeroCount += other.zeroCount;
    this.lostCount += other.lostCount;
    this.overBudgetCount += other.overBudgetCount;
    this.minNs = Math.min(this.minNs, other.minNs);
    this.maxNs = Math.max(this.maxNs, other.maxNs);
    for (let i = 0; i < BUCKETS; i++) this.buckets[i]! += other.buckets[i]!;
    this.#keep(other.worst);
  }

  #keep(more: readonly WorstFrame[]): void {
    this.worst = [...this.worst, ...more]
      .sort((a, b) => b.valueNs - a.valueNs || a.minute - b.minute || a.ref - b.ref)
      .slice(0, WORST_COUNT);
  }

  /** Exact where the rank is among the worst kept, else within the sketch's bound. */
  quantiles(): Quantiles {
    const at = (q: number): number | null =>
      this.count === 0 || !isQuotable(q, this.count)
        ? null
        : Math.round(this.#ofRank(rankOf(q, this.count)));
    return {
      n: this.count,
      censored: 0,
      p50Ns: at(QUANTILES.p50),
      p95Ns: at(QUANTILES.p95),
      p99Ns: at(QUANTILES.p99),
      p999Ns: at(QUANTILES.p999),
      maxNs: this.count === 0 ? null : this.maxNs,
    };
  }

  intervals(): QuantileIntervals {
    const of = (q: number): QuantileInterval | null => {
      if (this.count === 0 || !isQuotable(q, this.count)) return null;
      const { low, high } = rankInterval(q, this.count);
      return {
        lowNs: Math.round(this.#ofRank(low)),
        highNs: high > this.count ? null : Math.round(this.#ofRank(high)),
      };
    };
    return {
      p50: of(QUANTILES.p50),
      p95: of(QUANTILES.p95),
      p99: of(QUANTILES.p99),
      p999: of(QUANTILES.p999),
    };
  }

  #ofRank(rank: number): number {
    const exact = this.worst[this.count - rank];
    if (exact !== undefined) return exact.valueNs;
    let seen = this.zeroCount;
    if (rank <= seen) return Math.max(this.minNs, Math.min(SKETCH_ZERO_NS, this.maxNs));
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.buckets[i]!;
      if (seen >= rank) return Math.min(Math.max(middleNs(i + BUCKET_MIN), this.minNs), this.maxNs);
    }
    return this.maxNs;
  }

  /** Values in buckets that end inside (minNs, maxNs]: exact when the bounds are those of buckets. */
  countBetween(minNs: number, maxNs: number): number {
    let inside = minNs < 0 || (minNs === 0 && maxNs > 0) ? this.zeroCount : 0;
    for (let i = 0; i < BUCKETS; i++) {
      if (this.buckets[i] === 0) continue;
      const upper = bucketUpperNs(i + BUCKET_MIN);
      // A bound computed elsewhere may differ in the last bits.
      if (upper > minNs * (1 + 1e-9) && upper <= maxNs * (1 + 1e-9)) inside += this.buckets[i]!;
    }
    return inside;
  }
}

/** Harmonic middle of a bucket: equally wrong, relatively, at both ends. */
const middleNs = (bucket: number): number =>
  (2 * bucketUpperNs(bucket)) / (2 ** (2 ** -SKETCH_SCALE) + 1);
