// From an `audio.frames` span to a flush: a record, a state message, or a
// heart beat. A record with a wrong CRC or a state of a wrong shape refuses
// the span: the sender learns of it, and nothing half-read is kept.

import {
  ATTR,
  decodeRecordShared,
  fromBase64,
  rejected,
  type Decoded,
  type RecordPart,
  type StateMessage,
} from '@framescope/protocol';
import { decodeStateMessage } from '../recognise/framescope.ts';
import { base64Of } from './bytes-value.ts';
import { orThrow } from './check-span.ts';
import { SpanProblem } from './problem.ts';
import { toldResources } from './told-resources.ts';

import type { DecodedClock, DecodedFlush, DecodedSpan } from './types.ts';

const HEX_16 = /^[0-9a-f]{16}$/;

/** @throws {SpanProblem} naming the attribute. */
export function checkFlush(span: DecodedSpan): DecodedFlush {
  const { sessionId } = span;
  if (sessionId === undefined)
    throw new SpanProblem(at(ATTR.sessionId), 'session_id', 'missing on an audio.frames span');
  const read = recordOf(span);
  const record = read?.bytes;
  const state = stateOf(span);
  const identity = identityOf(span, read?.header);
  return {
    sessionId,
    traceId: span.traceId,
    spanId: span.spanId,
    ...identity,
    startUnixNs: span.startUnixNs,
    endUnixNs: span.endUnixNs,
    ...(record && { record }),
    ...(state && { state }),
    frameCount: count(span, ATTR.frameCount, marksOf(read?.header)),
    lostCount: count(span, ATTR.frameLost, 0),
    resource: toldResources.whole(identity.producer, span.resource),
  };
}

/** Senders leave out what the record says itself. */
const marksOf = (record: RecordPart | undefined): number =>
  (record?.blocks ?? [])
    .flatMap(block => block.columns)
    .reduce((sum, column) => sum + column.length + column.late.length, 0);

type Identity = Pick<DecodedFlush, 'producer' | 'seq' | 'part' | 'clock'>;

/** As attributes say it; a span that brings a record need not, since the record says it too. */
function identityOf(span: DecodedSpan, record: RecordPart | undefined): Identity {
  const isTold = span.attributes[ATTR.producer] != null;
  if (record !== undefined && !isTold) {
    const { producer, seq, part, domain, epoch, zeroUnixNs } = record;
    return { producer, seq, part, clock: { domain, epoch, zeroUnixNs } };
  }
  return {
    producer: hex16(span, ATTR.producer),
    seq: count(span, ATTR.seq),
    part: count(span, ATTR.recordPart, 0),
    clock: clockOf(span),
  };
}

function clockOf(span: DecodedSpan): DecodedClock {
  const zero = span.attributes[ATTR.clockZeroUnixNs];
  const text = typeof zero === 'number' ? String(zero) : zero;
  if (typeof text !== 'string' || !/^-?\d{1,19}$/.test(text))
    throw new SpanProblem(at(ATTR.clockZeroUnixNs), 'clock', 'expected Unix ns in a string');
  return {
    domain: hex16(span, ATTR.clockDomain),
    epoch: count(span, ATTR.clockEpoch, 0),
    zeroUnixNs: BigInt(text),
  };
}

interface ReadRecord {
  readonly bytes: Uint8Array;
  readonly header: RecordPart;
}

function recordOf(span: DecodedSpan): ReadRecord | undefined {
  const value = span.attributes[ATTR.record];
  if (value == null) return undefined;
  const path = at(ATTR.record);
  if (typeof value !== 'string')
    throw new SpanProblem(path, 'record', `expected base64, got ${typeof value}`);
  const bytes = orThrow(fromBase64(base64Of(value) ?? value, path), 'record');
  const result = checkRecord(bytes, path);
  if (!result.ok)
    throw new SpanProblem(
      result.path,
      /\bCRC\b/i.test(result.problem) ? 'record_crc' : 'record',
      result.problem,
    );
  return { bytes, header: result.value };
}

function stateOf(span: DecodedSpan): StateMessage | undefined {
  const value = span.attributes[ATTR.state];
  if (value == null) return undefined;
  if (typeof value !== 'string')
    throw new SpanProblem(at(ATTR.state), 'state', `expected JSON text, got ${typeof value}`);
  return orThrow(decodeStateMessage(value, at(ATTR.state)), 'state');
}

function checkRecord(bytes: Uint8Array, path: string): Decoded<RecordPart> {
  const result = decodeRecordShared(bytes);
  return result.ok ? result : rejected(`${path}.${result.path}`, result.problem);
}

function hex16(span: DecodedSpan, name: string): string {
  const value = span.attributes[name];
  if (typeof value !== 'string' || !HEX_16.test(value))
    throw new SpanProblem(at(name), 'producer', 'expected 16 lower-case hex digits');
  return value;
}

function count(span: DecodedSpan, name: string, otherwise?: number): number {
  const value = span.attributes[name] ?? otherwise;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new SpanProblem(at(name), 'number', 'expected a whole number of 0 or more');
  return value;
}

const at = (name: string): string => `attributes["${name}"]`;
