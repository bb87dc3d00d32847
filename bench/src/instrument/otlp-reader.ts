// Reads back what the instrumentation sent, without the collector: the records
// and states of `audio.frames` spans in an OTLP body, JSON or protobuf.

import { ATTR, fromBase64, LOAD_SPAN } from '@framescope/protocol';

/** What one `audio.frames` span carried. */
export interface SentFlush {
  readonly record: Uint8Array | undefined;
  /** Bytes that the live state takes in the body, quotes escaped where it is JSON in JSON. */
  readonly stateLength: number;
}

/** Flushes of a body; none when it has turn and stage spans only. */
export function flushesOf(body: Uint8Array, contentType: string): SentFlush[] {
  const isJson = contentType.includes('json');
  const spans = isJson ? spansOfJson(body) : spansOfProtobuf(body);
  const sizeOf = (state: Uint8Array | undefined): number => {
    if (state === undefined) return 0;
    return isJson ? JSON.stringify(Buffer.from(state).toString()).length : state.length;
  };
  return spans
    .filter(({ name }) => name === 'audio.frames')
    .map(({ attributes }) => ({
      record: attributes.get(ATTR.record),
      stateLength: sizeOf(attributes.get(ATTR.state)),
    }));
}

/** Bytes of `process.load` spans in a body: how busy a process is, once a second whatever its calls. */
export function loadBytesOf(body: Uint8Array, contentType: string): number {
  const spans = contentType.includes('json') ? spansOfJson(body) : spansOfProtobuf(body);
  return spans
    .filter(({ name }) => name === LOAD_SPAN)
    .reduce((sum, { length }) => sum + length, 0);
}

interface Span {
  readonly name: string;
  /** Bytes it takes in the body. */
  readonly length: number;
  /** Bytes of bytes and base64 values; text as its bytes. */
  readonly attributes: Map<string, Uint8Array>;
}

interface JsonValue {
  readonly stringValue?: string;
  readonly bytesValue?: string;
}

interface JsonBody {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly attributes?: readonly { readonly key: string; readonly value: JsonValue }[];
      }[];
    }[];
  }[];
}

function spansOfJson(body: Uint8Array): Span[] {
  const json = JSON.parse(Buffer.from(body).toString()) as JsonBody;
  return json.resourceSpans
    .flatMap(resource => resource.scopeSpans)
    .flatMap(scope => scope.spans)
    .map(span => ({ ...span, length: JSON.stringify(span).length + 1 }))
    .map(({ name, length, attributes = [] }) => ({
      name,
      length,
      attributes: new Map(
        attributes.map(({ key, value }) => {
          const text = value.bytesValue ?? value.stringValue ?? '';
          return [key, key === ATTR.record ? base64(text) : Buffer.from(text)];
        }),
      ),
    }));
}

function base64(text: string): Uint8Array {
  const read = fromBase64(text);
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

/** Fields of a protobuf message: number and bytes of those with a length; others are passed over. */
function* fieldsOf(bytes: Uint8Array): Generator<{ field: number; bytes: Uint8Array }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key & 7;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else {
      const length = varint();
      yield { field: Math.floor(key / 8), bytes: bytes.subarray(at, at + length) };
      at += length;
    }
  }
}

const inside = (bytes: Uint8Array, field: number): Uint8Array[] =>
  [...fieldsOf(bytes)].filter(one => one.field === field).map(one => one.bytes);

const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

/** TracesData.resource_spans = 1, .scope_spans = 2, .spans = 2; Span.name = 5, .attributes = 9. */
function spansOfProtobuf(body: Uint8Array): Span[] {
  return inside(body, 1)
    .flatMap(resource => inside(resource, 2))
    .flatMap(scope => inside(scope, 2))
    .map(span => ({
      name: textOf(inside(span, 5)[0]),
      // A byte of key, and two of length for what is over 127.
      length: span.length + (span.length < 128 ? 2 : 3),
      attributes: new Map(inside(span, 9).map(attributeOf)),
    }));
}

/** KeyValue.key = 1, .value = 2; AnyValue.string_value = 1, .bytes_value = 7. */
function attributeOf(pair: Uint8Array): [string, Uint8Array] {
  const key = textOf(inside(pair, 1)[0]);
  const value = inside(pair, 2)[0] ?? new Uint8Array();
  const text = inside(value, 1)[0];
  const raw = inside(value, 7)[0];
  if (raw !== undefined) return [key, raw];
  return [
    key,
    key === ATTR.record && text !== undefined
      ? base64(textOf(text))
      : (text ?? raw ?? new Uint8Array()),
  ];
}
