// Speech end, measured on real voices against labels made by hand (clips/README.md).

import { createDecoder, createEncoder } from 'libopus-wasm';
import { expect, test } from 'vitest';
import { Ears } from '../src/agent/ears.ts';
import { VoiceActivityDetector } from '../src/agent/vad.ts';
import { FRAME_SAMPLES, levelDb } from '../src/common/audio.ts';
import { randomFrom } from '../src/common/random.ts';
import { loadClipAudio, loadClips, type Clip } from '../src/common/script.ts';
import { BEFORE_MS, recording, type Condition } from './sound.ts';

const CLIPS = loadClips();
const LIMIT_MS = 60;
const random = randomFrom(1, 'noise');

/** Last speech end found, less the label, in ms. */
function errorMs(clip: Clip, condition: Condition): number {
  const events = new VoiceActivityDetector().push(recording(clip, condition));
  const last = events.findLast(event => event.kind === 'stop');
  return last === undefined ? Infinity : last.tick / 16 - BEFORE_MS - clip.speechMs[1];
}

test('the clips have at least two voices and well under 1.5 MB', () => {
  expect(new Set(CLIPS.map(clip => clip.voice)).size).toBeGreaterThanOrEqual(2);
  const bytes = CLIPS.map(clip => loadClipAudio(clip).length * 2);
  expect(bytes.reduce((a, b) => a + b, 0)).toBeLessThan(1_000_000);
});

test('each label is where the clip falls silent', () => {
  for (const clip of CLIPS) {
    const pcm = loadClipAudio(clip);
    const end = clip.speechMs[1] * 16;
    const before = levelDb(pcm.subarray(end - 1_280, end));
    const after = levelDb(pcm.subarray(end + 160, end + 1_440));
    expect(before - after, clip.file).toBeGreaterThan(8);
  }
});

const TABLE: readonly [string, Omit<Condition, 'seed'>][] = [
  ['as recorded', { gainDb: 0 }],
  ['at −12 dB', { gainDb: -12 }],
  ['at 15 dB SNR', { gainDb: 0, snrDb: 15 }],
  ['at −12 dB and 15 dB SNR', { gainDb: -12, snrDb: 15 }],
];

for (const [name, condition] of TABLE) {
  test(`speech end is within 60 ms of the label ${name}, on every clip`, () => {
    for (const clip of CLIPS) {
      for (const seed of [1, 2, 3]) {
        const error = Math.abs(errorMs(clip, { ...condition, seed }));
        expect(error, `${clip.file}, seed ${seed}`).toBeLessThanOrEqual(LIMIT_MS);
      }
    }
  });
}

test('noise alone is not speech', () => {
  for (const db of [-62, -40, -25]) {
    const amplitude = 32_768 * 10 ** (db / 20);
    const noise = Int16Array.from({ length: 160_000 }, () => amplitude * (random() * 2 - 1));
    expect(new VoiceActivityDetector().push(noise), `${db} dB`).toEqual([]);
  }
});

test('digital silence is not speech, nor is what follows it when that is only room tone', () => {
  const vad = new VoiceActivityDetector();
  expect(vad.push(new Int16Array(32_000))).toEqual([]);
  const tone = Int16Array.from({ length: 64_000 }, () => 30 * (random() * 2 - 1));
  const events = vad.push(tone);
  expect(events.filter(event => event.kind === 'start').length).toBeLessThanOrEqual(1);
});

test('through Opus and with 2 % of frames lost, speech end keeps its place on the media axis', async () => {
  const encoder = await createEncoder({
    sampleRate: 16_000,
    channels: 1,
    frameSize: FRAME_SAMPLES,
  });
  const preSkip = encoder.getLookahead();
  for (const clip of CLIPS) {
    const decoder = await createDecoder({ sampleRate: 16_000, channels: 1 });
    const ends: number[] = [];
    const ears = new Ears(
      decoder,
      { preSkip, endpointMs: 500 },
      {
        onPassed: () => undefined,
        onSpeechStart: () => undefined,
        onSpeechStop: tick => ends.push(tick / 16 - BEFORE_MS - clip.speechMs[1]),
        onTurnOver: () => undefined,
        onHeard: () => undefined,
        onChunk: () => undefined,
      },
    );
    const pcm = recording(clip, { gainDb: 0, seed: 1 });
    for (let sequence = 0; (sequence + 1) * FRAME_SAMPLES <= pcm.length; sequence += 1) {
      const at = sequence * FRAME_SAMPLES;
      const opus = encoder.encode(pcm.slice(at, at + FRAME_SAMPLES));
      const packet = { sequence, sentMs: 0, isSpurtStart: false, isSpurtEnd: false, opus };
      if (sequence % 50 !== 17) ears.hear(packet);
    }
    expect(Math.abs(ends.at(-1) ?? Infinity), clip.file).toBeLessThanOrEqual(LIMIT_MS);
    decoder.free();
  }
  encoder.free();
});
