// The spans of one commit as one blob: fixed fields in columns, the rest as
// JSON with its repeated parts in tables, deflated.
//
//   version u8 = 1 │ deflateRaw of:
//   count u32 │ trace IDs 16×n │ span IDs 8×n │ parents 8×n (zero: root)
//   │ starts i64×n │ ends i64×n │ kinds u8×n │ status codes u8×n │ JSON, UTF-8
//
// All little-endian. A pack is read as a whole; a position is an index into it.

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Attributes, SpanId, TraceId } from '@framescope/protocol';
import type { DecodedSpan } from '../../decode/types.ts';
import type { StoredSpan } from '../store.ts';

const VERSION = 1;
const BYTES_EACH = 16 + 8 + 8 + 8 + 8 + 1 + 1;
const ROOT = '0000000000000000';

/** Level 1: the others take 2 to 5 times as long for a tenth less. */
const DEFLATE_LEVEL = 1;

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

/** A span with the session it was found to belong to. */
export interface PackedSpan {
  readonly span: DecodedSpan;
  readonly sessionKey: string | null;
}

export function packSpans(spans: readonly PackedSpan[]): Buffer {
  const count = spans.length;
  const json = Buffer.from(JSON.stringify(tablesOf(spans)));
  const bytes = Buffer.alloc(4 + count * BYTES_EACH + json.length);
  const at = offsetsOf(count);
  bytes.writeUInt32LE(count, 0);
  for (const [i, { span }] of spans.entries()) {
    bytes.write(span.traceId, at.traceIds + 16 * i, 'hex');
    bytes.write(span.spanId, at.spanIds + 8 * i, 'hex');
    bytes.write(span.parentSpanId ?? ROOT, at.parents + 8 * i, 'hex');
    bytes.writeBigInt64LE(span.startUnixNs, at.starts + 8 * i);
    bytes.writeBigInt64LE(span.endUnixNs, at.ends + 8 * i);
    bytes[at.kinds + i] = span.kind;
    bytes[at.statuses + i] = span.statusCode;
  }
  json.copy(bytes, at.json);
  return Buffer.concat([Buffer.of(VERSION), deflateRawSync(bytes, { level: DEFLATE_LEVEL })]);
}

/** The spans at `positions` (all when absent). Throws on a damaged pack. */
export function unpackSpans(
  pack: Buffer,
  commit: { readonly commit: number; readonly arrivalUnixNs: bigint },
  positions?: readonly number[],
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
  return (positions ?? Array.from({ length: count }, (_, i) => i)).map(spanAt);
}

/** Positions as they stand in the directory: u32, little-endian. */
export function packPositions(positions: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * positions.length);
  for (const [i, position] of positions.entries()) bytes.writeUInt32LE(position, 4 * i);
  return bytes;
}

export const unpackPositions = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i));

function tablesOf(spans: readonly PackedSpan[]): Tables {
  const scopes = new Interned<string, string>(scope => scope);
  const resources = new Interned<DecodedSpan['resource'], Attributes>(one => one.attributes);
  const sessions = new Interned<string, readonly [string, string | null]>(
    key => JSON.parse(key) as [string, string | null],
  );
  const rows = spans.map(({ span, sessionKey }): Row => [
    span.name,
    scopes.indexOf(span.scope),
    resources.indexOf(span.resource),
    span.statusMessage,
    span.attributes,
    span.events.map(one => [one.name, String(one.atUnixNs), one.attributes] as const),
    span.links.map(one => [one.traceId, one.spanId, one.attributes] as const),
    sessionKey === null
      ? -1
      : sessions.indexOf(JSON.stringify([sessionKey, span.sessionId ?? null])),
  ]);
  return { scopes: scopes.items, resources: resources.items, sessions: sessions.items, rows };
}

/** Numbers things in order of first appearance. */
class Interned<K, V> {
  readonly items: V[] = [];
  readonly #indices = new Map<K, number>();
  readonly #valueOf: (key: K) => V;

  constructor(valueOf: (key: K) => V) {
    this.#valueOf = valueOf;
  }

  indexOf(key: K): number {
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    this.#indices.set(key, this.items.length);
    return this.items.push(this.#valueOf(key)) - 1;
  }
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
