// The grid of a heatmap while it is filled: cells and the counts beside them.

import { bucketOf, type Exemplar, type Heatmap } from '@framescope/protocol';
import type { UnixRange } from '../store/store.ts';

/** Rows of a grid: `rowMin` and the ones above it, at `scale` buckets an octave as a power of two. */
export interface GridRows {
  readonly scale: number;
  readonly rowMin: number;
  readonly rows: number;
}

/** 176 rows at scale 4 from 9.7 ms to 19.9 s; frames 100 µs to 5 s. */
export function gridRows(kind: 'wait' | 'frame', scale: number): GridRows {
  const [lowNs, highNs] = kind === 'wait' ? [10e6, 19.8e9] : [100e3, 5e9];
  const rowMin = bucketOf(lowNs, scale);
  return { scale, rowMin, rows: bucketOf(highNs, scale) - rowMin + 1 };
}

export class HeatmapGrid {
  readonly rows: GridRows;
  readonly columns: number;
  readonly columnNs: number;
  readonly overflow: number[];
  readonly underflow: number[];
  readonly exemplars: (Exemplar | undefined)[];
  readonly fromUnixNs: bigint;
  readonly #counts: Float64Array;

  constructor(rows: GridRows, range: UnixRange, columnNs: bigint) {
    const widthNs = range.toUnixNs - range.fromUnixNs;
    this.rows = rows;
    this.columnNs = Number(columnNs);
    this.columns = Math.max(1, Number((widthNs + columnNs - 1n) / columnNs));
    this.overflow = zeros(this.columns);
    this.underflow = zeros(this.columns);
    this.exemplars = Array.from({ length: this.columns });
    this.fromUnixNs = range.fromUnixNs;
    this.#counts = new Float64Array(this.columns * rows.rows);
  }

  /** Column of a time inside the range, counted from its start. */
  columnAt(atNs: number): number {
    return Math.min(this.columns - 1, Math.max(0, Math.floor(atNs / this.columnNs)));
  }

  addValue(column: number, valueNs: number): void {
    if (valueNs > 0) this.addBucket(column, bucketOf(valueNs, this.rows.scale), 1);
    else this.underflow[column]!++;
  }

  /** `bucket` in the grid's own scale. */
  addBucket(column: number, bucket: number, count: number): void {
    const row = bucket - this.rows.rowMin;
    if (row < 0) this.underflow[column]! += count;
    else if (row >= this.rows.rows) this.overflow[column]! += count;
    else this.#counts[column * this.rows.rows + row]! += count;
  }

  /** Keeps the slowest of each column. */
  offer(exemplar: Exemplar): void {
    const kept = this.exemplars[exemplar.column];
    if (kept === undefined || exemplar.valueNs > kept.valueNs)
      this.exemplars[exemplar.column] = exemplar;
  }

  /** Non-empty cells by column, then row. */
  cells(): { column: number[]; row: number[]; count: number[] } {
    const cells = { column: [] as number[], row: [] as number[], count: [] as number[] };
    for (let i = 0; i < this.#counts.length; i++) {
      if (this.#counts[i] === 0) continue;
      cells.column.push(Math.floor(i / this.rows.rows));
      cells.row.push(i % this.rows.rows);
      cells.count.push(this.#counts[i]!);
    }
    return cells;
  }
}

export const zeros = (length: number): number[] => Array.from({ length }, () => 0);

/** What waits and frames fill in each in their way. */
export interface Filled extends Pick<
  Heatmap,
  'neverAnswered' | 'lost' | 'quantiles' | 'total' | 'intervals' | 'overBudget' | 'coverage'
> {
  readonly grid: HeatmapGrid;
}

export interface Shape {
  readonly columns: number;
  readonly scale: number;
}

/** The whole, and its groups with most values first; all of them, not only those shown. */
export interface Grouped {
  readonly whole: Filled;
  readonly groups: readonly { readonly value: string | null; readonly filled: Filled }[];
}

export const columnWidth = (range: UnixRange, columns: number, unitNs: bigint): bigint => {
  const widthNs = range.toUnixNs - range.fromUnixNs;
  const exact = (widthNs + BigInt(columns) - 1n) / BigInt(columns);
  const units = (exact + unitNs - 1n) / unitNs;
  return (units < 1n ? 1n : units) * unitNs;
};
