// What sessions flush → OTLP bytes, written by hand: `audio.frames` spans, in
// protobuf or JSON, joined under one resource into one request.
//
// By hand, because this runs for every session and second: the SDK's
// serializers take ten times as long, want spans as objects, and repeat the
// resource in each. Against them a test holds what is written here.
//
// All that the resource says, and the scope, go with posts that also say all of a
// session: the first and every tenth flush. Others name the service alone, for
// other backends; the collector knows whose they are by the producer in the
// record. For a single call the rest would be half of a post.
//
//   ExportTraceServiceRequest.resource_spans = 1
//     ResourceSpans.resource = 1 { attributes = 1 }, .scope_spans = 2
//       ScopeSpans.scope = 1 { name = 1, version = 2 }, .spans = 2
//         Span.trace_id = 1, span_id = 2, name = 5, start = 7, end = 8, attributes = 9
//   KeyValue.key = 1, .value = 2 { string = 1, bool = 2, int = 3, double = 4, bytes = 7 }

import {
  ATTR,
  ByteWriter,
  decodeUtf8,
  encodeUtf8,
  hexInto,
  SCOPE_NAME,
  SPAN,
  toBase64,
} from '@framescope/protocol';
import type { Attributes } from '../ports.ts';
import type { BodyFormat } from './outbox.ts';
import type { FrameAttributes, FramesSpan, SpanPacker } from './frames-span.ts';

export type Encoding = 'protobuf' | 'json';

export function makePacker(
  encoding: Encoding,
  resource: Attributes,
  version: string,
): SpanPacker & BodyFormat {
  return encoding === 'json'
    ? new JsonPacker(resource, version)
    : new ProtoPacker(resource, version);
}

/** What a post begins with. */
interface Frame {
  readonly resource: Uint8Array;
  readonly scope: Uint8Array;
}

/** What another backend shows a span under. */
const briefOf = ({ [ATTR.serviceName]: name }: Attributes): Attributes =>
  name === undefined ? {} : { [ATTR.serviceName]: name };

class ProtoPacker implements SpanPacker, BodyFormat {
  readonly contentType = 'application/x-protobuf';
  readonly #whole: Frame;
  readonly #brief: Frame;
  readonly #span = new ByteWriter(4_096);
  readonly #inner = new ByteWriter(4_096);
  readonly #spans = new ByteWriter(4_096);

  constructor(resource: Attributes, version: string) {
    this.#whole = this.#frame(resource, version);
    this.#brief = this.#frame(briefOf(resource), undefined);
  }

  pack(spans: readonly FramesSpan[]): Uint8Array {
    const out = this.#spans;
    out.length = 0;
    for (const span of spans) this.#write(out, span);
    return out.toBytes();
  }

  join(items: readonly Uint8Array[], isWhole: boolean): Uint8Array {
    const { resource, scope } = isWhole ? this.#whole : this.#brief;
    const spansLength = items.reduce((sum, item) => sum + item.length, 0);
    const scopeSpans = scope.length + spansLength;
    const head = new ByteWriter(64);
    head.u8((2 << 3) | 2);
    head.varint(scopeSpans);
    const outer = new ByteWriter(64);
    outer.u8((1 << 3) | 2);
    outer.varint(resource.length + head.length + scopeSpans);
    return joined([outer.toBytes(), resource, head.toBytes(), scope, ...items]);
  }

  #frame(resource: Attributes, version: string | undefined): Frame {
    const attributes = new ByteWriter();
    for (const [key, value] of Object.entries(resource)) this.#keyValue(attributes, 1, key, value);
    const scope = new ByteWriter();
    if (version !== undefined) {
      text(scope, 1, SCOPE_NAME);
      text(scope, 2, version);
    }
    return {
      resource: message(1, attributes.toBytes()),
      scope: version === undefined ? new Uint8Array() : message(1, scope.toBytes()),
    };
  }

  /** ExportTraceServiceResponse.partial_success = 1 { rejected_spans = 1 }; 0 for what cannot be read. */
  rejectedCount(body: Uint8Array): number {
    if (body[0] !== ((1 << 3) | 2)) return 0;
    let at = 2;
    // The length of the message: more than a byte when it brings a text.
    while ((body[at - 1] ?? 0) >= 128) at += 1;
    if (body[at] !== 1 << 3) return 0;
    let count = 0;
    for (let factor = 1; ; factor *= 128) {
      at += 1;
      const byte = body[at] ?? 0;
      count += (byte & 127) * factor;
      if (byte < 128) return count;
    }
  }

  #write(out: ByteWriter, span: FramesSpan): void {
    const body = this.#span;
    body.length = 0;
    hex(body, 1, span.traceId, 16);
    hex(body, 2, span.spanId, 8);
    text(body, 5, span.name ?? SPAN.frames);
    fixed64(body, 7, span.startUnixNs);
    fixed64(body, 8, span.endUnixNs);
    for (const key in span.attributes) this.#keyValue(body, 9, key, span.attributes[key]!);
    out.u8((2 << 3) | 2);
    out.varint(body.length);
    out.raw(body.bytes.subarray(0, body.length));
  }

  #keyValue(out: ByteWriter, field: number, key: string, value: FrameAttributes[string]): void {
    const inner = this.#inner;
    inner.length = 0;
    text(inner, 1, key);
    writeValue(inner, value);
    out.u8((field << 3) | 2);
    out.varint(inner.length);
    out.raw(inner.bytes.subarray(0, inner.length));
  }
}

/** AnyValue as field 2. */
function writeValue(out: ByteWriter, value: FrameAttributes[string]): void {
  const value2 = anyValue;
  value2.length = 0;
  if (typeof value === 'string') text(value2, 1, value);
  else if (typeof value === 'boolean') {
    value2.u8(2 << 3);
    value2.u8(value ? 1 : 0);
  } else if (typeof value !== 'number') {
    value2.u8((7 << 3) | 2);
    value2.varint(value.length);
    value2.raw(value);
  } else if (Number.isSafeInteger(value) && value >= 0) {
    value2.u8(3 << 3);
    value2.varint(value);
  } else {
    value2.u8((4 << 3) | 1);
    value2.f64(value);
  }
  out.u8((2 << 3) | 2);
  out.varint(value2.length);
  out.raw(value2.bytes.subarray(0, value2.length));
}

const anyValue = new ByteWriter(4_096);

function text(out: ByteWriter, field: number, value: string): void {
  out.u8((field << 3) | 2);
  out.string(value);
}

function hex(out: ByteWriter, field: number, value: string, byteCount: number): void {
  out.u8((field << 3) | 2);
  out.u8(byteCount);
  out.reserve(byteCount);
  hexInto(out.bytes.subarray(out.length, out.length + byteCount), value);
  out.length += byteCount;
}

function fixed64(out: ByteWriter, field: number, value: bigint): void {
  out.u8((field << 3) | 1);
  out.u32(Number(value & 0xffffffffn));
  out.u32(Number((value >> 32n) & 0xffffffffn));
}

/** A field that holds a message. */
function message(field: number, bytes: Uint8Array): Uint8Array {
  const out = new ByteWriter(bytes.length + 8);
  out.u8((field << 3) | 2);
  out.varint(bytes.length);
  out.raw(bytes);
  return out.toBytes();
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

class JsonPacker implements SpanPacker, BodyFormat {
  readonly contentType = 'application/json';
  readonly #whole: string;
  readonly #brief: string;

  constructor(resource: Attributes, version: string) {
    this.#whole = jsonStart(resource, { name: SCOPE_NAME, version });
    this.#brief = jsonStart(briefOf(resource), undefined);
  }

  pack(spans: readonly FramesSpan[]): Uint8Array {
    return encodeUtf8(spans.map(jsonSpan).join(','));
  }

  join(items: readonly Uint8Array[], isWhole: boolean): Uint8Array {
    const start = isWhole ? this.#whole : this.#brief;
    return encodeUtf8(`${start}${items.map(item => decodeUtf8(item)).join(',')}]}]}]}`);
  }

  rejectedCount(body: Uint8Array): number {
    if (body.length === 0) return 0;
    const answer = JSON.parse(decodeUtf8(body)) as {
      partialSuccess?: { rejectedSpans?: string | number };
    };
    return Number(answer.partialSuccess?.rejectedSpans ?? 0);
  }
}

function jsonStart(
  resource: Attributes,
  scope: { readonly [key: string]: string } | undefined,
): string {
  const own = scope === undefined ? '' : `"scope":${JSON.stringify(scope)},`;
  return `{"resourceSpans":[{"resource":{"attributes":${jsonAttributes(resource)}},"scopeSpans":[{${own}"spans":[`;
}

function jsonSpan(span: FramesSpan): string {
  const { traceId, spanId, name = SPAN.frames, startUnixNs, endUnixNs, attributes } = span;
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}","name":"${name}",` +
    `"startTimeUnixNano":"${startUnixNs}","endTimeUnixNano":"${endUnixNs}","attributes":${jsonAttributes(attributes)}}`
  );
}

function jsonAttributes(attributes: FrameAttributes): string {
  const pairs: string[] = [];
  for (const key in attributes)
    pairs.push(`{"key":${JSON.stringify(key)},"value":{${jsonValue(attributes[key]!)}}}`);
  return `[${pairs.join(',')}]`;
}

function jsonValue(value: FrameAttributes[string]): string {
  if (typeof value === 'string') return `"stringValue":${JSON.stringify(value)}`;
  if (typeof value === 'boolean') return `"boolValue":${value}`;
  if (typeof value !== 'number') return `"stringValue":"${toBase64(value)}"`;
  return Number.isSafeInteger(value) ? `"intValue":${value}` : `"doubleValue":${value}`;
}
