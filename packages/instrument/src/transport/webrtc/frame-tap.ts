// The page's side of the encoded transforms: a worker for each tracing of a peer
// connection, a transform for each sender and receiver of audio, rows with times
// on the page's clock.
//
// A transform is never taken out again: Chromium then loses the call's sound
// (transform = null stops the frames, and so does a worker that is gone). When
// tracing stops it goes on passing frames, says nothing, and still takes trailers
// off; whoever traces the same connection later takes it over.

import type { SessionPort } from '../../ports.ts';
import { textOf, type Problems } from '../../problems.ts';
import { ROW_NUMBERS, workerSource, type FromWorker, type TapSettings } from './frame-worker.ts';

/** An encoded frame that passed. */
export interface FrameRow {
  readonly ssrc: number;
  readonly rtpTimestamp: number;
  /** When the transform saw it, ms of `performance.now()` of the page. */
  readonly atMs: number;
  /** Sending: when it was captured. Receiving: when its last packet came. As the browser says, if so. */
  readonly mediaMs: number | undefined;
  /** Receiving, where the browser tells it; 16 bits. */
  readonly sequence: number | undefined;
  /** 0 for a DTX frame with nothing in it. */
  readonly byteLength: number;
  /** From the sender's trailer: tick modulo 2^32 and stream number. */
  readonly tag: { readonly tickLow: number; readonly streamNumber: number } | undefined;
}

export interface TapEvents {
  rows(rows: readonly FrameRow[]): void;
  /** An anchor came in a trailer. */
  anchor(bytes: Uint8Array): void;
}

/** What can carry a transform: a sender or a receiver of an `RTCPeerConnection`. */
export interface Transformable {
  transform: RTCRtpScriptTransform | null;
}

export interface Tap {
  /** Changes what the transform does with the next frames. */
  set(settings: TapSettings): void;
}

/** A transform that is in place, traced or not. */
interface Attached {
  readonly worker: TapWorker;
  readonly key: number;
  readonly transform: RTCRtpScriptTransform;
  readonly isSending: boolean;
  settings: TapSettings;
  events: TapEvents | undefined;
}

/** Senders and receivers of one peer connection. */
const TAPS_MAX = 32;
/** A connection says nothing when it is closed by its own page. */
const LOOK_FOR_CLOSED_MS = 5_000;

const QUIET: TapSettings = {
  isQuiet: true,
  trailer: false,
  check: 0,
  streamNumber: 0,
  rtp0: 0,
  tick0: 0,
  sampleRate: 1,
  clockRate: 1,
};

const attached = new WeakMap<Transformable, Attached>();

export class FrameTaps {
  readonly #port: SessionPort;
  readonly #taps: Attached[] = [];
  #worker: TapWorker | undefined;

  constructor(port: SessionPort) {
    this.#port = port;
  }

  /** Looks at what passes `of`; `undefined` where the browser cannot, or somebody else does. */
  add(of: Transformable, isSending: boolean, events: TapEvents): Tap | undefined {
    if (this.#taps.length >= TAPS_MAX || typeof RTCRtpScriptTransform !== 'function')
      return undefined;
    const tap = this.#takeOver(of) ?? this.#attach(of, isSending);
    if (tap === undefined) return undefined;
    tap.events = events;
    this.#taps.push(tap);
    const set = (settings: TapSettings): void => {
      tap.settings = settings;
      if (tap.events === events) tap.worker.set(tap.key, settings);
    };
    set({ ...tap.settings, isQuiet: false });
    return { set };
  }

  /** From now on frames are only passed on. `isClosed`: none will come, the worker may go. */
  stop(isClosed: () => boolean): void {
    for (const tap of this.#taps.splice(0)) {
      tap.events = undefined;
      // The peer may not know yet: what it still sends must not reach the decoder.
      const trailer = !tap.isSending && tap.settings.trailer;
      tap.settings = { ...QUIET, trailer, check: tap.settings.check };
      tap.worker.set(tap.key, tap.settings);
    }
    this.#worker?.endWhen(isClosed, this.#port);
  }

  #takeOver(of: Transformable): Attached | undefined {
    const known = attached.get(of);
    const isFree = known !== undefined && known.events === undefined;
    return isFree && of.transform === known.transform ? known : undefined;
  }

  #attach(of: Transformable, isSending: boolean): Attached | undefined {
    if (of.transform !== null && of.transform !== undefined) return undefined;
    this.#worker ??= TapWorker.start(this.#port.problems);
    const worker = this.#worker;
    if (worker === undefined || worker.isRefused) return undefined;
    const tap = worker.attach(of, isSending);
    attached.set(of, tap);
    return tap;
  }
}

/** One worker and the transforms that run in it. */
class TapWorker {
  readonly #worker: Worker;
  readonly #problems: Problems;
  readonly #taps: Attached[] = [];
  readonly #carriers: Transformable[] = [];
  /** It has said something: its script was loaded. */
  #isRunning = false;
  /** It never ran, and will not: a transform in it would let no frame through. */
  isRefused = false;
  /** Page clock − worker clock, ms. */
  #aheadMs = 0;

  /** `undefined` where there is no worker to be had; that is told. */
  static start(problems: Problems): TapWorker | undefined {
    try {
      const url = URL.createObjectURL(new Blob([workerSource()], { type: 'text/javascript' }));
      const worker = new Worker(url, { name: 'framescope' });
      // It speaks once it was read, and fails where it could not be.
      const revoke = (): void => URL.revokeObjectURL(url);
      worker.addEventListener('message', revoke, { once: true });
      worker.addEventListener('error', revoke, { once: true });
      return new TapWorker(worker, problems);
    } catch (cause) {
      refused(problems, textOf(cause));
      return undefined;
    }
  }

  constructor(worker: Worker, problems: Problems) {
    this.#worker = worker;
    this.#problems = problems;
    worker.addEventListener('error', event => this.#failed(event.message));
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.#take(data));
    worker.postMessage({ ping: performance.now() });
  }

  attach(of: Transformable, isSending: boolean): Attached {
    const key = this.#taps.length;
    const transform = new RTCRtpScriptTransform(this.#worker, { key, isSending });
    of.transform = transform;
    this.#carriers.push(of);
    const tap = { worker: this, key, transform, isSending, settings: QUIET, events: undefined };
    this.#taps.push(tap);
    return tap;
  }

  set(key: number, settings: TapSettings): void {
    this.#worker.postMessage({ key, settings });
  }

  /** Ends the worker once no frame can come any more, and nobody traces with it. */
  endWhen(isClosed: () => boolean, port: SessionPort): void {
    if (this.#taps.some(tap => tap.events !== undefined)) return;
    const isOver = port.problems.guard('frame tap', isClosed, () => true);
    if (isOver) return this.#worker.terminate();
    port.timers.after(LOOK_FOR_CLOSED_MS, () => this.endWhen(isClosed, port));
  }

  /** Some browsers tell only now that a policy forbids the worker, with the transforms already in place. */
  #failed(why: string): void {
    refused(this.#problems, why);
    if (this.#isRunning) return;
    this.isRefused = true;
    for (const of of this.#carriers.splice(0))
      this.#problems.guard('frame tap', () => void (of.transform = null));
  }

  #take(message: FromWorker): void {
    this.#isRunning = true;
    const take = (): void => {
      if (message.pong !== undefined) return this.#compareClocks(message);
      const events = this.#taps[message.key ?? -1]?.events;
      if (message.problem !== undefined)
        this.#problems.report('frame_worker', `an encoded frame: ${message.problem}`);
      if (message.anchor !== undefined) events?.anchor(message.anchor);
      if (message.rows !== undefined) events?.rows(this.#unpack(message.rows));
    };
    this.#problems.guard('frame tap', take);
  }

  /** Both count from their own origin on the same clock; an origin may be wrong after a clock step. */
  #compareClocks({ pong = 0, now = 0, timeOrigin = 0 }: FromWorker): void {
    const back = performance.now();
    const byOrigin = timeOrigin - performance.timeOrigin;
    const isPossible = now + byOrigin >= pong - 1 && now + byOrigin <= back + 1;
    this.#aheadMs = isPossible ? byOrigin : (pong + back) / 2 - now;
  }

  #unpack(numbers: Float64Array): FrameRow[] {
    const rows: FrameRow[] = [];
    for (let i = 0; i + ROW_NUMBERS <= numbers.length; i += ROW_NUMBERS)
      rows.push(rowOf(numbers.subarray(i, i + ROW_NUMBERS), this.#aheadMs));
    return rows;
  }
}

function rowOf(numbers: Float64Array, aheadMs: number): FrameRow {
  const [ssrc = 0, rtpTimestamp = 0, atMs = 0, mediaMs = Number.NaN, ...rest] = numbers;
  const [sequence = -1, byteLength = 0, tickLow = -1, streamNumber = -1] = rest;
  return {
    ssrc,
    rtpTimestamp,
    atMs: atMs + aheadMs,
    mediaMs: Number.isFinite(mediaMs) ? mediaMs + aheadMs : undefined,
    sequence: sequence >= 0 ? sequence : undefined,
    byteLength,
    tag: tickLow >= 0 ? { tickLow, streamNumber } : undefined,
  };
}

function refused(problems: Problems, why: string): void {
  problems.report(
    'no_frame_worker',
    `tracePeerConnection: no worker for encoded frames (${why}); frames are seen at playout only. A content security policy has to allow "worker-src blob:"`,
  );
}
