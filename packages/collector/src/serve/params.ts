// Parameters of the API, described once: checked by this file, and written
// into the OpenAPI document from the same description.

import { parseFilter, type Filter } from '@framescope/protocol';
import { ApiError } from './problem.ts';

interface ParamBase {
  readonly description: string;
}

export type Param =
  | (ParamBase & {
      readonly kind: 'integer';
      readonly min: number;
      readonly max: number;
      readonly default?: number;
    })
  /** Unix nanoseconds in decimal. */
  | (ParamBase & { readonly kind: 'unixNs' })
  | (ParamBase & { readonly kind: 'text'; readonly lengthMax: number; readonly isRequired?: true })
  | (ParamBase & { readonly kind: 'oneOf'; readonly values: readonly string[] })
  /** The filter language of protocol/filter.ts. */
  | (ParamBase & { readonly kind: 'filter' });

export type Params = Readonly<Record<string, Param>>;

type ValueOf<P extends Param> = P extends { kind: 'integer' }
  ? P extends { default: number }
    ? number
    : number | undefined
  : P extends { kind: 'unixNs' }
    ? bigint | undefined
    : P extends { kind: 'filter' }
      ? Filter | undefined
      : P extends { isRequired: true }
        ? string
        : string | undefined;

export type ValuesOf<S extends Params> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** Reads `query` as `params` say. @throws {ApiError} naming the parameter. */
export function readParams<S extends Params>(
  params: S,
  query: Readonly<Record<string, unknown>>,
): ValuesOf<S> {
  for (const name of Object.keys(query))
    if (!Object.hasOwn(params, name)) throw unknown(name, params);
  const values = Object.entries(params).map(([name, param]) => [
    name,
    readParam(name, param, query[name]),
  ]);
  return Object.fromEntries(values) as ValuesOf<S>;
}

function readParam(name: string, param: Param, raw: unknown): unknown {
  if (raw === undefined || raw === '') {
    if (param.kind === 'text' && param.isRequired) throw bad(name, 'is missing');
    return param.kind === 'integer' ? param.default : undefined;
  }
  if (typeof raw !== 'string') throw bad(name, 'is given more than once');
  if (param.kind === 'integer') return integer(name, param, raw);
  if (param.kind === 'unixNs') return unixNs(name, raw);
  if (param.kind === 'filter') return filterOf(name, raw);
  if (param.kind === 'oneOf') {
    if (!param.values.includes(raw))
      throw bad(name, `must be one of ${param.values.join(', ')}, got "${cut(raw)}"`);
    return raw;
  }
  if (raw.length > param.lengthMax)
    throw bad(name, `has ${raw.length} characters; at most ${param.lengthMax}`);
  return raw;
}

function integer(name: string, param: Param & { kind: 'integer' }, raw: string): number {
  const value = Number(raw);
  if (!/^-?\d{1,16}$/.test(raw) || value < param.min || value > param.max)
    throw bad(name, `must be a whole number from ${param.min} to ${param.max}, got "${cut(raw)}"`);
  return value;
}

function unixNs(name: string, raw: string): bigint {
  if (!/^\d{1,19}$/.test(raw))
    throw bad(name, `must be Unix nanoseconds in decimal, got "${cut(raw)}"`);
  return BigInt.asIntN(64, BigInt(raw));
}

/** `at` and `length` of the problem let a field underline it. */
function filterOf(name: string, raw: string): Filter {
  const result = parseFilter(raw);
  if (result.ok) return result.filter;
  const { problem, at, length } = result;
  throw new ApiError(400, 'bad_filter', `"${name}", character ${at + 1}: ${problem}`, {
    at,
    length,
  });
}

const cut = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

const bad = (name: string, what: string): ApiError =>
  new ApiError(400, 'bad_parameter', `parameter "${name}" ${what}`);

function unknown(name: string, params: Params): ApiError {
  const known = Object.keys(params);
  const list = known.length > 0 ? `it takes ${known.join(', ')}` : 'it takes none';
  return new ApiError(
    400,
    'unknown_parameter',
    `parameter "${cut(name)}" is not known here; ${list}`,
  );
}
