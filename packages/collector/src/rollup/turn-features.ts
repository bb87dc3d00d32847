// What a turn was made with (models, voices, tokens, tools), kept as columns beside its waits,
// so that a chart filters and groups a million turns by it.
//
//   feature.llm.input_tokens       a number: the value itself (durations in ns)
//   feature.llm.model=gpt-4o       a text: 1 for each wait of a turn that has it
//
// A text is one column a value: few have more than some ten, charts read numbers only, and no
// store needs another kind of column. Only known features become columns (TURN_FEATURES): a
// program that makes up names would else fill the table of measures.

import { TURN_FEATURES, type Attributes, type FilterKind } from '@framescope/protocol';

const PREFIX = 'feature.';
/** Of one turn: what comes beyond is in its row, and in no column. */
const COLUMNS_MAX = 32;
const TEXT_LENGTH_MAX = 100;

/** Measures that are no measures: nobody waits for them. */
export const isFeature = (measure: string): boolean => measure.startsWith(PREFIX);

const kindOf = (key: string): FilterKind | undefined =>
  Object.hasOwn(TURN_FEATURES, key) ? TURN_FEATURES[key]!.kind : undefined;

/** Columns of a turn with these features, and their values. */
export function featureColumns(
  features: Attributes,
): (readonly [measure: string, value: number])[] {
  const columns: (readonly [string, number])[] = [];
  for (const [key, value] of Object.entries(features)) {
    const kind = kindOf(key);
    if (kind === 'text' && typeof value === 'string')
      for (const one of textsOf(value)) columns.push([`${PREFIX}${key}=${one}`, 1]);
    else if (typeof value === 'number' && value >= 0 && Number.isFinite(value))
      if (kind === 'duration') columns.push([`${PREFIX}${key}`, Math.round(value * 1e9)]);
      else if (kind === 'count') columns.push([`${PREFIX}${key}`, Math.round(value)]);
  }
  return columns.slice(0, COLUMNS_MAX);
}

/** Several in one (`a, b`): each is one that the turn has. */
export const textsOf = (value: string): string[] => [
  ...new Set(value.split(', ').flatMap(one => one.slice(0, TEXT_LENGTH_MAX) || [])),
];

/** Columns that have to be read to know a feature; empty: it is none. */
export function columnsOfFeature(key: string): string[] {
  const kind = kindOf(key);
  if (kind === undefined) return [];
  return kind === 'text' ? [`${PREFIX}${key}=*`] : [`${PREFIX}${key}`];
}

/** Columns of all features. */
export const ALL_FEATURES: string = `${PREFIX}*`;

/** Which feature a column is of, and of a text which value. */
export function featureOf(
  measure: string,
): { readonly key: string; readonly value: string | undefined } | undefined {
  if (!isFeature(measure)) return undefined;
  const rest = measure.slice(PREFIX.length);
  const at = rest.indexOf('=');
  return at === -1
    ? { key: rest, value: undefined }
    : { key: rest.slice(0, at), value: rest.slice(at + 1) };
}

/** The doubling band that a number lies in, as the filter language writes it: `256..512`, `1s..2s`. */
export function bandOf(value: number, kind: FilterKind): string {
  if (kind !== 'duration') {
    if (value < 8) return String(value);
    const from = 2 ** Math.floor(Math.log2(value));
    return `${from}..${from * 2}`;
  }
  if (value < 1e6) return '0ms..1ms';
  const fromMs = 2 ** Math.floor(Math.log2(value / 1e6));
  return `${fromMs}ms..${fromMs * 2}ms`;
}
