// Records from nowhere: the decoder answers, whatever it is given.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from '../src/crc32.ts';
import { decodeRecord } from '../src/record-decode.ts';
import { encodeRecord } from '../src/record-encode.ts';
import { block, column, frames, jittered, record, seeded } from './support/records.ts';

const whole = (): Uint8Array => encodeRecord(jittered(50, 0, seeded(3)))[0]!;

/** Makes length and CRC right again, so that the items behind them are read. */
function resealed(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  view.setUint32(4, out.length, true);
  view.setUint32(out.length - 4, crc32(out, 0, out.length - 4), true);
  return out;
}

/** A record of quantum 10 µs whose items are these bytes. */
const recordOf = (items: readonly number[]): Uint8Array => {
  const empty = encodeRecord(record([], { seq: 0, epoch: 0 }))[0]!;
  return resealed(Uint8Array.from([...empty.subarray(0, -4), ...items, 0, 0, 0, 0]));
};

const problemOf = (bytes: Uint8Array): string => {
  const answer = decodeRecord(bytes);
  return answer.ok ? 'none' : answer.problem;
};

const BLOCK = [1, 1, 0x6d, 0x80, 0x7d]; // stream m, 16 kHz, up
const COLUMN = 2 | 16 | (2 << 5); // even cut, told against the row before
const HOP = [3, 3]; // agent/send
const USUAL = [0x20]; // mic up, 16 kHz
const SHORT = 7; // even cut, told against the media clock

test('one flipped bit anywhere in a record is noticed', () => {
  const bytes = whole();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeRecord(damaged).ok).toBe(false);
  }
});

test('a record cut anywhere is refused as truncated', () => {
  const bytes = whole();
  for (let length = 8; length < bytes.length; length++)
    expect(problemOf(bytes.subarray(0, length))).toMatch(/truncated/);
  for (let length = 0; length < 8; length++)
    expect(decodeRecord(bytes.subarray(0, length)).ok).toBe(false);
});

test('a record of a later version is refused by its version, with what to do', () => {
  const bytes = whole();
  bytes[2] = 4;
  expect(problemOf(resealed(bytes))).toBe('version 4, known is 3: upgrade the reader');
  bytes[2] = 0;
  expect(problemOf(resealed(bytes))).toBe('version 0, known is 3: upgrade the reader');
});

test('random bytes behind a right CRC never make the decoder throw or keep more rows than 32 a byte', () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  const original = whole();
  let readCount = 0;
  fc.assert(
    fc.property(edits, fc.oneof(fc.constant(0), fc.nat(40)), (changes, cut) => {
      const bytes = original.slice(0, original.length - cut);
      for (const [at, value] of changes) bytes[8 + (at % (bytes.length - 8))] = value;
      const answer = decodeRecord(resealed(bytes));
      if (!answer.ok) return;
      readCount++;
      const columns = answer.value.blocks.flatMap(b => b.columns);
      const rows = columns.reduce((sum, c) => sum + c.length + c.late.length, 0);
      expect(rows).toBeLessThanOrEqual(bytes.length * 32);
      for (const { atNs, endTick } of columns) {
        expect(atNs.every(Number.isSafeInteger)).toBe(true);
        expect(endTick.every(Number.isSafeInteger)).toBe(true);
      }
    }),
    { numRuns: 3_000 },
  );
  expect(readCount).toBeGreaterThan(100); // enough got past the checks to prove something
});

test('random items never make the decoder throw', () => {
  const heads = fc.constantFrom(BLOCK, USUAL, [...USUAL, SHORT | 24, 0, ...HOP]);
  fc.assert(
    fc.property(heads, fc.array(fc.nat(255), { maxLength: 60 }), (head, items) => {
      const withBlock = decodeRecord(recordOf([...head, ...items]));
      expect(typeof withBlock.ok).toBe('boolean');
    }),
    { numRuns: 3_000 },
  );
});

test('a column takes 4,096 rows that cost no bits, and refuses 4,097', () => {
  // Constant cut and constant steps: 16 groups of two bytes each.
  const items = (count: number): number[] => [
    ...BLOCK,
    COLUMN,
    ...HOP,
    (count & 127) | 128,
    count >> 7,
    0,
    1,
    ...Array.from({ length: Math.ceil(count / 256) }, () => [0, 0]).flat(),
    ...BLOCK,
    ...Array.from({ length: 8 }, () => BLOCK).flat(),
  ];
  expect(problemOf(recordOf(items(4_096)))).toBe('none');
  expect(problemOf(recordOf(items(4_097)))).toMatch(/4097 rows in a column/);
});

test('a few bytes that announce many rows are refused before anything is allocated', () => {
  const sameCut = [2 | 8 | (2 << 5), ...HOP];
  const groups = Array.from({ length: 8 }, () => [0, 0]).flat();
  const column2048 = [COLUMN, ...HOP, 0x80, 0x10, 0, 1, ...groups];
  expect(problemOf(recordOf([...BLOCK, ...column2048]))).toBe('none');
  const bomb = [...BLOCK, ...column2048];
  for (let i = 0; i < 4; i++) bomb.push(...sameCut, ...groups);
  expect(problemOf(recordOf(bomb))).toMatch(/2048 rows in a column/);
});

test('each thing that makes no sense is named with its byte', () => {
  const at = (items: readonly number[]): string => problemOf(recordOf(items));
  expect(at([7])).toBe('item 7 before any block at byte 41');
  expect(at([...BLOCK, 130])).toMatch(/unknown item 130/);
  expect(at([0x08])).toMatch(/sample rate code 0/);
  expect(at([...USUAL, 7, 0x04, 0, 4, 0, 0])).toMatch(/hop code 4 of role none/);
  expect(at([...USUAL, SHORT, 0xf0, ...HOP, 25, 0, 4, 0])).toMatch(/rice code 25/);
  expect(at([...USUAL, SHORT | 8, 0, ...HOP, 0, 0x88, 0])).toMatch(/near the cut of no column/);
  expect(at([...USUAL, SHORT | 24, 0, ...HOP, 0, 6, 0, 1, 12, 0])).toMatch(
    /hole before row 3 of 3/,
  );
  expect(at([...USUAL, SHORT | 24, 0, ...HOP, 0, 6, 0, 1, 3, 0])).toMatch(/hole before row 0 of 3/);
  expect(at([...USUAL, SHORT, 0, ...HOP, 0, 7, 1, 0, 0])).toMatch(/tick out|ends early|none/);
  expect(at([1, 0, 0])).toMatch(/sample rate 0/);
  expect(at([...BLOCK, COLUMN, 60, 3])).toMatch(/role code 60 or hop code 3 is unknown/);
  expect(at([...BLOCK, 2 | 8, ...HOP, 0, 0])).toMatch(/the cut of no column/);
  expect(at([...BLOCK, 2 | 8 | 16, ...HOP, 0, 0])).toMatch(/cut 24/);
  expect(at([...BLOCK, 2 | 16 | 32, ...HOP, 1, 0, 1, 0, 0])).toMatch(/predictor 1 with no column/);
  expect(at([...BLOCK, COLUMN, ...HOP, 1, 0, 0, 0, 0])).toMatch(/tick out of range/);
  expect(at([...BLOCK, COLUMN, ...HOP, 1, 1, 1, 0, 0])).toMatch(/tick out of range/);
  expect(at([...BLOCK, COLUMN, ...HOP, 1, 0, 1, 31, 0])).toMatch(/packing 31 is none/);
  expect(at([...BLOCK, COLUMN, ...HOP, 1, 0, 1, 0])).toMatch(/input ends early/);
  expect(at([...BLOCK, 3 | 24, ...HOP, 0, 1, 0])).toMatch(/range kind 3/);
  expect(at([...BLOCK, 5, ...HOP, 1, 0, 0, 0])).toMatch(/ticks 0 to 0/);
  expect(
    at([...BLOCK, COLUMN, ...HOP, 1, 0, 1, 0, ...Array.from({ length: 9 }, () => 255)]),
  ).toMatch(/varint longer than 8 bytes/);
});

test('more than 16 KiB is refused unread', () => {
  expect(problemOf(new Uint8Array(16_385))).toMatch(/16385 bytes, limit is 16384/);
  expect(problemOf(new Uint8Array(16_384))).toMatch(/does not begin with "FR"/);
});

test('a record is read from a view into a larger buffer', () => {
  const bytes = encodeRecord(record([block([column('send', frames('abc'))])]))[0]!;
  const buffer = new Uint8Array(bytes.length + 20).fill(255);
  buffer.set(bytes, 9);
  expect(decodeRecord(buffer.subarray(9, 9 + bytes.length))).toEqual(decodeRecord(bytes));
});
