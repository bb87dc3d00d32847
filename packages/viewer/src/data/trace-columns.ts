// A trace as columns: what the waterfall needs of 100,000 spans, a few bytes each.
// Attributes come one span at a time, when one is chosen.

import type { Span, Trace, TraceOutline } from '@framescope/protocol';

export interface TraceColumns extends Omit<
  TraceOutline,
  'parent' | 'name' | 'service' | 'startNs' | 'lengthNs' | 'status'
> {
  readonly count: number;
  readonly parent: Int32Array;
  readonly name: Uint32Array;
  readonly service: Uint32Array;
  readonly startNs: Float64Array;
  readonly lengthNs: Float64Array;
  readonly status: Uint8Array;
  /** Whole spans by row, where the answer had them. */
  readonly spans: readonly Span[] | undefined;
}

const ID_LENGTH = 16;

export const spanIdAt = (trace: TraceColumns, row: number): string =>
  trace.spanIds.slice(row * ID_LENGTH, (row + 1) * ID_LENGTH);

/** Row of a span, −1 if it is not here. A search of 1.6 MB at most: a millisecond, once a click. */
export function rowOfSpan(trace: TraceColumns, spanId: string | undefined): number {
  if (spanId === undefined || spanId.length !== ID_LENGTH) return -1;
  let at = trace.spanIds.indexOf(spanId);
  while (at >= 0 && at % ID_LENGTH !== 0) at = trace.spanIds.indexOf(spanId, at + 1);
  return at < 0 ? -1 : at / ID_LENGTH;
}

export const nameAt = (trace: TraceColumns, row: number): string =>
  trace.names[trace.name[row]!] ?? '';

export const serviceAt = (trace: TraceColumns, row: number): string =>
  trace.services[trace.service[row]!] ?? '';

export function columnsOfOutline(outline: TraceOutline): TraceColumns {
  return {
    ...outline,
    count: outline.parent.length,
    parent: Int32Array.from(outline.parent),
    name: Uint32Array.from(outline.name),
    service: Uint32Array.from(outline.service),
    startNs: Float64Array.from(outline.startNs),
    lengthNs: Float64Array.from(outline.lengthNs),
    status: Uint8Array.from(outline.status),
    spans: undefined,
  };
}

export function columnsOfTrace({ spans, ...rest }: Trace): TraceColumns {
  const names = new Map<string, number>();
  const services = new Map<string, number>();
  const indexIn = (all: Map<string, number>, text: string): number => {
    if (!all.has(text)) all.set(text, all.size);
    return all.get(text)!;
  };
  const rowOf = new Map(spans.map((span, row) => [span.spanId, row]));
  const name = Uint32Array.from(spans, span => indexIn(names, span.name));
  const service = Uint32Array.from(spans, span => indexIn(services, span.service));
  return {
    ...rest,
    names: [...names.keys()],
    services: [...services.keys()],
    spanIds: spans.map(span => span.spanId).join(''),
    openRows: spans.flatMap((span, row) => (span.isOpen ? [row] : [])),
    count: spans.length,
    parent: Int32Array.from(spans, span => rowOf.get(span.parentSpanId ?? '') ?? -1),
    name,
    service,
    startNs: Float64Array.from(spans, span => span.startNs),
    lengthNs: Float64Array.from(spans, span => span.durationNs),
    status: Uint8Array.from(spans, span => span.status.code),
    spans,
  };
}
