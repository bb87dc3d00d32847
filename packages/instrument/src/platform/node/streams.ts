// Node streams: a hop between two others, and sound that is read.
//
//   source.pipe(markedHop(mic.hop('receive'), PCM16)).pipe(decoder)
//
// Chunks go through as they are: not copied, not cut. What is marked is whole
// samples; half a sample at the end of a chunk is counted with the next.

import { Transform, type Readable, type TransformCallback } from 'node:stream';
import type { Hop } from '../../hop/hop.ts';

/** How samples lie in bytes. */
export interface SampleFormat {
  /** Bytes of one sample of one channel: 2 for PCM16, 1 for G.711, 4 for floats. */
  readonly bytesPerSample: number;
  /** Default 1. */
  readonly channels?: number;
}

/** 16-bit PCM, mono. */
export const PCM16: SampleFormat = { bytesPerSample: 2 };

/** Counts whole samples in chunks of any length. */
export class SampleCount {
  readonly #frameBytes: number;
  #rest = 0;

  constructor(format: SampleFormat) {
    const { bytesPerSample, channels = 1 } = format ?? PCM16;
    const bytes = Math.floor(bytesPerSample * channels);
    this.#frameBytes = bytes >= 1 ? bytes : PCM16.bytesPerSample;
  }

  /** Samples (per channel) that are whole with these bytes. */
  add(byteLength: number): number {
    const bytes = this.#rest + byteLength;
    this.#rest = bytes % this.#frameBytes;
    return (bytes - this.#rest) / this.#frameBytes;
  }
}

export const byteLengthOf = (chunk: unknown): number =>
  chunk instanceof Uint8Array ? chunk.byteLength : 0;

/**
 * A stream to put between two others: passes every chunk on and marks its samples at `hop`, in the
 * moment the next stream takes them over. Costs a mark a chunk; back-pressure goes through. Never
 * throws or fails of itself.
 */
export function markedHop(hop: Hop, format: SampleFormat = PCM16): Transform {
  const count = new SampleCount(format);
  return new Transform({
    transform(chunk: unknown, _encoding: string, done: TransformCallback): void {
      const samples = count.add(byteLengthOf(chunk));
      this.push(chunk);
      if (samples > 0) hop.mark(samples);
      done();
    },
  });
}

/**
 * Marks what comes out of a readable that you consume yourself, without being in its way: it listens
 * to `data`, so call it where the stream is set flowing anyhow (`on('data')`, `pipe`). Answers how to stop.
 */
export function markReadable(
  readable: Readable,
  hop: Hop,
  format: SampleFormat = PCM16,
): () => void {
  const count = new SampleCount(format);
  const heard = (chunk: unknown): void => {
    const samples = count.add(byteLengthOf(chunk));
    if (samples > 0) hop.mark(samples);
  };
  readable.on('data', heard);
  return () => void readable.off('data', heard);
}
