// GET /api/v1/heatmap: columns of time × exponential rows of latency.
//
//   waits    each wait is a row of a table: exact values, censored ones apart
//   frames   a sketch per minute, of all calls together or (filtered) of each session:
//            merged, so a column is whole minutes
//
// Rows are the sketch's own buckets, at a coarser scale by index shift: nothing is interpolated.
// With `group` the same is made once for each value, on the same columns and rows.

import type { Heatmap } from '@framescope/protocol';
import { isEmpty } from './frame-walk.ts';
import { frameHeatmap, frameHeatmaps } from './heatmap-frames.ts';
import { waitHeatmaps } from './heatmap-waits.ts';
import { budgetOf } from './measure-info.ts';
import { chooseMeasure, infoOf, type Chosen } from './measure-range.ts';
import type { Filled, Grouped, Shape } from './heatmap-grid.ts';
import type { HeatmapQuery, QueryContext } from './queries.types.ts';

const DEFAULT_SCALE = 4;

/** Small multiples beyond this are too small to be read. */
const GROUPS_MAX = 12;

export const heatmap: HeatmapQuery = async (context, asked) => {
  const chosen = await chooseMeasure(context, asked);
  if (chosen === undefined) return undefined;
  const shape = { columns: asked.columns, scale: asked.scale ?? DEFAULT_SCALE };
  const { whole, groups } = await fill(context, chosen, shape, asked);
  const shown = groups.slice(0, GROUPS_MAX);
  return {
    ...answer(context, chosen, whole),
    groups: shown.map(({ value, filled }) => ({ value, heatmap: answer(context, chosen, filled) })),
    omittedGroupCount: groups.length - shown.length,
  };
};

async function fill(
  context: QueryContext,
  chosen: Chosen,
  shape: Shape,
  { filter, group }: Pick<Parameters<HeatmapQuery>[1], 'filter' | 'group'>,
): Promise<Grouped> {
  const limitNs = budgetOf(context.budgets, chosen.measure.measure);
  if (chosen.measure.kind === 'wait')
    return waitHeatmaps(context.reader, chosen, { ...shape, limitNs, filter, group });
  if (group !== undefined)
    return frameHeatmaps(context.reader, chosen, { ...shape, limitNs, filter, group });
  const whole = await frameHeatmap(context.reader, chosen, { ...shape, limitNs, filter });
  if (filter !== undefined && !isEmpty(filter)) return { whole, groups: [] };
  // Minutes added up over calls say how many met at once; how many there were is counted apart.
  const { sessionCount } = chosen.measure;
  const sessions = Math.max(whole.coverage.sessions, sessionCount);
  return { whole: { ...whole, coverage: { ...whole.coverage, sessions } }, groups: [] };
}

function answer(context: QueryContext, chosen: Chosen, filled: Filled): Heatmap {
  const { grid, ...counts } = filled;
  return {
    measure: {
      ...infoOf(context.budgets, chosen.measure),
      n: filled.total.n,
      sessions: filled.coverage.sessions,
    },
    fromUnixNs: String(grid.fromUnixNs),
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
  };
}
