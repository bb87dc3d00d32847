// Record spans as OTLP bytes, through the transformer's serializers. Spans are
// hand-made: the SDK would choose their IDs, cut their attributes at a limit,
// let a sampler drop them, and tell nobody what became of them.

import { SpanKind, SpanStatusCode, TraceFlags, type HrTime } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { decodeUtf8, encodeUtf8, SCOPE_NAME, SPAN } from '@framescope/protocol';
import type { FramesSpan, SpanPacker } from '../export/frames-span.ts';
import type { BodyFormat } from '../export/outbox.ts';
import type { Attributes } from '../ports.ts';

type Requested = NonNullable<Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0]>;
type Readable = Requested[number];

const NS_PER_S = 1_000_000_000n;

/** Unix ns as OpenTelemetry's `[seconds, nanoseconds]`: the one form of its API that is exact. */
export const hrTimeOf = (unixNs: bigint): HrTime => [
  Number(unixNs / NS_PER_S),
  Number(unixNs % NS_PER_S),
];

export type Encoding = 'protobuf' | 'json';

const JSON_START = '{"resourceSpans":[';
const JSON_END = ']}';

/** Packs flushes, and joins packed flushes into bodies. */
export class FramesPacker implements SpanPacker, BodyFormat {
  readonly contentType: string;
  readonly #serializer: typeof ProtobufTraceSerializer;
  readonly #isJson: boolean;
  readonly #shared: Pick<Readable, 'resource' | 'instrumentationScope'>;

  constructor(encoding: Encoding, resource: Attributes, version: string) {
    this.#isJson = encoding === 'json';
    this.contentType = this.#isJson ? 'application/json' : 'application/x-protobuf';
    this.#serializer = this.#isJson ? JsonTraceSerializer : ProtobufTraceSerializer;
    this.#shared = {
      resource: plainResource(resource),
      instrumentationScope: { name: SCOPE_NAME, version },
    };
  }

  pack(spans: readonly FramesSpan[]): Uint8Array {
    const bytes = this.#serializer.serializeRequest(spans.map(span => this.#readable(span)));
    if (bytes === undefined) throw new Error('the OTLP serializer gave nothing');
    return bytes;
  }

  /** Concatenated protobuf messages are one message with all their repeated fields. */
  join(items: readonly Uint8Array[]): Uint8Array {
    if (items.length === 1) return items[0]!;
    if (this.#isJson) return joinJson(items);
    const out = new Uint8Array(items.reduce((sum, item) => sum + item.length, 0));
    let at = 0;
    for (const item of items) {
      out.set(item, at);
      at += item.length;
    }
    return out;
  }

  rejectedCount(body: Uint8Array): number {
    if (body.length === 0) return 0;
    return Number(this.#serializer.deserializeResponse(body).partialSuccess?.rejectedSpans ?? 0);
  }

  #readable(span: FramesSpan): Readable {
    const context = { traceId: span.traceId, spanId: span.spanId, traceFlags: TraceFlags.SAMPLED };
    return {
      ...this.#shared,
      name: SPAN.frames,
      kind: SpanKind.INTERNAL,
      spanContext: () => context,
      startTime: hrTimeOf(span.startUnixNs),
      endTime: hrTimeOf(span.endUnixNs),
      duration: hrTimeOf(span.endUnixNs - span.startUnixNs),
      status: { code: SpanStatusCode.UNSET },
      attributes: span.attributes,
      links: [],
      events: [],
      ended: true,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  }
}

function joinJson(items: readonly Uint8Array[]): Uint8Array {
  const inner = items.map(item => decodeUtf8(item).slice(JSON_START.length, -JSON_END.length));
  return encodeUtf8(JSON_START + inner.join(',') + JSON_END);
}

/** The part of a Resource that serializers read; `@opentelemetry/resources` is an optional peer. */
function plainResource(attributes: Attributes): Readable['resource'] {
  const resource: Readable['resource'] = {
    attributes,
    asyncAttributesPending: false,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource;
}
