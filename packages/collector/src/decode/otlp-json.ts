// OTLP traces in JSON: lowerCamelCase names, IDs in hex, 64-bit integers as
// decimal strings or numbers, enums as numbers. Unknown fields are skipped.
//
// The frame (resourceSpans, scopeSpans, spans) must have the right shape, or
// the body is refused; inside a span a wrong type refuses that span alone.

import type { Attributes, AttributeValue } from '@framescope/protocol';
import { bytesText } from './bytes-value.ts';
import { emptySpan, eventOf, linkOf, setAttribute, type RawSpan } from './check-span.ts';
import { ATTRIBUTES_MAX, CHILDREN_MAX, NESTING_MAX, TEXT_LENGTH_MAX } from './limits.ts';
import { finite, safeInteger } from './numbers.ts';
import { BodyProblem, SpanProblem } from './problem.ts';
import type { RequestBuilder } from './request.ts';
import { scopeText } from './scope.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** @throws {BodyProblem} when the body is not JSON, or not a trace request. */
export function readJson(bytes: Uint8Array, request: RequestBuilder): void {
  const body = bodyObject(parse(bytes), '');
  for (const resourceSpans of bodyList(body, 'resourceSpans', '')) {
    request.resourceIndex++;
    request.scopeIndex = -1;
    request.spanIndex = -1;
    readResourceSpans(bodyObject(resourceSpans, request.path()), request);
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch (cause) {
    throw new BodyProblem('', `not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`);
  }
}

function readResourceSpans(resourceSpans: JsonObject, request: RequestBuilder): void {
  const at = request.path();
  const resource = resourceSpans['resource'];
  const attributes = resource == null ? undefined : bodyObject(resource, `${at}.resource`);
  request.resource = {
    attributes: readAttributes(attributes?.['attributes'], 'resource.attributes'),
  };
  const schemaUrl = text(resourceSpans['schemaUrl'], 'schemaUrl');
  for (const scopeSpans of bodyList(resourceSpans, 'scopeSpans', at)) {
    request.scopeIndex++;
    request.spanIndex = -1;
    readScopeSpans(bodyObject(scopeSpans, request.path()), request, schemaUrl);
  }
}

function readScopeSpans(
  scopeSpans: JsonObject,
  request: RequestBuilder,
  resourceSchemaUrl: string,
): void {
  const at = request.path();
  const scope = scopeSpans['scope'];
  const said = scope == null ? {} : bodyObject(scope, `${at}.scope`);
  request.scope = scopeText({
    scope: text(said['name'], 'scope.name'),
    scopeVersion: text(said['version'], 'scope.version'),
    scopeAttributes: readAttributes(said['attributes'], 'scope.attributes'),
    scopeSchemaUrl: text(scopeSpans['schemaUrl'], 'scopeSpans.schemaUrl'),
    resourceSchemaUrl,
  });
  for (const span of bodyList(scopeSpans, 'spans', at)) {
    request.spanIndex++;
    const object = bodyObject(span, request.path());
    request.add(() => readSpan(object));
  }
}

/** @throws {SpanProblem} naming the field. */
export function readSpan(json: JsonObject): RawSpan {
  const span = emptySpan();
  span.traceId = id(json['traceId'], 'traceId', 32);
  span.spanId = id(json['spanId'], 'spanId', 16);
  span.parentSpanId = id(json['parentSpanId'], 'parentSpanId', 16);
  span.name = text(json['name'], 'name');
  span.kind = enumNumber(json['kind'], 'kind');
  span.startUnixNs = unixNs(json['startTimeUnixNano'], 'startTimeUnixNano');
  span.endUnixNs = unixNs(json['endTimeUnixNano'], 'endTimeUnixNano');
  span.attributes = readAttributes(json['attributes'], 'attributes');
  readStatus(json['status'], span);
  span.events = list(json['events'], 'events').map((event, index) => {
    const path = `events[${index}]`;
    const object = spanObject(event, path);
    return eventOf(
      {
        name: text(object['name'], `${path}.name`),
        atUnixNs: unixNs(object['timeUnixNano'], `${path}.timeUnixNano`),
        attributes: readAttributes(object['attributes'], `${path}.attributes`),
      },
      uint(object['droppedAttributesCount'], `${path}.droppedAttributesCount`),
    );
  });
  span.links = list(json['links'], 'links').map((link, index) => {
    const path = `links[${index}]`;
    const object = spanObject(link, path);
    return linkOf(
      {
        traceId: id(object['traceId'], `${path}.traceId`, 32),
        spanId: id(object['spanId'], `${path}.spanId`, 16),
        attributes: readAttributes(object['attributes'], `${path}.attributes`),
      },
      {
        traceState: text(object['traceState'], `${path}.traceState`),
        flags: uint(object['flags'], `${path}.flags`),
        dropped: uint(object['droppedAttributesCount'], `${path}.droppedAttributesCount`),
      },
    );
  });
  span.traceState = text(json['traceState'], 'traceState');
  span.flags = uint(json['flags'], 'flags');
  span.droppedAttributes = uint(json['droppedAttributesCount'], 'droppedAttributesCount');
  span.droppedEvents = uint(json['droppedEventsCount'], 'droppedEventsCount');
  span.droppedLinks = uint(json['droppedLinksCount'], 'droppedLinksCount');
  return span;
}

function readStatus(json: unknown, span: RawSpan): void {
  if (json == null) return;
  const status = spanObject(json, 'status');
  span.statusCode = enumNumber(status['code'], 'status.code');
  span.statusMessage = text(status['message'], 'status.message');
}

/** @throws {SpanProblem} naming the attribute. */
export function readAttributes(json: unknown, path: string): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  if (json == null) return attributes;
  if (!Array.isArray(json)) throw typeProblem(path, 'a list of { key, value }', json);
  if (json.length > ATTRIBUTES_MAX)
    throw new SpanProblem(path, 'attribute_count', `more than ${ATTRIBUTES_MAX}`);
  for (const [index, item] of json.entries()) {
    const keyValue = spanObject(item, `${path}[${index}]`);
    const key = text(keyValue['key'], `${path}[${index}].key`);
    setAttribute(attributes, key, readAnyValue(keyValue['value'], `${path}[${index}].value`, 0));
  }
  return attributes;
}

function readAnyValue(json: unknown, path: string, depth: number): AttributeValue {
  if (json == null) return null;
  if (depth > NESTING_MAX)
    throw new SpanProblem(path, 'nesting', `nested deeper than ${NESTING_MAX}`);
  const value = spanObject(json, path);
  if (value['stringValue'] != null) return text(value['stringValue'], `${path}.stringValue`);
  if (value['intValue'] != null) return integer(value['intValue'], `${path}.intValue`);
  if (value['boolValue'] != null) return boolean(value['boolValue'], `${path}.boolValue`);
  if (value['doubleValue'] != null) return double(value['doubleValue'], `${path}.doubleValue`);
  if (value['bytesValue'] != null)
    return bytesText(text(value['bytesValue'], `${path}.bytesValue`));
  if (value['arrayValue'] != null) {
    const items = spanObject(value['arrayValue'], `${path}.arrayValue`)['values'];
    return list(items, `${path}.arrayValue.values`).map((item, index) =>
      readAnyValue(item, `${path}.arrayValue.values[${index}]`, depth + 1),
    );
  }
  return readKeyValueList(value['kvlistValue'], path, depth);
}

function readKeyValueList(json: unknown, path: string, depth: number): AttributeValue {
  if (json == null) return null;
  const at = `${path}.kvlistValue.values`;
  const items: Record<string, AttributeValue> = {};
  for (const [index, item] of list(spanObject(json, path)['values'], at).entries()) {
    const keyValue = spanObject(item, `${at}[${index}]`);
    const key = text(keyValue['key'], `${at}[${index}].key`);
    setAttribute(items, key, readAnyValue(keyValue['value'], `${at}[${index}].value`, depth + 1));
  }
  return items;
}

// ---- values -------------------------------------------------------------------------------

function text(json: unknown, path: string): string {
  if (json == null) return '';
  if (typeof json !== 'string') throw typeProblem(path, 'a string', json);
  if (json.length > TEXT_LENGTH_MAX)
    throw new SpanProblem(
      path,
      'text_length',
      `${json.length} characters; at most ${TEXT_LENGTH_MAX}`,
    );
  return json;
}

/** Hex; what is no hex is named here, where its type is known. */
function id(json: unknown, path: string, digits: number): string {
  if (json == null) return '';
  if (typeof json !== 'string') throw typeProblem(path, `a string of ${digits} hex digits`, json);
  return json;
}

function integer(json: unknown, path: string): AttributeValue {
  if (typeof json === 'number' && Number.isInteger(json)) return json;
  return safeInteger(BigInt.asIntN(64, decimal(json, path)));
}

function decimal(json: unknown, path: string): bigint {
  if (typeof json === 'number' && Number.isInteger(json)) return BigInt(json);
  if (typeof json === 'string' && /^-?\d{1,20}$/.test(json)) return BigInt(json);
  throw typeProblem(path, 'a whole number, or one in a string', json);
}

function unixNs(json: unknown, path: string): bigint {
  if (json == null || json === '') return 0n;
  const value = decimal(json, path);
  if (value < 0n) throw new SpanProblem(path, 'time', 'before 1970');
  return value;
}

/** As a number, or in a string. */
function uint(json: unknown, path: string): number {
  return json == null ? 0 : Number(decimal(json, path));
}

function enumNumber(json: unknown, path: string): number {
  if (json == null) return 0;
  if (typeof json !== 'number') throw typeProblem(path, 'a number', json);
  return json;
}

function boolean(json: unknown, path: string): boolean {
  if (typeof json !== 'boolean') throw typeProblem(path, 'true or false', json);
  return json;
}

function double(json: unknown, path: string): AttributeValue {
  if (typeof json === 'number') return finite(json);
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return json;
  throw typeProblem(path, 'a number', json);
}

function list(json: unknown, path: string): readonly unknown[] {
  if (json == null) return [];
  if (!Array.isArray(json)) throw typeProblem(path, 'a list', json);
  if (json.length > CHILDREN_MAX)
    throw new SpanProblem(path, 'count', `${json.length} items; at most ${CHILDREN_MAX}`);
  return json;
}

function spanObject(json: unknown, path: string): JsonObject {
  if (!isObject(json)) throw typeProblem(path, 'an object', json);
  return json;
}

function bodyObject(json: unknown, path: string): JsonObject {
  if (!isObject(json)) throw new BodyProblem(path, `expected an object, got ${typeName(json)}`);
  return json;
}

function bodyList(parent: JsonObject, key: string, at: string): readonly unknown[] {
  const json = parent[key];
  if (json == null) return [];
  if (!Array.isArray(json))
    throw new BodyProblem(at ? `${at}.${key}` : key, `expected a list, got ${typeName(json)}`);
  return json;
}

const isObject = (json: unknown): json is JsonObject =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const typeName = (json: unknown): string =>
  json === null ? 'null' : Array.isArray(json) ? 'a list' : typeof json;

const typeProblem = (path: string, expected: string, got: unknown): SpanProblem =>
  new SpanProblem(path, 'type', `expected ${expected}, got ${typeName(got)}`);
