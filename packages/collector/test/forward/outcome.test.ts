import { expect, test } from 'vitest';
import { accepted, grpcOutcome, httpOutcome } from '../../src/forward/outcome.ts';
import { exportResponse, statusWithRetry } from '../../src/receive/otlp-answer.ts';

const NONE = Buffer.alloc(0);
const kindOf = (status: number): string => httpOutcome(status, NONE, undefined).kind;

test('HTTP: what OTLP calls retryable is tried again, and what a setting over there mends', () => {
  expect([429, 502, 503, 504].map(kindOf)).toEqual(['retry', 'retry', 'retry', 'retry']);
  expect([401, 403, 404, 500].map(kindOf)).toEqual(['retry', 'retry', 'retry', 'retry']);
  expect([400, 413, 415, 501].map(kindOf)).toEqual(['refused', 'refused', 'refused', 'refused']);
  expect(kindOf(200)).toBe('accepted');
});

test('Retry-After in seconds is heeded', () => {
  expect(httpOutcome(503, Buffer.from('full\n'), '7')).toEqual({
    kind: 'retry',
    why: 'HTTP 503: full',
    afterMs: 7_000,
  });
});

test('gRPC: RESOURCE_EXHAUSTED is tried again only when it says after how long', () => {
  expect(grpcOutcome(8, 'full', undefined).kind).toBe('refused');
  expect(grpcOutcome(8, 'full', statusWithRetry(8, 'full', 3))).toMatchObject({
    kind: 'retry',
    afterMs: 3_000,
  });
  expect([1, 4, 10, 11, 14, 15].map(code => grpcOutcome(code, '', undefined).kind)).toEqual(
    Array.from({ length: 6 }, () => 'retry'),
  );
  expect([2, 3, 5, 6, 9, 13].map(code => grpcOutcome(code, '', undefined).kind)).toEqual(
    Array.from({ length: 6 }, () => 'refused'),
  );
});

test('a partial success says how many spans were rejected; an unreadable answer says none', () => {
  const answer = exportResponse('protobuf', 'traces', { rejectedCount: 300, message: 'too old' });
  expect(accepted(answer)).toEqual({ kind: 'accepted', rejectedCount: 300, message: 'too old' });
  expect(accepted(Buffer.from('{}'))).toMatchObject({ kind: 'accepted', rejectedCount: 0 });
});
