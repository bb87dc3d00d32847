// Sound that waits to be played, in the audio worklet: what was played when,
// what was missing, how much waits. Sent there as its own text: it names nothing
// outside itself, and needs no helper of a bundler (no class fields).

import type { PlacedFrame, PlayoutMessage } from './processors.ts';

export interface PlayoutQueue {
  push(pcm: Float32Array, tick: number): void;
  /** Throws away what waits. */
  clear(): void;
  /** Fills one quantum that starts at this frame of the context. */
  pull(into: Float32Array, contextFrame: number): void;
  /** What happened since the last message. */
  message(): PlayoutMessage;
}

interface Chunk {
  readonly pcm: Float32Array;
  readonly tick: number;
  at: number;
}

/** What was played, as frames of one size, but no further than samples follow each other. */
export interface PlayedFrames {
  note(tick: number, samples: number, contextFrame: number): void;
  /** What is open is a frame as it stands. */
  close(): void;
  /** Those that are whole, once. */
  take(): PlacedFrame[];
}

export function playedFrames(frameSamples: number): PlayedFrames {
  let open: { tick: number; samples: number; contextFrame: number } | undefined;
  let whole: PlacedFrame[] = [];
  const close = (): void => {
    if (open !== undefined) whole.push(open);
    open = undefined;
  };
  const note = (tick: number, samples: number, contextFrame: number): void => {
    if (open !== undefined && open.tick + open.samples === tick) open.samples += samples;
    else {
      close();
      open = { tick, samples, contextFrame };
    }
    if (open.samples >= frameSamples) close();
  };
  const take = (): PlacedFrame[] => {
    const taken = whole;
    whole = [];
    return taken;
  };
  return { note, close, take };
}

/** @param capacity Samples that may wait. */
export function playoutQueue(frames: PlayedFrames, capacity: number): PlayoutQueue {
  /** 500 ms at 48 kHz: a longer gap is a pause, not a sentence that stutters. */
  const STUTTER_FRAMES = 24_000;
  let queue: Chunk[] = [];
  let fill = 0;
  /** The context's frame at which sound ran out, while nothing followed. */
  let dryFrame: number | undefined;
  let dropped: { tick: number; samples: number }[] = [];
  const counts = { underruns: 0, missing: 0, refused: 0, fillMin: 0 };

  const wentOn = (contextFrame: number): void => {
    if (dryFrame === undefined) return;
    const missing = contextFrame - dryFrame;
    dryFrame = undefined;
    if (missing <= 0 || missing > STUTTER_FRAMES) return;
    counts.underruns += 1;
    counts.missing += missing;
  };

  const play = (into: Float32Array, done: number, contextFrame: number): number => {
    const chunk = queue[0]!;
    const count = Math.min(into.length - done, chunk.pcm.length - chunk.at);
    wentOn(contextFrame + done);
    into.set(chunk.pcm.subarray(chunk.at, chunk.at + count), done);
    frames.note(chunk.tick + chunk.at, count, contextFrame + done);
    chunk.at += count;
    fill -= count;
    if (chunk.at === chunk.pcm.length) queue.shift();
    if (queue.length === 0) {
      dryFrame = contextFrame + done + count;
      frames.close();
    }
    return count;
  };

  const push = (pcm: Float32Array, tick: number): void => {
    if (fill + pcm.length > capacity) {
      dropped.push({ tick, samples: pcm.length });
      counts.refused += pcm.length;
      return;
    }
    queue.push({ pcm, tick, at: 0 });
    fill += pcm.length;
  };

  const clear = (): void => {
    for (const { pcm, tick, at } of queue)
      dropped.push({ tick: tick + at, samples: pcm.length - at });
    queue = [];
    fill = 0;
    // Silence that was asked for is no underrun.
    dryFrame = undefined;
    frames.close();
  };

  const pull = (into: Float32Array, contextFrame: number): void => {
    counts.fillMin = Math.min(counts.fillMin, fill);
    for (let done = 0; done < into.length && queue.length > 0;)
      done += play(into, done, contextFrame);
  };

  const message = (): PlayoutMessage => {
    const { underruns, missing, refused, fillMin } = counts;
    const told = {
      played: frames.take(),
      dropped,
      underrunCount: underruns,
      missingSamples: missing,
      refusedSamples: refused,
      fillMin: Math.min(fillMin, fill),
      fill,
    };
    dropped = [];
    counts.underruns = counts.missing = counts.refused = 0;
    counts.fillMin = fill;
    return told;
  };
  return { push, clear, pull, message };
}
