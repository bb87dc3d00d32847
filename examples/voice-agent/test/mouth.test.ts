// The agent's paced sending, with the real encoder, under a clock the test moves.

import { createEncoder, type OpusEncoderHandle } from 'libopus-wasm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Mouth } from '../src/agent/mouth.ts';
import { FakeTime } from './fake-time.ts';

let encoder: OpusEncoderHandle;
beforeAll(async () => {
  encoder = await createEncoder({ sampleRate: 16_000, channels: 1, frameSize: 320 });
});
afterAll(() => encoder.free());

interface Bench {
  readonly time: FakeTime;
  readonly mouth: Mouth;
  /** `sequence@ms`, with `[` and `]` for the ends of a spurt. */
  readonly sent: string[];
  readonly voiced: number[];
  readonly drained: boolean[];
  /** When the answer was heard to its end, ms. */
  readonly heard: number[];
}

function bench(leadMs: number): Bench {
  const time = new FakeTime();
  const sent: string[] = [];
  const voiced: number[] = [];
  const drained: boolean[] = [];
  const heard: number[] = [];
  const mouth = new Mouth({
    encoder,
    nowMs: time.nowMs,
    timers: time.timers,
    leadMs,
    onEncoded: () => undefined,
    send: ({ sequence, isSpurtStart, isSpurtEnd }) =>
      sent.push(`${isSpurtStart ? '[' : ''}${sequence}@${time.nowMs()}${isSpurtEnd ? ']' : ''}`),
    onBegun: () => undefined,
    onVoiced: tick => voiced.push(tick),
    onDrained: isFinished => drained.push(isFinished),
    onSent: () => undefined,
    onHeard: () => heard.push(time.nowMs()),
  });
  return { time, mouth, sent, voiced, drained, heard };
}

test('the lead goes out at once, the rest at the pace of the voice', () => {
  const { time, mouth, sent, drained } = bench(60);
  mouth.say(new Int16Array(320 * 7));
  mouth.finish();
  time.advance(500);
  expect(sent).toEqual(['[0@0', '1@0', '2@0', '3@0', '4@20', '5@40', '6@60]']);
  expect(drained).toEqual([true]);
});

test('when the synthesiser falls behind, what comes later starts a new spurt', () => {
  const { time, mouth, sent, drained } = bench(0);
  mouth.say(new Int16Array(320 * 2));
  time.advance(100);
  mouth.say(new Int16Array(320));
  mouth.finish();
  time.advance(100);
  expect(sent).toEqual(['[0@0', '1@20]', '[2@100]']);
  expect(drained).toEqual([false, true]);
});

test('a piece that ends within a frame is filled up with silence', () => {
  const { mouth } = bench(0);
  mouth.say(new Int16Array(400));
  expect(mouth.generatedTick).toBe(400);
  mouth.endPiece();
  expect(mouth.generatedTick).toBe(640);
});

test('the end of a piece is told when its last frame is sent, also when that was held up', () => {
  const { time, mouth, sent } = bench(0);
  const told: number[] = [];
  mouth.say(new Int16Array(320 + 100));
  time.advance(100);
  mouth.endPiece(() => told.push(time.nowMs()));
  mouth.say(new Int16Array(320));
  mouth.finish();
  time.advance(100);
  expect(sent).toEqual(['[0@0]', '[1@100', '2@120]']);
  expect(told).toEqual([100]);
});

test('the first voiced sample is found to 10 ms, once for each wait', () => {
  const { time, mouth, voiced } = bench(0);
  const speech = new Int16Array(320 * 4);
  speech.fill(0).forEach((_, i) => {
    if (i >= 500) speech[i] = 5_000 * Math.sin(i / 4);
  });
  mouth.awaitVoice();
  mouth.say(speech);
  time.advance(200);
  expect(voiced).toEqual([480]);
});

test('an answer is heard a little after its last frame is sent, unless it was cut off', () => {
  const one = bench(0);
  one.mouth.say(new Int16Array(320 * 5));
  one.mouth.finish();
  one.time.advance(249);
  expect([one.drained, one.heard]).toEqual([[true], []]);
  expect(one.mouth.isSpeaking).toBe(true);
  one.time.advance(1);
  // Five frames, and 150 ms on their way.
  expect(one.heard).toEqual([250]);
  const other = bench(0);
  other.mouth.say(new Int16Array(320 * 5));
  other.mouth.finish();
  other.time.advance(200);
  other.mouth.clear();
  other.time.advance(500);
  expect(other.heard).toEqual([]);
});

test('a barge-in leaves a hole in the sequence, for what is still being made, and nothing unsent', () => {
  const { time, mouth, sent } = bench(0);
  mouth.say(new Int16Array(320 * 10));
  time.advance(30);
  // Eight frames that were not sent, and a second that the synthesiser may have numbered.
  expect(mouth.clear()).toBe(320 * 58);
  expect(mouth.isSpeaking).toBe(false);
  time.advance(100);
  mouth.say(new Int16Array(320));
  mouth.finish();
  time.advance(100);
  expect(sent).toEqual(['[0@0', '1@20', '[60@130]']);
});
