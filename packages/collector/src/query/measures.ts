// GET /api/v1/measures: what can be charted, headline measures first.

import { infoOf } from './measure-range.ts';
import { isFeature } from '../rollup/turn-features.ts';
import type { MeasureCount } from '../store/store.ts';
import { metricDeltas } from './metric-minutes.ts';
import type { MeasuresQuery, QueryContext } from './queries.types.ts';

const FAMILIES: readonly string[] = [
  'voice_to_voice',
  'time_to_answer',
  'part',
  'frame',
  'slack',
  'underrun',
  'lead',
  'gap',
  'rtf',
  'oldest',
  'metric',
];

const DAY_NS = 86_400_000_000_000n;

const rankOfFamily = (name: string): number => {
  const rank = FAMILIES.indexOf(name.split('.', 1)[0] ?? name);
  return rank === -1 ? FAMILIES.length : rank;
};

/** Of histograms of other programs: values of the last day. */
async function metricCounts({ reader, nowUnixNs }: QueryContext): Promise<MeasureCount[]> {
  const toUnixNs = nowUnixNs();
  const range = { fromUnixNs: toUnixNs - DAY_NS, toUnixNs };
  const counts: MeasureCount[] = [];
  for (const { measure } of await reader.metricMeasures()) {
    const deltas = await metricDeltas(reader, measure, range);
    const count = deltas.reduce((sum, delta) => sum + delta.sketch.count, 0);
    counts.push({ measure, kind: 'frame', count, sessionCount: 0 });
  }
  return counts;
}

export const measures: MeasuresQuery = async context => {
  const counts = await context.reader.measures();
  const metrics = await metricCounts(context);
  const items = [...counts, ...metrics]
    .filter(count => !isFeature(count.measure))
    .map(count => infoOf(context.budgets, count))
    .sort(
      (a, b) =>
        rankOfFamily(a.name) - rankOfFamily(b.name) || b.n - a.n || (a.name < b.name ? -1 : 1),
    );
  return { items };
};
