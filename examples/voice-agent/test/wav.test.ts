import { expect, test } from 'vitest';
import { resample } from '../src/common/resample.ts';
import { CLIPS_FOLDER, GREETING, loadClips } from '../src/common/script.ts';
import { sentencesOf } from '../src/common/sentences.ts';
import { decodeWav, encodeWav, readWavFile } from '../src/common/wav.ts';
import { REPLIES } from '../src/models/replies.ts';
import { findVoice } from '../src/models/voice.ts';

test('a WAV file comes back as it was written', () => {
  const wav = { sampleRateHz: 16_000, pcm: Int16Array.of(0, 1, -1, 32_767, -32_768) };
  expect(decodeWav(encodeWav(wav), 'test')).toEqual(wav);
});

test('mu-law silence, and its loudest values, are those of G.711', () => {
  const bytes = encodeWav({ sampleRateHz: 16_000, pcm: new Int16Array(2) });
  bytes.writeUInt16LE(7, 20);
  bytes.writeUInt16LE(8, 34);
  bytes.set([0xff, 0x7f, 0x00, 0x80], 44);
  expect([...decodeWav(bytes, 'test').pcm]).toEqual([0, 0, -32_124, 32_124]);
});

test('what is no WAV, stereo, or of another format is refused with the reason', () => {
  expect(() => decodeWav(Buffer.from('hello, this is no sound'), 'a.wav')).toThrow(
    /a\.wav is not a WAV/,
  );
  const stereo = encodeWav({ sampleRateHz: 16_000, pcm: new Int16Array(4) });
  stereo.writeUInt16LE(2, 22);
  expect(() => decodeWav(stereo, 'b.wav')).toThrow(/not mono/);
  const float = encodeWav({ sampleRateHz: 16_000, pcm: new Int16Array(4) });
  float.writeUInt16LE(3, 20);
  expect(() => decodeWav(float, 'c.wav')).toThrow(/format 3/);
});

test('every clip is 16 kHz and holds the speech that its label says', () => {
  for (const clip of loadClips()) {
    const wav = readWavFile(`${CLIPS_FOLDER}${clip.file}`);
    expect(wav.sampleRateHz).toBe(16_000);
    expect(wav.pcm.length / 16).toBeGreaterThan(clip.speechMs[1]);
  }
});

test('a tone keeps its pitch and level from 22.05 to 16 kHz', () => {
  const tone = (rateHz: number): Int16Array =>
    Int16Array.from(
      { length: rateHz / 10 },
      (_, i) => 8_000 * Math.sin((2 * Math.PI * 440 * i) / rateHz),
    );
  const wanted = tone(16_000);
  const got = resample(tone(22_050), 22_050, 16_000);
  const worst = Math.max(
    ...got.slice(100, 1_400).map((value, i) => Math.abs(value - (wanted[i + 100] ?? 0))),
  );
  expect(worst).toBeLessThan(40);
});

test('the recorded voice can say every sentence that the replayed model knows', async () => {
  const voice = await findVoice('recorded');
  const texts = [GREETING, ...REPLIES.flatMap(reply => [reply.text, reply.filler])];
  for (const sentence of texts.flatMap(sentencesOf)) {
    expect((await voice.render(sentence)).length, sentence).toBeGreaterThan(4_000);
  }
});
