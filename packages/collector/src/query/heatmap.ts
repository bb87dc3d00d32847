// GET /api/v1/heatmap: columns of time × exponential rows of latency.
//
//   waits    each turn is a row of the store: exact values, censored ones apart
//   frames   a sketch per session and minute: merged, so a column is whole minutes
//
// Rows are the sketch's own buckets, at a coarser scale by index shift:
// nothing is interpolated. What was never answered (or lost) has no latency
// and is counted beside the cells, column by column.

import type { Heatmap, Quantiles } from '@framescope/protocol';
import type { RollupRow, UnixRange, ValueRow } from '../store/store.ts';
import { FrameTally } from './frame-tally.ts';
import { gridRows, HeatmapGrid, zeros } from './heatmap-grid.ts';
import { quantilesOf } from './kaplan-meier.ts';
import { budgetOf } from './measure-info.ts';
import { chooseMeasure, infoOf, type Chosen } from './measure-range.ts';
import type { HeatmapQuery, QueryContext } from './queries.types.ts';

const DEFAULT_SCALE = 4;
const MINUTE_NS = 60_000_000_000n;

/** What waits and frames fill in each in their way. */
interface Filled {
  readonly grid: HeatmapGrid;
  readonly neverAnswered: readonly number[];
  readonly lost: readonly number[];
  readonly quantiles: readonly Quantiles[];
  readonly total: Quantiles;
  readonly overBudget: readonly number[];
  readonly coverage: Heatmap['coverage'];
}

export const heatmap: HeatmapQuery = async (context, asked) => {
  const chosen = await chooseMeasure(context, asked);
  if (chosen === undefined) return undefined;
  const scale = asked.scale ?? DEFAULT_SCALE;
  const isFrame = chosen.measure.kind === 'frame';
  const filled = isFrame
    ? fillFrames(chosen, {
        rows: await context.reader.rollups(chosen.measure.measure, chosen.range),
        columns: asked.columns,
        scale,
      })
    : await fillWaits(context, chosen, { columns: asked.columns, scale });
  return answer(context, chosen, filled);
};

function answer(context: QueryContext, chosen: Chosen, filled: Filled): Heatmap {
  const { grid, ...counts } = filled;
  return {
    measure: {
      ...infoOf(context.budgets, chosen.measure),
      n: filled.total.n,
      sessions: filled.coverage.sessions,
    },
    fromUnixNs: String(chosen.range.fromUnixNs),
    toUnixNs: String(chosen.range.toUnixNs),
    columnNs: grid.columnNs,
    columns: grid.columns,
    ...grid.rows,
    cells: grid.cells(),
    overflow: grid.overflow,
    underflow: grid.underflow,
    exemplars: grid.exemplars.filter(exemplar => exemplar !== undefined),
    ...counts,
    groups: [],
    omittedGroupCount: 0,
    intervals: NO_INTERVALS,
  };
}

const NO_INTERVALS = { p50: null, p95: null, p99: null, p999: null } as const;

interface Shape {
  readonly columns: number;
  readonly scale: number;
}

const columnWidth = (range: UnixRange, columns: number, unitNs: bigint): bigint => {
  const widthNs = range.toUnixNs - range.fromUnixNs;
  const exact = (widthNs + BigInt(columns) - 1n) / BigInt(columns);
  const units = (exact + unitNs - 1n) / unitNs;
  return (units < 1n ? 1n : units) * unitNs;
};

async function fillWaits(context: QueryContext, chosen: Chosen, shape: Shape): Promise<Filled> {
  const values = await context.reader.values(chosen.measure.measure, chosen.range);
  const grid = new HeatmapGrid(
    gridRows('wait', shape.scale),
    chosen.range,
    columnWidth(chosen.range, shape.columns, 1_000_000n),
  );
  const byColumn: ValueRow[][] = Array.from({ length: grid.columns }, () => []);
  for (const value of values) {
    const column = grid.columnOf(value.atUnixNs);
    byColumn[column]!.push(value);
    if (!value.isCensored) grid.addValue(column, value.valueNs);
    grid.offer({
      column,
      valueNs: value.valueNs,
      sessionKey: value.sessionKey,
      tick: value.tick,
      atUnixNs: String(value.atUnixNs),
    });
  }
  const limitNs = budgetOf(context.budgets, chosen.measure.measure);
  return {
    grid,
    neverAnswered: byColumn.map(rows => rows.filter(row => row.isCensored).length),
    lost: zeros(grid.columns),
    quantiles: byColumn.map(quantilesOf),
    total: quantilesOf(values),
    overBudget: byColumn.map(rows => countOver(rows, limitNs)),
    coverage: waitCoverage(chosen, values),
  };
}

const countOver = (rows: readonly ValueRow[], limitNs: number | null): number =>
  limitNs === null ? 0 : rows.filter(row => row.valueNs > limitNs).length;

/** Of the turns that any definition of this family covers, how many this one does. */
function waitCoverage(chosen: Chosen, values: readonly ValueRow[]): Heatmap['coverage'] {
  const family = `${chosen.measure.measure.split('.', 1)[0]}.`;
  const isPart = family === 'part.';
  const widest = chosen.measures
    .filter(one =>
      isPart ? one.measure.startsWith('voice_to_voice.') : one.measure.startsWith(family),
    )
    .reduce((most, one) => Math.max(most, one.count), 0);
  const sessions = new Set(values.map(value => value.sessionKey));
  return {
    covered: values.length,
    of: Math.max(widest, values.length),
    sessions: sessions.size,
  };
}

function fillFrames(
  chosen: Chosen,
  { rows, columns, scale }: Shape & { readonly rows: readonly RollupRow[] },
): Filled {
  // Whole minutes: from the start of the first one, so that no rollup is cut.
  const fromUnixNs = (chosen.range.fromUnixNs / MINUTE_NS) * MINUTE_NS;
  const range = { fromUnixNs, toUnixNs: chosen.range.toUnixNs };
  const grid = new HeatmapGrid(
    gridRows('frame', scale),
    range,
    columnWidth(range, columns, MINUTE_NS),
  );
  const tallies = Array.from({ length: grid.columns }, () => new FrameTally());
  const total = new FrameTally();
  for (const row of rows) {
    const atUnixNs = BigInt(row.minute) * MINUTE_NS;
    const column = grid.columnOf(atUnixNs);
    tallies[column]!.add(row);
    total.add(row);
    const [slowest] = row.worst;
    if (slowest === undefined) continue;
    grid.offer({
      column,
      valueNs: slowest.valueNs,
      sessionKey: row.sessionKey,
      tick: slowest.ref,
      atUnixNs: String(atUnixNs),
    });
  }
  tallies.forEach((tally, column) => {
    grid.underflow[column]! += tally.sketch.zeroCount;
    tally.sketch.shiftedTo(scale).forEach((bucket, count) => grid.addBucket(column, bucket, count));
  });
  return {
    grid,
    neverAnswered: zeros(grid.columns),
    lost: tallies.map(tally => tally.lostCount),
    quantiles: tallies.map(tally => tally.quantiles()),
    total: total.quantiles(),
    overBudget: tallies.map(tally => tally.overBudgetCount),
    coverage: {
      covered: total.sketch.count,
      of: Math.max(total.expectedCount, total.sketch.count),
      sessions: new Set(rows.map(row => row.sessionKey)).size,
    },
  };
}
