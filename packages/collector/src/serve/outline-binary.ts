// The outline of a trace in binary: a JSON head, then plain columns that a reader can use in place.
//
//   u32 LE   length of the head in bytes
//   head     UTF-8 JSON: what TraceOutline has beside its columns, and `count`
//   padding  to a multiple of 8 bytes from the start
//   columns  f64 startNs[] · f64 lengthNs[] · u8 ids[8 × count] ·
//            i32 parent[] · u32 name[] · u32 service[] · u8 status[]
//
// 100,000 spans are 3.7 MB that nobody has to parse.

import type { OutlineColumns } from '../query/trace-outline.ts';

export const OUTLINE_TYPE = 'application/vnd.framescope.outline';

export function encodeOutline(outline: OutlineColumns): Uint8Array {
  const head = Buffer.from(JSON.stringify(outline.head));
  const { startNs, lengthNs, ids, parent, name, service, status } = outline;
  // Little-endian by nature: every machine that Node runs on is.
  const columns = [startNs, lengthNs, ids, parent, name, service, status];
  const columnsAt = Math.ceil((4 + head.length) / 8) * 8;
  const size = columns.reduce((sum, column) => sum + column.byteLength, columnsAt);
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  let at = columnsAt;
  for (const { buffer, byteOffset, byteLength } of columns) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
}
