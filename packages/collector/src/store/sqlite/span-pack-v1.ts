// How the spans of one commit were packed before version 3 of volumes: fixed
// fields in columns, the rest as JSON. Read once, when such a file is opened.
//
//   version u8 = 1 │ deflateRaw of:
//   count u32 │ trace IDs 16×n │ span IDs 8×n │ parents 8×n (zero: root)
//   │ starts i64×n │ ends i64×n │ kinds u8×n │ status codes u8×n │ JSON, UTF-8
//
// All little-endian. A pack is read as a whole; a position is an index into it.

import { inflateRawSync } from 'node:zlib';
import type { Attributes, SpanId, TraceId } from '@framescope/protocol';
import type { StoredSpan } from '../store.ts';

const VERSION = 1;
const ROOT = '0000000000000000';

/** name, scope, resource, message, attributes, events, links, session (index into the tables). */
type Row = readonly [
  string,
  number,
  number,
  string,
  Attributes,
  readonly (readonly [string, string, Attributes])[],
  readonly (readonly [string, string, Attributes])[],
  number,
];

interface Tables {
  readonly scopes: readonly string[];
  readonly resources: readonly Attributes[];
  /** [key, session.id or null where it was inherited from the trace] */
  readonly sessions: readonly (readonly [string, string | null])[];
  readonly rows: readonly Row[];
}

/** Throws on a damaged pack. */
export function unpackSpans(
  pack: Buffer,
  commit: { readonly commit: number; readonly arrivalUnixNs: bigint },
): StoredSpan[] {
  if (pack[0] !== VERSION) throw new Error(`span pack of version ${pack[0]}`);
  const bytes = inflateRawSync(pack.subarray(1));
  const count = bytes.readUInt32LE(0);
  const at = offsetsOf(count);
  const tables = JSON.parse(bytes.toString('utf8', at.json)) as Tables;
  const resources = tables.resources.map(attributes => ({ attributes }));
  const spanAt = (i: number): StoredSpan => {
    const row = tables.rows[i];
    if (!row) throw new Error(`span pack: no position ${i} of ${count}`);
    const [name, scope, resource, statusMessage, attributes, events, links, session] = row;
    const [sessionKey, sessionId] = tables.sessions[session] ?? [null, null];
    const parent = bytes.toString('hex', at.parents + 8 * i, at.parents + 8 * i + 8);
    return {
      traceId: bytes.toString('hex', at.traceIds + 16 * i, at.traceIds + 16 * i + 16) as TraceId,
      spanId: bytes.toString('hex', at.spanIds + 8 * i, at.spanIds + 8 * i + 8) as SpanId,
      ...(parent !== ROOT && { parentSpanId: parent as SpanId }),
      name,
      kind: bytes[at.kinds + i]!,
      startUnixNs: bytes.readBigInt64LE(at.starts + 8 * i),
      endUnixNs: bytes.readBigInt64LE(at.ends + 8 * i),
      statusCode: bytes[at.statuses + i]!,
      statusMessage,
      attributes,
      events: events.map(([eventName, atNs, of]) => ({
        name: eventName,
        atUnixNs: BigInt(atNs),
        attributes: of,
      })),
      links: links.map(([traceId, spanId, of]) => ({ traceId, spanId, attributes: of })),
      scope: tables.scopes[scope] ?? '',
      resource: resources[resource] ?? { attributes: {} },
      ...(sessionId !== null && { sessionId }),
      sessionKey,
      ...commit,
    };
  };
  return Array.from({ length: count }, (_, i) => spanAt(i));
}

function offsetsOf(
  count: number,
): Readonly<
  Record<
    'traceIds' | 'spanIds' | 'parents' | 'starts' | 'ends' | 'kinds' | 'statuses' | 'json',
    number
  >
> {
  const traceIds = 4;
  const spanIds = traceIds + 16 * count;
  const parents = spanIds + 8 * count;
  const starts = parents + 8 * count;
  const ends = starts + 8 * count;
  const kinds = ends + 8 * count;
  const statuses = kinds + count;
  return { traceIds, spanIds, parents, starts, ends, kinds, statuses, json: statuses + count };
}
