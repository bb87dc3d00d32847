// Finds traces as Jaeger does: one span must be of the service and fit all that is asked.

import type { DecodedSpan } from '../decode/types.ts';
import { isWhole } from '../query/fold.ts';
import { TRACE_SPANS_MAX } from '../query/trace.ts';
import type { StoreReader } from '../store/store.ts';
import { serviceOfSpan, spanTags } from './jaeger-trace.ts';
import { spansBackwards } from './span-walk.ts';

export interface JaegerSearch {
  readonly service: string;
  readonly operation?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fromUnixNs: bigint;
  readonly toUnixNs: bigint;
  readonly minDurationNs?: number;
  readonly maxDurationNs?: number;
  readonly limit: number;
}

/** Spans of each trace found, the one with the latest span that fits first. */
export async function searchTraces(
  reader: StoreReader,
  asked: JaegerSearch,
): Promise<DecodedSpan[][]> {
  const found: DecodedSpan[][] = [];
  const seen = new Set<string>();
  for await (const spans of spansBackwards(reader, asked)) {
    for (const span of spans) {
      if (seen.has(span.traceId) || !fits(span, asked)) continue;
      seen.add(span.traceId);
      found.push(await wholeSpans(reader, span.traceId));
      if (found.length >= asked.limit) return found;
    }
  }
  return found;
}

/** What programs made of a trace: no log records, nothing pending. Empty when there is none. */
export async function wholeSpans(reader: StoreReader, traceId: string): Promise<DecodedSpan[]> {
  const found = await reader.trace(traceId, TRACE_SPANS_MAX);
  return (found?.spans ?? []).filter(isWhole);
}

function fits(span: DecodedSpan, asked: JaegerSearch): boolean {
  const durationNs = Number(span.endUnixNs - span.startUnixNs);
  return (
    serviceOfSpan(span) === asked.service &&
    (asked.operation === undefined || span.name === asked.operation) &&
    span.startUnixNs >= asked.fromUnixNs &&
    span.startUnixNs <= asked.toUnixNs &&
    (asked.minDurationNs === undefined || durationNs >= asked.minDurationNs) &&
    (asked.maxDurationNs === undefined || durationNs <= asked.maxDurationNs) &&
    Object.entries(asked.tags).every(([key, value]) => hasTag(span, key, value))
  );
}

/** On the span itself, its events or its process. */
function hasTag(span: DecodedSpan, key: string, value: string): boolean {
  const places = [
    span.attributes,
    span.resource.attributes,
    ...span.events.map(one => one.attributes),
  ];
  if (places.some(place => Object.hasOwn(place, key) && textOf(place[key]) === value)) return true;
  return spanTags(span).some(tag => tag.key === key && String(tag.value) === value);
}

const textOf = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value);

export interface Dependency {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
}

/** How often a span of one service has a child of one (or the same), over the spans of a range. */
export async function dependencies(
  reader: StoreReader,
  range: Pick<JaegerSearch, 'fromUnixNs' | 'toUnixNs'>,
): Promise<Dependency[]> {
  const services = new Map<string, string>();
  const children: { readonly parentId: string; readonly child: string }[] = [];
  for await (const spans of spansBackwards(reader, range))
    for (const span of spans) {
      const child = serviceOfSpan(span);
      services.set(span.traceId + span.spanId, child);
      const isIn = span.startUnixNs <= range.toUnixNs && span.endUnixNs >= range.fromUnixNs;
      if (isIn && span.parentSpanId !== undefined)
        children.push({ parentId: span.traceId + span.parentSpanId, child });
    }
  const counts = new Map<string, Dependency>();
  for (const { parentId, child } of children) {
    const parent = services.get(parentId);
    if (parent === undefined) continue;
    const id = JSON.stringify([parent, child]);
    const callCount = (counts.get(id)?.callCount ?? 0) + 1;
    counts.set(id, { parent, child, callCount });
  }
  return [...counts.values()];
}
