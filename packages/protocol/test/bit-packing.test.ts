// Packed numbers beside a naive twin that reads the layout one bit at a time.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pack, PACKED_MAX, roughBits, unpack } from '../src/bit-packing.ts';
import { ByteReader, ByteWriter } from '../src/bytes.ts';
import { seeded } from './support/records.ts';

function packed(values: readonly number[]): Uint8Array {
  const out = new ByteWriter(4);
  pack(out, Float64Array.from(values), 0, values.length);
  return out.toBytes();
}

function unpacked(bytes: Uint8Array, count: number): number[] {
  const out = new Float64Array(count);
  const input = new ByteReader(bytes);
  expect(unpack(input, out, 0, count)).toBe(true);
  expect(input.remaining).toBe(0);
  return [...out];
}

/** As docs/wire.md says it, with BigInt and no thought of speed. */
function naivelyUnpacked(bytes: Uint8Array, count: number): number[] {
  const out: number[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[at++]!);
      value |= (byte & 127n) << shift;
      if (byte < 128n) return value;
    }
  };
  const svarint = (): bigint => {
    const value = varint();
    return value & 1n ? -(value + 1n) / 2n : value / 2n;
  };
  while (out.length < count) {
    const size = Math.min(256, count - out.length);
    const head = bytes[at++]!;
    const width = head & 31;
    const reference = svarint();
    const exceptionCount = head & 128 ? Number(varint()) : 0;
    const bits = [...bytes.subarray(at, at + Math.ceil((size * width) / 8))].flatMap(byte =>
      Array.from({ length: 8 }, (_, i) => (byte >> i) & 1),
    );
    at += Math.ceil((size * width) / 8);
    const group = Array.from({ length: size }, (_, i) =>
      bits
        .slice(i * width, i * width + width)
        .reduce((value, bit, place) => value | (BigInt(bit) << BigInt(place)), reference * 0n),
    ).map(lane => reference + lane);
    for (let i = 0, next = 0; i < exceptionCount; i++, next++) {
      next += Number(varint());
      group[next]! += svarint() << BigInt(width);
    }
    out.push(...group.map(Number));
  }
  return out;
}

const anyNumbers = (): fc.Arbitrary<number[]> =>
  fc.array(
    fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 0, max: 300 }) },
      { weight: 3, arbitrary: fc.integer({ min: -5_000, max: 2 ** 30 }) },
      { weight: 1, arbitrary: fc.integer({ min: -PACKED_MAX, max: PACKED_MAX }) },
    ),
    { maxLength: 700 },
  );

test('any whole numbers come back, and the layout is the documented one', () => {
  fc.assert(
    fc.property(anyNumbers(), values => {
      const bytes = packed(values);
      expect(unpacked(bytes, values.length)).toEqual(values);
      expect(naivelyUnpacked(bytes, values.length)).toEqual(values);
    }),
    { numRuns: 300 },
  );
});

test('the example of the document is read as it says', () => {
  const example = Uint8Array.of(0x82, 0x02, 0x01, 0x24, 0x03, 0x04, 0xf2, 0x03);
  expect(unpacked(example, 5)).toEqual([1, 2, 3, 1, 1_000]);
});

test('numbers of every width come back', () => {
  for (let width = 0; width <= 51; width++) {
    const top = 2 ** width - 1;
    const values = [0, top, Math.floor(top / 2), 1, top, 0, top].map(value => Math.min(value, top));
    expect(unpacked(packed(values), values.length)).toEqual(values);
  }
});

test('equal numbers take two bytes and a reference, however many there are', () => {
  expect([...packed(Array.from({ length: 256 }, () => -3))]).toEqual([0, 5]);
  expect([...packed(Array.from({ length: 257 }, () => -3))]).toEqual([0, 5, 0, 5]);
});

test('one number far out costs an exception, not a wider lane for all', () => {
  const values = Array.from({ length: 200 }, (_, i) => i % 4);
  const plain = packed(values).length;
  values[77] = 1_000_000;
  expect(packed(values).length).toBeLessThanOrEqual(plain + 6);
  values[78] = -1_000_000;
  expect(packed(values).length).toBeLessThanOrEqual(plain + 11);
});

test('the rough size tells steady numbers from noisy ones, whatever stands far out', () => {
  const random = seeded(6);
  const noise = (width: number): Float64Array =>
    Float64Array.from({ length: 50 }, (_, i) => (i === 20 ? 9e9 : random() * width));
  expect(roughBits(noise(30), 50)).toBeLessThan(roughBits(noise(300), 50));
  expect(roughBits(noise(300), 50)).toBeLessThan(roughBits(noise(3_000), 50));
});

test('a packing that ends early or points past its group is refused', () => {
  const bytes = packed([1, 2, 3, 4, 5, 1_000_000]);
  for (let length = 0; length < bytes.length; length++) {
    const input = new ByteReader(bytes.subarray(0, length));
    expect(unpack(input, new Float64Array(6), 0, 6)).toBe(false);
    expect(input.problem).toMatch(/ends early/);
  }
  const tooMany = new ByteReader(Uint8Array.of(128, 0, 7, 0, 2));
  expect(unpack(tooMany, new Float64Array(6), 0, 6)).toBe(false);
  expect(tooMany.problem).toMatch(/7 exceptions in 6 numbers/);
  const pointsPast = new ByteReader(Uint8Array.of(128, 0, 1, 6, 2));
  expect(unpack(pointsPast, new Float64Array(6), 0, 6)).toBe(false);
  expect(pointsPast.problem).toMatch(/exception out of range/);
});
