// Virtual time and repeatable chance: the ground that simulations stand on.

import { expect, test } from 'vitest';
import { Draws } from '../src/random.ts';
import { VirtualTime } from '../src/virtual-time.ts';

test('events run in order of their time, those of one instant in order of their adding', async () => {
  const time = new VirtualTime();
  const ran: string[] = [];
  for (const [atNs, name] of [
    [30, 'c'],
    [10, 'a'],
    [20, 'b'],
    [10, 'a2'],
  ] as const)
    time.at(atNs, () => ran.push(`${name} ${time.nowNs}`));
  await time.advanceTo(25);
  expect(ran).toEqual(['a 10', 'a2 10', 'b 20']);
  expect(time.nowNs).toBe(25);
});

test('a thousand events at random times run sorted', async () => {
  const time = new VirtualTime();
  const draws = new Draws(1, 'events');
  const ran: number[] = [];
  for (let index = 0; index < 1_000; index += 1)
    time.at(Math.floor(draws.uniform(index) * 500), () => ran.push(time.nowNs));
  await time.advanceTo(500);
  expect(ran).toHaveLength(1_000);
  expect(ran).toEqual(ran.toSorted((a, b) => a - b));
});

test('a cancelled event does not run', async () => {
  const time = new VirtualTime();
  let hasRun = false;
  time
    .at(10, () => {
      hasRun = true;
    })
    .cancel();
  await time.advanceTo(20);
  expect(hasRun).toBe(false);
});

test('code that waits for an answer goes on at the instant of the answer', async () => {
  const time = new VirtualTime();
  let wentOnNs = 0;
  const answer = new Promise<void>(resolve => {
    time.at(10, () => {
      time.wakes();
      resolve();
    });
  });
  void answer.then(() => {
    wentOnNs = time.nowNs;
  });
  time.at(11, () => undefined);
  await time.advanceTo(20);
  expect(wentOnNs).toBe(10);
});

test('a draw does not depend on the draws before it', () => {
  const first = new Draws(7, 'leg');
  const second = new Draws(7, 'leg');
  for (let index = 0; index < 17; index += 1) first.uniform(index);
  expect(first.uniform(17)).toBe(second.uniform(17));
  expect(new Draws(8, 'leg').uniform(17)).not.toBe(second.uniform(17));
  expect(new Draws(7, 'gel').uniform(17)).not.toBe(second.uniform(17));
});

test('exponential draws have their mean, log-normal draws their median', () => {
  const draws = new Draws(3, 'shape');
  const indices = Array.from({ length: 20_000 }, (_, index) => index);
  const mean = indices.reduce((sum, index) => sum + draws.exponential(index, 5), 0) / 20_000;
  const values = indices.map(index => draws.logNormal(index, 300, 0.4)).toSorted((a, b) => a - b);
  expect(mean).toBeCloseTo(5, 0);
  expect(values[10_000]).toBeGreaterThan(290);
  expect(values[10_000]).toBeLessThan(310);
});
