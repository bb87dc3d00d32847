// Bodies as the OpenTelemetry JS SDK writes them, and small ones by hand.

import { SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { ATTR, SPAN, toBase64 } from '@framescope/protocol';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import type { StoredFlush } from '../../src/store/store.ts';

/** Three spans of one trace with every kind of thing that the SDK can put on a span. */
export function sdkSpans(sessionId = 'call-1'): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'agent', 'cloud.region': 'eu-west-1' }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer('voice', '1.2.3');
  const startTime = [1_700_000_000, 123_456_789] as [number, number];
  const root = tracer.startSpan('turn', {
    startTime,
    attributes: { 'session.id': sessionId, 'turn.number': 3, share: 0.25, good: true },
  });
  const context: Context = trace.setSpan(ROOT_CONTEXT, root);
  const llm = tracer.startSpan(
    'llm',
    {
      startTime,
      kind: 2,
      attributes: { tokens: [1, 2, 3], words: ['höre', '你好', '🎙'] },
      links: [{ context: root.spanContext(), attributes: { why: 'because' } }],
    },
    context,
  );
  llm.addEvent('first_token', { index: 1 }, [1_700_000_000, 323_456_789]);
  llm.setStatus({ code: SpanStatusCode.ERROR, message: 'too slow' });
  llm.end([1_700_000_001, 1]);
  const tts = tracer.startSpan('tts', { startTime }, context);
  tts.end([1_700_000_002, 2]);
  root.end([1_700_000_003, 3]);
  return exporter.getFinishedSpans();
}

export const jsonBody = (spans: ReadableSpan[]): Uint8Array =>
  JsonTraceSerializer.serializeRequest(spans)!;

export const protobufBody = (spans: ReadableSpan[]): Uint8Array =>
  ProtobufTraceSerializer.serializeRequest(spans)!;

/** One span as OTLP/JSON has it; `change` replaces fields. */
export const spanJson = (change: object = {}): Record<string, unknown> => ({
  traceId: '0123456789abcdef0123456789abcdef',
  spanId: '0123456789abcdef',
  name: 'work',
  kind: 1,
  startTimeUnixNano: '1700000000000000000',
  endTimeUnixNano: '1700000001000000000',
  ...change,
});

/** A stored flush as its process sent it. */
export const flushJson = (flush: StoredFlush): Record<string, unknown> => {
  const texts = {
    'session.id': flush.sessionId,
    [ATTR.producer]: flush.producer,
    [ATTR.clockDomain]: flush.clock.domain,
    [ATTR.clockZeroUnixNs]: String(flush.clock.zeroUnixNs),
    ...(flush.record && { [ATTR.record]: toBase64(flush.record) }),
    ...(flush.state && { [ATTR.state]: JSON.stringify(flush.state) }),
  };
  const counts = { [ATTR.seq]: flush.seq, [ATTR.clockEpoch]: flush.clock.epoch };
  return spanJson({
    traceId: flush.traceId,
    spanId: flush.spanId,
    name: SPAN.frames,
    startTimeUnixNano: String(flush.startUnixNs),
    endTimeUnixNano: String(flush.endUnixNs),
    attributes: [
      ...Object.entries(texts).map(([key, stringValue]) => attribute(key, { stringValue })),
      ...Object.entries(counts).map(([key, intValue]) => attribute(key, { intValue })),
    ],
  });
};

export const bodyOf = (...spans: readonly unknown[]): Uint8Array =>
  encode({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

export const encode = (json: unknown): Uint8Array => Buffer.from(JSON.stringify(json));

export const attribute = (key: string, value: object): object => ({ key, value });
