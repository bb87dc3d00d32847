// A flush (record, state or heart beat) as a row and back.

import type { SpanId, StateMessage, TraceId } from '@framescope/protocol';
import type { DecodedFlush } from '../../decode/types.ts';
import type { StoredFlush } from '../store.ts';
import { sourceFromJson, sourceToJson } from '../flush-source.ts';
import { dateTimeOf } from './span-row.ts';

export interface FlushPlace {
  readonly sessionKey: string;
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
  /** Which one of its commit. */
  readonly place: number;
}

export const rowOfFlush = (flush: DecodedFlush, place: FlushPlace): object => ({
  session_key: place.sessionKey,
  session_id: flush.sessionId,
  producer: flush.producer,
  seq: flush.seq,
  part: flush.part,
  commit: place.commit,
  place: place.place,
  arrival: dateTimeOf(place.arrivalUnixNs),
  start: String(flush.startUnixNs),
  end: String(flush.endUnixNs),
  source: sourceToJson(flush),
  trace_id: flush.traceId,
  span_id: flush.spanId,
  frame_count: flush.frameCount,
  lost_count: flush.lostCount,
  record: flush.record === undefined ? '' : Buffer.from(flush.record).toString('base64'),
  state: flush.state === undefined ? '' : JSON.stringify(flush.state),
});

/** As they came. */
export const FLUSH_ORDER = 'f.commit, f.place, f.producer, f.seq, f.part';

export const FLUSH_COLUMNS = `
  session_key, session_id, toString(seq) AS seq, part, toString(commit) AS commit,
  toString(toUnixTimestamp64Nano(arrival)) AS arrival, toString(start) AS start, toString(end) AS end,
  source, trace_id, span_id, frame_count, lost_count, record, state`;

export interface FlushRow {
  readonly session_key: string;
  readonly session_id: string;
  readonly seq: string;
  readonly part: number;
  readonly commit: string;
  readonly arrival: string;
  readonly start: string;
  readonly end: string;
  readonly source: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly frame_count: number;
  readonly lost_count: number;
  readonly record: string;
  readonly state: string;
}

export const flushOfRow = (row: FlushRow): StoredFlush => ({
  sessionId: row.session_id,
  traceId: row.trace_id as TraceId,
  spanId: row.span_id as SpanId,
  ...sourceFromJson(row.source),
  seq: Number(row.seq),
  part: row.part,
  startUnixNs: BigInt(row.start),
  endUnixNs: BigInt(row.end),
  ...(row.record !== '' && { record: Uint8Array.from(Buffer.from(row.record, 'base64')) }),
  ...(row.state !== '' && { state: JSON.parse(row.state) as StateMessage }),
  frameCount: row.frame_count,
  lostCount: row.lost_count,
  sessionKey: row.session_key,
  commit: Number(row.commit),
  arrivalUnixNs: BigInt(row.arrival),
});
