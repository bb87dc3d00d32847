// One record part as a span named `audio.frames`: what the collector reads, and
// what makes sense in any other backend.
//
// A record says itself who wrote it, on which clock and in which order; only a
// flush without one spells that out beside it.

import { ATTR, recordSpanId, type FrameRecord, type StateMessage } from '@framescope/protocol';

/** Attributes as they are packed; bytes become `bytes_value`, in JSON a base64 string. */
export type FrameAttributes = Readonly<Record<string, string | number | boolean | Uint8Array>>;

/** A span ready to be packed. Times are Unix ns. */
export interface FramesSpan {
  /** Default `audio.frames`. */
  readonly name?: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  readonly attributes: FrameAttributes;
}

/** Packs the spans of one flush, to be joined with others into a request. */
export interface SpanPacker {
  pack(spans: readonly FramesSpan[]): Uint8Array;
}

/** What one session has to say in one flush. */
export interface FlushFacts {
  readonly sessionId: string;
  readonly traceId: string;
  readonly record: FrameRecord;
  /** Encoded parts; empty when there was nothing to encode. */
  readonly parts: readonly Uint8Array[];
  readonly state: StateMessage | undefined;
  /** Marks thrown away since the last record. */
  readonly lostCount: number;
  /** First and last mark, or twice the time of the flush. */
  readonly firstNs: number;
  readonly lastNs: number;
}

/** One span a part, the state on the first; one without a record when there are no marks. */
export function framesSpans(facts: FlushFacts): FramesSpan[] {
  const { record } = facts;
  const startUnixNs = record.zeroUnixNs + BigInt(Math.round(facts.firstNs));
  const endUnixNs = record.zeroUnixNs + BigInt(Math.round(facts.lastNs));
  const count = Math.max(1, facts.parts.length);
  return Array.from({ length: count }, (_, part) => ({
    traceId: facts.traceId,
    spanId: recordSpanId(record.producer, facts.traceId, record.seq, part),
    startUnixNs,
    endUnixNs,
    attributes: attributesOfPart(facts, part),
  }));
}

function attributesOfPart(facts: FlushFacts, part: number): FrameAttributes {
  const { record, state, lostCount, sessionId } = facts;
  const bytes = facts.parts[part];
  const isFirst = part === 0;
  const attributes: Record<string, FrameAttributes[string]> = { [ATTR.sessionId]: sessionId };
  if (bytes === undefined) {
    attributes[ATTR.producer] = record.producer;
    attributes[ATTR.seq] = record.seq;
    attributes[ATTR.clockDomain] = record.domain;
    attributes[ATTR.clockEpoch] = record.epoch;
    attributes[ATTR.clockZeroUnixNs] = String(record.zeroUnixNs);
  } else attributes[ATTR.record] = bytes;
  if (isFirst && lostCount > 0) attributes[ATTR.frameLost] = lostCount;
  if (isFirst && state !== undefined) attributes[ATTR.state] = JSON.stringify(state);
  return attributes;
}

/** A record part's identity, as senders keep it and the store knows it. */
export const recordId = (record: FrameRecord, traceId: string, part: number): string =>
  `${record.producer}/${traceId}/${record.seq}/${part}`;
