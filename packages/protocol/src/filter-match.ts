// Whether something passes a filter. What is asked of it is a subject: the values it has under a key.

import type { Filter, FilterTerm } from './filter.ts';
import { filterKeyOf, type FilterScope } from './filter-keys.ts';

export type FilterValue = string | number | boolean;

export interface FilterSubject {
  /** All values under a key (durations in ns); none when it has none. A term holds if any fits. */
  valuesOf(key: string): readonly FilterValue[];
  /** `text` is lower case. */
  hasWords(text: string): boolean;
}

export function passesFilter(filter: Filter, subject: FilterSubject): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.items.every(item => passesFilter(item, subject));
    case 'or':
      return filter.items.some(item => passesFilter(item, subject));
    case 'not':
      return !passesFilter(filter.item, subject);
    case 'words':
      return subject.hasWords(filter.text);
    case 'term':
      return passesTerm(filter, subject.valuesOf(filter.key));
  }
}

function passesTerm(term: FilterTerm, values: readonly FilterValue[]): boolean {
  if (term.op === '!=') return !values.some(value => isAnyOf(term, value));
  if (term.op === ':' || term.op === '=') return values.some(value => isAnyOf(term, value));
  return values.some(value => isOrdered(term, value));
}

function isOrdered({ op, number }: FilterTerm, value: FilterValue): boolean {
  const its = typeof value === 'number' ? value : Number(value);
  if (number === undefined || Number.isNaN(its) || value === '') return false;
  if (op === '>') return its > number;
  if (op === '>=') return its >= number;
  return op === '<' ? its < number : its <= number;
}

const FLAGS: Readonly<Record<string, string>> = { yes: 'true', no: 'false' };

function isAnyOf(term: FilterTerm, value: FilterValue): boolean {
  if (typeof value === 'number') {
    if (term.below !== undefined) return value >= term.number! && value < term.below;
    return term.values[0] === '*' || value === term.number;
  }
  const text = String(value).toLowerCase();
  return term.values.some(asked => {
    const wanted = asked.toLowerCase();
    if (typeof value === 'boolean') return text === (FLAGS[wanted] ?? wanted) || wanted === '*';
    return term.isPattern && wanted.includes('*') ? fits(wanted, text) : text === wanted;
  });
}

/** `*` stands for any characters, none included. Linear: no backtracking beyond the last star. */
function fits(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (let i = 0; i < rest.length; i++) {
    const part = rest[i]!;
    if (i === rest.length - 1) return text.length - part.length >= at && text.endsWith(part);
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at === text.length;
}

/** True when any part of the filter asks for more than the session alone can say. */
export function asksBeyond(filter: Filter, scopes: readonly FilterScope[]): boolean {
  if (filter.kind === 'term') return scopes.includes(filterKeyOf(filter.key).scope);
  if (filter.kind === 'words') return false;
  if (filter.kind === 'not') return asksBeyond(filter.item, scopes);
  return filter.items.some(item => asksBeyond(item, scopes));
}
