// What may be written next in a filter, for a menu under the field.

import { FILTER_KEYS, filterKeyOf } from './filter-keys.ts';
import type { FilterVocabulary } from './tail-api.ts';

/** One entry of the menu: `from` to `to` of the text is replaced by `text`. */
export interface FilterCompletion {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  /** What it means, or in how many sessions it occurs. */
  readonly help: string;
}

const COMPLETIONS_MAX = 20;
/** The unfinished word before the cursor: a key, or a key with an operator and the start of a value. */
const BEFORE =
  /(?:^|[\s(])-?(?:([A-Za-z_][\w.\-/@+]*)(:>=|:<=|:>|:<|!=|>=|<=|[:=<>]))?("?)([^\s()"]*)$/;

/** Best first, at most 20; `cursor` in UTF-16 units. */
export function completeFilter(
  text: string,
  cursor: number,
  vocabulary: FilterVocabulary,
): FilterCompletion[] {
  const before = text.slice(0, cursor);
  const found = BEFORE.exec(before);
  if (found === null) return [];
  const [, key, , quote = '', word = ''] = found;
  const from = cursor - word.length - quote.length;
  const range = { from, to: cursor };
  const entries =
    key === undefined ? keysFor(word, vocabulary) : valuesFor(key, word, vocabulary, quote !== '');
  return entries.slice(0, COMPLETIONS_MAX).map(one => ({ ...one, ...range }));
}

type Entry = Pick<FilterCompletion, 'text' | 'help'>;

function keysFor(word: string, { keys }: FilterVocabulary): Entry[] {
  const known = new Map(keys.map(one => [one.name, one.help]));
  for (const [name, { help }] of Object.entries(FILTER_KEYS))
    if (!known.has(name)) known.set(name, help);
  const lower = word.toLowerCase();
  const operatorOf = (name: string): string =>
    ['duration', 'count'].includes(filterKeyOf(name).kind) ? '>' : ':';
  return [...known]
    .filter(([name]) => name.toLowerCase().includes(lower))
    .toSorted(([a], [b]) => Number(b.startsWith(word)) - Number(a.startsWith(word)))
    .map(([name, help]) => ({ text: name + operatorOf(name), help }));
}

function valuesFor(
  key: string,
  word: string,
  { keys }: FilterVocabulary,
  isQuoted: boolean,
): Entry[] {
  const { kind, help } = filterKeyOf(key);
  const lower = word.toLowerCase().slice(word.lastIndexOf(',') + 1);
  const head = word.slice(0, word.lastIndexOf(',') + 1);
  if (kind === 'flag')
    return ['true', 'false'].filter(one => one.startsWith(lower)).map(one => ({ text: one, help }));
  const values = keys.find(one => one.name === key)?.values ?? [];
  return values
    .filter(one => one.value.toLowerCase().includes(lower))
    .map(one => ({
      text: isQuoted || /[\s()",*]/.test(one.value) ? quoted(one.value) : head + one.value,
      help: `${one.count} ${one.count === 1 ? 'session' : 'sessions'}`,
    }));
}

const quoted = (value: string): string => `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
