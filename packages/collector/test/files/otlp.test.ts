import { expect, test } from 'vitest';
import { otlpValue } from '../../src/files/otlp.ts';

test('a number that no 64-bit integer holds is written as a double', () => {
  expect([1e300, 2 ** 63, -(2 ** 70), 2 ** 53 - 1, 0.5].map(otlpValue)).toEqual([
    { doubleValue: 1e300 },
    { doubleValue: 2 ** 63 },
    { doubleValue: -(2 ** 70) },
    { intValue: '9007199254740991' },
    { doubleValue: 0.5 },
  ]);
});
