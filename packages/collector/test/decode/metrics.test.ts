import { Sketch } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { decodeSignal } from '../../src/decode/by-signal.ts';
import type { DecodedRequest } from '../../src/decode/types.ts';
import { encode } from '../support/otlp-bodies.ts';

const metrics = (...list: object[]): DecodedRequest => {
  const body = encode({ resourceMetrics: [{ scopeMetrics: [{ metrics: list }] }] });
  const result = decodeSignal(body, 'json', 'metrics');
  if (!result.ok) throw new Error(`${result.path}: ${result.problem}`);
  return result.value;
};

const point = (change: object): object => ({
  startTimeUnixNano: '1700000000000000000',
  timeUnixNano: '1700000060000000000',
  ...change,
});

const sketchOf = (request: DecodedRequest): Sketch => {
  const read = Sketch.fromBytes(request.points?.[0]?.sketch ?? new Uint8Array());
  if (!read.ok) throw new Error(read.problem);
  return read.value;
};

/** An exponential histogram as the SDK would fill it at `scale`, of values in seconds. */
function exponentialOf(values: readonly number[], scale: number): object {
  const indices = values.map(value => Math.ceil(Math.log2(value) * 2 ** scale) - 1);
  const offset = Math.min(...indices);
  const bucketCounts = Array.from({ length: Math.max(...indices) - offset + 1 }, () => 0);
  for (const index of indices) bucketCounts[index - offset]!++;
  return point({
    count: values.length,
    sum: values.reduce((a, b) => a + b, 0),
    min: Math.min(...values),
    max: Math.max(...values),
    scale,
    positive: { offset, bucketCounts },
  });
}

const VALUES = [0.0123, 0.13, 0.131, 0.5, 0.8, 1, 2.5, 19.9];

test.each([5, 7, 9])(
  'an exponential histogram of seconds at scale %i falls whole into our buckets',
  scale => {
    const request = metrics({
      name: 'ttfb',
      unit: 's',
      exponentialHistogram: {
        aggregationTemporality: 1,
        dataPoints: [exponentialOf(VALUES, scale)],
      },
    });
    const ours = new Sketch();
    for (const value of VALUES) ours.add(value * 1e9);
    const buckets = (sketch: Sketch): [number, number][] => {
      const all: [number, number][] = [];
      sketch.forEach((index, count) => all.push([index, count]));
      return all;
    };
    expect(buckets(sketchOf(request))).toEqual(buckets(ours));
    expect(request.points).toMatchObject([
      { measure: 'metric.ttfb', count: 8, isExact: true, isCumulative: false, maxNs: 19.9e9 },
    ]);
  },
);

test('explicit bounds are taken at their upper end, never beyond the slowest value', () => {
  const request = metrics({
    name: 'llm',
    unit: 'ms',
    histogram: {
      aggregationTemporality: 2,
      dataPoints: [
        point({
          count: '6',
          sum: 900,
          max: 640,
          bucketCounts: ['1', '3', '2'],
          explicitBounds: [50, 250],
        }),
      ],
    },
  });
  expect(request.points).toMatchObject([{ isExact: false, isCumulative: true, sumNs: 900e6 }]);
  const sketch = sketchOf(request);
  expect([sketch.count, sketch.maxNs, sketch.minNs]).toEqual([6, 640e6, 50e6]);
});

test('gauges, sums, summaries and histograms of other units are counted by kind', () => {
  const dataPoints = [point({ asInt: '1' }), point({ asInt: '2' })];
  const { points, ignored } = metrics(
    { name: 'a', unit: '1', gauge: { dataPoints } },
    { name: 'b', unit: 's', sum: { dataPoints } },
    { name: 'c', unit: 's', summary: { dataPoints } },
    { name: 'd', unit: 'By', histogram: { aggregationTemporality: 1, dataPoints } },
  );
  expect([points, ignored]).toEqual([
    [],
    { metric_gauge: 2, metric_sum: 2, metric_summary: 2, metric_other_unit: 2 },
  ]);
});

test('a point whose buckets do not hold its count is refused alone, with its path', () => {
  const good = point({ count: 1, bucketCounts: [1], explicitBounds: [] });
  const { points, refused } = metrics({
    name: 'x',
    unit: 's',
    histogram: {
      aggregationTemporality: 1,
      dataPoints: [point({ count: 2, bucketCounts: [1], explicitBounds: [] }), good],
    },
  });
  expect([points?.length, refused]).toEqual([
    1,
    [
      {
        path: 'resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[0].count',
        problem: 'says 2, the buckets hold 1',
        reason: 'count',
      },
    ],
  ]);
});

test('a body of a hundred thousand empty messages within messages is refused, not unfolded', () => {
  // resource_metrics, each empty: two bytes on the wire.
  const body = Buffer.alloc(2 * ((1 << 21) + 1), Buffer.of(0x0a, 0x00));
  expect(decodeSignal(body, 'protobuf', 'metrics')).toMatchObject({ ok: false });
});
