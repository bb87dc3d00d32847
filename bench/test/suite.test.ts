// How a figure is judged.

import { expect, test } from 'vitest';
import { medianOf, rowOf } from '../src/suite.ts';

const judged = (value: number, better: 'lower' | 'higher', limit?: number): boolean =>
  rowOf('s', { name: 'n', unit: 'ns', value, better, ...(limit === undefined ? {} : { limit }) })
    .ok;

test('a limit itself is kept, and what is beyond it is missed, in either direction', () => {
  expect([9, 10, 11].map(value => judged(value, 'lower', 10))).toEqual([true, true, false]);
  expect([9, 10, 11].map(value => judged(value, 'higher', 10))).toEqual([false, true, true]);
});

test('a figure without a limit misses nothing', () => {
  expect(judged(1e9, 'lower')).toBe(true);
});

test('a figure is set against its reference', () => {
  const row = rowOf('s', { name: 'n', unit: 'ns', value: 30, better: 'lower', reference: 15 });
  expect(row).toMatchObject({ ratio: 2, ok: true });
});

test('one slow run does not move the median', () => {
  const runs = [3, 900, 1, 2, 4];
  expect(medianOf(5, () => runs.shift() ?? 0)).toBe(3);
});
