// Context into headers and out of them, by the propagator that the user
// registered with OpenTelemetry; by W3C Trace Context where there is none.

import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { traceparent } from '@framescope/protocol';
import type { OtelContext } from './context.ts';

export interface TraceIds {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
}

/** A context that holds nothing but these IDs, as if they came from another process. */
export const contextOfIds = ({ traceId, spanId }: TraceIds): OtelContext =>
  trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });

/** Headers for `context`; may throw what the user's propagator throws. */
export function injected(context: OtelContext): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context, headers, defaultTextMapSetter);
  const span = trace.getSpanContext(context);
  if (Object.keys(headers).length > 0 || span === undefined) return headers;
  const isSampled = (span.traceFlags & TraceFlags.SAMPLED) !== 0;
  return { traceparent: traceparent(span.traceId, span.spanId, isSampled) };
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;

/** The context that headers carry; an empty one if they carry none. May throw as `injected`. */
export function extracted(headers: Readonly<Record<string, string>>): OtelContext {
  const context = propagation.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
  if (trace.getSpanContext(context) !== undefined) return context;
  const [, traceId, spanId, flags] = TRACEPARENT.exec(headers['traceparent'] ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return context;
  const traceFlags = Number.parseInt(flags ?? '00', 16) & TraceFlags.SAMPLED;
  const span = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(span) ? trace.setSpanContext(context, span) : context;
}

/** Trace and span that a context is in. */
export function idsOf(context: OtelContext): TraceIds | undefined {
  const span = trace.getSpanContext(context);
  return span === undefined ? undefined : { traceId: span.traceId, spanId: span.spanId };
}
