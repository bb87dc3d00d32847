import { expect, test } from 'vitest';
import { captureFrames } from '../../src/transport/web-audio/capture-frames.ts';
import {
  playedFrames,
  playoutQueue,
  type PlayoutQueue,
} from '../../src/transport/web-audio/playout-queue.ts';

const QUANTUM = 128;
const queueOf = (capacity: number): PlayoutQueue => playoutQueue(playedFrames(256), capacity);

/** Plays `quanta` quanta from `contextFrame` on. */
function play(queue: PlayoutQueue, quanta: number, contextFrame = 0): void {
  for (let i = 0; i < quanta; i++)
    queue.pull(new Float32Array(QUANTUM), contextFrame + i * QUANTUM);
}

const picture = (queue: PlayoutQueue): string[] =>
  queue.message().played.map(one => `${one.tick}+${one.samples}@${one.contextFrame}`);

test('frames are cut at the size asked for, each placed where its first sample was', () => {
  const queue = queueOf(10_000);
  queue.push(new Float32Array(640), 1_000);
  play(queue, 6);
  expect(picture(queue)).toEqual(['1000+256@0', '1256+256@256', '1512+128@512']);
});

test('sound that does not follow on the stream begins a frame of its own', () => {
  const queue = queueOf(10_000);
  queue.push(new Float32Array(100), 0);
  queue.push(new Float32Array(100), 500);
  play(queue, 2);
  expect(picture(queue)).toEqual(['0+100@0', '500+100@100']);
});

test('half a second without sound is a stutter, one sample more is a pause', () => {
  for (const [gap, underruns] of [
    [24_000, 1],
    [24_001, 0],
  ] as const) {
    const queue = queueOf(10_000);
    queue.push(new Float32Array(QUANTUM), 0);
    play(queue, 1);
    queue.push(new Float32Array(QUANTUM), QUANTUM);
    play(queue, 1, QUANTUM + gap);
    const { underrunCount, missingSamples } = queue.message();
    expect([underrunCount, missingSamples]).toEqual([underruns, underruns * gap]);
  }
});

test('after a clear, what comes next is no stutter; what waited is told with its ticks', () => {
  const queue = queueOf(10_000);
  queue.push(new Float32Array(300), 0);
  play(queue, 1);
  queue.clear();
  queue.push(new Float32Array(QUANTUM), 300);
  play(queue, 1, 512);
  const { dropped, underrunCount, fill } = queue.message();
  expect({ dropped, underrunCount, fill }).toEqual({
    dropped: [{ tick: 128, samples: 172 }],
    underrunCount: 0,
    fill: 0,
  });
});

test('the last sample that fits is taken, the next refused and told', () => {
  const queue = queueOf(300);
  queue.push(new Float32Array(300), 0);
  queue.push(new Float32Array(1), 300);
  const { refusedSamples, dropped, fill } = queue.message();
  expect({ refusedSamples, dropped, fill }).toEqual({
    refusedSamples: 1,
    dropped: [{ tick: 300, samples: 1 }],
    fill: 300,
  });
});

test('capture cuts quanta into frames, with their sound only where it is wanted', () => {
  const sound = captureFrames(160, true);
  const input = Float32Array.from({ length: QUANTUM }, (_, i) => i);
  expect(sound.take(input, 0)).toBe(undefined);
  const message = sound.take(input, QUANTUM);
  expect(message?.frames).toEqual([{ tick: 0, samples: 160, contextFrame: 0 }]);
  expect(message?.pcm?.[0]?.[130]).toBe(2);
  const silent = captureFrames(QUANTUM, false);
  const messages = [0, 1, 2, 3, 4].map(i => silent.take(input, i * QUANTUM));
  expect(messages.map(one => one?.frames.length ?? 0)).toEqual([0, 0, 0, 0, 5]);
  expect(messages[4]?.pcm).toBe(undefined);
});
