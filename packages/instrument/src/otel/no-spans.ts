// No spans: what is known still travels as live state. Contexts carry the IDs
// that the spans would have had, so that requests can be told whose they are.

import { trace, TraceFlags } from '@opentelemetry/api';
import type { SpanSink } from '../export/span-sink.ts';
import { contextOf } from './context.ts';

export const noSpans: SpanSink = {
  start: ({ traceId, spanId }) => ({
    traceId,
    spanId,
    end: () => undefined,
    run: work => work(),
    context: () =>
      contextOf(trace.wrapSpanContext({ traceId, spanId, traceFlags: TraceFlags.SAMPLED })),
  }),
  flush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
