// GET /api/v1/traces/{traceId}/outline: a trace as columns, for its waterfall; and
// one span of it, whole. 100,000 spans are 32 MB with their attributes, 4 MB without.

import type { Span, TraceOutline } from '@framescope/protocol';
import type { StoredSpan, StoreReader } from '../store/store.ts';
import { foldTrace, type Folded } from './fold.ts';
import { shownSpan, TRACE_SPANS_MAX } from './trace.ts';

/** Texts by number, in order of their first use. */
class Texts {
  readonly all: string[] = [];
  readonly #known = new Map<string, number>();

  numberOf(text: string): number {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#known.set(text, this.all.length);
    this.all.push(text);
    return this.all.length - 1;
  }
}

export async function traceOutline(
  reader: StoreReader,
  traceId: string,
): Promise<TraceOutline | undefined> {
  const found = await reader.trace(traceId, TRACE_SPANS_MAX);
  if (!found) return undefined;
  const owner = await reader.traceOwner(traceId);
  const folded = foldTrace(found.spans);
  const zeroUnixNs = startOf(folded);
  const startNs = folded.map(({ span }) => Number(span.startUnixNs - zeroUnixNs));
  const lengthNs = folded.map(({ span }) => Number(span.endUnixNs - span.startUnixNs));
  // As in `trace`: by start, and of two that start together the longer first.
  const order = Uint32Array.from(folded, (_, i) => i).sort(
    (a, b) => startNs[a]! - startNs[b]! || lengthNs[b]! - lengthNs[a]! || a - b,
  );
  const rows = Array.from(order, i => folded[i]!);
  return {
    traceId,
    startUnixNs: String(zeroUnixNs),
    durationNs: startNs.reduce((end, start, i) => Math.max(end, start + lengthNs[i]!), 0),
    sessionKey: owner?.sessionKey ?? null,
    sessionId: owner?.sessionId ?? null,
    turnTick: owner?.turnTick ?? null,
    omittedCount: found.omittedCount,
    ...columnsOf(rows),
    startNs: Array.from(order, i => startNs[i]!),
    lengthNs: Array.from(order, i => lengthNs[i]!),
  };
}

function startOf(folded: readonly Folded<StoredSpan>[]): bigint {
  let startUnixNs = folded[0]?.span.startUnixNs ?? 0n;
  for (const { span } of folded) if (span.startUnixNs < startUnixNs) startUnixNs = span.startUnixNs;
  return startUnixNs;
}

type Columns = Pick<
  TraceOutline,
  'names' | 'services' | 'spanIds' | 'parent' | 'name' | 'service' | 'status' | 'openRows'
>;

function columnsOf(rows: readonly Folded<StoredSpan>[]): Columns {
  const names = new Texts();
  const services = new Texts();
  const rowOf = new Map(rows.map(({ span }, row) => [span.spanId as string, row]));
  const name = rows.map(({ span }) => names.numberOf(span.name));
  const service = rows.map(({ span }) => {
    const text = span.resource.attributes['service.name'];
    return services.numberOf(typeof text === 'string' ? text : '');
  });
  return {
    names: names.all,
    services: services.all,
    spanIds: rows.map(({ span }) => span.spanId).join(''),
    parent: rows.map(({ span }) => rowOf.get(span.parentSpanId ?? '') ?? -1),
    name,
    service,
    status: rows.map(({ span }) => span.statusCode),
    openRows: rows.flatMap(({ isOpen }, row) => (isOpen ? [row] : [])),
  };
}

/** One span as `trace` tells it; undefined when the trace does not have it. */
export async function traceSpan(
  reader: StoreReader,
  traceId: string,
  spanId: string,
): Promise<Span | undefined> {
  const found = await reader.trace(traceId, TRACE_SPANS_MAX);
  const folded = foldTrace(found?.spans ?? []);
  const one = folded.find(({ span }) => span.spanId === spanId);
  return one && shownSpan(one, startOf(folded));
}
