// Sound as vendors carry it, made from nothing: a voiced stretch, or silence.

export type Encoding = 'pcm16' | 'mulaw';

/** `ms` of a vowel-like tone (or of silence) at `sampleRate`, as base64. */
export function sound(ms: number, isVoiced: boolean, sampleRate = 24_000): string {
  const samples = toneOf(ms, isVoiced, sampleRate);
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString('base64');
}

/** The same in G.711 µ-law at 8 kHz. */
export function mulaw(ms: number, isVoiced: boolean): string {
  return Buffer.from(Uint8Array.from(toneOf(ms, isVoiced, 8_000), mulawOf)).toString('base64');
}

function toneOf(ms: number, isVoiced: boolean, sampleRate: number): Int16Array {
  const samples = new Int16Array(Math.round((ms * sampleRate) / 1_000));
  if (!isVoiced) return samples;
  for (let i = 0; i < samples.length; i++) {
    const angle = (2 * Math.PI * i) / sampleRate;
    samples[i] = 6_000 * Math.sin(140 * angle) + 2_500 * Math.sin(700 * angle);
  }
  return samples;
}

/** ITU-T G.711. */
function mulawOf(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32_635) + 0x84;
  const exponent = Math.max(0, Math.floor(Math.log2(magnitude)) - 7);
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff;
}
