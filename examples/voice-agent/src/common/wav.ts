// Reads WAV files: 16-bit PCM (the speech clips) and 8-bit mu-law (the agent's
// spare voice, at half the size). Everything else is refused by name.

import { readFileSync } from 'node:fs';

export interface Wav {
  readonly sampleRateHz: number;
  readonly pcm: Int16Array;
}

const FORMAT_PCM = 1;
const FORMAT_MU_LAW = 7;

export function readWavFile(path: string): Wav {
  return decodeWav(readFileSync(path), path);
}

/** `name` is only used in messages. Mono only. Throws an Error that says what is wrong where. */
export function decodeWav(bytes: Buffer, name: string): Wav {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error(`${name} is not a WAV file: it does not begin with RIFF…WAVE`);
  }
  const chunks = chunksOf(bytes);
  const format = chunks.get('fmt ');
  const data = chunks.get('data');
  if (format === undefined || data === undefined) {
    throw new Error(`${name} has no ${format === undefined ? '"fmt "' : '"data"'} chunk`);
  }
  if (format.length < 16 || format.readUInt16LE(2) !== 1) {
    throw new Error(`${name} is not mono; convert it with: sox ${name} -c 1 out.wav`);
  }
  return { sampleRateHz: format.readUInt32LE(4), pcm: samplesOf(format, data, name) };
}

function chunksOf(bytes: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>();
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    // A WAV written to a pipe (espeak-ng --stdout) has a length of "endless".
    chunks.set(id, bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + size)));
    at += 8 + size + (size & 1);
  }
  return chunks;
}

function samplesOf(format: Buffer, data: Buffer, name: string): Int16Array {
  const tag = format.readUInt16LE(0);
  const bits = format.readUInt16LE(14);
  if (tag === FORMAT_PCM && bits === 16) {
    return Int16Array.from({ length: data.length >> 1 }, (_, i) => data.readInt16LE(i * 2));
  }
  if (tag === FORMAT_MU_LAW && bits === 8) return Int16Array.from(data, muLawToLinear);
  throw new Error(`${name} has format ${tag} with ${bits} bits; 16-bit PCM or mu-law is needed`);
}

/** ITU-T G.711: inverted bits, sign, 3 bits of exponent, 4 of mantissa. */
function muLawToLinear(byte: number): number {
  const value = ~byte & 0xff;
  const magnitude = (((value & 0x0f) << 3) + 0x84) << ((value & 0x70) >> 4);
  return value & 0x80 ? 0x84 - magnitude : magnitude - 0x84;
}

/** A 16-bit mono WAV file as bytes: what OpenAI's transcription endpoint takes. */
export function encodeWav(wav: Wav): Buffer {
  const bytes = Buffer.alloc(44 + wav.pcm.length * 2);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + wav.pcm.length * 2, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(FORMAT_PCM, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(wav.sampleRateHz, 24);
  bytes.writeUInt32LE(wav.sampleRateHz * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(wav.pcm.length * 2, 40);
  for (let i = 0; i < wav.pcm.length; i += 1) bytes.writeInt16LE(wav.pcm[i] ?? 0, 44 + i * 2);
  return bytes;
}
