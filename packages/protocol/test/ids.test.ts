// Identity: what is one thing has one ID everywhere, what is two has two.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../src/hex.ts';
import {
  clockDomainOf,
  frameSpanId,
  recordSpanId,
  sessionKey,
  sessionStartSpanId,
  sessionTraceId,
  traceparent,
  turnSpanId,
  turnTraceId,
} from '../src/ids.ts';
import { decodeSpanId, decodeTraceId } from '../src/ids-decode.ts';
import { murmur3x128 } from '../src/murmur.ts';

const TRACE = sessionTraceId('call-1');

test('a session’s trace is the hash of the documented bytes', () => {
  const layout = [...Buffer.from('fsi1'), 1, 6, 0, 0, 0, ...Buffer.from('call-1')];
  expect(TRACE).toBe(toHex(murmur3x128(Uint8Array.from(layout))));
});

test('a turn’s span is the first half of the hash of the documented bytes', () => {
  const tick = Buffer.alloc(8);
  tick.writeBigInt64LE(2n ** 40n + 5n);
  const layout = [...Buffer.from('fsi1'), 3, ...Buffer.from(TRACE, 'hex')];
  const fields = [...layout, 3, 0, 0, 0, ...Buffer.from('mic'), ...tick];
  expect(turnSpanId(TRACE, 'mic', 2 ** 40 + 5)).toBe(
    toHex(murmur3x128(Uint8Array.from(fields)).subarray(0, 8)),
  );
});

test('all turns of a session share the bytes that samplers look at, and nothing else', () => {
  const turns = Array.from({ length: 5_000 }, (_, i) => turnTraceId(TRACE, 'mic', i * 320));
  expect(new Set(turns).size).toBe(5_000);
  expect(new Set(turns.map(id => id.slice(18)))).toEqual(new Set([TRACE.slice(18)]));
  expect(new Set(turns.map(id => id.slice(0, 18))).size).toBe(5_000);
});

test('every part of an identity changes the ID', () => {
  const ids = [
    frameSpanId(TRACE, 'mic', 'mic.agent/receive', 0),
    frameSpanId(TRACE, 'mic', 'mic.agent/receive', 1),
    frameSpanId(TRACE, 'mic', 'mic.agent/receive#2', 0),
    frameSpanId(TRACE, 'mi', 'cmic.agent/receive', 0),
    frameSpanId(sessionTraceId('call-2'), 'mic', 'mic.agent/receive', 0),
    recordSpanId('0123456789abcdef', TRACE, 1, 0),
    recordSpanId('0123456789abcdef', TRACE, 0, 1),
    recordSpanId('0123456789abcdee', TRACE, 1, 0),
    turnSpanId(TRACE, 'mic', 0),
    sessionStartSpanId(TRACE),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test('any text and any number make a well-formed ID that is not all zero', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.double(), (text, number) => {
      const session = sessionTraceId(text);
      expect(decodeTraceId(session, 'id').ok).toBe(true);
      expect(decodeTraceId(turnTraceId(text, text, number), 'id').ok).toBe(true);
      expect(decodeSpanId(frameSpanId(session, text, text, number), 'id').ok).toBe(true);
      expect(decodeSpanId(recordSpanId(text, text, number, number), 'id').ok).toBe(true);
      expect(clockDomainOf(text)).toMatch(/^[0-9a-f]{16}$/);
    }),
  );
});

test('a session key has 13 characters that can stand in a URL and be read aloud', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(9), (id, incarnation) => {
      expect(sessionKey(id, incarnation)).toMatch(/^[0-9a-hjkmnp-tv-z]{13}$/);
    }),
  );
  const keys = Array.from({ length: 2_000 }, (_, i) => [
    sessionKey(`c${i}`),
    sessionKey('c', i + 1),
  ]);
  expect(new Set(keys.flat()).size).toBe(4_000);
});

test('a session key says the first 64 bits of its hash', () => {
  const layout = [...Buffer.from('fsi1'), 7, 1, 0, 0, 0, 0x63, 2, 0, 0, 0];
  const hash = murmur3x128(Uint8Array.from(layout));
  const value = BigInt(`0x${toHex(hash.subarray(0, 8))}`);
  const digits = '0123456789abcdefghjkmnpqrstvwxyz';
  let expected = '';
  for (let shift = 60n; shift >= 0n; shift -= 5n)
    expected += digits[Number((value >> shift) & 31n)];
  expect(sessionKey('c', 2)).toBe(expected);
});

test('processes of one host agree on its clock, with or without the line break of the file', () => {
  expect(clockDomainOf('3f7c-77\n')).toBe(clockDomainOf('3f7c-77'));
});

test('an ID of a foreign process is folded to lower case or refused with its path', () => {
  expect(decodeTraceId(TRACE.toUpperCase(), 'p')).toEqual({ ok: true, value: TRACE });
  const refused = (raw: unknown): string => {
    const answer = decodeTraceId(raw, 'spans[3].traceId');
    return answer.ok ? 'none' : `${answer.path}: ${answer.problem}`;
  };
  expect(refused('0'.repeat(32))).toBe('spans[3].traceId: all-zero ID');
  expect(refused(`${TRACE}0`)).toBe('spans[3].traceId: expected 32 hex digits, got 33 characters');
  expect(refused(5)).toBe('spans[3].traceId: expected a string of 32 hex digits, got number');
  expect(decodeSpanId('00f067aa0ba902bg', 's').ok).toBe(false);
});

test('a traceparent is the header of W3C', () => {
  expect(traceparent(TRACE, '00f067aa0ba902b7', true)).toBe(`00-${TRACE}-00f067aa0ba902b7-01`);
  expect(traceparent(TRACE, '00f067aa0ba902b7', false)).toMatch(/-00$/);
});
