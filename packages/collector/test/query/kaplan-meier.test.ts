// Percentiles with waits that never ended, drawn as `120 450 900+`: a plus means "at least".

import { expect, test } from 'vitest';
import {
  isQuotable,
  quantilesOf,
  survivalOf,
  survivalQuantile,
} from '../../src/query/kaplan-meier.ts';

const waits = (picture: string): { valueNs: number; isCensored: boolean }[] =>
  picture
    .split(' ')
    .map(text => ({ valueNs: Number.parseInt(text, 10), isCensored: text.endsWith('+') }));

const quantile = (picture: string, q: number): number | undefined =>
  survivalQuantile(survivalOf(waits(picture)), q);

/** The estimator as the books write it: over distinct times, the whole product each time. */
function naiveQuantile(rows: readonly { valueNs: number; isCensored: boolean }[], q: number) {
  const times = [...new Set(rows.filter(row => !row.isCensored).map(row => row.valueNs))];
  times.sort((a, b) => a - b);
  let surviving = 1;
  for (const time of times) {
    const atRisk = rows.filter(row => row.valueNs >= time).length;
    const ended = rows.filter(row => row.valueNs === time && !row.isCensored).length;
    surviving *= 1 - ended / atRisk;
    if (surviving <= 1 - q + 1e-12) return time;
  }
  return undefined;
}

test('with every wait answered a quantile is the value of rank ceil(q·n)', () => {
  expect(quantile('40 10 30 20', 0.5)).toBe(20);
  expect(quantile('40 10 30 20', 0.51)).toBe(30);
});

test('a wait that was given up pushes the quantile up, not down', () => {
  expect(quantile('10 20 30 40', 0.75)).toBe(30);
  expect(quantile('10 20+ 30 40', 0.75)).toBe(40);
});

test('a quantile that the answered waits never reach is not known', () => {
  expect(quantile('10 20 30+ 40+', 0.5)).toBe(20);
  expect(quantile('10 20 30+ 40+', 0.75)).toBeUndefined();
});

test('the quantile of a random set is that of the textbook product', () => {
  let state = 7;
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let round = 0; round < 200; round++) {
    const rows = Array.from({ length: 1 + Math.floor(random() * 40) }, () => ({
      valueNs: 1 + Math.floor(random() * 25),
      isCensored: random() < 0.3,
    }));
    for (const q of [0.1, 0.5, 0.9, 0.95])
      expect(survivalQuantile(survivalOf(rows), q), JSON.stringify({ rows, q })).toBe(
        naiveQuantile(rows, q),
      );
  }
});

test('p99 is quoted from 100 values on, p99.9 from 10,000', () => {
  expect([isQuotable(0.99, 99), isQuotable(0.99, 100)]).toEqual([false, true]);
  expect([isQuotable(0.999, 9_999), isQuotable(0.999, 10_000)]).toEqual([false, true]);
});

test('the answer says how many waits were never answered', () => {
  expect(quantilesOf(waits('10 20 30+'))).toEqual({
    n: 3,
    censored: 1,
    p50Ns: 20,
    p95Ns: null,
    p99Ns: null,
    p999Ns: null,
    maxNs: 30,
  });
});
