// The outline of a trace as it crosses the API in binary: a JSON head, then plain columns.
//
//   u32 LE   length of the head in bytes
//   head     UTF-8 JSON: what TraceOutline has beside its columns, and `count`
//   padding  to a multiple of 8 bytes from the start
//   columns  f64 startNs[] · f64 lengthNs[] · u8 ids[8 × count] ·
//            i32 parent[] · u32 name[] · u32 service[] · u8 status[]
//
// Columns are views into the answer: nothing is copied, nothing parsed a span.

import type { TraceColumns } from './trace-columns.ts';

export const OUTLINE_TYPE = 'application/vnd.framescope.outline';

type Head = Omit<
  TraceColumns,
  'ids' | 'parent' | 'name' | 'service' | 'startNs' | 'lengthNs' | 'status'
>;

/** Throws a RangeError when the bytes end early: a cut answer must not look like a short trace. */
export function decodeOutline(bytes: ArrayBuffer): TraceColumns {
  const headLength = new DataView(bytes).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, headLength))) as Head;
  const { count } = head;
  let at = (4 + headLength + 7) & ~7;
  const next = (bytesEach: number): number => {
    const from = at;
    at += count * bytesEach;
    return from;
  };
  return {
    ...head,
    startNs: new Float64Array(bytes, next(8), count),
    lengthNs: new Float64Array(bytes, next(8), count),
    ids: new Uint8Array(bytes, next(8), count * 8),
    parent: new Int32Array(bytes, next(4), count),
    name: new Uint32Array(bytes, next(4), count),
    service: new Uint32Array(bytes, next(4), count),
    status: new Uint8Array(bytes, next(1), count),
  };
}
