// What slow turns were made with, counted turn by turn: a call has many models, tools and token
// counts, and only the turn knows which were its own.

import { filterKeyOf } from '@framescope/protocol';
import { bandOf, featureOf } from '../rollup/turn-features.ts';
import type { FacetSession, WaitTable } from '../store/store.ts';

/** One value of one feature; a number in bands that double. */
export interface FeatureSplit {
  readonly name: string;
  readonly value: string;
  /** By call: turns that have it. */
  readonly calls: ReadonlyMap<FacetSession, { inside: number; outside: number }>;
}

interface Draft extends FeatureSplit {
  readonly calls: Map<FacetSession, { inside: number; outside: number }>;
}

/** `isInside` by row of `table`, for the rows of `rows`. */
export function featureSplits(
  table: WaitTable,
  rows: Int32Array,
  isInside: Uint8Array,
): FeatureSplit[] {
  const splits = new Map<string, Draft>();
  for (const [measure, { valueNs }] of table.columns) {
    const feature = featureOf(measure);
    if (feature === undefined) continue;
    const { kind } = filterKeyOf(feature.key);
    for (const row of rows) {
      const number = valueNs[row]!;
      if (Number.isNaN(number)) continue;
      const value = feature.value ?? bandOf(number, kind);
      const split = draftOf(splits, feature.key, value);
      const session = table.sessions[table.session[row]!]!;
      let call = split.calls.get(session);
      if (call === undefined) split.calls.set(session, (call = { inside: 0, outside: 0 }));
      if (isInside[row] === 1) call.inside++;
      else call.outside++;
    }
  }
  return [...splits.values()];
}

function draftOf(splits: Map<string, Draft>, name: string, value: string): Draft {
  const id = `${name}\n${value}`;
  let split = splits.get(id);
  if (split === undefined) splits.set(id, (split = { name, value, calls: new Map() }));
  return split;
}
