// Histograms of calls in the form that /metrics shows: classic buckets and, for those who ask, the
// sketch itself as a native histogram.

import { bucketOf, SKETCH_ZERO_NS } from '@framescope/protocol';

/** Upper bounds in seconds; 0.8 is the default budget of voice to voice. */
export const WAIT_BOUNDS: readonly number[] = [
  0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10, 20,
];

/** Bounds of the sketch's own buckets, so that counting by them is exact: a quarter octave and coarser. */
export const FRAME_BOUNDS: readonly number[] = [
  -28, -24, -20, -18, -16, -14, -12, -10, -8, -6, -4, 0, 4,
].map(quarter => 2 ** (quarter / 4));

/** What one report of the writer adds to one series. */
export interface SeriesDelta {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  readonly sumNs: number;
  readonly zeroCount: number;
  /** Of the sketch, by index. */
  readonly buckets: readonly (readonly [index: number, count: number])[];
  /** Exact counts by bound of `WAIT_BOUNDS`, not cumulated; absent: from the sketch. */
  readonly classic?: readonly number[];
  readonly exemplar?: ExemplarValue;
}

export interface ExemplarValue {
  readonly valueNs: number;
  readonly atUnixNs: bigint;
  /** `trace_id`, `session`, `tick`. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface CounterDelta {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly by: number;
}

export interface MeasureReport {
  readonly series: readonly SeriesDelta[];
  readonly counters: readonly CounterDelta[];
}

/** A series in the making. */
export class SeriesDraft {
  count = 0;
  sumNs = 0;
  zeroCount = 0;
  exemplar: ExemplarValue | undefined;
  readonly classic: number[] = WAIT_BOUNDS.map(() => 0);
  readonly buckets: Map<number, number> = new Map();

  add(valueNs: number): void {
    this.count++;
    this.sumNs += valueNs;
    const place = WAIT_BOUNDS.findIndex(bound => valueNs <= bound * 1e9);
    if (place !== -1) this.classic[place]!++;
    if (valueNs <= SKETCH_ZERO_NS) this.zeroCount++;
    else this.addBucket(bucketOf(valueNs), 1);
  }

  addBucket(index: number, count: number): void {
    this.buckets.set(index, (this.buckets.get(index) ?? 0) + count);
  }

  /** Keeps the slowest. */
  offer(exemplar: ExemplarValue): void {
    if (this.exemplar === undefined || exemplar.valueNs > this.exemplar.valueNs)
      this.exemplar = exemplar;
  }
}

/** Counts up to each bound, cumulated, from a sketch: exact for bounds of its own buckets. */
export function cumulated(
  bounds: readonly number[],
  zeroCount: number,
  buckets: ReadonlyMap<number, number>,
): number[] {
  const last = bounds.map(bound => bucketOf(bound * 1e9 * (1 + 1e-9)) - 1);
  const counts = bounds.map(() => zeroCount);
  for (const [index, count] of buckets)
    for (let i = 0; i < bounds.length; i++) if (index <= last[i]!) counts[i]! += count;
  return counts;
}
