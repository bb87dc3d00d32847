// Audio as vendors carry it: base64 of PCM or G.711. Counting samples takes the
// length of the text alone; only looking for the first voiced one decodes.

import { fromBase64 } from '@framescope/protocol';

export interface AudioFormat {
  readonly encoding: 'pcm16' | 'mulaw' | 'alaw';
  readonly sampleRate: number;
}

export const PCM_24K: AudioFormat = { encoding: 'pcm16', sampleRate: 24_000 };
export const MULAW_8K: AudioFormat = { encoding: 'mulaw', sampleRate: 8_000 };

/** Bytes that a base64 text stands for; line breaks and padding may be missing or there. */
export function base64Bytes(text: string): number {
  const { length } = text;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return Math.max(0, Math.floor((length * 3) / 4) - padding);
}

export const bytesPerSample = (format: AudioFormat): number =>
  format.encoding === 'pcm16' ? 2 : 1;

export const samplesIn = (base64: string, format: AudioFormat): number =>
  Math.floor(base64Bytes(base64) / bytesPerSample(format));

/** Samples from −1 to 1; none where the text is no base64. */
export function decodeAudio(base64: string, format: AudioFormat): Float32Array {
  const decoded = fromBase64(base64);
  if (!decoded.ok) return new Float32Array(0);
  const bytes = decoded.value;
  if (format.encoding === 'pcm16') return fromPcm16(bytes);
  const table = format.encoding === 'mulaw' ? MULAW : ALAW;
  return Float32Array.from(bytes, byte => table[byte]!);
}

function fromPcm16(bytes: Uint8Array): Float32Array {
  const samples = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < samples.length; i++) {
    const word = bytes[2 * i]! | (bytes[2 * i + 1]! << 8);
    samples[i] = ((word << 16) >> 16) / 32_768;
  }
  return samples;
}

const MULAW = Float32Array.from({ length: 256 }, (_, code) => mulawValue(~code & 0xff) / 32_768);
const ALAW = Float32Array.from({ length: 256 }, (_, code) => alawValue(code ^ 0x55) / 32_768);

/** ITU-T G.711, with the bits already inverted. */
function mulawValue(code: number): number {
  const exponent = (code >> 4) & 7;
  const magnitude = ((((code & 0x0f) << 3) + 0x84) << exponent) - 0x84;
  return (code & 0x80) === 0 ? magnitude : -magnitude;
}

function alawValue(code: number): number {
  const exponent = (code >> 4) & 7;
  const mantissa = ((code & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (code & 0x80) === 0 ? -magnitude : magnitude;
}
