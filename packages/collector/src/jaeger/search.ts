// Finds traces as Jaeger does: one span must be of the service and fit all that is asked.

import type { DecodedSpan } from '../decode/types.ts';
import { isWhole } from '../query/fold.ts';
import { TRACE_SPANS_MAX } from '../query/trace.ts';
import type { StoreReader } from '../store/store.ts';
import { serviceOfSpan, spanTags } from './jaeger-trace.ts';

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

/** Looked through, the latest to arrive first: beyond, a narrower question is wanted. */
const TRACES_MAX = 5_000;
const PAGE = 200;

/** Spans of each trace found. */
export async function searchTraces(
  reader: StoreReader,
  asked: JaegerSearch,
): Promise<DecodedSpan[][]> {
  const found: DecodedSpan[][] = [];
  await eachTrace(reader, asked, spans => {
    if (spans.some(span => fits(span, asked))) found.push(spans);
    return found.length < asked.limit;
  });
  return found;
}

/** Traces that touch the range; stops when `visit` says so. */
async function eachTrace(
  reader: StoreReader,
  { fromUnixNs, toUnixNs }: Pick<JaegerSearch, 'fromUnixNs' | 'toUnixNs'>,
  visit: (spans: DecodedSpan[]) => boolean,
): Promise<void> {
  let cursor: string | undefined;
  for (let looked = 0; looked < TRACES_MAX; looked += PAGE) {
    const page = await reader.traces({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
    for (const { traceId, startUnixNs, durationNs } of page.items) {
      const start = BigInt(startUnixNs);
      if (start > toUnixNs || start + BigInt(Math.max(0, durationNs)) < fromUnixNs) continue;
      const spans = await wholeSpans(reader, traceId);
      if (spans.length > 0 && !visit(spans)) return;
    }
    if (page.nextCursor === null) return;
    cursor = page.nextCursor;
  }
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

/** How often a span of one service has a child of one (or the same), over the traces of a range. */
export async function dependencies(
  reader: StoreReader,
  range: Pick<JaegerSearch, 'fromUnixNs' | 'toUnixNs'>,
): Promise<Dependency[]> {
  const counts = new Map<string, Dependency>();
  await eachTrace(reader, range, spans => {
    const services = new Map(spans.map(span => [span.spanId as string, serviceOfSpan(span)]));
    for (const span of spans) {
      const parent = services.get(span.parentSpanId ?? '');
      if (parent === undefined) continue;
      const child = serviceOfSpan(span);
      const id = JSON.stringify([parent, child]);
      const callCount = (counts.get(id)?.callCount ?? 0) + 1;
      counts.set(id, { parent, child, callCount });
    }
    return true;
  });
  return [...counts.values()];
}
