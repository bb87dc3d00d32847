// Arguments come from untyped code as well: each is taken as it should be, or
// replaced by a harmless value and reported. Behind these functions nothing is
// in doubt. All may meet a getter that throws; callers stand in a guard.

import { domainNs, durationNs, NS_PER_MS, tick } from '@framescope/protocol';
import type { DomainNs, DurationNs, Tick } from '@framescope/protocol';
import { isTick } from './hot/hop-probe.ts';
import type { Attributes } from './ports.ts';
import type { Problems } from './problems.ts';

/** Names of streams, hops, stages, sources: what the record format can hold in 255 bytes of UTF-8. */
const NAME_LENGTH_MAX = 60;
const ATTRIBUTES_MAX = 64;
const ATTRIBUTE_LENGTH_MAX = 1_024;
/** `session.id` may hold any characters, up to 10 kB. */
export const SESSION_ID_LENGTH_MAX = 10_000;
/** 104 days: what a double holds to the nanosecond. */
const NS_MAX = Number.MAX_SAFE_INTEGER;

export function nameOf(
  value: unknown,
  otherwise: string,
  where: string,
  problems: Problems,
): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= NAME_LENGTH_MAX)
    return value;
  problems.report('bad_argument', `${where}: a name is 1 to ${NAME_LENGTH_MAX} characters of text`);
  return typeof value === 'string' && value.length > 0
    ? value.slice(0, NAME_LENGTH_MAX)
    : otherwise;
}

/** An optional name: absent stays absent. */
export function nameIfAny(value: unknown, where: string, problems: Problems): string | undefined {
  return value === undefined ? undefined : nameOf(value, 'unnamed', where, problems);
}

export function tickOf(value: unknown, where: string, problems: Problems): Tick | undefined {
  if (isTick(value)) return tick(value as number);
  problems.report('bad_argument', `${where}: a tick is a whole number of samples from 0`);
  return undefined;
}

/** A moment given by the caller, else `now`. */
export function momentOf(
  value: unknown,
  now: DomainNs,
  where: string,
  problems: Problems,
): DomainNs {
  if (value === undefined) return now;
  if (typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= NS_MAX)
    return domainNs(Math.round(value));
  problems.report('bad_argument', `${where}: a time is ns on the scope's clock (scope.now())`);
  return now;
}

/** Milliseconds of error as ns; `otherwiseMs` when not said or not a number from 0. */
export function errorNsOf(value: unknown, otherwiseMs: number): DurationNs {
  const isGood = typeof value === 'number' && value >= 0 && value <= 3_600_000;
  return durationNs(Math.round((isGood ? value : otherwiseMs) * NS_PER_MS));
}

/** Text of any length, cut; `undefined` for what is no text. */
export function textUpTo(value: unknown, length: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  return value.length <= length ? value : value.slice(0, length);
}

/** Keeps what OTLP can carry as a simple value; counts what it cannot. */
export function attributesOf(value: unknown, where: string, problems: Problems): Attributes {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null) {
    problems.report(
      'bad_argument',
      `${where}: attributes are an object of text, numbers, booleans`,
    );
    return {};
  }
  const out: Record<string, string | number | boolean> = {};
  for (const [key, item] of Object.entries(value).slice(0, ATTRIBUTES_MAX)) {
    if (key === '__proto__') continue;
    if (typeof item === 'string') out[key] = item.slice(0, ATTRIBUTE_LENGTH_MAX);
    else if (typeof item === 'boolean' || (typeof item === 'number' && Number.isFinite(item)))
      out[key] = item;
    else if (item !== undefined && item !== null)
      problems.report('bad_argument', `${where}: attribute ${key.slice(0, 60)} is no simple value`);
  }
  return out;
}

/** Without what is absent: state travels as JSON, and is compared. */
export const lean = <T extends object>(value: { [Key in keyof T]: T[Key] | undefined }): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;

/** An object to read options from: what is none counts as empty. */
export const optionsOf = <T extends object>(value: T | undefined): Partial<T> =>
  typeof value === 'object' && value !== null ? value : {};
