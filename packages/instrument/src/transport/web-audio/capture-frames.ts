// Quanta of 128 samples → frames, in the audio worklet. Sent there as its own
// text: it names nothing outside itself, and is written so that a bundler for
// old browsers needs no helper of its own either (no class fields).

import type { CaptureMessage, PlacedFrame } from './processors.ts';

export interface CaptureFrames {
  /** Takes one quantum in; the message to send, when there is one. */
  take(input: Float32Array, contextFrame: number): CaptureMessage | undefined;
}

export function captureFrames(frameSamples: number, wantsPcm: boolean): CaptureFrames {
  /** About 100 ms. Whoever wants the sound wants it now. */
  const BATCH_FRAMES = wantsPcm ? 1 : 5;
  let frame = new Float32Array(frameSamples);
  let filled = 0;
  let tick = 0;
  let startFrame = 0;
  let frames: PlacedFrame[] = [];
  let pcm: Float32Array[] = [];

  const finish = (): void => {
    frames.push({ tick, samples: frameSamples, contextFrame: startFrame });
    tick += frameSamples;
    filled = 0;
    if (!wantsPcm) return;
    pcm.push(frame);
    frame = new Float32Array(frameSamples);
  };

  /** Copies what the frame still lacks; returns how much that was. */
  const fill = (input: Float32Array, at: number, contextFrame: number): number => {
    if (filled === 0) startFrame = contextFrame + at;
    const count = Math.min(frameSamples - filled, input.length - at);
    if (wantsPcm) frame.set(input.subarray(at, at + count), filled);
    filled += count;
    if (filled === frameSamples) finish();
    return count;
  };

  const take = (input: Float32Array, contextFrame: number): CaptureMessage | undefined => {
    for (let at = 0; at < input.length;) at += fill(input, at, contextFrame);
    if (frames.length < BATCH_FRAMES) return undefined;
    const message = wantsPcm ? { frames, pcm } : { frames };
    frames = [];
    pcm = [];
    return message;
  };
  return { take };
}
