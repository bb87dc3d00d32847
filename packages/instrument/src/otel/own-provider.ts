// The one file that loads OpenTelemetry's SDK and exporter, which are optional
// peers: it is imported only when a span has to be written and the user gave no
// provider of their own. It takes nothing of ours along but types: what it shared
// with the entry a bundler would cut out of it as a third file.

import {
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type HrTime,
  type Link,
  type SpanKind,
  type SpanStatus,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { SpanAttributes } from '../export/span-sink.ts';
import type { SpanSinkFacts } from './make-span-sink.ts';

/** Spans follow the records within a flush, not after the SDK's default of 5 s. */
const DELAY_MS = 1_000;
/** No request succeeds in less, whatever the user allows for the end of a process. */
const TIMEOUT_MS_MIN = 500;

/** A span that is over, with IDs of our choice. */
export interface FinishedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly links: Link[];
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly attributes: SpanAttributes;
  readonly status: SpanStatus | undefined;
}

export interface OwnProvider {
  write(span: FinishedSpan): void;
  flush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Throws when the installed SDK is of a kind we do not know. */
export function makeOwnProvider(
  facts: SpanSinkFacts,
  scope: { readonly name: string; readonly version: string },
): OwnProvider {
  // Asked once for each `startSpan`, synchronously: what is set just before is what is used.
  const next = { traceId: '', spanId: '' };
  const exporter = new OTLPTraceExporter({
    url: facts.url,
    headers: { ...facts.headers },
    // Its sockets keep a process alive: a collector that hangs may hold it up so long.
    timeoutMillis: Math.max(TIMEOUT_MS_MIN, facts.endMs),
  });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ ...facts.resource }),
    sampler: new AlwaysOnSampler(),
    idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
    // A turn's state may be longer than a limit that OTEL_* variables set for others.
    spanLimits: { attributeValueLengthLimit: Number.POSITIVE_INFINITY },
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: DELAY_MS })],
  });
  const tracer = provider.getTracer(scope.name, scope.version);
  return {
    write: finished => {
      const { traceId, spanId, parentSpanId } = finished;
      next.traceId = traceId;
      next.spanId = spanId;
      const parent = { traceId, spanId: parentSpanId ?? '', traceFlags: TraceFlags.SAMPLED };
      const context =
        parentSpanId === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
      const { name, kind, links, attributes, startTime } = finished;
      const span = tracer.startSpan(name, { kind, links, attributes, startTime }, context);
      if (finished.status !== undefined) span.setStatus(finished.status);
      span.end(finished.endTime);
    },
    flush: () => provider.forceFlush(),
    shutdown: () => provider.shutdown(),
  };
}
