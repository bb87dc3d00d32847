import { expect, test } from 'vitest';
import { Metronome } from '../src/common/clock.ts';
import { FakeTime } from './fake-time.ts';

function metronome(time: FakeTime): { readonly it: Metronome; readonly atMs: number[] } {
  const atMs: number[] = [];
  const it = new Metronome({
    periodMs: 20,
    nowMs: time.nowMs,
    timers: time.timers,
    onTick: () => atMs.push(time.nowMs()),
  });
  return { it, atMs };
}

test('timers that are always 3 ms late do not slow the metronome down', () => {
  const time = new FakeTime();
  const { it, atMs } = metronome(time);
  it.start();
  time.advance(10_010, 3);
  expect(atMs.length).toBe(500);
  expect(atMs.at(-1)).toBe(10_003);
});

test('after a stall every missed period is made up for', () => {
  const time = new FakeTime();
  const { it, atMs } = metronome(time);
  it.start();
  time.advance(100);
  time.advance(400, 390);
  time.advance(100);
  expect(atMs.length).toBe(30);
});

test('a metronome that is stopped in its own tick stays silent', () => {
  const time = new FakeTime();
  const { it, atMs } = metronome(time);
  it.start(true);
  time.advance(50);
  it.stop();
  time.advance(1_000);
  expect(atMs).toEqual([0, 20, 40]);
});
