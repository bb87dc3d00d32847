// GET /api/v1/filter/vocabulary: keys and values that occur, for completing a filter.

import {
  FILTER_KEYS,
  filterKeyOf,
  type FilterKey,
  type FilterScope,
  type FilterVocabulary,
} from '@framescope/protocol';
import { sessionValues } from '../filter/subjects.ts';
import { OUTCOMES } from '../rollup/wait-codec.ts';
import type { FacetSession } from '../store/store.ts';
import type { VocabularyQuery } from './queries.types.ts';

/** The newest so many tell what there is: some tens of ms. */
const SESSIONS_MAX = 5_000;
const VALUES_MAX = 50;
/** IDs and the like: nobody picks one of thousands from a menu. */
const DISTINCT_MAX = 1_000;

const SCOPES: Readonly<Record<'sessions' | 'turns' | 'traces', readonly FilterScope[]>> = {
  sessions: ['session', 'turn'],
  turns: ['session', 'turn'],
  traces: ['session', 'trace'],
};

const TEXT_KEYS: readonly string[] = [
  'status',
  'synthetic',
  'service',
  'instance',
  'host',
  'zone',
  'region',
];

export const vocabulary: VocabularyQuery = async ({ reader, nowUnixNs }, asked) => {
  const counts = new Map<string, Map<string, number>>();
  let left = SESSIONS_MAX;
  const range = {
    fromUnixNs: asked.fromUnixNs ?? 0n,
    toUnixNs: asked.toUnixNs ?? nowUnixNs() + 86_400_000_000_000n,
  };
  await reader.scanFacets(range, session => {
    count(session, counts);
    return --left > 0;
  });
  return { keys: keysOf(counts, SCOPES[asked.for]) };
};

function count(session: FacetSession, counts: Map<string, Map<string, number>>): void {
  for (const key of new Set([...Object.keys(session.facets.attributes), ...TEXT_KEYS])) {
    let values = counts.get(key);
    if (values === undefined) counts.set(key, (values = new Map()));
    for (const value of sessionValues(session, key)) {
      const text = String(value);
      if (values.has(text) || values.size < DISTINCT_MAX)
        values.set(text, (values.get(text) ?? 0) + 1);
    }
  }
}

function keysOf(
  counts: ReadonlyMap<string, ReadonlyMap<string, number>>,
  scopes: readonly FilterScope[],
): FilterVocabulary['keys'] {
  const found = [...counts].filter(([, values]) => values.size > 0);
  const used = found
    .toSorted((a, b) => sum(b[1]) - sum(a[1]))
    .map(([name, values]) => keyOf(name, values));
  const others = Object.entries(FILTER_KEYS)
    .filter(([name, { scope }]) => scopes.includes(scope) && !counts.has(name))
    .map(([name]) => keyOf(name, new Map(name === 'outcome' ? OUTCOMES.map(one => [one, 0]) : [])));
  return [...used, ...others];
}

const sum = (values: ReadonlyMap<string, number>): number =>
  [...values.values()].reduce((total, one) => total + one, 0);

function keyOf(name: string, values: ReadonlyMap<string, number>): FilterKey {
  const { kind, help } = filterKeyOf(name);
  const sorted = [...values].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return {
    name,
    kind,
    help,
    values: sorted.slice(0, VALUES_MAX).map(([value, number]) => ({ value, count: number })),
  };
}
