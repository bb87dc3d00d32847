// One record part as a span named `audio.frames`, before OpenTelemetry: what
// the collector reads, and what makes sense in any other backend.

import {
  ATTR,
  recordSpanId,
  toBase64,
  type FrameRecord,
  type StateMessage,
} from '@framescope/protocol';
import type { Attributes } from '../ports.ts';

/** A span ready to be packed. Times are Unix ns. */
export interface FramesSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  readonly attributes: Attributes;
}

/** Packs spans of one flush, as one OTLP request; filled by otel/. */
export interface SpanPacker {
  /** Throws when the serializer does. */
  pack(spans: readonly FramesSpan[]): Uint8Array;
}

/** What one session has to say in one flush. */
export interface FlushFacts {
  readonly traceId: string;
  readonly record: FrameRecord;
  /** Encoded parts; empty when there was nothing to encode. */
  readonly parts: readonly Uint8Array[];
  readonly state: StateMessage | undefined;
  readonly frameCount: number;
  /** Marks thrown away since the last record. */
  readonly lostCount: number;
  /** First and last mark, or twice the time of the flush. */
  readonly firstNs: number;
  readonly lastNs: number;
  /** `session.id` and the clock. */
  readonly common: Attributes;
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

function attributesOfPart(facts: FlushFacts, part: number): Attributes {
  const { record, state } = facts;
  const bytes = facts.parts[part];
  const isFirst = part === 0;
  return {
    ...facts.common,
    [ATTR.producer]: record.producer,
    [ATTR.seq]: record.seq,
    [ATTR.recordPart]: part,
    [ATTR.frameCount]: isFirst ? facts.frameCount : 0,
    [ATTR.frameLost]: isFirst ? facts.lostCount : 0,
    ...(bytes === undefined ? {} : { [ATTR.record]: toBase64(bytes) }),
    ...(isFirst && state !== undefined ? { [ATTR.state]: JSON.stringify(state) } : {}),
  };
}

/** A record part's identity, as senders keep it and the store knows it. */
export const recordId = (record: FrameRecord, traceId: string, part: number): string =>
  `${record.producer}/${traceId}/${record.seq}/${part}`;
