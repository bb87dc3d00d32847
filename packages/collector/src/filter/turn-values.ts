// What a wait itself has under a key, beyond what its session has: outcome, figures, parts, and what
// its turn was made with. One object a table and key; values are asked for row by row.

import { FILTER_KEYS, filterKeyOf, type FilterValue } from '@framescope/protocol';
import { bandOf, columnsOfFeature, featureOf } from '../rollup/turn-features.ts';
import { OUTCOMES } from '../rollup/wait-codec.ts';
import type { WaitTable } from '../store/store.ts';

/** Undefined: the turn says nothing of it, its session may. */
export type RowValues = (row: number) => readonly FilterValue[] | undefined;

/** Columns of waits that have to be read for a key. */
export function columnsOfKey(key: string): string[] {
  if (key === 'v2v') return ['voice_to_voice.*'];
  if (key === 'tta') return ['time_to_answer.*'];
  if (key.startsWith('part.')) return [key];
  const feature = columnsOfFeature(key);
  if (feature.length > 0) return feature;
  const known = Object.hasOwn(FILTER_KEYS, key) ? FILTER_KEYS[key] : undefined;
  return known?.scope === 'turn' && known.kind === 'duration' ? [`part.${key}`] : [];
}

export function rowValuesOf(table: WaitTable, key: string): RowValues {
  const outcomeOf = (row: number): string => OUTCOMES[table.outcome[row]!]!;
  switch (key) {
    case 'outcome':
      return row => [outcomeOf(row)];
    case 'interrupted':
      return row => [outcomeOf(row).startsWith('interrupted')];
    case 'answered':
      return row => [['answered', 'interrupted_after'].includes(outcomeOf(row))];
    case 'resolved':
      return row => [table.resolved[row]!];
    case 'worst':
      return row => [table.partName(table.worst[row]!) ?? ''];
    case 'v2v':
      return numbersOf(table, name => name.startsWith('voice_to_voice.'), true);
    case 'tta':
      return numbersOf(table, name => name.startsWith('time_to_answer.'), true);
    default:
      return columnValues(table, key);
  }
}

function columnValues(table: WaitTable, key: string): RowValues {
  if (filterKeyOf(key).kind === 'text' && columnsOfFeature(key).length > 0)
    return textsOf(table, key);
  const names = columnsOfKey(key);
  if (names.length === 0) return () => undefined;
  // A wait without a part has none of it; a turn of which a figure is not told may have it of its session.
  return numbersOf(table, name => names.includes(name), columnsOfFeature(key).length === 0);
}

function numbersOf(table: WaitTable, isIn: (name: string) => boolean, isOwn: boolean): RowValues {
  const columns = [...table.columns].filter(([name]) => isIn(name)).map(([, one]) => one.valueNs);
  return row => {
    const values = columns.flatMap(column => (Number.isNaN(column[row]!) ? [] : column[row]!));
    return values.length > 0 || isOwn ? values : undefined;
  };
}

function textsOf(table: WaitTable, key: string): RowValues {
  const columns = [...table.columns].flatMap(([name, { valueNs }]) => {
    const feature = featureOf(name);
    return feature?.key === key && feature.value !== undefined
      ? [{ value: feature.value, valueNs }]
      : [];
  });
  return row => {
    const values = columns.flatMap(one => (Number.isNaN(one.valueNs[row]!) ? [] : one.value));
    return values.length > 0 ? values : undefined;
  };
}

/** The same as groups: numbers in bands that double. */
export function rowGroupsOf(
  table: WaitTable,
  key: string,
): (row: number) => readonly string[] | undefined {
  const values = rowValuesOf(table, key);
  const { kind } = filterKeyOf(key);
  return row =>
    values(row)?.map(value => (typeof value === 'number' ? bandOf(value, kind) : String(value)));
}
