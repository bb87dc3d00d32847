// Numbers around a reference, told by how far they are.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../src/bytes.ts';
import {
  chooseRice,
  readRice,
  RICE_K_MAX,
  RICE_MAX,
  RICE_SPAN_MAX,
  writeRice,
} from '../src/rice.ts';

function throughRice(numbers: readonly number[]): { back: number[]; bytes: number } | undefined {
  const out = new ByteWriter();
  const values = Int32Array.from(numbers);
  const code = chooseRice(values, numbers.length);
  if (code === undefined) return undefined;
  writeRice(out, values, numbers.length, code);
  out.u8(0x5a); // what follows must be found where it lies
  const input = new ByteReader(out.toBytes());
  const back = new Float64Array(numbers.length);
  expect(readRice(input, back, numbers.length, code)).toBe(true);
  expect(input.u8()).toBe(0x5a);
  return { back: [...back], bytes: out.length - 1 };
}

const near = fc.integer({ min: -300, max: 300 });
const far = fc.integer({ min: -2_000_000, max: 2_000_000 });

test('any numbers within reach come back, whatever follows them', () => {
  const numbers = fc.array(fc.oneof({ weight: 9, arbitrary: near }, far), {
    minLength: 1,
    maxLength: 300,
  });
  fc.assert(
    fc.property(numbers, fc.integer({ min: -1e9, max: 1e9 }), (values, shift) => {
      const shifted = values.map(value => value + shift);
      expect(throughRice(shifted)?.back).toEqual(shifted);
    }),
    { numRuns: 500 },
  );
});

test('numbers RICE_SPAN_MAX apart are told, and one further apart are refused', () => {
  const most = RICE_SPAN_MAX;
  expect(throughRice([0, most])?.back).toEqual([0, most]);
  expect(throughRice([-most, 0, 0])?.back).toEqual([-most, 0, 0]);
  expect(throughRice([0, most + 1])).toBeUndefined();
});

test('fifty exponential numbers take less than half a bit over their entropy', () => {
  // Mean 270, as jitter of 2.7 ms in quanta of 10 µs: log2(270 e) = 9.52 bits.
  const numbers = Array.from({ length: 50 }, (_, i) =>
    Math.round(-Math.log((((i * 29) % 50) + 0.5) / 50) * 270),
  );
  expect((throughRice(numbers)!.bytes * 8) / 50).toBeLessThan(10);
});

test('every k tells every number, near and far', () => {
  for (let k = 0; k <= RICE_K_MAX; k++)
    for (const isTwoSided of [false, true]) {
      const reach = [0, 1, 3, 2 ** k, 3 * 2 ** k, RICE_MAX, 0, 2 ** 23, 5];
      const numbers = reach
        .filter(z => z <= RICE_MAX)
        .map(z => (isTwoSided ? (z >>> 1) ^ -(z & 1) : z));
      const out = new ByteWriter();
      const code = { k, reference: 0, isTwoSided };
      writeRice(out, Int32Array.from(numbers), numbers.length, code);
      const back = new Float64Array(numbers.length);
      const input = new ByteReader(out.toBytes());
      expect(readRice(input, back, numbers.length, code)).toBe(true);
      expect([...back], `k ${k}`).toEqual(numbers);
      expect(input.remaining).toBe(0);
    }
});

test('input that ends early, and numbers out of reach, are told as such', () => {
  const out = new ByteWriter();
  const code = { k: 6, reference: 0, isTwoSided: false };
  writeRice(out, Int32Array.from([1, 500, 9, 70_000]), 4, code);
  const read = (bytes: Uint8Array, k = 6): string | undefined => {
    const input = new ByteReader(bytes);
    readRice(input, new Float64Array(4), 4, { ...code, k });
    return input.problem;
  };
  expect(read(out.toBytes())).toBeUndefined();
  for (let length = 0; length < out.length; length++)
    expect(read(out.toBytes().subarray(0, length))).toMatch('input ends early');
  const ones = Uint8Array.from({ length: 40 }, () => 255);
  for (const k of [0, 6, 24]) expect(read(ones, k)).toMatch('too far');
});
