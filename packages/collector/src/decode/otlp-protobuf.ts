// OTLP traces in protobuf, straight from bytes.
//
// Field numbers are those of opentelemetry/proto/{collector/trace,trace,common,
// resource}/v1. A resource or a scope may stand behind its spans on the wire,
// so their places are found first and the spans read after.

import type { Attributes, AttributeValue } from '@framescope/protocol';
import { bytesText } from './bytes-value.ts';
import { emptySpan, eventOf, linkOf, setAttribute, type RawSpan } from './check-span.ts';
import { ATTRIBUTES_MAX, CHILDREN_MAX, NESTING_MAX, TEXT_LENGTH_MAX } from './limits.ts';
import { finite, safeInteger } from './numbers.ts';
import { SpanProblem } from './problem.ts';
import { ProtoReader, WIRE } from './proto-reader.ts';
import type { RequestBuilder } from './request.ts';
import { scopeText, type ScopeName } from './scope.ts';
import type { DecodedEvent, DecodedLink } from './types.ts';

type Range = readonly [start: number, end: number];

/** @throws {WireProblem | BodyProblem} when the body cannot be read. */
export function readProtobuf(bytes: Uint8Array, request: RequestBuilder): void {
  const reader = new ProtoReader(bytes);
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    request.resourceIndex++;
    request.scopeIndex = -1;
    reader.expect(WIRE.bytes);
    reader.message(() => readResourceSpans(reader, request));
  }
}

function readResourceSpans(reader: ProtoReader, request: RequestBuilder): void {
  const scopes: Range[] = [];
  let schemaUrl = '';
  request.resource = { attributes: {} };
  while (reader.next()) {
    if (reader.field === 3) schemaUrl = text(reader, 'schemaUrl');
    else if (reader.field > 2) reader.skip();
    else {
      reader.expect(WIRE.bytes);
      if (reader.field === 2) scopes.push(reader.range());
      else reader.message(() => (request.resource = { attributes: readAttributeList(reader, 1) }));
    }
  }
  for (const range of scopes) {
    request.scopeIndex++;
    request.spanIndex = -1;
    reader.at(range, () => readScopeSpans(reader, request, schemaUrl));
  }
}

function readScopeSpans(
  reader: ProtoReader,
  request: RequestBuilder,
  resourceSchemaUrl: string,
): void {
  // What the scope says first, wherever it stands; then the spans.
  let said: ScopeName = { scope: '' };
  let scopeSchemaUrl = '';
  reader.again(() => {
    while (reader.next())
      if (reader.field === 1) {
        reader.expect(WIRE.bytes);
        reader.message(() => (said = readScopeName(reader)));
      } else if (reader.field === 3) scopeSchemaUrl = text(reader, 'scopeSpans.schemaUrl');
      else reader.skip();
  });
  request.scope = scopeText({ ...said, scopeSchemaUrl, resourceSchemaUrl });
  while (reader.next()) {
    if (reader.field !== 2) reader.skip();
    else {
      reader.expect(WIRE.bytes);
      readOneSpan(reader, request);
    }
  }
}

function readOneSpan(reader: ProtoReader, request: RequestBuilder): void {
  request.spanIndex++;
  const end = reader.block();
  const start = end - reader.blockLength;
  if (!request.addQuick(start, end)) request.add(() => readSpan(reader, [start, end]));
}

function readScopeName(reader: ProtoReader): ScopeName {
  const scopeAttributes: Record<string, AttributeValue> = {};
  let scope = '';
  let scopeVersion = '';
  let index = 0;
  while (reader.next()) {
    if (reader.field === 1) scope = text(reader, 'scope.name');
    else if (reader.field === 2) scopeVersion = text(reader, 'scope.version');
    else if (reader.field === 3) readKeyValue(reader, scopeAttributes, index++);
    else reader.skip();
  }
  return { scope, scopeVersion, scopeAttributes };
}

/** A message that holds nothing we keep but `KeyValue`s in one field. */
function readAttributeList(reader: ProtoReader, field: number): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  let index = 0;
  while (reader.next()) {
    if (reader.field === field) readKeyValue(reader, attributes, index++);
    else reader.skip();
  }
  return attributes;
}

function readSpan(reader: ProtoReader, range: Range): RawSpan {
  const span = emptySpan();
  const attributes: Record<string, AttributeValue> = {};
  span.attributes = attributes;
  let attributeCount = 0;
  let problem: SpanProblem | undefined;
  reader.at(range, () => {
    while (reader.next()) {
      try {
        if (reader.field === 9) readKeyValue(reader, attributes, attributeCount++);
        else readSpanField(reader, span);
      } catch (thrown) {
        // The reader may stand anywhere now; the range of the span is known, so the next is safe.
        if (!(thrown instanceof SpanProblem)) throw thrown;
        problem = thrown;
        return;
      }
    }
  });
  if (problem) throw problem;
  return span;
}

function readSpanField(reader: ProtoReader, span: RawSpan): void {
  switch (reader.field) {
    case 1:
      span.traceId = hex(reader);
      break;
    case 2:
      span.spanId = hex(reader);
      break;
    case 4:
      span.parentSpanId = hex(reader);
      break;
    case 5:
      span.name = text(reader, 'name');
      break;
    case 6:
      span.kind = varint(reader);
      break;
    case 7:
      span.startUnixNs = time(reader);
      break;
    case 8:
      span.endUnixNs = time(reader);
      break;
    case 3:
      span.traceState = text(reader, 'traceState');
      break;
    case 10:
      span.droppedAttributes = varint(reader) % 2 ** 32;
      break;
    case 12:
      span.droppedEvents = varint(reader) % 2 ** 32;
      break;
    case 14:
      span.droppedLinks = varint(reader) % 2 ** 32;
      break;
    case 16:
      span.flags = flags(reader);
      break;
    default:
      readSpanChild(reader, span);
  }
}

function readSpanChild(reader: ProtoReader, span: RawSpan): void {
  if (reader.field === 11) {
    limit(span.events.length, 'events');
    reader.expect(WIRE.bytes);
    reader.message(() => void span.events.push(readEvent(reader)));
  } else if (reader.field === 13) {
    limit(span.links.length, 'links');
    reader.expect(WIRE.bytes);
    reader.message(() => void span.links.push(readLink(reader)));
  } else if (reader.field === 15) {
    reader.expect(WIRE.bytes);
    reader.message(() => readStatus(reader, span));
  } else reader.skip();
}

function limit(count: number, path: string): void {
  if (count >= CHILDREN_MAX)
    throw new SpanProblem(path, 'count', `more than ${CHILDREN_MAX} ${path}`);
}

function readEvent(reader: ProtoReader): DecodedEvent {
  const attributes: Record<string, AttributeValue> = {};
  let name = '';
  let atUnixNs = 0n;
  let dropped = 0;
  let index = 0;
  while (reader.next()) {
    if (reader.field === 1) atUnixNs = time(reader);
    else if (reader.field === 2) name = text(reader, 'events.name');
    else if (reader.field === 3) readKeyValue(reader, attributes, index++);
    else if (reader.field === 4) dropped = varint(reader) % 2 ** 32;
    else reader.skip();
  }
  return eventOf({ name, atUnixNs, attributes }, dropped);
}

function readLink(reader: ProtoReader): DecodedLink {
  const attributes: Record<string, AttributeValue> = {};
  let traceId = '';
  let spanId = '';
  let traceState = '';
  let linkFlags = 0;
  let dropped = 0;
  let index = 0;
  while (reader.next()) {
    if (reader.field === 1) traceId = hex(reader);
    else if (reader.field === 2) spanId = hex(reader);
    else if (reader.field === 3) traceState = text(reader, 'links.traceState');
    else if (reader.field === 4) readKeyValue(reader, attributes, index++);
    else if (reader.field === 5) dropped = varint(reader) % 2 ** 32;
    else if (reader.field === 6) linkFlags = flags(reader);
    else reader.skip();
  }
  return linkOf({ traceId, spanId, attributes }, { traceState, flags: linkFlags, dropped });
}

function readStatus(reader: ProtoReader, span: RawSpan): void {
  while (reader.next()) {
    if (reader.field === 2) span.statusMessage = text(reader, 'status.message');
    else if (reader.field === 3) span.statusCode = varint(reader);
    else reader.skip();
  }
}

function readKeyValue(
  reader: ProtoReader,
  into: Record<string, AttributeValue>,
  index: number,
): void {
  if (index >= ATTRIBUTES_MAX)
    throw new SpanProblem('attributes', 'attribute_count', `more than ${ATTRIBUTES_MAX}`);
  reader.expect(WIRE.bytes);
  let key = '';
  let value: AttributeValue = null;
  reader.message(() => {
    while (reader.next()) {
      if (reader.field === 1) key = text(reader, `attributes[${index}].key`);
      else if (reader.field === 2)
        value = readAnyValue(reader, { path: `attributes[${index}].value`, depth: 0 });
      else reader.skip();
    }
  });
  setAttribute(into, key, value);
}

interface ValuePlace {
  readonly path: string;
  readonly depth: number;
}

function readAnyValue(reader: ProtoReader, place: ValuePlace): AttributeValue {
  if (place.depth > NESTING_MAX)
    throw new SpanProblem(place.path, 'nesting', `nested deeper than ${NESTING_MAX}`);
  let value: AttributeValue = null;
  reader.expect(WIRE.bytes);
  reader.message(() => {
    while (reader.next()) value = readValueField(reader, place, value);
  });
  return value;
}

function readValueField(
  reader: ProtoReader,
  place: ValuePlace,
  before: AttributeValue,
): AttributeValue {
  switch (reader.field) {
    case 1:
      return text(reader, place.path);
    case 2:
      return varint(reader) !== 0;
    case 3:
      reader.expect(WIRE.varint);
      return safeInteger(reader.varint64());
    case 4:
      reader.expect(WIRE.fixed64);
      return finite(reader.double());
    case 5:
      return readArray(reader, { path: place.path, depth: place.depth + 1 });
    case 6:
      return readKeyValueList(reader, { path: place.path, depth: place.depth + 1 });
    case 7:
      reader.expect(WIRE.bytes);
      return bytesText(reader.base64());
    default:
      reader.skip();
      return before;
  }
}

function readArray(reader: ProtoReader, place: ValuePlace): AttributeValue {
  const items: AttributeValue[] = [];
  reader.expect(WIRE.bytes);
  reader.message(() => {
    while (reader.next()) {
      if (reader.field === 1) items.push(readAnyValue(reader, place));
      else reader.skip();
    }
  });
  return items;
}

function readKeyValueList(reader: ProtoReader, place: ValuePlace): AttributeValue {
  const items: Record<string, AttributeValue> = {};
  const readItem = (): void => {
    let key = '';
    let value: AttributeValue = null;
    while (reader.next()) {
      if (reader.field === 1) key = text(reader, place.path);
      else if (reader.field === 2) value = readAnyValue(reader, place);
      else reader.skip();
    }
    setAttribute(items, key, value);
  };
  reader.expect(WIRE.bytes);
  reader.message(() => {
    while (reader.next()) {
      if (reader.field === 1) {
        reader.expect(WIRE.bytes);
        reader.message(readItem);
      } else reader.skip();
    }
  });
  return items;
}

function text(reader: ProtoReader, path: string): string {
  reader.expect(WIRE.bytes);
  const value = reader.text();
  if (value.length > TEXT_LENGTH_MAX)
    throw new SpanProblem(
      path,
      'text_length',
      `${value.length} characters; at most ${TEXT_LENGTH_MAX}`,
    );
  return value;
}

function hex(reader: ProtoReader): string {
  reader.expect(WIRE.bytes);
  return reader.hex();
}

function varint(reader: ProtoReader): number {
  reader.expect(WIRE.varint);
  return reader.varint();
}

function flags(reader: ProtoReader): number {
  reader.expect(WIRE.fixed32);
  return reader.fixed32();
}

function time(reader: ProtoReader): bigint {
  reader.expect(WIRE.fixed64);
  return reader.fixed64();
}
