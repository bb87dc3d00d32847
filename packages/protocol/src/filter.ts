// The filter language of every list and chart, read once, for collector and viewer alike.
//
//   service:agent region:eu-*              both (AND may be written)
//   v2v>800ms OR interrupted:true          durations need a unit: ns us ms s m h
//   release:1.4,1.5 -status:live           one of several; not
//   (a OR b) NOT c                         grouping
//   refund "my order"                      words and IDs, anywhere
//   llm.calls:2..4  inference:1s..2s      from, up to but not including; numbers and durations
//   customer:*   path:"a b"   id="x*y"     has any value; quoted; `=` takes * as it stands
//
// Reading never throws; a problem says where it is and what to do.

import { filterKeyOf, FILTER_KEYS, type FilterKind } from './filter-keys.ts';

export type FilterOp = ':' | '=' | '!=' | '>' | '>=' | '<' | '<=';

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly items: readonly Filter[] }
  | { readonly kind: 'not'; readonly item: Filter }
  | FilterTerm
  /** Lower case. */
  | { readonly kind: 'words'; readonly text: string };

export interface FilterTerm {
  readonly kind: 'term';
  readonly key: string;
  readonly op: FilterOp;
  /** One of these; several only with `:`, `=` and `!=`. */
  readonly values: readonly string[];
  /** With `:`, unquoted: `*` stands for any characters. */
  readonly isPattern: boolean;
  /** The value as a number (durations in ns); for ordering and for counts. */
  readonly number?: number;
  /** Of a range: `number` or more, and less than this. */
  readonly below?: number;
}

export type FilterResult =
  | { readonly ok: true; readonly filter: Filter }
  | {
      readonly ok: false;
      readonly problem: string;
      /** Place in the text, UTF-16 units. */
      readonly at: number;
      readonly length: number;
    };

/** Longer ones are refused. */
export const FILTER_LENGTH_MAX = 2_000;
const DEPTH_MAX = 40;

class FilterProblem extends Error {
  readonly at: number;
  readonly length: number;

  constructor(problem: string, at: number, length: number) {
    super(problem);
    this.at = at;
    this.length = length;
  }
}

/** An empty text is a filter that everything passes (`and` of nothing). */
export function parseFilter(text: string): FilterResult {
  try {
    if (text.length > FILTER_LENGTH_MAX)
      throw new FilterProblem(
        `the filter has ${text.length} characters; at most ${FILTER_LENGTH_MAX}`,
        FILTER_LENGTH_MAX,
        text.length - FILTER_LENGTH_MAX,
      );
    return { ok: true, filter: new Parser(tokensOf(text), text.length).all() };
  } catch (problem) {
    if (!(problem instanceof FilterProblem)) throw problem;
    return { ok: false, problem: problem.message, at: problem.at, length: problem.length };
  }
}

// ---- tokens -------------------------------------------------------------------------------

export interface FilterToken {
  readonly type: 'open' | 'close' | 'and' | 'or' | 'not' | 'term' | 'words';
  readonly at: number;
  readonly length: number;
  readonly key?: string;
  readonly op?: FilterOp;
  readonly value?: string;
  readonly valueAt?: number;
  readonly isQuoted?: boolean;
}

const SPACE = /\s/;
const KEY = /[A-Za-z_][\w.\-/@+]*/y;
const OPERATOR = /:>=|:<=|:>|:<|!=|>=|<=|[:=<>]/y;
const BARE = /[^\s()"]+/y;
const QUOTED = /"(?:[^"\\]|\\.)*"/y;

/** The words of a filter with their places. @throws {FilterProblem} for a quote that never ends. */
export function tokensOf(text: string): FilterToken[] {
  const tokens: FilterToken[] = [];
  for (let at = 0; at < text.length;) {
    if (SPACE.test(text[at]!)) {
      at++;
      continue;
    }
    const token = tokenAt(text, at);
    tokens.push(token);
    at += token.length;
  }
  return tokens;
}

function tokenAt(text: string, at: number): FilterToken {
  const first = text[at]!;
  if (first === '(') return { type: 'open', at, length: 1 };
  if (first === ')') return { type: 'close', at, length: 1 };
  if (first === '-' && at + 1 < text.length && !SPACE.test(text[at + 1]!))
    return { type: 'not', at, length: 1 };
  const key = match(KEY, text, at);
  const op = key === undefined ? undefined : match(OPERATOR, text, at + key.length);
  if (key !== undefined && op !== undefined) return termAt(text, at, { key, op });
  const value = valueAt(text, at);
  const word = { and: 'and', or: 'or', not: 'not' }[value.text.toLowerCase()] as
    | 'and'
    | 'or'
    | 'not'
    | undefined;
  const isOperator = word !== undefined && value.text === value.text.toUpperCase();
  if (isOperator && !value.isQuoted) return { type: word, at, length: value.length };
  return { type: 'words', at, length: value.length, value: value.text };
}

function termAt(text: string, at: number, { key, op }: { key: string; op: string }): FilterToken {
  const start = at + key.length + op.length;
  const value =
    start < text.length && !SPACE.test(text[start]!)
      ? valueAt(text, start)
      : { text: '', length: 0, isQuoted: false };
  return {
    type: 'term',
    at,
    length: start - at + value.length,
    key,
    op: (op.length > 1 && op.startsWith(':') ? op.slice(1) : op) as FilterOp,
    value: value.text,
    valueAt: start,
    isQuoted: value.isQuoted,
  };
}

function valueAt(
  text: string,
  at: number,
): { readonly text: string; readonly length: number; readonly isQuoted: boolean } {
  if (text[at] !== '"') {
    const bare = match(BARE, text, at) ?? '';
    return { text: bare, length: bare.length, isQuoted: false };
  }
  const quoted = match(QUOTED, text, at);
  if (quoted === undefined)
    throw new FilterProblem('this quote never ends: add a "', at, text.length - at);
  const inner = quoted.slice(1, -1).replace(/\\(.)/g, '$1');
  return { text: inner, length: quoted.length, isQuoted: true };
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

// ---- from tokens to a tree ----------------------------------------------------------------

class Parser {
  readonly #tokens: readonly FilterToken[];
  readonly #end: number;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly FilterToken[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  all(): Filter {
    if (this.#tokens.length === 0) return { kind: 'and', items: [] };
    const filter = this.#either();
    const rest = this.#tokens[this.#next];
    if (rest !== undefined) throw new FilterProblem('this ) opens nowhere', rest.at, rest.length);
    return filter;
  }

  #either(): Filter {
    const items = [this.#both()];
    while (this.#takes('or')) items.push(this.#both());
    return items.length === 1 ? items[0]! : { kind: 'or', items };
  }

  #both(): Filter {
    const items = [this.#one()];
    for (;;) {
      const next = this.#tokens[this.#next]?.type;
      if (next === undefined || next === 'or' || next === 'close') break;
      this.#takes('and');
      items.push(this.#one());
    }
    return items.length === 1 ? items[0]! : { kind: 'and', items };
  }

  #one(): Filter {
    const token = this.#tokens[this.#next++];
    if (token === undefined)
      throw new FilterProblem(
        'something is missing here: a term such as region:eu or a word',
        this.#end,
        0,
      );
    if (token.type === 'term') return termOf(token);
    if (token.type === 'words') return { kind: 'words', text: token.value!.toLowerCase() };
    if (token.type === 'not' || token.type === 'open') return this.#nested(token);
    const word = token.type === 'close' ? ')' : token.type.toUpperCase();
    throw new FilterProblem(`${word} needs something before it`, token.at, token.length);
  }

  #nested(token: FilterToken): Filter {
    if (++this.#depth > DEPTH_MAX)
      throw new FilterProblem(`more than ${DEPTH_MAX} levels`, token.at, token.length);
    let filter: Filter;
    if (token.type === 'not') filter = { kind: 'not', item: this.#one() };
    else {
      filter = this.#either();
      if (!this.#takes('close'))
        throw new FilterProblem('this ( is never closed: add a )', token.at, token.length);
    }
    this.#depth--;
    return filter;
  }

  #takes(type: FilterToken['type']): boolean {
    if (this.#tokens[this.#next]?.type !== type) return false;
    this.#next++;
    return true;
  }
}

function termOf(token: FilterToken): FilterTerm {
  const { op, value, isQuoted } = token;
  const key = token.key!;
  const { kind } = filterKeyOf(key);
  if (value === '' && isQuoted !== true)
    throw new FilterProblem(
      `${key} needs a value, e.g. ${key}${op}${EXAMPLE[kind]}`,
      token.at,
      token.length,
    );
  const isOrdering = op === '>' || op === '>=' || op === '<' || op === '<=';
  const isPattern = op === ':' && isQuoted !== true;
  const values = isOrdering || isQuoted === true ? [value!] : value!.split(',').filter(Boolean);
  const range = isOrdering ? undefined : rangeOf(token, kind);
  const number = range?.[0] ?? numberOf(token, kind, isOrdering);
  return {
    kind: 'term',
    key,
    op: op!,
    values: values.length === 0 ? [value!] : values,
    isPattern,
    ...(number !== undefined && { number }),
    ...(range !== undefined && { below: range[1] }),
  };
}

/** `a..b` of a key with numbers. */
function rangeOf(token: FilterToken, kind: FilterKind): readonly [number, number] | undefined {
  if (kind !== 'count' && kind !== 'duration') return undefined;
  const [from, to, ...more] = token.value!.split('..');
  if (from === undefined || to === undefined || more.length > 0) return undefined;
  return [
    numberOf({ ...token, value: from }, kind, true)!,
    numberOf({ ...token, value: to }, kind, true)!,
  ];
}

const EXAMPLE: Readonly<Record<FilterKind, string>> = {
  text: 'eu-*',
  duration: '800ms',
  count: '3',
  flag: 'true',
};

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};
const NUMBER = /^(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-zµ]*)$/i;

function numberOf(token: FilterToken, kind: FilterKind, isOrdering: boolean): number | undefined {
  const value = token.value!;
  const refuse = (problem: string): never => {
    throw new FilterProblem(problem, token.valueAt!, Math.max(value.length, 1));
  };
  if (value === '*' && !isOrdering) return undefined;
  const found = NUMBER.exec(value);
  const unit = found?.[2] ?? '';
  const factor = unit === '' ? 1 : Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (kind === 'flag' && !/^(true|false|yes|no)$/i.test(value))
    return refuse(`${token.key} is true or false, got "${value}"`);
  if (kind === 'duration') {
    if (found === null || factor === undefined || unit === '')
      return refuse(`${token.key} is a duration: a number and a unit (ns us ms s m h), e.g. 800ms`);
    return Number(found[1]) * factor;
  }
  if (kind === 'count' && (found === null || unit !== ''))
    return refuse(`${token.key} is a number, got "${value}"`);
  if (found !== null && factor !== undefined) return Number(found[1]) * factor;
  if (isOrdering)
    return refuse(
      `${token.op} compares numbers, got "${value}"${Object.hasOwn(FILTER_KEYS, token.key!) ? '' : `; for a text write ${token.key}:${value}`}`,
    );
  return undefined;
}
