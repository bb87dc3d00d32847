// A hop from far: the worst of a pixel survives any zoom.

import { expect, test } from 'vitest';
import { heatOf, latencyShare, layoutDensity, makeDensity } from '../src/layout/density.ts';

/** A digit a bucket of 1 ms: its worst latency in ms; a dot is an empty one. */
function worstPerPixel(picture: string, widthPx: number): string {
  const digits = [...picture];
  const columns = makeDensity();
  const buckets = {
    fromNs: 0,
    bucketNs: 1e6,
    count: digits.map(digit => (digit === '.' ? 0 : 1)),
    worstNs: digits.map(digit => (digit === '.' ? 0 : Number(digit) * 1e6)),
    overBudget: digits.map(() => 0),
    lost: digits.map(() => 0),
  };
  layoutDensity(buckets, { fromNs: 0, toNs: digits.length * 1e6, leftPx: 0, widthPx }, columns);
  return Array.from({ length: columns.width }, (_, px) =>
    columns.count[px] === 0 ? '.' : String(columns.worstNs[px]! / 1e6),
  ).join('');
}

test('many buckets in a pixel show their worst', () => {
  expect(worstPerPixel('1119111111..1121', 4)).toBe('9112');
});

test('a bucket wider than a pixel fills all that it covers', () => {
  expect(worstPerPixel('5.7', 9)).toBe('555...777');
});

test('one late frame in a thousand is not yet a colour of alarm, one in ten is', () => {
  expect([
    heatOf(0, 1000),
    heatOf(1, 1000),
    heatOf(50, 1000),
    heatOf(100, 1000),
    heatOf(400, 1000),
  ]).toEqual([0, 1, 2, 3, 4]);
});

test('the budget stands at half the height of a lane, four times it at the top', () => {
  expect([latencyShare(100, 100), latencyShare(400, 100), latencyShare(900, 100)]).toEqual([
    0.5, 1, 1,
  ]);
});
