import { Sketch } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { deltasOf, walkMetric } from '../../src/query/metric-minutes.ts';
import type { StoredPoint } from '../../src/store/store.ts';

const MINUTE_NS = 60_000_000_000n;
const ZERO_NS = 28_000_000n * MINUTE_NS;

/** A point of values in ms, `minute` minutes after the zero; cumulative ones began at `startMinute`. */
function pointOf(
  minute: number,
  valuesMs: readonly number[],
  { startMinute = minute - 1, isCumulative = true, series = 'a' } = {},
): StoredPoint {
  const sketch = new Sketch();
  for (const ms of valuesMs) sketch.add(ms * 1e6);
  return {
    measure: 'metric.ttfb',
    series,
    attributes: {},
    resource: {},
    startUnixNs: ZERO_NS + BigInt(startMinute) * MINUTE_NS,
    atUnixNs: ZERO_NS + BigInt(minute) * MINUTE_NS,
    isCumulative,
    count: valuesMs.length,
    sumNs: sketch.sumNs,
    minNs: sketch.minNs,
    maxNs: sketch.maxNs,
    sketch: sketch.toBytes(),
    isExact: true,
  };
}

/** `minute: count, sum in ms`, by time. */
const picture = (...points: StoredPoint[]): string[] =>
  deltasOf(points)
    .toSorted((a, b) => Number(a.atUnixNs - b.atUnixNs))
    .map(({ atUnixNs, sketch }) => {
      const minute = Number((atUnixNs - ZERO_NS) / MINUTE_NS);
      return `${minute}: ${sketch.count}, ${Math.round(sketch.sumNs / 1e6)}`;
    });

const since = { startMinute: 0 };

test('a cumulative point adds what it has more than the one before, in whatever order they came', () => {
  const one = pointOf(1, [10, 20], since);
  const two = pointOf(2, [10, 20, 20, 500], since);
  const three = pointOf(3, [10, 20, 20, 500], since);
  expect(picture(three, one, two)).toEqual(['1: 2, 30', '2: 2, 520', '3: 0, 0']);
});

test('a cumulative series that began long before is counted from its second point on', () => {
  const long = { startMinute: -600 };
  expect(picture(pointOf(1, [10, 20], long), pointOf(2, [10, 20, 30], long))).toEqual(['2: 1, 30']);
  expect(picture(pointOf(5, [10], since))).toEqual(['5: 1, 10']);
  expect(picture(pointOf(6, [10], since))).toEqual([]);
});

test('a process that began anew is taken from its new start', () => {
  expect(picture(pointOf(1, [10, 20], since), pointOf(2, [30], { startMinute: 1 }))).toEqual([
    '1: 2, 30',
    '2: 1, 30',
  ]);
});

test('a count that shrank without a new start adds nothing', () => {
  expect(picture(pointOf(1, [10, 20], since), pointOf(2, [10], since))).toEqual(['1: 2, 30']);
});

test('delta points are taken as they are, and series are told apart', () => {
  const delta = { isCumulative: false };
  expect(
    picture(
      pointOf(1, [10], delta),
      pointOf(2, [20], delta),
      pointOf(2, [30], { ...delta, series: 'b' }),
    ).toSorted(),
  ).toEqual(['1: 1, 10', '2: 1, 20', '2: 1, 30']);
});

test('a chart walks the minutes in order, series added up', async () => {
  const points = [
    pointOf(2, [20], { isCumulative: false }),
    pointOf(1, [10], { isCumulative: false }),
    pointOf(2, [30, 40], { isCumulative: false, series: 'b' }),
  ];
  const visited: string[] = [];
  const range = { fromUnixNs: ZERO_NS, toUnixNs: ZERO_NS + 10n * MINUTE_NS };
  await walkMetric({ metricPoints: async () => points }, 'metric.ttfb', range, entry => {
    const minute = entry.minute - Number(ZERO_NS / MINUTE_NS);
    visited.push(`${minute}: ${entry.count}, ${entry.maxNs / 1e6}`);
  });
  expect(visited).toEqual(['1: 1, 10', '2: 3, 40']);
});
