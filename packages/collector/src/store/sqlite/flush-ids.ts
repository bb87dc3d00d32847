// IDs of a flush's span follow from what it is (ids.ts of protocol): then they are not stored, a
// thirteenth of its row. Those of others are; an empty blob stands for one that follows.

import { recordSpanId, sessionTraceId, type SpanId, type TraceId } from '@framescope/protocol';
import type { DecodedFlush } from '../../decode/types.ts';

type Identity = Pick<
  DecodedFlush,
  'sessionId' | 'producer' | 'seq' | 'part' | 'traceId' | 'spanId'
>;

const FOLLOWS = Buffer.alloc(0);
const HEX_16 = /^[0-9a-f]{16}$/;

/** Of the sessions that were asked of last: cleared rather than aged. */
const traceIds = new Map<string, TraceId>();
const TRACES_MAX = 10_000;

function traceIdOf(sessionId: string): TraceId {
  let traceId = traceIds.get(sessionId);
  if (traceId !== undefined) return traceId;
  if (traceIds.size >= TRACES_MAX) traceIds.clear();
  traceIds.set(sessionId, (traceId = sessionTraceId(sessionId)));
  return traceId;
}

const spanIdOf = ({ producer, seq, part }: Identity, traceId: string): SpanId | undefined =>
  HEX_16.test(producer) ? recordSpanId(producer, traceId, seq, part) : undefined;

/** What is stored of them. */
export function storedIds(flush: Identity): readonly [traceId: Buffer, spanId: Buffer] {
  const { traceId, spanId, sessionId } = flush;
  return [
    traceId === traceIdOf(sessionId) ? FOLLOWS : Buffer.from(traceId, 'hex'),
    spanId === spanIdOf(flush, traceId) ? FOLLOWS : Buffer.from(spanId, 'hex'),
  ];
}

/** The IDs again, from what was stored. */
export function idsOf(
  flush: Omit<Identity, 'traceId' | 'spanId'>,
  stored: { readonly traceId: Buffer; readonly spanId: Buffer },
): Pick<Identity, 'traceId' | 'spanId'> {
  const { sessionId, producer, seq, part } = flush;
  const traceId =
    stored.traceId.length === 0
      ? traceIdOf(sessionId)
      : (stored.traceId.toString('hex') as TraceId);
  const spanId =
    stored.spanId.length === 0
      ? recordSpanId(producer, traceId, seq, part)
      : (stored.spanId.toString('hex') as SpanId);
  return { traceId, spanId };
}
