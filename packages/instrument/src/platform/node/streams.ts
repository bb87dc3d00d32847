// Node streams: a hop between two others, and sound that is read.
//
//   source.pipe(markedHop(mic.hop('receive'), PCM16)).pipe(decoder)
//
// Chunks go through as they are: not copied, not cut. What is marked is whole
// samples; half a sample at the end of a chunk is counted with the next.

import { Readable, Transform, type TransformCallback } from 'node:stream';
import { PCM16, SampleCount, type SampleFormat } from '../../adapters/common/sample-format.ts';
import { Hop } from '../../hop/hop.ts';

export const byteLengthOf = (chunk: unknown): number =>
  chunk instanceof Uint8Array ? chunk.byteLength : 0;

/** Marks if there is a hop to mark: callers may be untyped. */
function mark(hop: Hop, samples: number): void {
  if (samples > 0 && hop instanceof Hop) hop.mark(samples);
}

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
      mark(hop, samples);
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
    mark(hop, samples);
  };
  if (!(readable instanceof Readable)) return () => undefined;
  readable.on('data', heard);
  return () => void readable.off('data', heard);
}
