// The hash against its reference: SMHasher's own verification of x86_128.

import { expect, test } from 'vitest';
import { murmur3x128 } from '../src/murmur.ts';

test('the hash is MurmurHash3 x86_128 by the verification value of its reference suite', () => {
  // Keys {}, {0}, {0,1}, … with seed 256 − length; the hash of all hashes begins with the value.
  const hashes = new Uint8Array(256 * 16);
  for (let length = 0; length < 256; length++) {
    const key = Uint8Array.from({ length }, (_, i) => i);
    hashes.set(murmur3x128(key, 256 - length), length * 16);
  }
  const final = murmur3x128(hashes, 0);
  expect(new DataView(final.buffer).getUint32(0, true)).toBe(0xb3ece62a);
});

test('no input at all has the hash zero, as in the reference', () => {
  expect([...murmur3x128(new Uint8Array(0))]).toEqual(Array.from({ length: 16 }, () => 0));
});
