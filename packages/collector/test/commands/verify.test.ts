import fc from 'fast-check';
import type { Wait } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { pairUp } from '../../src/commands/verify.ts';
import { gapsOf, type Gap } from '../../src/files/recording-gaps.ts';
import { readWav } from '../../src/files/wav.ts';

const RATE = 8_000;

/** A tone where `spans` say, and noise of −60 dB all over. */
function channel(lengthS: number, spans: readonly (readonly [number, number])[]): Float32Array {
  let state = 7;
  return Float32Array.from({ length: lengthS * RATE }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const noise = (state / 2 ** 32 - 0.5) * 0.002;
    const at = i / RATE;
    const isVoiced = spans.some(([from, to]) => at >= from && at < to);
    return noise + (isVoiced ? 0.3 * Math.sin(2 * Math.PI * 220 * at) : 0);
  });
}

function wavOf(left: Float32Array, right: Float32Array): Buffer {
  const bytes = Buffer.alloc(44 + left.length * 4);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(2, 22);
  bytes.writeUInt32LE(RATE, 24);
  bytes.writeUInt32LE(RATE * 4, 28);
  bytes.writeUInt16LE(4, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(left.length * 4, 40);
  for (const [i, value] of left.entries()) {
    bytes.writeInt16LE(Math.round(value * 32_767), 44 + i * 4);
    bytes.writeInt16LE(Math.round(right[i]! * 32_767), 46 + i * 4);
  }
  return bytes;
}

test('silences between caller and agent are seen to 20 ms, through 16 bit PCM', () => {
  const caller = channel(12, [
    [1, 2.2],
    [6, 7],
  ]);
  const agent = channel(12, [
    [3.05, 4],
    [7.81, 9],
  ]);
  const gaps = gapsOf(readWav(wavOf(caller, agent)));
  expect(gaps.length).toBe(2);
  expect(Math.abs(gaps[0]!.toS - gaps[0]!.fromS - 0.85)).toBeLessThan(0.02);
  expect(Math.abs(gaps[1]!.toS - gaps[1]!.fromS - 0.81)).toBeLessThan(0.02);
});

test('a cough is no utterance, a pause in a sentence no end of it, and speaking over leaves no gap', () => {
  const caller = channel(12, [
    [0.2, 0.3],
    [1, 1.8],
    [1.9, 2.5],
    [6, 9],
  ]);
  const agent = channel(12, [
    [3.5, 4.5],
    [7, 8],
  ]);
  const gaps = gapsOf({ sampleRate: RATE, channels: [caller, agent] });
  expect(gaps.map(gap => gap.fromS.toFixed(1))).toEqual(['2.5']);
});

test.each([
  ['', 'does not begin with "RIFF"'],
  ['RIFF0000WAVE', 'has no data'],
])('%j is no recording, and it says why', (text, why) => {
  expect(() => readWav(Buffer.from(text, 'latin1'))).toThrow(why);
});

test('a recording of one channel is refused: nobody can tell who spoke', () => {
  const bytes = wavOf(channel(1, []), channel(1, []));
  bytes.writeUInt16LE(1, 22);
  expect(() => readWav(bytes)).toThrow('two of their own');
});

test('bytes of any kind are read or refused, never more', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
    try {
      readWav(Buffer.concat([Buffer.from('RIFF0000WAVEfmt ', 'latin1'), Buffer.from(bytes)]));
    } catch (problem) {
      expect((problem as Error).name).toBe('WavProblem');
    }
  });
  fc.assert(property);
});

const waitAt = (startS: number, ms: number): Wait =>
  ({ startNs: startS * 1e9, waitNs: ms * 1e6, errorNs: 0 }) as Wait;
const gapAt = (fromS: number, ms: number): Gap => ({ fromS, toS: fromS + ms / 1_000 });

test('a recording that began before the session is laid over it where its silences meet waits', () => {
  const gaps = [gapAt(13, 700), gapAt(18, 1_200), gapAt(25, 900)];
  const waits = [waitAt(3, 710), waitAt(8.02, 1_190), waitAt(15.01, 905)];
  expect(pairUp(gaps, waits).map(({ gap, wait }) => [gap.fromS, wait.waitNs / 1e6])).toEqual([
    [13, 710],
    [18, 1_190],
    [25, 905],
  ]);
});

test('a wait that the recording does not have is left over, and pulls no other away', () => {
  const gaps = [gapAt(3, 700), gapAt(15, 900)];
  const waits = [waitAt(3, 700), waitAt(8, 1_200), waitAt(15, 1_100)];
  expect(pairUp(gaps, waits).map(pair => pair.wait.waitNs / 1e6)).toEqual([700, 1_100]);
});
