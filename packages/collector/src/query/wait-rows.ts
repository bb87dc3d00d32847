// Rows of a table of waits that a chart is about, and their values as columns.

import type { ValueColumn } from '../rollup/wait-codec.ts';
import { VALUE_FLAG } from '../rollup/wait-codec.ts';
import type { WaitTable } from '../store/store.ts';
import { sortedWaits, type SortedWaits } from './wait-quantiles.ts';

/** Rows of `table` that have the measure and pass. */
export function rowsWith(column: ValueColumn, passes: Uint8Array): Int32Array {
  const { valueNs } = column;
  const rows = new Int32Array(passes.length);
  let count = 0;
  for (let row = 0; row < passes.length; row++)
    if (passes[row] === 1 && !Number.isNaN(valueNs[row]!)) rows[count++] = row;
  return rows.subarray(0, count);
}

/** Their values, sorted. */
export function sortedOf(column: ValueColumn, rows: Int32Array): SortedWaits {
  const { valueNs, flags } = column;
  const answered = new Float64Array(rows.length);
  const censored = new Float64Array(rows.length);
  let a = 0;
  let c = 0;
  for (const row of rows)
    if ((flags[row]! & VALUE_FLAG.censored) !== 0) censored[c++] = valueNs[row]!;
    else answered[a++] = valueNs[row]!;
  return sortedWaits(answered.subarray(0, a), censored.subarray(0, c));
}

export function sessionCount(table: WaitTable, rows: Int32Array): number {
  const seen = new Uint8Array(table.sessions.length);
  let count = 0;
  for (const row of rows) {
    const session = table.session[row]!;
    if (seen[session] === 0) {
      seen[session] = 1;
      count++;
    }
  }
  return count;
}
