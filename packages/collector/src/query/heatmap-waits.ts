// A heatmap of waits, filled from a table of them in one walk a group.

import type { Filter, Heatmap } from '@framescope/protocol';
import { columnsOf, groupValuesOf, passingRows, wordsOf } from '../filter/subjects.ts';
import { columnsOfKey, rowGroupsOf } from '../filter/turn-values.ts';
import { VALUE_FLAG, type ValueColumn } from '../rollup/wait-codec.ts';
import type { StoreReader, WaitTable } from '../store/store.ts';
import {
  columnWidth,
  gridRows,
  HeatmapGrid,
  zeros,
  type Filled,
  type Grouped,
  type Shape,
} from './heatmap-grid.ts';
import type { Chosen } from './measure-range.ts';
import { rowsWith, sessionCount, sortedOf } from './wait-rows.ts';
import { intervalsOfSorted, quantilesOfSorted } from './wait-quantiles.ts';

interface Asked extends Shape {
  readonly limitNs: number | null;
  readonly filter?: Filter | undefined;
  readonly group?: string | undefined;
}

export async function waitHeatmaps(
  reader: StoreReader,
  chosen: Chosen,
  asked: Asked,
): Promise<Grouped> {
  const { measure } = chosen.measure;
  const family = `${measure.split('.', 1)[0]}.*`;
  const covering = family === 'part.*' ? 'voice_to_voice.*' : family;
  const table = await reader.waits(chosen.range, {
    measures: [
      measure,
      covering,
      ...columnsOf(asked.filter),
      ...(asked.group === undefined ? [] : columnsOfKey(asked.group)),
    ],
  });
  const passes = passingRows(table, asked.filter, await wordsOf(asked.filter, reader));
  const column = table.columns.get(measure);
  const rows = column === undefined ? new Int32Array(0) : rowsWith(column, passes);
  const of = widestCover(table, covering.slice(0, -1), passes);
  const whole = filled({ table, column, rows, chosen, asked, of });
  if (asked.group === undefined || column === undefined) return { whole, groups: [] };
  const byValue = grouped(table, rows, asked.group);
  const groups = [...byValue]
    .toSorted((a, b) => b[1].length - a[1].length || order(a[0], b[0]))
    .map(([value, own]) => {
      const its = Int32Array.from(own);
      return { value, filled: filled({ table, column, rows: its, chosen, asked, of: its.length }) };
    });
  return { whole, groups };
}

const order = (a: string | null, b: string | null): number =>
  a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -1 : 1;

function grouped(table: WaitTable, rows: Int32Array, group: string): Map<string | null, number[]> {
  const values = table.sessions.map(() => undefined as readonly (string | null)[] | undefined);
  const byValue = new Map<string | null, number[]>();
  const ofTurn = rowGroupsOf(table, group);
  for (const row of rows) {
    const session = table.session[row]!;
    const its = ofTurn(row) ?? (values[session] ??= groupValuesOf(table.sessions[session]!, group));
    for (const value of its) {
      const own = byValue.get(value);
      if (own === undefined) byValue.set(value, [row]);
      else own.push(row);
    }
  }
  return byValue;
}

/** Of the turns that any definition of this family covers: the most that one does. */
function widestCover(table: WaitTable, family: string, passes: Uint8Array): number {
  let most = 0;
  for (const [name, column] of table.columns)
    if (name.startsWith(family)) most = Math.max(most, rowsWith(column, passes).length);
  return most;
}

interface Filling {
  readonly table: WaitTable;
  readonly column: ValueColumn | undefined;
  readonly rows: Int32Array;
  readonly chosen: Chosen;
  readonly asked: Asked;
  readonly of: number;
}

function filled({ table, column, rows, chosen, asked, of }: Filling): Filled {
  const { range } = chosen;
  const width = columnWidth(range, asked.columns, 1_000_000n);
  const grid = new HeatmapGrid(gridRows('wait', asked.scale), range, width);
  const neverAnswered = zeros(grid.columns);
  const overBudget = zeros(grid.columns);
  const columnOf = Int32Array.from(rows, row => grid.columnAt(table.atNs[row]!));
  const slowest = new Int32Array(grid.columns).fill(-1);
  for (let i = 0; i < rows.length && column !== undefined; i++) {
    const row = rows[i]!;
    const at = columnOf[i]!;
    const valueNs = column.valueNs[row]!;
    if ((column.flags[row]! & VALUE_FLAG.censored) !== 0) neverAnswered[at]!++;
    else grid.addValue(at, valueNs);
    if (asked.limitNs !== null && valueNs > asked.limitNs) overBudget[at]!++;
    if (slowest[at] === -1 || valueNs > column.valueNs[slowest[at]!]!) slowest[at] = row;
  }
  slowest.forEach((row, at) => {
    if (row !== -1) grid.offer(exemplarOf(table, column!, row, at));
  });
  const empty = { valueNs: new Float64Array(0), flags: new Uint8Array(0), savesNs: NO_SAVES };
  const sorted = (own: Int32Array) => sortedOf(column ?? empty, own);
  const all = sorted(rows);
  return {
    grid,
    neverAnswered,
    lost: zeros(grid.columns),
    quantiles: partition(rows, columnOf, grid.columns).map(own => quantilesOfSorted(sorted(own))),
    total: quantilesOfSorted(all),
    intervals: intervalsOfSorted(all),
    overBudget,
    coverage: {
      covered: rows.length,
      of: Math.max(of, rows.length),
      sessions: sessionCount(table, rows),
    },
  };
}

const NO_SAVES = new Float64Array(0);

function exemplarOf(
  table: WaitTable,
  column: ValueColumn,
  row: number,
  at: number,
): Heatmap['exemplars'][number] {
  return {
    column: at,
    valueNs: column.valueNs[row]!,
    sessionKey: table.sessions[table.session[row]!]!.key,
    tick: table.tick[row]!,
    atUnixNs: String(table.fromUnixNs + BigInt(table.atNs[row]!)),
  };
}

/** Rows by their column, without a list for each: counted, then placed. */
function partition(rows: Int32Array, columnOf: Int32Array, columns: number): Int32Array[] {
  const ends = new Int32Array(columns);
  for (const at of columnOf) ends[at]!++;
  for (let at = 1; at < columns; at++) ends[at]! += ends[at - 1]!;
  const placed = new Int32Array(rows.length);
  const next = ends.slice();
  for (let i = rows.length - 1; i >= 0; i--) placed[--next[columnOf[i]!]!] = rows[i]!;
  return Array.from(ends, (end, at) => placed.subarray(at === 0 ? 0 : ends[at - 1]!, end));
}
