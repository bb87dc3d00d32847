// What of a part is out of its usual range: on values of one kind hardly any, of two kinds the slow ones.

import { expect, test } from 'vitest';
import { usualLimit } from '../../src/query/usual-range.ts';
import { seeded } from '../support/derived.ts';

const MS = 1e6;

/** Share of the values that lie beyond. */
function beyond(values: readonly number[]): number {
  const valueNs = Float64Array.from(values, ms => ms * MS);
  const rows = Int32Array.from(values, (_, row) => row);
  const limit = usualLimit(valueNs, rows);
  return valueNs.filter(ns => ns > limit).length / values.length;
}

/** A normal deviate. */
const bell = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const SHAPES: Readonly<Record<string, (random: () => number) => number>> = {
  bell: random => 400 + 60 * bell(random),
  skewed: random => 300 * Math.exp(0.45 * bell(random)),
  exponential: random => -200 * Math.log(1 - random()),
  flat: random => 100 + 400 * random(),
  // A buffer that has grown after the first turn of each call: two usual kinds, half of all each.
  'two usual kinds': random =>
    random() < 0.45 ? 200 + 40 * bell(random) : 480 + 40 * bell(random),
};

for (const [name, draw] of Object.entries(SHAPES))
  test(`of values of one cause hardly any are out of their range: ${name}`, () => {
    const shares = Array.from({ length: 100 }, (_, seed) => {
      const random = seeded(seed + 1);
      return beyond(Array.from({ length: 140 }, () => draw(random)));
    });
    expect(shares.filter(share => share > 0.1).length).toBeLessThanOrEqual(1);
  });

test('however wide the usual ones are, those that stand apart are all out of their range', () => {
  for (const share of [0.12, 0.2, 0.3])
    for (let seed = 1; seed <= 30; seed++) {
      const random = seeded(seed);
      // From 160 to 560 ms usually, as a buffer has it under load; slow ones a second more.
      const usual = (): number => 560 - 400 * random() ** 2;
      const values = Array.from({ length: 140 }, (_, i) => usual() + (i < share * 140 ? 1_000 : 0));
      expect(beyond(values)).toBeCloseTo(Math.ceil(share * 140) / 140, 5);
    }
});

test('a stray value does not hide two kinds', () => {
  const random = seeded(5);
  const values = Array.from(
    { length: 140 },
    (_, i) => 400 + 60 * bell(random) + (i < 30 ? 1_000 : 0),
  );
  values[0] = 9_000;
  expect(beyond(values)).toBeCloseTo(30 / 140, 5);
});

test('a part that most waits do not have is out of its range where it is', () => {
  const values = Array.from({ length: 100 }, (_, i) => (i < 15 ? 400 + i : 0));
  expect(beyond(values)).toBeCloseTo(0.15, 5);
});
