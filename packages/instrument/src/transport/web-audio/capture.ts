// What an audio graph takes in, marked at `capture`:
//
//   source ──▶ tap ──▶ (your graph, if you connect it)

import { sessionOr } from '../../adapters/common/session-or.ts';
import { Stream } from '../../hop/stream.ts';
import type { Session } from '../../session.ts';
import { textOf } from '../../problems.ts';
import { plainOptions } from '../plain-options.ts';
import { ContextClock } from './context-clock.ts';
import { PROCESSOR, type CaptureMessage, type ToPlayout } from './processors.ts';
import { addProcessors } from './worklets.ts';

/** 20 ms. */
const FRAMES_A_SECOND = 50;

/** What a traced capture is told. */
export interface CaptureOptions {
  readonly session: Session;
  /** Default: `mic`, at the context's rate. */
  readonly stream?: Stream;
  /** Samples a frame; default 20 ms. */
  readonly frameSamples?: number;
  /** Gets each frame (mono, −1 … 1, yours to keep) and its first tick, some ms after it was taken. */
  readonly onFrame?: (pcm: Float32Array, tick: number) => void;
}

/** A traced capture, to be stopped. */
export interface CaptureTap {
  /** What was captured, unchanged; connect it on, or leave it. `undefined` where worklets are missing. */
  readonly node: AudioNode | undefined;
  /** Disconnects the tap. Again: nothing. */
  stop(): void;
}

/**
 * Marks what `source` (a microphone's node) delivers at the hop `capture`, frame by frame, in the time
 * at which it was computed (`getOutputTimestamp` less the output latency). The stream has to be at the
 * context's rate. Costs a message each 100 ms, or a frame where `onFrame` asks for the sound. Resolves
 * when the tap is in; never rejects.
 */
export async function tapCapture(source: AudioNode, options: CaptureOptions): Promise<CaptureTap> {
  const given = plainOptions(options);
  const session = sessionOr(given.session);
  const { problems, clock } = session.port();
  try {
    const context = source.context as AudioContext;
    await addProcessors(context);
    const { onFrame } = given;
    const wantsPcm = typeof onFrame === 'function';
    const stream = streamOr(given.stream, () =>
      session.stream('mic', { sampleRate: context.sampleRate }),
    );
    const first = stream.position;
    const usual = Math.round(context.sampleRate / FRAMES_A_SECOND);
    const frameSamples = wholeOr(given.frameSamples, usual, context.sampleRate);
    const node = new AudioWorkletNode(context, PROCESSOR.capture, {
      channelCount: 1,
      channelCountMode: 'explicit',
      outputChannelCount: [1],
      processorOptions: { frameSamples, wantsPcm, capacity: 0 },
    });
    const times = new ContextClock(context, clock);
    const take = ({ frames, pcm }: CaptureMessage): void => {
      frames.forEach(({ tick, samples, contextFrame }, i) => {
        const at = first + tick;
        const atNs = times.renderedNs(contextFrame + samples);
        stream.hop('capture').markAt(at, samples, atNs);
        const sound = pcm?.[i];
        if (sound !== undefined && wantsPcm) onFrame(sound, at);
      });
    };
    node.port.onmessage = ({ data }: MessageEvent<CaptureMessage>) => take(data);
    source.connect(node);
    const stop = (): void => {
      node.port.onmessage = null;
      const ended: ToPlayout = { ended: true };
      node.port.postMessage(ended);
      node.disconnect();
      problems.guard('tapCapture', () => source.disconnect(node));
    };
    return { node, stop: once(stop) };
  } catch (cause) {
    problems.report(
      'no_worklet',
      `tapCapture: the worklet could not be added (${textOf(cause)}); capture is not marked. A content security policy has to allow "worker-src blob:"`,
    );
    return { node: undefined, stop: () => undefined };
  }
}

/** A whole number from 1 to `most`, else the usual one. */
export const wholeOr = (value: unknown, usual: number, most: number): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
    ? value
    : usual;

export const streamOr = (value: unknown, otherwise: () => Stream): Stream =>
  value instanceof Stream ? value : otherwise();

/** The first call does it. */
export function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
