// What a filter may ask of a session, and of one wait in a table of waits.

import { hopOfMeasure } from '../query/measure-info.ts';
import {
  asksBeyond,
  passesFilter,
  TURN_FEATURES,
  type Filter,
  type FilterSubject,
  type FilterValue,
} from '@framescope/protocol';
import { textsOf } from '../rollup/turn-features.ts';
import type { FacetSession, Place, StoreReader, WaitTable, WordsFinder } from '../store/store.ts';
import { columnsOfKey, rowValuesOf, type RowValues } from './turn-values.ts';

const PLACE_KEYS: ReadonlySet<string> = new Set(['service', 'instance', 'host', 'zone', 'region']);

/** Looks words up that were said; made by `wordsOf` for one filter. */
export interface Words {
  readonly hasWords: (session: number, text: string, tick?: number) => boolean;
}

const NO_WORDS: Words = { hasWords: () => false };

/** Asks the store for the words of a filter, each once, before it is judged. */
export async function wordsOf(
  filter: Filter | undefined,
  reader: Pick<StoreReader, 'wordsFinder'>,
): Promise<Words> {
  const texts = filter === undefined ? [] : [...new Set(wordsIn(filter))];
  if (texts.length === 0) return NO_WORDS;
  const finders = new Map<string, WordsFinder>();
  for (const text of texts) finders.set(text, await reader.wordsFinder(text));
  return {
    hasWords: (session, text, tick) => finders.get(text)?.(session, tick) ?? false,
  };
}

function wordsIn(filter: Filter): string[] {
  if (filter.kind === 'words') return [filter.text];
  if (filter.kind === 'term') return [];
  return filter.kind === 'not' ? wordsIn(filter.item) : filter.items.flatMap(wordsIn);
}

/** All values of a session under a key of the filter language, or of grouping. */
export function sessionValues(session: FacetSession, key: string): readonly FilterValue[] {
  if (key === 'id') return [session.id, session.key];
  if (key === 'status') return [session.status];
  if (key === 'pinned') return [session.isPinned()];
  const { facets } = session;
  if (key === 'synthetic') return facets.synthetic === null ? [] : [facets.synthetic];
  const attribute = Object.hasOwn(facets.attributes, key) ? facets.attributes[key] : undefined;
  if (PLACE_KEYS.has(key)) {
    const places = facets.places.flatMap(place => place[key as keyof Place] ?? []);
    // A session that names its region itself means the caller's: both count.
    return [...new Set([...(attribute === undefined ? [] : [attribute]), ...places])];
  }
  if (Object.hasOwn(facets.counts, key)) return [facets.counts[key]!];
  if (attribute === undefined) return [];
  // Of a feature a session has all the values that its turns have.
  return typeof attribute === 'string' && Object.hasOwn(TURN_FEATURES, key)
    ? textsOf(attribute)
    : [attribute];
}

export const sessionSubject = (session: FacetSession, words: Words): FilterSubject => ({
  valuesOf: key => sessionValues(session, key),
  hasWords: text =>
    session.id.toLowerCase().includes(text) ||
    session.key.toLowerCase() === text ||
    Object.values(session.facets.attributes).some(value =>
      String(value).toLowerCase().includes(text),
    ) ||
    words.hasWords(session.row, text),
});

/** Columns of waits that a filter needs to be judged. */
export function columnsOf(filter: Filter | undefined): string[] {
  if (filter === undefined) return [];
  if (filter.kind === 'words') return [];
  if (filter.kind === 'not') return columnsOf(filter.item);
  if (filter.kind !== 'term') return filter.items.flatMap(columnsOf);
  return columnsOfKey(filter.key);
}

/** Which rows of the table pass: 1, else 0. Filters on sessions alone are judged once a session. */
export function passingRows(
  table: WaitTable,
  filter: Filter | undefined,
  words: Words,
): Uint8Array {
  const passes = new Uint8Array(table.length);
  if (filter === undefined) return passes.fill(1);
  const isOfSession =
    !asksBeyond(filter, ['turn']) && columnsOf(filter).length === 0 && wordsIn(filter).length === 0;
  if (isOfSession) {
    const known = table.sessions.map(one => passesFilter(filter, sessionSubject(one, words)));
    for (let row = 0; row < table.length; row++) passes[row] = known[table.session[row]!] ? 1 : 0;
    return passes;
  }
  const subject = new WaitSubject(table, words);
  for (let row = 0; row < table.length; row++) {
    subject.row = row;
    passes[row] = passesFilter(filter, subject) ? 1 : 0;
  }
  return passes;
}

class WaitSubject implements FilterSubject {
  row = 0;
  readonly #table: WaitTable;
  readonly #words: Words;
  readonly #byKey = new Map<string, RowValues>();

  constructor(table: WaitTable, words: Words) {
    this.#table = table;
    this.#words = words;
  }

  valuesOf(key: string): readonly FilterValue[] {
    let values = this.#byKey.get(key);
    if (values === undefined) this.#byKey.set(key, (values = rowValuesOf(this.#table, key)));
    const table = this.#table;
    return values(this.row) ?? sessionValues(table.sessions[table.session[this.row]!]!, key);
  }

  hasWords(text: string): boolean {
    const session = this.#table.sessions[this.#table.session[this.row]!]!;
    return (
      session.id.toLowerCase().includes(text) ||
      this.#words.hasWords(session.row, text, this.#table.tick[this.row]!)
    );
  }
}

/** The values by which a session is grouped; `[null]` when it has none. */
export function groupValuesOf(session: FacetSession, key: string): readonly (string | null)[] {
  const values = sessionValues(session, key);
  return values.length === 0 ? [null] : values.map(String);
}

/** For a measure of frames the place is that of the hop, not of any process of the session. */
export function frameGroupValuesOf(
  session: FacetSession,
  key: string,
  measure: string,
): readonly (string | null)[] {
  if (!PLACE_KEYS.has(key) || session.facets.attributes[key] !== undefined)
    return groupValuesOf(session, key);
  const hop = hopOfMeasure(measure);
  // `stream.role/hop@instance` where several instances ran it: a call handed over counts to both.
  const places = Object.entries(session.facets.hops)
    .filter(([its]) => its === hop || its.startsWith(`${hop}@`))
    .map(([, index]) => session.facets.places[index]?.[key as keyof Place] ?? null);
  return places.length === 0 ? [null] : [...new Set(places)];
}
