// One trace, whole: spans in order of time, times counted from its start.

import type { Span, Trace } from '@framescope/protocol';
import { shownAttributes } from '../decode/bytes-value.ts';
import type { StoredSpan, StoreReader } from '../store/store.ts';
import { foldTrace, type Folded } from './fold.ts';

/** Spans in one answer: the viewer draws 100,000 without a stutter. */
export const TRACE_SPANS_MAX = 100_000;

export async function trace(reader: StoreReader, traceId: string): Promise<Trace | undefined> {
  const found = await reader.trace(traceId, TRACE_SPANS_MAX);
  if (!found) return undefined;
  const owner = await reader.traceOwner(traceId);
  const folded = foldTrace(found.spans);
  const spans = folded.map(one => one.span);
  const startUnixNs = spans.reduce(
    (start, span) => (span.startUnixNs < start ? span.startUnixNs : start),
    spans[0]?.startUnixNs ?? 0n,
  );
  const endUnixNs = spans.reduce(
    (end, span) => (span.endUnixNs > end ? span.endUnixNs : end),
    startUnixNs,
  );
  return {
    traceId,
    startUnixNs: String(startUnixNs),
    durationNs: Number(endUnixNs - startUnixNs),
    sessionKey: owner?.sessionKey ?? null,
    sessionId: owner?.sessionId ?? null,
    turnTick: owner?.turnTick ?? null,
    spans: folded.map(one => shownSpan(one, startUnixNs)).sort(byTime),
    omittedCount: found.omittedCount,
  };
}

/** Of two that start together the longer is the parent more often than not. */
const byTime = (a: Span, b: Span): number => a.startNs - b.startNs || b.durationNs - a.durationNs;

/** A stored span as the API tells it, its times from the trace's start. */
export function shownSpan({ span, isOpen }: Folded<StoredSpan>, zeroUnixNs: bigint): Span {
  const service = span.resource.attributes['service.name'];
  return {
    spanId: span.spanId,
    parentSpanId: span.parentSpanId ?? null,
    name: span.name,
    service: typeof service === 'string' ? service : '',
    scope: span.scope,
    kind: span.kind,
    startNs: Number(span.startUnixNs - zeroUnixNs),
    durationNs: Number(span.endUnixNs - span.startUnixNs),
    status: { code: span.statusCode, message: span.statusMessage },
    attributes: shownAttributes(span.attributes),
    resource: shownAttributes(span.resource.attributes),
    events: shownEvents(span.events, zeroUnixNs),
    links: shownLinks(span.links),
    isOpen,
  };
}

export const shownEvents = (events: StoredSpan['events'], zeroUnixNs: bigint): Span['events'] =>
  events.map(event => ({
    name: event.name,
    atNs: Number(event.atUnixNs - zeroUnixNs),
    attributes: shownAttributes(event.attributes),
  }));

export const shownLinks = (links: StoredSpan['links']): Span['links'] =>
  links.map(({ traceId, spanId, attributes }) => ({
    traceId,
    spanId,
    attributes: shownAttributes(attributes),
  }));
