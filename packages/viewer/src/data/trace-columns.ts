// A trace as columns: what the waterfall needs of 100,000 spans, a few bytes each.
// Attributes come one span at a time, when one is chosen.

import type { TraceOutline } from '@framescope/protocol';

export interface TraceColumns extends Omit<
  TraceOutline,
  'spanIds' | 'parent' | 'name' | 'service' | 'startNs' | 'lengthNs' | 'status'
> {
  readonly count: number;
  /** Eight bytes a row. */
  readonly ids: Uint8Array;
  readonly parent: Int32Array;
  readonly name: Uint32Array;
  readonly service: Uint32Array;
  readonly startNs: Float64Array;
  readonly lengthNs: Float64Array;
  readonly status: Uint8Array;
}

const ID_BYTES = 8;
const SPAN_ID = /^[0-9a-f]{16}$/;

export function spanIdAt(trace: TraceColumns, row: number): string {
  const bytes = trace.ids.subarray(row * ID_BYTES, (row + 1) * ID_BYTES);
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

/** Row of a span, −1 if it is not here. A look through 800 kB at most: half a millisecond, once a click. */
export function rowOfSpan(trace: TraceColumns, spanId: string | undefined): number {
  if (spanId === undefined || !SPAN_ID.test(spanId)) return -1;
  const wanted = Array.from({ length: ID_BYTES }, (_, i) =>
    Number.parseInt(spanId.slice(2 * i, 2 * i + 2), 16),
  );
  for (let at = 0; at < trace.ids.length; at += ID_BYTES) {
    let same = 0;
    while (same < ID_BYTES && trace.ids[at + same] === wanted[same]) same++;
    if (same === ID_BYTES) return at / ID_BYTES;
  }
  return -1;
}

export const nameAt = (trace: TraceColumns, row: number): string =>
  trace.names[trace.name[row]!] ?? '';

export const serviceAt = (trace: TraceColumns, row: number): string =>
  trace.services[trace.service[row]!] ?? '';
