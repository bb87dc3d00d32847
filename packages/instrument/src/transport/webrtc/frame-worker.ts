// What runs in the worker of an `RTCRtpScriptTransform`: it looks at each
// encoded frame, passes it on, and tells the page in batches what it saw.
//
// The functions below are sent to the worker as their own text, so they name
// nothing outside themselves. A frame is always passed on, whatever happens: one
// exception in here would end the call's audio. Frames with nothing in them
// (DTX, padding) are not touched.

import { trailerCodec, type TrailerCodec, type TrailerPlace } from './frame-trailer.ts';

/** Numbers a row: see `FrameRow`. */
export const ROW_NUMBERS = 8;

/** What the page tells a transform. */
export interface TapSettings extends TrailerPlace {
  /** Trailers are put on (sending) or looked for and taken off (receiving). */
  readonly trailer: boolean;
  /** Nobody wants to know: frames are passed on, trailers still taken off. */
  readonly isQuiet: boolean;
}

/** Page → worker. */
export type ToWorker =
  | { readonly ping: number }
  | { readonly key: number; readonly settings: TapSettings };

/** Worker → page. */
export interface FromWorker {
  readonly pong?: number;
  readonly now?: number;
  readonly timeOrigin?: number;
  readonly key?: number;
  /** `ROW_NUMBERS` numbers a frame. */
  readonly rows?: Float64Array;
  readonly anchor?: Uint8Array;
  /** First thing that went wrong with a frame; it was passed on all the same. */
  readonly problem?: string;
}

/** The parts of an `RTCEncodedAudioFrame` in use. */
export interface EncodedFrame {
  data: ArrayBuffer;
  getMetadata(): {
    readonly synchronizationSource?: number;
    readonly rtpTimestamp?: number;
    readonly receiveTime?: number;
    readonly captureTime?: number;
    readonly sequenceNumber?: number;
  };
}

export interface Transformer {
  readonly readable: ReadableStream<EncodedFrame>;
  readonly writable: WritableStream<EncodedFrame>;
  readonly options: { readonly key: number; readonly isSending: boolean };
}

/** The worker's global, as far as it is used. */
export interface WorkerPort {
  onmessage: ((event: { readonly data: ToWorker }) => void) | null;
  onrtctransform: ((event: { readonly transformer: Transformer }) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

/** Rows on their way to the page: eight at a time, or what came in 100 ms. */
export interface RowBatch {
  add(...row: readonly number[]): void;
  flush(): void;
}

export function rowBatch(port: WorkerPort, key: number): RowBatch {
  const NUMBERS_MAX = 64;
  const BATCH_MS = 100;
  let numbers: number[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (numbers.length === 0) return;
    const rows = new Float64Array(numbers);
    numbers = [];
    port.postMessage({ key, rows }, [rows.buffer]);
  };
  const add = (...row: readonly number[]): void => {
    numbers.push(...row);
    if (numbers.length >= NUMBERS_MAX) flush();
    else timer ??= setTimeout(flush, BATCH_MS);
  };
  return { add, flush };
}

export function frameWorker(
  port: WorkerPort,
  trailers: TrailerCodec,
  batchOf: (port: WorkerPort, key: number) => RowBatch,
): void {
  const settings = new Map<number, TapSettings>();
  let isProblemTold = false;

  /** Puts the trailer on, or takes it off; the tag's tick and stream number, −1 where there is none. */
  const carry = (frame: EncodedFrame, key: number, rtp: number, isSending: boolean): number[] => {
    const how = settings.get(key);
    if (how === undefined || !how.trailer || frame.data.byteLength === 0) return [-1, -1];
    const bytes = new Uint8Array(frame.data);
    if (isSending) {
      frame.data = trailers.append(bytes, how, rtp).buffer;
      const { anchor, ...rest } = how;
      if (anchor !== undefined) settings.set(key, rest);
      return [-1, -1];
    }
    const found = trailers.find(bytes, how.check);
    if (found === undefined) return [-1, -1];
    if (found.anchor !== undefined && !how.isQuiet) port.postMessage({ key, anchor: found.anchor });
    frame.data = frame.data.slice(0, found.at);
    return [found.tickLow, found.streamNumber];
  };

  const look = (frame: EncodedFrame, options: Transformer['options'], batch: RowBatch): void => {
    const atMs = performance.now();
    const about = frame.getMetadata();
    const { rtpTimestamp: rtp, synchronizationSource: ssrc, sequenceNumber = -1 } = about;
    if (rtp === undefined || ssrc === undefined) return;
    const mediaMs = options.isSending ? about.captureTime : about.receiveTime;
    const tag = carry(frame, options.key, rtp, options.isSending);
    if (settings.get(options.key)?.isQuiet === true) return;
    const { byteLength } = frame.data;
    batch.add(ssrc, rtp, atMs, mediaMs ?? Number.NaN, sequenceNumber, byteLength, ...tag);
  };

  const run = ({ readable, writable, options }: Transformer): void => {
    const batch = batchOf(port, options.key);
    const through = new TransformStream<EncodedFrame, EncodedFrame>({
      transform(frame, controller) {
        try {
          look(frame, options, batch);
        } catch (cause) {
          if (!isProblemTold) port.postMessage({ key: options.key, problem: String(cause) });
          isProblemTold = true;
        }
        controller.enqueue(frame);
      },
    });
    const ended = (): void => batch.flush();
    readable.pipeThrough(through).pipeTo(writable).then(ended, ended);
  };

  port.onmessage = ({ data }) => {
    if (!('ping' in data)) return void settings.set(data.key, data.settings);
    const { timeOrigin } = performance;
    port.postMessage({ pong: data.ping, now: performance.now(), timeOrigin });
  };
  port.onrtctransform = ({ transformer }) => run(transformer);
}

/** The text of the worker. A minifier may rename what is in a function, not what it gets. */
export const workerSource = (): string =>
  `(${frameWorker.toString()})(self,(${trailerCodec.toString()})(),${rowBatch.toString()})`;
