// Marks are judged in the order of their times, however they lie in a flush.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inOrder } from '../src/flight/media-schedule.ts';
import { MarkRows } from '../src/hot/mark-ring.ts';

const ordered = (times: readonly number[]): number[] => {
  const rows = new MarkRows(4_096);
  rows.atNs.set(times);
  return [...inOrder(rows, times.length).order.subarray(0, times.length)];
};
const expected = (times: readonly number[]): number[] =>
  times.map((_, row) => row).toSorted((a, b) => times[a]! - times[b]! || a - b);

test('rows come in the order of their times, equal ones as they lie', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 300 }), times => {
      expect(ordered(times)).toEqual(expected(times));
    }),
  );
});

test('so do many that lie the other way round', () => {
  const times = Array.from({ length: 4_000 }, (_, i) => 4_000 - i);
  expect(ordered(times)).toEqual(expected(times));
});
