import { ATTR, sessionStartSpanId, sessionTraceId } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { decodeSignal } from '../../src/decode/by-signal.ts';
import type { DecodedRequest } from '../../src/decode/types.ts';
import { attribute, bodyOf, encode, spanJson } from '../support/otlp-bodies.ts';

const TRACE = '0123456789abcdef0123456789abcdef';
const SPAN = '0123456789abcdef';

const logs = (...logRecords: object[]): DecodedRequest => {
  const body = encode({ resourceLogs: [{ scopeLogs: [{ scope: { name: 'app' }, logRecords }] }] });
  const result = decodeSignal(body, 'json', 'logs');
  if (!result.ok) throw new Error(`${result.path}: ${result.problem}`);
  return result.value;
};

const record = (change: object = {}): object => ({
  timeUnixNano: '1700000000000000000',
  severityNumber: 17,
  body: { stringValue: 'no route to host' },
  traceId: TRACE,
  spanId: SPAN,
  ...change,
});

test('a log record of a span is kept under it, and the same record has the same ID', () => {
  const [span] = logs(record()).spans;
  expect(span).toMatchObject({
    traceId: TRACE,
    parentSpanId: SPAN,
    name: 'no route to host',
    startUnixNs: 1_700_000_000_000_000_000n,
    endUnixNs: 1_700_000_000_000_000_000n,
    attributes: { [ATTR.log]: 'error', [ATTR.logBody]: 'no route to host' },
    scope: 'app',
  });
  expect(logs(record()).spans[0]?.spanId).toBe(span?.spanId);
  expect(logs(record({ severityNumber: 9, timeUnixNano: '7' })).spans[0]?.spanId).not.toBe(
    span?.spanId,
  );
});

test('a log record that names a session alone is kept in the session, and is no root', () => {
  const attributes = [attribute('session.id', { stringValue: 'call-1' })];
  const [span] = logs(record({ traceId: '', spanId: '', attributes })).spans;
  const traceId = sessionTraceId('call-1');
  expect(span).toMatchObject({
    traceId,
    sessionId: 'call-1',
    parentSpanId: sessionStartSpanId(traceId),
  });
});

test('a log record with neither is counted, not kept', () => {
  const { spans, ignored } = logs(record({ traceId: '', spanId: '' }), record());
  expect([spans.length, ignored]).toEqual([1, { log_without_context: 1 }]);
});

test('a record with a bad ID is refused alone, with its path', () => {
  const { spans, refused } = logs(record({ traceId: '12' }), record());
  expect([spans.length, refused[0]?.path]).toEqual([
    1,
    'resourceLogs[0].scopeLogs[0].logRecords[0].traceId',
  ]);
});

const told = (event: string, body: string): object =>
  record({
    timeUnixNano: '1700000005000000000',
    body: { stringValue: body },
    attributes: [attribute('partial.event', { stringValue: event })],
  });

test('a heart beat of a running span is a pending span under it, the same at each beat', () => {
  const body = Buffer.from(bodyOf(spanJson({ name: 'llm', parentSpanId: 'f'.repeat(16) })));
  const [first, again] = [told('heartbeat', body.toString()), told('start', body.toString())].map(
    one => logs(one).spans[0],
  );
  expect(first).toMatchObject({
    name: 'llm',
    traceId: TRACE,
    parentSpanId: SPAN,
    startUnixNs: 1_700_000_000_000_000_000n,
    endUnixNs: 1_700_000_005_000_000_000n,
    attributes: { [ATTR.pending]: 'f'.repeat(16) },
  });
  expect(again?.spanId).toBe(first?.spanId);
});

test('a stop of a running span is the span itself, with IDs in hex or base64', () => {
  const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
  for (const change of [{}, { traceId: base64(TRACE), spanId: base64(SPAN) }]) {
    const body = Buffer.from(bodyOf(spanJson(change))).toString();
    expect(logs(told('stop', body)).spans).toMatchObject([{ traceId: TRACE, spanId: SPAN }]);
  }
});

test('logs in protobuf say the same as in JSON', () => {
  // resource_logs { scope_logs { log_records { time, severity, body, trace, span } } }
  const text = (field: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.of(field * 8 + 2, bytes.length), bytes]);
  const time = Buffer.alloc(9);
  time[0] = 8 + 1;
  time.writeBigUInt64LE(1_700_000_000_000_000_000n, 1);
  const line = Buffer.concat([
    time,
    Buffer.of(2 * 8, 17),
    text(5, text(1, Buffer.from('no route to host'))),
    text(9, Buffer.from(TRACE, 'hex')),
    text(10, Buffer.from(SPAN, 'hex')),
  ]);
  const scope = text(1, text(1, Buffer.from('app')));
  const body = text(1, text(2, Buffer.concat([scope, text(2, line)])));
  const result = decodeSignal(body, 'protobuf', 'logs');
  expect(result.ok && result.value.spans).toEqual(logs(record()).spans);
});
