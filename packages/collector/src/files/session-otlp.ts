// One session as OTLP/JSON: its spans, and its records and states as the `audio.frames` spans that
// brought them, so that importing the file into another collector gives the same session.

import { ATTR, SCOPE_NAME, SPAN, toBase64, type Attributes } from '@framescope/protocol';
import type { DecodedFlush, DecodedSpan } from '../decode/types.ts';
import type { StoreReader } from '../store/store.ts';
import { otlpRequest, type OtlpRequest } from './otlp.ts';

const SPANS_MAX = 2_000_000;

export async function sessionOtlp(
  reader: StoreReader,
  key: string,
): Promise<OtlpRequest | undefined> {
  if ((await reader.session(key)) === undefined) return undefined;
  const spans = await reader.sessionSpans(key, SPANS_MAX);
  const flushes = await reader.flushes(key);
  return otlpRequest([...spans, ...flushes.map(spanOfFlush)]);
}

/** The span that such a flush is read from. */
export function spanOfFlush(flush: DecodedFlush): DecodedSpan {
  const attributes: Attributes = {
    [ATTR.sessionId]: flush.sessionId,
    [ATTR.producer]: flush.producer,
    [ATTR.seq]: flush.seq,
    [ATTR.recordPart]: flush.part,
    [ATTR.clockDomain]: flush.clock.domain,
    [ATTR.clockEpoch]: flush.clock.epoch,
    [ATTR.clockZeroUnixNs]: String(flush.clock.zeroUnixNs),
    [ATTR.frameCount]: flush.frameCount,
    [ATTR.frameLost]: flush.lostCount,
    ...(flush.record && { [ATTR.record]: toBase64(flush.record) }),
    ...(flush.state && { [ATTR.state]: JSON.stringify(flush.state) }),
  };
  return {
    traceId: flush.traceId,
    spanId: flush.spanId,
    name: SPAN.frames,
    kind: 1,
    startUnixNs: flush.startUnixNs,
    endUnixNs: flush.endUnixNs,
    statusCode: 0,
    statusMessage: '',
    attributes,
    events: [],
    links: [],
    scope: SCOPE_NAME,
    resource: flush.resource,
  };
}
