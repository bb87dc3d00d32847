// Which measure and which stretch of time a chart shows when it was not told.

import { bestCovered, type MeasureInfo } from '@framescope/protocol';
import { isFeature } from '../rollup/turn-features.ts';
import type { MeasureCount, UnixRange } from '../store/store.ts';
import { budgetOf, isOfFrames, wordsOf } from './measure-info.ts';
import { isMetric } from './metric-minutes.ts';
import type { MeasureRange, QueryContext } from './queries.types.ts';

const HOUR_NS = 3_600_000_000_000n;
const DAY_NS = 24n * HOUR_NS;
/** Fewer turns than this in the last hour make a thin picture: then a day is shown. */
const LEAST_TURNS = 500;

export interface Chosen {
  readonly measure: MeasureCount;
  readonly range: UnixRange;
  /** All measures with data in the range. */
  readonly measures: readonly MeasureCount[];
}

/** Fills in what was not asked for; undefined when there is nothing to show. */
export async function chooseMeasure(
  context: QueryContext,
  asked: MeasureRange,
): Promise<Chosen | undefined> {
  const range = await chooseRange(context, asked);
  const measures = (await context.reader.measures(range)).filter(one => !isFeature(one.measure));
  const name = asked.measure ?? best(measures)?.measure;
  if (name === undefined) return undefined;
  const known = measures.find(one => one.measure === name);
  const kind = isOfFrames(name) || isMetric(name) ? 'frame' : 'wait';
  return { range, measures, measure: known ?? { measure: name, kind, count: 0, sessionCount: 0 } };
}

export async function chooseRange(context: QueryContext, asked: MeasureRange): Promise<UnixRange> {
  const toUnixNs = asked.toUnixNs ?? context.nowUnixNs();
  if (asked.fromUnixNs !== undefined) return { fromUnixNs: asked.fromUnixNs, toUnixNs };
  const hour = { fromUnixNs: toUnixNs - HOUR_NS, toUnixNs };
  const shown = best(await context.reader.measures(hour));
  return shown !== undefined && shown.count >= LEAST_TURNS
    ? hour
    : { fromUnixNs: toUnixNs - DAY_NS, toUnixNs };
}

const best = (measures: readonly MeasureCount[]): MeasureCount | undefined =>
  bestCovered(measures, { name: one => one.measure, count: one => one.count });

/** How the API describes a measure. */
export function infoOf(
  budgets: Readonly<Record<string, number>>,
  measure: MeasureCount,
): MeasureInfo {
  return {
    name: measure.measure,
    ...wordsOf(measure.measure),
    kind: measure.kind,
    n: measure.count,
    sessions: measure.sessionCount,
    budgetNs: budgetOf(budgets, measure.measure),
  };
}
