// GET /api/v1/measures: what can be charted, headline measures first.

import { infoOf } from './measure-range.ts';
import type { MeasuresQuery } from './queries.types.ts';

const FAMILIES: readonly string[] = ['voice_to_voice', 'time_to_answer', 'part', 'frame'];

const rankOfFamily = (name: string): number => {
  const rank = FAMILIES.indexOf(name.split('.', 1)[0] ?? name);
  return rank === -1 ? FAMILIES.length : rank;
};

export const measures: MeasuresQuery = async context => {
  const counts = await context.reader.measures();
  const items = counts
    .map(count => infoOf(context.budgets, count))
    .sort(
      (a, b) =>
        rankOfFamily(a.name) - rankOfFamily(b.name) || b.n - a.n || (a.name < b.name ? -1 : 1),
    );
  return { items };
};
