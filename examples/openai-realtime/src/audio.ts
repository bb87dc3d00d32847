// A WAV file as a microphone, and a loudspeaker that is a WAV file.

import { readFileSync, writeFileSync } from 'node:fs';

/** What the Realtime API speaks and hears. */
export const RATE_HZ = 24_000;
const HEADER_BYTES = 44;

/** Mono 16-bit PCM of any rate, as 24 kHz. */
export function readSpeech(path: string): Int16Array {
  const bytes = readFileSync(path);
  const isWav = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.readUInt16LE(20) === 1;
  const isMono16 = isWav && bytes.readUInt16LE(22) === 1 && bytes.readUInt16LE(34) === 16;
  if (!isMono16) throw new Error(`${path}: a mono 16-bit PCM WAV file is needed`);
  const data = bytes.indexOf('data', 12, 'latin1') + 8;
  const samples = Int16Array.from({ length: (bytes.length - data) >> 1 }, (_, i) =>
    bytes.readInt16LE(data + 2 * i),
  );
  return resampled(samples, bytes.readUInt32LE(24));
}

function resampled(samples: Int16Array, fromHz: number): Int16Array {
  const length = Math.floor((samples.length * RATE_HZ) / fromHz);
  return Int16Array.from({ length }, (_, i) => {
    const at = (i * fromHz) / RATE_HZ;
    const [a = 0, b = a] = samples.subarray(Math.floor(at), Math.floor(at) + 2);
    return a + (b - a) * (at % 1);
  });
}

export function writeSpeech(path: string, pcm: readonly Buffer[]): void {
  const data = Buffer.concat(pcm);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(HEADER_BYTES - 8 + data.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE_HZ, 24);
  header.writeUInt32LE(RATE_HZ * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data.length, 40);
  writeFileSync(path, Buffer.concat([header, data]));
}
