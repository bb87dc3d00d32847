// Parameters of Jaeger's query API, legacy and v3, read as Jaeger reads them.

import type { JaegerSearch } from './search.ts';

/** 400 with Jaeger's own shape of errors. */
export class JaegerParamError extends Error {
  override readonly name = 'JaegerParamError';
}

type Query = Readonly<Record<string, unknown>>;

const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_500;
const DAY_NS = 86_400_000_000_000n;

/** All values of a parameter that may be repeated. */
export const valuesOf = (query: Query, name: string): string[] => {
  const value = query[name];
  return (Array.isArray(value) ? value : [value]).filter(
    (one): one is string => typeof one === 'string' && one !== '',
  );
};

export const textOf = (query: Query, name: string): string | undefined => valuesOf(query, name)[0];

/** 32 hex digits of an ID of 1 to 32; the upper half may be left out. */
export function traceIdOf(text: string): string {
  if (!/^[0-9a-f]{1,32}$/i.test(text))
    throw new JaegerParamError(`trace ID "${text.slice(0, 40)}" is not 1 to 32 hex digits`);
  return text.toLowerCase().padStart(32, '0');
}

export function legacySearch(query: Query, nowUnixNs: bigint): JaegerSearch {
  const service = textOf(query, 'service');
  if (service === undefined) throw new JaegerParamError("parameter 'service' is required");
  const toUnixNs = microsOf(query, 'end') ?? nowUnixNs;
  const fromUnixNs = microsOf(query, 'start') ?? toUnixNs - 2n * DAY_NS;
  return {
    service,
    tags: legacyTags(query),
    fromUnixNs,
    toUnixNs,
    limit: limitOf(query, 'limit'),
    ...shared(query, { operation: 'operation', min: 'minDuration', max: 'maxDuration' }),
  };
}

export function v3Search(query: Query): JaegerSearch {
  const [min, max] = ['query.start_time_min', 'query.start_time_max'].map(name =>
    textOf(query, name),
  );
  if (min === undefined || max === undefined)
    throw new JaegerParamError('query.start_time_min and query.start_time_max are required');
  const service = textOf(query, 'query.service_name');
  if (service === undefined) throw new JaegerParamError('query.service_name is required');
  return {
    service,
    tags: tagsOfJson(textOf(query, 'query.attributes'), 'query.attributes'),
    fromUnixNs: unixNsOf(min, 'query.start_time_min'),
    toUnixNs: unixNsOf(max, 'query.start_time_max'),
    limit: limitOf(
      query,
      textOf(query, 'query.num_traces') === undefined ? 'query.search_depth' : 'query.num_traces',
    ),
    ...shared(query, {
      operation: 'query.operation_name',
      min: 'query.duration_min',
      max: 'query.duration_max',
    }),
  };
}

function shared(
  query: Query,
  names: { readonly operation: string; readonly min: string; readonly max: string },
): Pick<JaegerSearch, 'operation' | 'minDurationNs' | 'maxDurationNs'> {
  const operation = textOf(query, names.operation);
  const min = durationOf(query, names.min);
  const max = durationOf(query, names.max);
  return {
    ...(operation !== undefined && { operation }),
    ...(min !== undefined && { minDurationNs: min }),
    ...(max !== undefined && { maxDurationNs: max }),
  };
}

function microsOf(query: Query, name: string): bigint | undefined {
  const text = textOf(query, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,17}$/.test(text))
    throw new JaegerParamError(
      `unable to parse param '${name}': "${text}" is no number of microseconds`,
    );
  return BigInt(text) * 1_000n;
}

function limitOf(query: Query, name: string): number {
  const text = textOf(query, name);
  if (text === undefined) return LIMIT_DEFAULT;
  const limit = Number(text);
  if (!/^\d{1,9}$/.test(text) || limit < 1)
    throw new JaegerParamError(`unable to parse param '${name}': "${text}" is no number from 1`);
  return Math.min(limit, LIMIT_MAX);
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3_600e9,
};

/** As Go writes durations: `1.5s`, `100ms`, `1m30s`. */
function durationOf(query: Query, name: string): number | undefined {
  const text = textOf(query, name);
  if (text === undefined) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(one => one[0]).join('') !== text)
    throw new JaegerParamError(
      `unable to parse param '${name}': invalid duration "${text}", e.g. 1.5s`,
    );
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * DURATION_UNITS[unit!]!, 0);
}

function unixNsOf(text: string, name: string): bigint {
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new JaegerParamError(`malformed parameter ${name}: "${text}" is no time`);
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? '';
  return (BigInt(ms) / 1_000n) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** `tags={"key":"value"}`, and `tag=key:value` any number of times. */
function legacyTags(query: Query): Record<string, string> {
  const tags = tagsOfJson(textOf(query, 'tags'), 'tags');
  for (const one of valuesOf(query, 'tag')) {
    const colon = one.indexOf(':');
    if (colon < 1)
      throw new JaegerParamError(
        `malformed 'tag' parameter, expecting key:value, received: ${one}`,
      );
    tags[one.slice(0, colon)] = one.slice(colon + 1);
  }
  return tags;
}

function tagsOfJson(text: string | undefined, name: string): Record<string, string> {
  if (text === undefined) return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new JaegerParamError(
      `malformed '${name}' parameter, expecting an object of texts as JSON`,
      {
        cause,
      },
    );
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new JaegerParamError(
      `malformed '${name}' parameter, expecting an object of texts as JSON`,
    );
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, String(value)]));
}

export function dependencyRange(
  query: Query,
  nowUnixNs: bigint,
): { readonly fromUnixNs: bigint; readonly toUnixNs: bigint } {
  const millis = (name: string): bigint | undefined => {
    const text = textOf(query, name);
    if (text === undefined) return undefined;
    if (!/^\d{1,14}$/.test(text))
      throw new JaegerParamError(
        `unable to parse param '${name}': "${text}" is no number of milliseconds`,
      );
    return BigInt(text) * 1_000_000n;
  };
  const toUnixNs = millis('endTs') ?? nowUnixNs;
  return { fromUnixNs: toUnixNs - (millis('lookback') ?? DAY_NS), toUnixNs };
}
