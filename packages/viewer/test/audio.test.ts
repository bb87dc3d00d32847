// Audio beside a call: WAV in its forms and broken ones, peaks at every zoom, and where a recording
// lies best over the turns.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignment, BUCKET_NS, peaksOf } from '../src/data/peaks.ts';
import { readWav } from '../src/data/wav.ts';
import { waveColumns } from '../src/layout/tracks.ts';
import { atPlace, placeOf, secondsAt, waveTracks } from '../src/state/recordings.ts';

interface Wav {
  readonly code?: number;
  readonly bits?: number;
  readonly channels?: number;
  readonly rate?: number;
  readonly data: readonly number[];
  readonly extensible?: number;
}

/** A WAV file with these bytes as data, and a chunk of an odd length before them. */
function wavOf({
  code = 1,
  bits = 16,
  channels = 1,
  rate = 8_000,
  data,
  extensible,
}: Wav): Uint8Array {
  const format = extensible === undefined ? 16 : 40;
  const bytes = Buffer.alloc(12 + 8 + format + 8 + 4 + 8 + data.length);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(format, 16);
  bytes.writeUInt16LE(extensible === undefined ? code : 0xfffe, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt16LE(bits, 34);
  if (extensible !== undefined) bytes.writeUInt16LE(extensible, 44);
  const odd = 20 + format;
  bytes.write('LIST', odd);
  bytes.writeUInt32LE(3, odd + 4);
  bytes.write('data', odd + 12);
  bytes.writeUInt32LE(data.length, odd + 16);
  bytes.set(data, odd + 20);
  return new Uint8Array(bytes);
}

const samplesOf = (wav: Wav): number[][] => {
  const result = readWav(wavOf(wav));
  if (result.kind !== 'audio') throw new Error(JSON.stringify(result));
  return result.audio.channels.map(channel =>
    [...channel].map(one => Math.round(one * 1000) / 1000),
  );
};

test('every form of samples that telephones and recorders write is read', () => {
  expect(samplesOf({ bits: 8, data: [128, 0, 255] })).toEqual([[0, -1, 0.992]]);
  expect(samplesOf({ data: [0, 0x40, 0, 0x80] })).toEqual([[0.5, -1]]);
  expect(samplesOf({ bits: 24, data: [0, 0, 0x40, 0, 0, 0x80] })).toEqual([[0.5, -1]]);
  expect(samplesOf({ bits: 32, data: [0, 0, 0, 0x40] })).toEqual([[0.5]]);
  expect(samplesOf({ code: 3, bits: 32, data: [0, 0, 0, 0x3f] })).toEqual([[0.5]]);
  // G.711: silence, and the loudest of both signs.
  expect(samplesOf({ code: 7, bits: 8, data: [0xff, 0x80, 0x00] })).toEqual([[0, 0.98, -0.98]]);
  expect(samplesOf({ code: 6, bits: 8, data: [0xaa, 0x2a] })).toEqual([[0.984, -0.984]]);
  expect(samplesOf({ extensible: 7, bits: 8, data: [0x80] })).toEqual([[0.98]]);
});

test('channels stand side by side', () => {
  expect(samplesOf({ channels: 2, data: [0, 0x40, 0, 0x80, 0, 0xc0, 0, 0x20] })).toEqual([
    [0.5, -0.5],
    [-1, 0.25],
  ]);
});

test('what is no WAV is for another decoder; what is a broken one says why', () => {
  expect(readWav(new Uint8Array())).toEqual({ kind: 'other' });
  expect(readWav(new TextEncoder().encode('OggS and more'))).toEqual({ kind: 'other' });
  const problemOf = (wav: Wav): string => {
    const result = readWav(wavOf(wav));
    return result.kind === 'broken' ? result.problem : result.kind;
  };
  expect(problemOf({ code: 85, data: [1] })).toMatch(/not known \(85/);
  expect(problemOf({ channels: 0, data: [1] })).toMatch(/0 channels/);
  expect(problemOf({ rate: 12, data: [1] })).toMatch(/12 samples a second/);
  const cut = wavOf({ data: [1, 2] });
  expect(readWav(cut.subarray(0, 40))).toEqual({ kind: 'broken', problem: 'it has no data' });
});

test('no bytes make it throw', () => {
  const good = wavOf({ data: Array.from({ length: 64 }, (_, i) => i) });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 12 }),
      fc.nat(good.length),
      (changes, length) => {
        const bytes = good.slice(0, length);
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        readWav(bytes);
      },
    ),
    { numRuns: 3_000 },
  );
});

test('at every level the highest sample of a second is there, whatever is asked', () => {
  const rate = 8_000;
  const samples = new Float32Array(rate * 20).map((_, i) => Math.sin(i / 9) * 0.3);
  samples[rate * 7 + 123] = 1;
  const peaks = peaksOf(samples, rate);
  for (const { max } of peaks.levels) expect(Math.max(...max)).toBe(127);
  const track = {
    ...waveTracks({
      name: 'x',
      url: '',
      startNs: 2e9,
      how: 'told',
      prepared: { channels: [peaks], durationNs: 20e9, sampleRate: rate, aligned: undefined },
    })[0]!,
  };
  if (track.look !== 'wave') throw new Error('no wave');
  for (const widthPx of [40, 400, 4_000]) {
    const scale = { fromNs: 0, toNs: 25e9, leftPx: 100, widthPx };
    const { high, low } = waveColumns(track, scale);
    const highest = high.indexOf(1);
    // Second 7 of the recording is second 9 of the call.
    expect(Math.abs(highest / widthPx - 9.0154 / 25)).toBeLessThan(1.5 / widthPx + 0.003);
    expect(Number.isNaN(high[0]!)).toBe(true);
    expect(low.some(one => one < -0.29)).toBe(true);
  }
});

/** Loud where the picture has a letter, a step a tenth of a second. */
function peaksFrom(picture: string): ReturnType<typeof peaksOf> {
  const perStep = 100e6 / BUCKET_NS;
  const max = new Int8Array(picture.length * perStep);
  [...picture].forEach((letter, i) => {
    if (letter !== '.') max.fill(60, i * perStep, (i + 1) * perStep);
  });
  return { bucketNs: BUCKET_NS, levels: [{ min: new Int8Array(max.length), max }], loudest: 60 };
}

test('a recording is set where what is loud lies on what was said', () => {
  //            0         1         2         3         4
  const said = '..aaaa....bbbbbbb.......ccc.....';
  const speech = [...said.matchAll(/[a-z]+/g)].map(match => ({
    startNs: match.index * 100e6,
    endNs: (match.index + match[0].length) * 100e6,
  }));
  for (const lead of [0, 7, 40]) {
    const found = alignment([peaksFrom('.'.repeat(lead) + said)], speech);
    expect(Math.round(found!.startNs / 20e6) * 20).toBe(0 - lead * 100);
    expect(found!.share).toBe(1);
  }
  // It began when the call was on already.
  expect(alignment([peaksFrom(said.slice(8))], speech)!.startNs).toBe(800e6);
});

test('silence, or a call without turns, is set nowhere; chance is not taken for a fit', () => {
  expect(alignment([peaksFrom('......')], [{ startNs: 0, endNs: 1e9 }])).toBeUndefined();
  expect(alignment([peaksFrom('aaa')], [])).toBeUndefined();
  const prepared = { channels: [], durationNs: 9e9, sampleRate: 8_000 };
  const at = (share: number) => ({ ...prepared, aligned: { startNs: -3e9, share } });
  expect(placeOf(at(0.9), null)).toEqual({ startNs: -3e9, how: 'aligned' });
  expect(placeOf(at(0.3), null)).toEqual({ startNs: 0, how: 'call start' });
  expect(placeOf(at(0.9), 5)).toEqual({ startNs: 5, how: 'told' });
});

test('a place in the call is a place in the recording, held inside it', () => {
  const recording = {
    startNs: -2e9,
    prepared: { channels: [], durationNs: 10e9, sampleRate: 1, aligned: undefined },
  };
  expect(secondsAt(recording, 3e9)).toBe(5);
  expect(atPlace(recording, 5)).toBe(3e9);
  expect([secondsAt(recording, -9e9), secondsAt(recording, 99e9)]).toEqual([0, 10]);
});
