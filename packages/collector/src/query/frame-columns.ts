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
import { isLowWorse } from './measure-info.ts';
import { QUANTILES, rankInterval } from './wait-quantiles.ts';

const WORST_COUNT = 32;

/** One of the worst; `session` where it was known without asking. */
export interface WorstFrame extends WorstValue {
  readonly minute: number;
  readonly of: FacetSession | undefined;
}

/** The 32 worst, in columns: most minutes of a day offer some, and few stay. */
class WorstFrames {
  #count = 0;
  readonly #valueNs = new Float64Array(WORST_COUNT);
  readonly #minute = new Float64Array(WORST_COUNT);
  readonly #ref = new Float64Array(WORST_COUNT);
  readonly #session = new Float64Array(WORST_COUNT);
  readonly #of: (FacetSession | undefined)[] = [];

  take(entry: MinuteCursor, of: FacetSession | undefined): void {
    // A minute with none among the worst is not read further.
    if (!this.#isWorse(entry.maxNs, 0, 0)) return;
    entry.openWorst();
    while (entry.stepWorst()) {
      if (!this.#isWorse(entry.worstNs, entry.minute, entry.worstRef)) {
        if (this.#count === WORST_COUNT && entry.worstNs < this.#valueNs[WORST_COUNT - 1]!) return;
        continue;
      }
      this.#insert({
        valueNs: entry.worstNs,
        minute: entry.minute,
        ref: entry.worstRef,
        session: entry.worstSession,
        of,
      });
    }
  }

  merge(other: WorstFrames): void {
    for (const one of other.items())
      if (this.#isWorse(one.valueNs, one.minute, one.ref)) this.#insert(one);
  }

  valueNs(place: number): number | undefined {
    return place < this.#count ? this.#valueNs[place] : undefined;
  }

  items(): WorstFrame[] {
    return Array.from({ length: this.#count }, (_, i) => ({
      valueNs: this.#valueNs[i]!,
      minute: this.#minute[i]!,
      ref: this.#ref[i]!,
      session: this.#session[i]!,
      of: this.#of[i],
    }));
  }

  /** Would it be among the kept? Equal ones go by time, so that the order of reading does not show. */
  #isWorse(valueNs: number, minute: number, ref: number): boolean {
    return this.#count < WORST_COUNT || this.#isBefore(valueNs, minute, ref, WORST_COUNT - 1);
  }

  #isBefore(valueNs: number, minute: number, ref: number, place: number): boolean {
    if (valueNs !== this.#valueNs[place]!) return valueNs > this.#valueNs[place]!;
    if (minute !== this.#minute[place]!) return minute < this.#minute[place]!;
    return ref < this.#ref[place]!;
  }

  #insert(one: WorstFrame): void {
    if (this.#count < WORST_COUNT) this.#count++;
    let at = this.#count - 1;
    for (; at > 0 && this.#isBefore(one.valueNs, one.minute, one.ref, at - 1); at--) {
      this.#valueNs[at] = this.#valueNs[at - 1]!;
      this.#minute[at] = this.#minute[at - 1]!;
      this.#ref[at] = this.#ref[at - 1]!;
      this.#session[at] = this.#session[at - 1]!;
      this.#of[at] = this.#of[at - 1];
    }
    this.#valueNs[at] = one.valueNs;
    this.#minute[at] = one.minute;
    this.#ref[at] = one.ref;
    this.#session[at] = one.session;
    this.#of[at] = one.of;
  }
}

/** Counts of one column, or of several together. */
export class FrameSum {
  count = 0;
  zeroCount = 0;
  lostCount = 0;
  minNs: number = Infinity;
  maxNs: number = -Infinity;
  readonly buckets: Float64Array = new Float64Array(BUCKETS);
  readonly #worst = new WorstFrames();
  readonly #isLowWorse: boolean;

  /** @param measure Of one whose bad end is the low one percentiles count from above. */
  constructor(measure = '') {
    this.#isLowWorse = isLowWorse(measure);
  }

  add(entry: MinuteCursor, of: FacetSession | undefined): void {
    this.count += entry.count;
    this.zeroCount += entry.zeroCount;
    this.lostCount += entry.lostCount;
    if (entry.count === 0) return;
    if (entry.minNs < this.minNs) this.minNs = entry.minNs;
    if (entry.maxNs > this.maxNs) this.maxNs = entry.maxNs;
    entry.addBuckets(this.buckets, 0);
    this.#worst.take(entry, of);
  }

  /** Frames above a limit: by buckets, the one that holds the limit in proportion (1 % of it wide). */
  countOver(limitNs: number): number {
    const at = Math.log2(limitNs / 1e9) * 2 ** SKETCH_SCALE - BUCKET_MIN;
    let over = 0;
    for (let i = Math.max(0, Math.floor(at)); i < BUCKETS; i++)
      over += this.buckets[i]! * (i < at ? 1 - (at - i) : 1);
    return Math.round(over);
  }

  merge(other: FrameSum): void {
    this.count += other.count;
    this.zeroCount += other.zeroCount;
    this.lostCount += other.lostCount;
    this.minNs = Math.min(this.minNs, other.minNs);
    this.maxNs = Math.max(this.maxNs, other.maxNs);
    for (let i = 0; i < BUCKETS; i++) this.buckets[i]! += other.buckets[i]!;
    this.#worst.merge(other.#worst);
  }

  /** Slowest first. */
  get worst(): readonly WorstFrame[] {
    return this.#worst.items();
  }

  /** Exact where the rank is among the worst kept, else within the sketch's bound. */
  quantiles(): Quantiles {
    const at = (q: number): number | null =>
      this.count === 0 || !isQuotable(q, this.count)
        ? null
        : Math.round(this.#ofRank(this.#rankOf(q)));
    return {
      n: this.count,
      censored: 0,
      p50Ns: at(QUANTILES.p50),
      p95Ns: at(QUANTILES.p95),
      p99Ns: at(QUANTILES.p99),
      p999Ns: at(QUANTILES.p999),
      maxNs: this.count === 0 ? null : this.#isLowWorse ? this.minNs : this.maxNs,
    };
  }

  intervals(): QuantileIntervals {
    const of = (q: number): QuantileInterval | null => {
      if (this.count === 0 || !isQuotable(q, this.count)) return null;
      const { low, high } = rankInterval(q, this.count);
      if (this.#isLowWorse) return this.#fromAbove(low, high);
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

  #rankOf(q: number): number {
    const rank = rankOf(q, this.count);
    return this.#isLowWorse ? this.count + 1 - rank : rank;
  }

  #fromAbove(low: number, high: number): QuantileInterval {
    return {
      lowNs: Math.round(this.#ofRank(Math.max(1, this.count + 1 - high))),
      highNs: Math.round(this.#ofRank(this.count + 1 - low)),
    };
  }

  #ofRank(rank: number): number {
    const exact = this.#worst.valueNs(this.count - rank);
    if (exact !== undefined) return exact;
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
