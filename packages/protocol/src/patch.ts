// What changed from one JSON value to the next, as JSON: live state travels as
// changes, since a turn that says one word more would otherwise be told whole
// each second.
//
//   object → object   an object of what changed: key → change, null for a key that is gone
//   list → list       an object: index → change, further indices append; "length" when it is shorter
//   anything else     the new value itself
//
// Values hold no null and no undefined, and what is a list stays one: an object
// that stands where a list stood is the list's change.

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** What makes `after` of `before`; undefined when they are alike. */
export function changeOf(before: unknown, after: unknown): Json | undefined {
  if (before === after) return undefined;
  if (Array.isArray(before) && Array.isArray(after)) return listChange(before, after);
  if (isPlain(before) && isPlain(after)) return objectChange(before, after);
  return after as Json;
}

function objectChange(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Json | undefined {
  const change: [string, Json][] = [];
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const one = Object.hasOwn(before, key) ? changeOf(before[key], value) : (value as Json);
    if (one !== undefined) change.push([key, one]);
  }
  for (const [key, value] of Object.entries(before))
    if (value !== undefined && after[key] === undefined) change.push([key, null]);
  return change.length === 0 ? undefined : Object.fromEntries(change);
}

function listChange(before: readonly unknown[], after: readonly unknown[]): Json | undefined {
  const change: [string, Json][] = [];
  after.forEach((value, at) => {
    const one = at < before.length ? changeOf(before[at], value) : (value as Json);
    if (one !== undefined) change.push([String(at), one]);
  });
  if (after.length < before.length) change.push(['length', after.length]);
  return change.length === 0 ? undefined : Object.fromEntries(change);
}

/** `before` with a change made; never throws, and answers what makes no sense of a change that does not fit. */
export function changed(before: unknown, change: unknown): unknown {
  if (!isPlain(change)) return change;
  if (Array.isArray(before)) return changedList(before, change);
  if (!isPlain(before)) return change;
  const entries = new Map(Object.entries(before));
  for (const [key, one] of Object.entries(change))
    if (one === null) entries.delete(key);
    else entries.set(key, entries.has(key) ? changed(entries.get(key), one) : one);
  return Object.fromEntries(entries);
}

function changedList(
  before: readonly unknown[],
  change: Readonly<Record<string, unknown>>,
): unknown[] {
  const list = [...before];
  // In the order of the indices, as `Object.entries` gives them: appending leaves no hole.
  for (const [key, one] of Object.entries(change)) {
    const at = Number(key);
    if (key === 'length' && typeof one === 'number' && one >= 0 && one < list.length)
      list.length = Math.trunc(one);
    else if (at < list.length && at >= 0 && Number.isInteger(at)) list[at] = changed(list[at], one);
    else if (at === list.length) list.push(one);
  }
  return list;
}

const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
