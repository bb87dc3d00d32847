import { expect, test } from 'vitest';
import { DelayLine, type LineShape } from '../src/common/delay-line.ts';
import { randomFrom } from '../src/common/random.ts';
import { FakeTime } from './fake-time.ts';

/** Sends `count` frames, one every 20 ms; returns [frame, ms on its way] in order of arrival. */
function send(shape: LineShape, count: number): [number, number][] {
  const time = new FakeTime();
  const arrived: [number, number][] = [];
  const line = new DelayLine<number>({
    shape,
    nowMs: time.nowMs,
    timers: time.timers,
    random: randomFrom(7, 'line'),
    deliver: sent => arrived.push([sent, time.nowMs() - sent * 20]),
  });
  for (let i = 0; i < count; i += 1) {
    line.send(i, true);
    time.advance(20);
  }
  time.advance(10_000);
  return arrived;
}

test('without jitter every frame takes the delay', () => {
  expect(send({ delayMs: 35, jitterMs: 0, loss: 0 }, 3)).toEqual([
    [0, 35],
    [1, 35],
    [2, 35],
  ]);
});

test('order is kept, whatever the jitter', () => {
  const order = send({ delayMs: 20, jitterMs: 200, loss: 0 }, 500).map(([frame]) => frame);
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

test('about one frame in twenty waits longer than the jitter asked for', () => {
  const late = send({ delayMs: 0, jitterMs: 15, loss: 0 }, 4_000).filter(([, ms]) => ms > 15);
  expect(late.length).toBeGreaterThan(120);
  expect(late.length).toBeLessThan(300);
});

test('loss takes its share of the frames, and none of the messages', () => {
  expect(send({ delayMs: 0, jitterMs: 0, loss: 0.1 }, 2_000).length).toBeGreaterThan(1_740);
  expect(send({ delayMs: 0, jitterMs: 0, loss: 0.1 }, 2_000).length).toBeLessThan(1_860);
  const time = new FakeTime();
  const arrived: string[] = [];
  const line = new DelayLine<string>({
    shape: { delayMs: 0, jitterMs: 0, loss: 1 },
    nowMs: time.nowMs,
    timers: time.timers,
    random: randomFrom(7, 'line'),
    deliver: item => arrived.push(item),
  });
  line.send('audio', true);
  line.send('message', false);
  time.advance(10);
  expect(arrived).toEqual(['message']);
  expect(line.lostCount).toBe(1);
});
