// How many samples a run of bytes is: for transports that carry sound as bytes.

import { plainOptions } from '../../transport/plain-options.ts';
import { numberAt } from './foreign.ts';

/** How samples lie in bytes. */
export interface SampleFormat {
  /** Bytes of one sample of one channel: 2 for PCM16, 1 for G.711, 4 for floats. */
  readonly bytesPerSample: number;
  /** Default 1. */
  readonly channels?: number;
}

/** 16-bit PCM, mono. */
export const PCM16: SampleFormat = { bytesPerSample: 2 };

/** 64 channels of doubles. */
const FRAME_BYTES_MAX = 512;

/** Counts whole samples in chunks of any length. */
export class SampleCount {
  readonly #frameBytes: number;
  #rest = 0;

  constructor(format: SampleFormat) {
    const given = plainOptions(format);
    const bytesPerSample = numberAt(given, 'bytesPerSample') ?? PCM16.bytesPerSample;
    const bytes = Math.floor(bytesPerSample * (numberAt(given, 'channels') ?? 1));
    this.#frameBytes = bytes >= 1 && bytes <= FRAME_BYTES_MAX ? bytes : PCM16.bytesPerSample;
  }

  /** Samples (per channel) that are whole with these bytes. */
  add(byteLength: number): number {
    const bytes = this.#rest + byteLength;
    this.#rest = bytes % this.#frameBytes;
    return (bytes - this.#rest) / this.#frameBytes;
  }
}
