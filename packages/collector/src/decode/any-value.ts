// Attributes of OTLP/JSON → attributes, for logs and metrics. Traces have
// readers of their own that never make the object in between.

import type { Attributes, AttributeValue } from '@framescope/protocol';
import { bytesText } from './bytes-value.ts';
import { setAttribute } from './check-span.ts';
import { ATTRIBUTES_MAX, CHILDREN_MAX, NESTING_MAX, TEXT_LENGTH_MAX } from './limits.ts';
import { finite, safeInteger } from './numbers.ts';
import { BodyProblem, SpanProblem } from './problem.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function attributesOf(json: unknown, path: string): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  const items = listOf(json, path);
  if (items.length > ATTRIBUTES_MAX)
    throw new SpanProblem(path, 'attribute_count', `more than ${ATTRIBUTES_MAX}`);
  for (const [index, item] of items.entries()) {
    const at = `${path}[${index}]`;
    const { key, value } = objectOf(item, at);
    setAttribute(attributes, textOf(key, `${at}.key`), anyValue(value, `${at}.value`, 0));
  }
  return attributes;
}

/** @throws {SpanProblem} naming the path. */
export function anyValue(json: unknown, path: string, depth = 0): AttributeValue {
  if (json == null) return null;
  if (depth > NESTING_MAX)
    throw new SpanProblem(path, 'nesting', `nested deeper than ${NESTING_MAX}`);
  const value = objectOf(json, path);
  for (const [name, read] of SCALARS)
    if (value[name] != null) return read(value[name], `${path}.${name}`);
  if (value['arrayValue'] != null) {
    const at = `${path}.arrayValue.values`;
    return children(objectOf(value['arrayValue'], path)['values'], at).map((item, index) =>
      anyValue(item, `${at}[${index}]`, depth + 1),
    );
  }
  return value['kvlistValue'] == null ? null : keyValues(value['kvlistValue'], path, depth);
}

function keyValues(json: unknown, path: string, depth: number): AttributeValue {
  const at = `${path}.kvlistValue.values`;
  const items: Record<string, AttributeValue> = {};
  for (const [index, item] of children(objectOf(json, path)['values'], at).entries()) {
    const { key, value } = objectOf(item, `${at}[${index}]`);
    setAttribute(items, textOf(key, at), anyValue(value, `${at}[${index}].value`, depth + 1));
  }
  return items;
}

const SCALARS: readonly (readonly [string, (json: unknown, path: string) => AttributeValue])[] = [
  ['stringValue', textOf],
  ['intValue', (json, path) => safeInteger(BigInt.asIntN(64, wholeOf(json, path)))],
  ['boolValue', booleanOf],
  ['doubleValue', (json, path) => finite(doubleOf(json, path))],
  ['bytesValue', (json, path) => bytesText(textOf(json, path))],
];

// ---- what a field should hold -------------------------------------------------------------

export function textOf(json: unknown, path: string): string {
  if (json == null) return '';
  if (typeof json !== 'string') throw wrongType(path, 'a string', json);
  if (json.length > TEXT_LENGTH_MAX)
    throw new SpanProblem(path, 'text_length', `${json.length}; at most ${TEXT_LENGTH_MAX}`);
  return json;
}

export function wholeOf(json: unknown, path: string): bigint {
  if (json == null || json === '') return 0n;
  if (typeof json === 'number' && Number.isInteger(json)) return BigInt(json);
  if (typeof json === 'string' && /^-?\d{1,20}$/.test(json)) return BigInt(json);
  throw wrongType(path, 'a whole number, or one in a string', json);
}

export function doubleOf(json: unknown, path: string): number {
  if (typeof json === 'number') return json;
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json);
  throw wrongType(path, 'a number', json);
}

function booleanOf(json: unknown, path: string): boolean {
  if (typeof json !== 'boolean') throw wrongType(path, 'true or false', json);
  return json;
}

export function listOf(json: unknown, path: string): readonly unknown[] {
  if (json == null) return [];
  if (!Array.isArray(json)) throw wrongType(path, 'a list', json);
  return json;
}

function children(json: unknown, path: string): readonly unknown[] {
  const items = listOf(json, path);
  if (items.length > CHILDREN_MAX)
    throw new SpanProblem(path, 'count', `${items.length} items; at most ${CHILDREN_MAX}`);
  return items;
}

export function objectOf(json: unknown, path: string): JsonObject {
  if (!isObject(json)) throw wrongType(path, 'an object', json);
  return json;
}

/** The frame of a body (resource, scope): what is wrong there refuses all of it. */
export function frameList(parent: JsonObject, key: string, at: string): readonly JsonObject[] {
  const path = at === '' ? key : `${at}.${key}`;
  const items = parent[key] ?? [];
  if (!Array.isArray(items)) throw new BodyProblem(path, `expected a list, got ${typeName(items)}`);
  for (const [index, item] of items.entries())
    if (!isObject(item))
      throw new BodyProblem(`${path}[${index}]`, `expected an object, got ${typeName(item)}`);
  return items as JsonObject[];
}

const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const typeName = (json: unknown): string =>
  json === null ? 'null' : Array.isArray(json) ? 'a list' : typeof json;

const wrongType = (path: string, expected: string, got: unknown): SpanProblem =>
  new SpanProblem(path, 'type', `expected ${expected}, got ${typeName(got)}`);
