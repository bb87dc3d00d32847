// Splits a step of samples into below and above 4 kHz, and measures each.
// Two Butterworth biquads (order 2): a shallow slope is enough to tell a vowel
// from noise, and costs ten multiplications a sample.

const LEVEL_FLOOR = 1e-12;

interface Biquad {
  readonly b: readonly [number, number, number];
  readonly a: readonly [number, number];
  x1: number;
  x2: number;
  y1: number;
  y2: number;
}

export interface BandLevels {
  readonly lowDb: number;
  readonly highDb: number;
}

export class BandSplit {
  // 120 Hz high-pass: mains hum and a microphone's offset are not speech.
  readonly #rumble: Biquad = highPass(120);
  readonly #low: Biquad = lowPass(3_800);
  readonly #high: Biquad = highPass(4_200);

  measure(step: Float64Array): BandLevels {
    let low = 0;
    let high = 0;
    for (const sample of step) {
      const clean = run(this.#rumble, sample);
      low += run(this.#low, clean) ** 2;
      high += run(this.#high, clean) ** 2;
    }
    return { lowDb: decibel(low / step.length), highDb: decibel(high / step.length) };
  }
}

function decibel(power: number): number {
  return 10 * Math.log10(power + LEVEL_FLOOR);
}

function lowPass(cutoffHz: number): Biquad {
  const k = Math.tan((Math.PI * cutoffHz) / 16_000);
  const norm = 1 / (1 + Math.SQRT2 * k + k * k);
  const b0 = k * k * norm;
  return biquad([b0, 2 * b0, b0], k, norm);
}

function highPass(cutoffHz: number): Biquad {
  const k = Math.tan((Math.PI * cutoffHz) / 16_000);
  const norm = 1 / (1 + Math.SQRT2 * k + k * k);
  return biquad([norm, -2 * norm, norm], k, norm);
}

function biquad(b: readonly [number, number, number], k: number, norm: number): Biquad {
  const a = [2 * (k * k - 1) * norm, (1 - Math.SQRT2 * k + k * k) * norm] as const;
  return { b, a, x1: 0, x2: 0, y1: 0, y2: 0 };
}

function run(filter: Biquad, x: number): number {
  const { b, a } = filter;
  const y = b[0] * x + b[1] * filter.x1 + b[2] * filter.x2 - a[0] * filter.y1 - a[1] * filter.y2;
  filter.x2 = filter.x1;
  filter.x1 = x;
  filter.y2 = filter.y1;
  filter.y1 = y;
  return y;
}
