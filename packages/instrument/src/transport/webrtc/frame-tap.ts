// The page's side of the encoded transforms: one worker for a peer connection,
// a transform for each sender and receiver of audio, rows with times on the
// page's clock.

import type { SessionPort } from '../../ports.ts';
import { textOf } from '../../problems.ts';
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

/** Senders and receivers of one peer connection. */
const TAPS_MAX = 32;

export class FrameTaps {
  readonly #port: SessionPort;
  readonly #taps: { readonly events: TapEvents; readonly of: Transformable; mine: unknown }[] = [];
  #worker: Worker | undefined;
  #workerUrl: string | undefined;
  /** Page clock − worker clock, ms. */
  #aheadMs: number | undefined;

  constructor(port: SessionPort) {
    this.#port = port;
  }

  /** Looks at what passes `of`; `undefined` where the browser cannot, or the application itself does. */
  add(of: Transformable, isSending: boolean, events: TapEvents): Tap | undefined {
    if (this.#taps.length >= TAPS_MAX || typeof RTCRtpScriptTransform !== 'function')
      return undefined;
    if (of.transform !== null && of.transform !== undefined) return undefined;
    const worker = this.#start();
    if (worker === undefined) return undefined;
    const key = this.#taps.length;
    const mine = new RTCRtpScriptTransform(worker, { key, isSending });
    of.transform = mine;
    this.#taps.push({ events, of, mine });
    return { set: settings => worker.postMessage({ key, settings }) };
  }

  /** Takes the transforms out and ends the worker. */
  stop(): void {
    for (const { of, mine } of this.#taps.splice(0)) if (of.transform === mine) of.transform = null;
    this.#worker?.terminate();
    this.#worker = undefined;
    if (this.#workerUrl !== undefined) URL.revokeObjectURL(this.#workerUrl);
    this.#workerUrl = undefined;
  }

  #start(): Worker | undefined {
    if (this.#worker !== undefined) return this.#worker;
    try {
      const source = new Blob([workerSource()], { type: 'text/javascript' });
      this.#workerUrl = URL.createObjectURL(source);
      this.#worker = new Worker(this.#workerUrl, { name: 'framescope' });
    } catch (cause) {
      this.#refused(textOf(cause));
      return undefined;
    }
    this.#worker.addEventListener('error', event => this.#refused(event.message));
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) =>
      this.#take(data),
    );
    this.#worker.postMessage({ ping: performance.now() });
    return this.#worker;
  }

  #refused(why: string): void {
    this.#port.problems.report(
      'no_frame_worker',
      `tracePeerConnection: no worker for encoded frames (${why}); frames are seen at playout only. A content security policy has to allow "worker-src blob:"`,
    );
  }

  #take(message: FromWorker): void {
    const take = (): void => {
      if (message.pong !== undefined) return this.#compareClocks(message);
      const events = this.#taps[message.key ?? -1]?.events;
      if (message.problem !== undefined)
        this.#port.problems.report('frame_worker', `an encoded frame: ${message.problem}`);
      if (message.anchor !== undefined) events?.anchor(message.anchor);
      if (message.rows !== undefined) events?.rows(this.#unpack(message.rows));
    };
    this.#port.problems.guard('frame tap', take, () => undefined);
  }

  /** Both count from their own origin on the same clock; an origin may be wrong after a clock step. */
  #compareClocks({ pong = 0, now = 0, timeOrigin = 0 }: FromWorker): void {
    const back = performance.now();
    const byOrigin = timeOrigin - performance.timeOrigin;
    const isPossible = now + byOrigin >= pong - 1 && now + byOrigin <= back + 1;
    this.#aheadMs = isPossible ? byOrigin : (pong + back) / 2 - now;
  }

  #unpack(numbers: Float64Array): FrameRow[] {
    const ahead = this.#aheadMs ?? 0;
    const rows: FrameRow[] = [];
    for (let i = 0; i + ROW_NUMBERS <= numbers.length; i += ROW_NUMBERS) {
      const [ssrc, rtpTimestamp, atMs, mediaMs, sequence, byteLength, tickLow, streamNumber] =
        numbers.subarray(i, i + ROW_NUMBERS) as unknown as readonly [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ];
      rows.push({
        ssrc,
        rtpTimestamp,
        atMs: atMs + ahead,
        mediaMs: Number.isFinite(mediaMs) ? mediaMs + ahead : undefined,
        sequence: sequence >= 0 ? sequence : undefined,
        byteLength,
        tag: tickLow >= 0 ? { tickLow, streamNumber } : undefined,
      });
    }
    return rows;
  }
}
