// Anchors and tags: context that travels with the audio.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  anchorFromText,
  anchorLength,
  anchorToText,
  decodeAnchor,
  encodeAnchor,
  type Anchor,
} from '../src/anchor.ts';
import { sessionTraceId } from '../src/ids.ts';
import { decodeTag, encodeTag, sessionCheck, unwrapTick } from '../src/tag.ts';
import { domainNs, durationNs, tick } from '../src/units.ts';

const TRACE = sessionTraceId('call-1');
const anchor: Anchor = {
  traceId: TRACE,
  stream: 'mic',
  direction: 'up',
  sampleRate: 16_000,
  tick: tick(48_000),
  domain: 'fedcba9876543210',
  epoch: 1,
  originNs: domainNs(123_456_789_012),
};
const echo = {
  domain: '00000000000000aa',
  epoch: 0,
  originNs: domainNs(-9),
  heldNs: durationNs(1_500_000),
};

test('an anchor comes back from bytes and from text, with and without an echo', () => {
  for (const each of [anchor, { ...anchor, echo, direction: 'down' as const }]) {
    expect(decodeAnchor(encodeAnchor(each))).toEqual({ ok: true, value: each });
    expect(anchorFromText(anchorToText(each))).toEqual(each);
  }
});

test('an anchor once a second costs under 1.5 kbit/s as text', () => {
  expect(anchorToText({ ...anchor, echo }).length * 8).toBeLessThan(1_500);
});

test('messages of the application are never taken for anchors', () => {
  const texts = ['', '{}', '{"framescope":1}', '{"framescope":"AAAA"}', '{"framescope":"RkEB"}'];
  for (const text of [...texts, ` ${anchorToText(anchor)}`, '{"type":"audio","framescope":"x"}'])
    expect(anchorFromText(text)).toBeUndefined();
  expect(anchorFromText(`{"framescope":"${'A'.repeat(100_000)}"}`)).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), text => {
      expect(anchorFromText(`{"framescope":"${text}"}`)).toBeUndefined();
    }),
  );
});

test('one flipped bit, a missing byte and one too many are noticed', () => {
  const bytes = encodeAnchor({ ...anchor, echo });
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeAnchor(damaged).ok).toBe(false);
  }
  expect(decodeAnchor(bytes.subarray(0, -1)).ok).toBe(false);
  expect(decodeAnchor(Uint8Array.of(...bytes, 0)).ok).toBe(false);
});

test('an anchor of a later version is refused by its version', () => {
  const bytes = encodeAnchor(anchor);
  bytes[2] = 2;
  expect(decodeAnchor(bytes)).toMatchObject({
    problem: 'version 2, known is 1: upgrade the reader',
  });
});

test('a prefix says how long it is, so that the audio behind it is found', () => {
  const prefix = encodeAnchor(anchor);
  const message = Uint8Array.of(...prefix, 1, 2, 3);
  expect(anchorLength(message)).toBe(prefix.length);
  expect(anchorLength(Uint8Array.of(1, 2, 3))).toBeUndefined();
  expect(anchorLength(prefix.subarray(0, 20))).toBeUndefined();
});

test('no values make an anchor fail, and a name too long is cut between characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.double(), (text, number) => {
      const hostile: Anchor = {
        traceId: text,
        stream: text,
        direction: 'down',
        sampleRate: 8_000,
        tick: tick(number),
        domain: text,
        epoch: number,
        originNs: domainNs(number),
        echo: {
          domain: text,
          epoch: number,
          originNs: domainNs(number),
          heldNs: durationNs(number),
        },
      };
      expect(decodeAnchor(encodeAnchor(hostile)).ok).toBe(true);
    }),
  );
  const long = decodeAnchor(encodeAnchor({ ...anchor, stream: 'é'.repeat(200) }));
  expect(long.ok && long.value.stream).toBe('é'.repeat(127));
});

test('random bytes are no anchor and make no exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      expect(decodeAnchor(Uint8Array.of(0x46, 0x41, 1, ...bytes)).ok).toBe(false);
    }),
  );
});

test('a tag is 8 bytes: version and flags, stream, session check, tick', () => {
  const tag = { flags: 5, streamNumber: 200, check: 0xbeef, tickLow: 0xfedcba98 };
  expect([...encodeTag(tag)]).toEqual([0x45, 200, 0xef, 0xbe, 0x98, 0xba, 0xdc, 0xfe]);
  expect(decodeTag(encodeTag(tag))).toEqual({ ok: true, value: tag });
  expect(decodeTag(new Uint8Array(7)).ok).toBe(false);
  expect(decodeTag(new Uint8Array(8))).toMatchObject({
    problem: 'version 0, known is 1: upgrade the reader',
  });
  expect(sessionCheck('00'.repeat(14) + 'efbe')).toBe(0xbeef);
});

test('a tick is found again from its low 32 bits and any tick within 2^31 of it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2 ** 31, max: 2 ** 45 }),
      fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
      (at, away) => {
        expect(unwrapTick(at % 2 ** 32, at + away)).toBe(at);
      },
    ),
  );
  expect(unwrapTick(2 ** 32 - 5, 3)).toBe(2 ** 32 - 5);
});
