// How a figure is judged.

import { expect, test } from 'vitest';
import { limited } from '../src/row.ts';

test('a limit itself is kept, and what is beyond it is missed, in either direction', () => {
  const judged = (value: number, better: 'lower' | 'higher'): boolean =>
    limited({ suite: 's', name: 'n', unit: 'ns', value }, better, 10).ok;
  expect([9, 10, 11].map(value => judged(value, 'lower'))).toEqual([true, true, false]);
  expect([9, 10, 11].map(value => judged(value, 'higher'))).toEqual([false, true, true]);
});
