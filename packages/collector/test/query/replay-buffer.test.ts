// A jitter buffer run on arrivals as text: when each frame of 20 ms comes.

import { expect, test } from 'vitest';
import { replayBuffer, type Arrival, type Policy } from '../../src/query/places/replay-buffer.ts';

const MS = 1e6;
const DEVICE = { periodNs: 20 * MS, phaseNs: 0 };

/** Frames sent every 20 ms, each so many ms on its way; `x` is lost. */
const arrivals = (ways: readonly (number | 'x')[]): Arrival[] =>
  ways.map((way, i) => ({
    sentNs: i * 20 * MS,
    arrivedNs: way === 'x' ? Number.NaN : (i * 20 + way) * MS,
    isSpurtEnd: i === ways.length - 1,
  }));

const fixed = (ms: number): Policy => ({ kind: 'fixed', depthNs: ms * MS });

/** Delay of each frame in ms; `-` where it never left. */
const delays = (ways: readonly (number | 'x')[], policy: Policy): string =>
  replayBuffer(arrivals(ways), policy, DEVICE)
    .delaysNs.flatMap(spurt => [...spurt])
    .map(ns => (Number.isNaN(ns) ? '-' : `${Math.round(ns / MS)}`))
    .join(' ');

test('a fixed depth is what each frame of an even line waits', () => {
  expect(delays([10, 10, 10, 10], fixed(50))).toBe('60 60 60 60');
});

test('a frame that comes after its turn is an underrun, one in time is none', () => {
  const late = [10, 10, 61, 10, 10];
  expect(delays(late, fixed(50))).toBe('60 60 - 60 60');
  expect(replayBuffer(arrivals(late), fixed(50), DEVICE).underruns).toBe(1);
  expect(replayBuffer(arrivals([10, 10, 59, 10, 10]), fixed(50), DEVICE).underruns).toBe(0);
});

test('a lost frame is no underrun', () => {
  const replay = replayBuffer(arrivals([10, 'x', 10, 10]), fixed(50), DEVICE);
  expect([replay.underruns, replay.played]).toEqual([0, 3]);
});

test('five frames missing in a row and the spurt begins anew', () => {
  const ways = [10, 10, 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 10, 10] as const;
  expect(delays(ways, fixed(50))).toBe('60 60 - - - - - - - - 60 60');
});

test('an adaptive depth grows with the jitter it sees and is less where there is none', () => {
  const adaptive: Policy = { kind: 'adaptive', leastNs: 40 * MS, mostNs: 400 * MS };
  const jumpy = Array.from({ length: 120 }, (_, i) => (i % 10 === 5 ? 90 : 10));
  const spurts = [...arrivals(jumpy), ...arrivals(jumpy).map(one => later(one, 10_000))];
  const { delaysNs } = replayBuffer(spurts, adaptive, DEVICE);
  const first = (spurt: number): number => Math.round(delaysNs[spurt]![0]! / MS);
  expect(first(0)).toBe(80);
  expect(first(1)).toBeGreaterThan(100);
});

const later = (one: Arrival, ms: number): Arrival => ({
  ...one,
  sentNs: one.sentNs + ms * MS,
  arrivedNs: one.arrivedNs + ms * MS,
});
