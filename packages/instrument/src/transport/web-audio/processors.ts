// What runs in the audio worklet: a tap on what is captured, and a queue of what
// is to be played. Both tell the page in batches which samples were in which
// quantum (128 samples); the page knows what time that was.
//
// The functions are sent there as their own text, so they name nothing outside
// themselves.

import { captureFrames, type CaptureFrames } from './capture-frames.ts';
import { playedFrames, playoutQueue, type PlayoutQueue } from './playout-queue.ts';

/** Names of the processors in a worklet. */
export const PROCESSOR = { capture: 'framescope-capture', playout: 'framescope-playout' } as const;

/** A frame, placed on the context's own time line. */
export interface PlacedFrame {
  /** First tick of the stream. */
  readonly tick: number;
  readonly samples: number;
  /** The context's frame number of its first sample. */
  readonly contextFrame: number;
}

/** Worklet → page. */
export interface CaptureMessage {
  readonly frames: readonly PlacedFrame[];
  /** One for each frame, where they were asked for. */
  readonly pcm?: readonly Float32Array[];
}

export interface PlayoutMessage {
  readonly played: readonly PlacedFrame[];
  /** Times that sound ran out and went on within half a second, and samples of silence in between. */
  readonly underrunCount: number;
  readonly missingSamples: number;
  /** Samples for which there was no room. */
  readonly refusedSamples: number;
  /** Least and last number of samples waiting, since the message before. */
  readonly fillMin: number;
  readonly fill: number;
  /** Thrown away: there was no room, or `clear`. */
  readonly dropped: readonly { readonly tick: number; readonly samples: number }[];
}

/** Page → worklet. */
export type ToPlayout =
  | { readonly push: Float32Array; readonly tick: number }
  | { readonly clear: true }
  | { readonly ended: true };

interface Port {
  onmessage: ((event: { readonly data: ToPlayout }) => void) | null;
  postMessage(message: CaptureMessage | PlayoutMessage, transfer?: Transferable[]): void;
}

interface Processor {
  readonly port: Port;
}

interface Options {
  readonly processorOptions: {
    readonly frameSamples: number;
    readonly wantsPcm: boolean;
    readonly capacity: number;
  };
}

/** The worklet's global, as far as it is used. */
export interface WorkletScope {
  readonly currentFrame: number;
  readonly AudioWorkletProcessor: new () => Processor;
  registerProcessor(name: string, processor: unknown): void;
}

export function registerCapture(
  scope: WorkletScope,
  name: string,
  makeFrames: typeof captureFrames,
): void {
  class Capture extends scope.AudioWorkletProcessor {
    declare readonly frames: CaptureFrames;
    declare isOver: boolean;

    constructor({ processorOptions: { frameSamples, wantsPcm } }: Options) {
      super();
      this.frames = makeFrames(frameSamples, wantsPcm);
      this.isOver = false;
      // The page says one thing only: that it has stopped.
      this.port.onmessage = () => {
        this.isOver = true;
      };
    }

    process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
      // A processor that answers true runs as long as its context, connected or not.
      if (this.isOver) return false;
      const input = inputs[0]?.[0];
      if (input === undefined) return true;
      outputs[0]?.[0]?.set(input);
      const message = this.frames.take(input, scope.currentFrame);
      const sound = message?.pcm?.map(one => one.buffer as ArrayBuffer) ?? [];
      if (message !== undefined) this.port.postMessage(message, sound);
      return true;
    }
  }
  scope.registerProcessor(name, Capture);
}

export function registerPlayout(
  scope: WorkletScope,
  name: string,
  makeQueue: (frameSamples: number, capacity: number) => PlayoutQueue,
): void {
  /** Quanta between two messages: about 100 ms at 48 kHz. */
  const BATCH_QUANTA = 38;
  class Playout extends scope.AudioWorkletProcessor {
    declare readonly queue: PlayoutQueue;
    declare isOver: boolean;
    declare quanta: number;

    constructor({ processorOptions: { frameSamples, capacity } }: Options) {
      super();
      this.queue = makeQueue(frameSamples, capacity);
      this.isOver = false;
      this.quanta = 0;
      this.port.onmessage = ({ data }) => this.hear(data);
    }

    hear(message: ToPlayout): void {
      if ('push' in message) return this.queue.push(message.push, message.tick);
      this.queue.clear();
      this.isOver = 'ended' in message;
      this.port.postMessage(this.queue.message());
    }

    process(_inputs: unknown, outputs: Float32Array[][]): boolean {
      const [first, ...others] = outputs[0] ?? [];
      if (first !== undefined) this.queue.pull(first, scope.currentFrame);
      for (const other of others) other.set(first!);
      this.quanta += 1;
      if (this.quanta % BATCH_QUANTA === 0) this.port.postMessage(this.queue.message());
      return !this.isOver;
    }
  }
  scope.registerProcessor(name, Playout);
}

/** The text of the worklet's module. */
export function processorsSource(): string {
  const { capture, playout } = PROCESSOR;
  return [
    `(${registerCapture.toString()})(globalThis,${JSON.stringify(capture)},${captureFrames.toString()})`,
    `(${registerPlayout.toString()})(globalThis,${JSON.stringify(playout)},(samples,capacity)=>(${playoutQueue.toString()})((${playedFrames.toString()})(samples),capacity))`,
  ].join(';\n');
}
