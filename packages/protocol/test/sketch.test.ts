// Sketches beside the exact values they stand for.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketOf, bucketUpperNs, rankOf, Sketch } from '../src/sketch.ts';
import { WorstList, WORST_COUNT } from '../src/worst-list.ts';
import { seeded } from './support/records.ts';

const sketchOf = (values: readonly number[], scale?: number): Sketch => {
  const sketch = new Sketch(scale);
  for (const value of values) sketch.add(value);
  return sketch;
};

const bucketsOf = (sketch: Sketch): Record<number, number> => {
  const out: Record<number, number> = {};
  sketch.forEach((index, n) => (out[index] = n));
  return out;
};

const exactQuantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[rankOf(q, values.length) - 1]!;

const anyLatencies = (): fc.Arbitrary<number[]> =>
  fc.array(
    fc.oneof(fc.integer({ min: 1_001, max: 2e10 }), fc.integer({ min: -5_000, max: 50_000 })),
    {
      minLength: 1,
      maxLength: 400,
    },
  );

test('a value is counted in the bucket that its logarithm names, near the bounds too', () => {
  const near = fc
    .tuple(fc.integer({ min: -500, max: 300 }), fc.integer({ min: -3, max: 3 }))
    .map(([bucket, ulps]) => bucketUpperNs(bucket) * (1 + ulps * 2 ** -52));
  const values = fc.oneof(near, fc.double({ min: 1_001, max: 1e14, noNaN: true }));
  fc.assert(
    fc.property(values, value => {
      fc.pre(value > 1_000);
      expect(bucketsOf(sketchOf([value]))).toEqual({ [bucketOf(value)]: 1 });
    }),
    { numRuns: 5_000 },
  );
});

test('a bucket’s upper bound belongs to it, and indices count seconds as in OTLP', () => {
  expect(bucketOf(1e9)).toBe(-1);
  expect(bucketOf(1e9 + 1)).toBe(0);
  expect(bucketOf(5e8)).toBe(-33);
  expect(bucketOf(2e9)).toBe(31);
  expect(bucketUpperNs(-1)).toBe(1e9);
  expect(bucketUpperNs(31)).toBe(2e9);
  for (const ns of [1_001, 20_000_000, 123_456_789, 19e9]) {
    expect(ns).toBeLessThanOrEqual(bucketUpperNs(bucketOf(ns)));
    expect(ns).toBeGreaterThan(bucketUpperNs(bucketOf(ns) - 1));
  }
});

test('1,000 ns is zero and 1,001 ns is not', () => {
  const sketch = sketchOf([1_000, 1_001, 0, -3]);
  expect([sketch.zeroCount, sketch.count, sketch.minNs]).toEqual([3, 4, -3]);
});

test('a quantile is the value of rank ceil(q·n)', () => {
  expect([
    rankOf(0.5, 4),
    rankOf(0.5, 5),
    rankOf(0.07, 100),
    rankOf(0.999, 1000),
    rankOf(1, 3),
    rankOf(0, 3),
  ]).toEqual([2, 3, 7, 999, 3, 1]);
  const sketch = sketchOf([1e6, 2e6, 3e6, 4e6, 100e6]);
  expect(sketch.quantile(0.2)).toBe(1e6);
  expect(sketch.quantile(0.21)).toBeCloseTo(bucketUpperNs(bucketOf(2e6)), 0);
  expect(sketch.quantile(1)).toBe(100e6);
  expect(new Sketch().quantile(0.5)).toBeUndefined();
  expect([sketch.quantile(1.1), sketch.quantile(NaN)]).toEqual([undefined, undefined]);
});

test('every quantile is within 1.083 % by the middle of its bucket, and never understated by its upper bound', () => {
  fc.assert(
    fc.property(anyLatencies(), fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
      const sketch = sketchOf(values);
      const exact = exactQuantile(values, q);
      const upper = sketch.quantile(q)!;
      const middle = sketch.quantile(q, 'middle')!;
      expect(exact > 1_000 || upper <= 1_000).toBe(true);
      if (exact <= 1_000) return;
      expect(upper).toBeGreaterThanOrEqual(exact * (1 - 1e-12));
      expect(upper / exact).toBeLessThanOrEqual(2 ** (1 / 32) + 1e-9);
      expect(Math.abs(middle / exact - 1)).toBeLessThanOrEqual(0.010831);
    }),
    { numRuns: 500 },
  );
});

test('merging two sketches is adding all values to one', () => {
  fc.assert(
    fc.property(anyLatencies(), anyLatencies(), (left, right) => {
      const merged = sketchOf(left);
      expect(merged.merge(sketchOf(right))).toBe(true);
      const all = sketchOf([...left, ...right]);
      expect(bucketsOf(merged)).toEqual(bucketsOf(all));
      expect([merged.count, merged.zeroCount, merged.minNs, merged.maxNs]).toEqual([
        all.count,
        all.zeroCount,
        all.minNs,
        all.maxNs,
      ]);
    }),
  );
});

test('a coarser scale holds pairs of buckets, as if the values had been added to it', () => {
  fc.assert(
    fc.property(anyLatencies(), fc.integer({ min: -2, max: 5 }), (values, scale) => {
      expect(bucketsOf(sketchOf(values).shiftedTo(scale))).toEqual(
        bucketsOf(sketchOf(values, scale)),
      );
    }),
  );
  expect(sketchOf([5e6], 5).merge(sketchOf([5e6], 4))).toBe(false);
});

test('a stored sketch comes back, counts beyond 2^32 included', () => {
  fc.assert(
    fc.property(anyLatencies(), values => {
      const sketch = sketchOf(values);
      sketch.add(7e6, 2 ** 40);
      const stored = Sketch.fromBytes(sketch.toBytes());
      expect(stored.ok && stored.value.toBytes()).toEqual(sketch.toBytes());
      expect(stored.ok && bucketsOf(stored.value)).toEqual(bucketsOf(sketch));
    }),
  );
  const empty = Sketch.fromBytes(new Sketch().toBytes());
  expect(empty.ok && [empty.value.count, empty.value.maxNs]).toEqual([0, -Infinity]);
});

test('3,000 network-like values are stored in under 250 bytes', () => {
  const random = seeded(4);
  const values = Array.from({ length: 3_000 }, () => 25e6 - Math.log(random()) * 3e6);
  expect(sketchOf(values).toBytes().length).toBeLessThan(250);
});

test('damaged sketches are refused or read, never thrown at, and allocate little', () => {
  const bytes = sketchOf([5e6, 6e6, 1e9]).toBytes();
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.uint8Array(), (at, value, tail) => {
      const damaged = Uint8Array.from([...bytes, ...tail]);
      damaged[at] = value;
      expect(typeof Sketch.fromBytes(damaged).ok).toBe('boolean');
    }),
    { numRuns: 2_000 },
  );
  const problemOf = (raw: Uint8Array): string => {
    const answer = Sketch.fromBytes(raw);
    return answer.ok ? 'none' : answer.problem;
  };
  expect(problemOf(bytes.subarray(0, 20))).toMatch(/ends early/);
  expect(problemOf(Uint8Array.of(2, ...bytes.subarray(1)))).toBe('sketch version 2, known is 1');
  const miscounted = bytes.slice();
  miscounted[2] = 4;
  expect(problemOf(miscounted)).toBe('buckets hold 3 values, header says 4');
});

test('what is no finite number is counted apart', () => {
  const sketch = sketchOf([NaN, Infinity, 5e6]);
  sketch.add(5e6, NaN);
  sketch.add(5e6, 0);
  expect([sketch.count, sketch.refusedCount, sketch.sumNs]).toEqual([1, 4, 5e6]);
});

test('the values above a budget are counted by whole buckets', () => {
  const sketch = sketchOf([100e6, 299e6, 320e6, 900e6]);
  expect(sketch.countAbove(300e6)).toBe(2);
});

test('a merged worst list holds the 32 worst of the union, in one order', () => {
  const value = fc.integer({ min: 0, max: 40 });
  const list = fc.array(fc.tuple(value, fc.string({ maxLength: 2 })), { maxLength: 60 });
  fc.assert(
    fc.property(list, list, (left, right) => {
      const of = (rows: readonly (readonly [number, string])[]): WorstList =>
        new WorstList(rows.map(([valueNs, ref]) => ({ valueNs, ref })));
      const [ab, ba] = [of(left), of(right)];
      ab.merge(of(right));
      ba.merge(of(left));
      const naive = [...left, ...right]
        .map(([valueNs, ref]) => ({ valueNs, ref }))
        .toSorted((a, b) => b.valueNs - a.valueNs || (a.ref < b.ref ? -1 : a.ref > b.ref ? 1 : 0))
        .slice(0, WORST_COUNT);
      expect(ab.items()).toEqual(naive);
      expect(ba.items()).toEqual(naive);
    }),
  );
});

test('a quantile is exact where its rank is among the worst, and left to the sketch below', () => {
  const random = seeded(5);
  const values = Array.from({ length: 20_000 }, () => Math.round(random() * 1e9));
  const worst = new WorstList(values.map((valueNs, i) => ({ valueNs, ref: String(i) })));
  expect(worst.quantile(0.999, 20_000)).toBe(exactQuantile(values, 0.999));
  expect(worst.quantile(1, 20_000)).toBe(exactQuantile(values, 1));
  expect(worst.quantile(0.99, 20_000)).toBeUndefined();
  expect(worst.quantile(0.5, 0)).toBeUndefined();
});
