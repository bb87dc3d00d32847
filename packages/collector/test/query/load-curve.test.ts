import { expect, test } from 'vitest';
import { curveOf } from '../../src/query/places/load-curve.ts';

/** Waits of 500 to 600 ms, `slower` ms more for each call beyond `knee`. */
function waits(knee: number, slower: number): { calls: number; waitNs: number }[] {
  return Array.from({ length: 600 }, (_, i) => {
    const calls = 1 + (i % 40);
    const overMs = Math.max(0, calls - knee) * slower;
    return { calls, waitNs: (500 + ((i * 37) % 100) + overMs) * 1e6 };
  });
}

test('a service that is slower from 20 calls on has its knee near there', () => {
  const { kneeCalls } = curveOf('voice-agent', 'voice_to_voice.server', waits(20, 40));
  expect(kneeCalls).toBeGreaterThanOrEqual(21);
  expect(kneeCalls).toBeLessThanOrEqual(27);
});

test('a service that is no slower with more calls has no knee', () => {
  expect(curveOf('voice-agent', 'm', waits(20, 0)).kneeCalls).toBeNull();
});

test('a rise within what the intervals leave open is no knee', () => {
  const few = waits(1, 5).filter((_, i) => i % 20 === 0);
  expect(curveOf('voice-agent', 'm', few).kneeCalls).toBeNull();
});

test('bins hold whole numbers of calls and all waits', () => {
  const { points } = curveOf('voice-agent', 'm', waits(20, 40));
  expect(points.reduce((sum, bin) => sum + bin.n, 0)).toBe(600);
  for (const [i, bin] of points.entries())
    if (i > 0) expect(bin.callsFrom).toBeGreaterThan(points[i - 1]!.callsTo);
});
