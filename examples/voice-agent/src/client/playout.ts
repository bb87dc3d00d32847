// The loudspeaker: a device that wants 20 ms of sound every 20 ms and has one
// period of its own in between. What is decoded in this period becomes audible
// at the start of the next.
//
//   pull k      decode frame n ──┐
//   pull k + 1                   └─▶ frame n audible; decode frame n + 1 ─▶ …

import type { OpusDecoderHandle } from 'libopus-wasm';
import { FRAME_MS, FRAME_SAMPLES } from '../common/audio.ts';
import { tickOf } from '../common/packet.ts';
import type { JitterBuffer } from './jitter-buffer.ts';

export interface PlayoutHooks {
  /** A frame left the jitter buffer; concealed: none was there in its place. */
  readonly unbuffered: (tick: number, isConcealed: boolean) => void;
  readonly decoded: (tick: number) => void;
  readonly audible: (tick: number) => void;
}

export interface PlayoutOptions {
  readonly buffer: JitterBuffer;
  readonly decoder: OpusDecoderHandle;
  readonly hooks: PlayoutHooks;
}

const SILENCE = new Int16Array(FRAME_SAMPLES);

export class Playout {
  readonly #options: PlayoutOptions;
  #pendingTick: number | undefined;
  #pendingPcm: Int16Array = SILENCE;
  #tickCount = 0;
  #lateCount = 0;
  #heardTick = 0;

  constructor(options: PlayoutOptions) {
    this.#options = options;
  }

  /** Pulls so far. */
  get tickCount(): number {
    return this.#tickCount;
  }

  /** Pulls that came after the device had run dry. */
  get lateCount(): number {
    return this.#lateCount;
  }

  /** End of the last agent sound that became audible. */
  get heardTick(): number {
    return this.#heardTick;
  }

  /** One period of the device; returns the sound that becomes audible now. */
  pull(nowMs: number, lateMs: number): Int16Array {
    this.#tickCount += 1;
    if (lateMs > FRAME_MS) this.#lateCount += 1;
    const audible = this.#pendingPcm;
    if (this.#pendingTick !== undefined) {
      this.#heardTick = this.#pendingTick + FRAME_SAMPLES;
      this.#options.hooks.audible(this.#pendingTick);
    }
    this.#decodeNext(nowMs);
    return audible;
  }

  /** Forgets what is decoded but not yet audible (barge-in). */
  clear(): void {
    this.#pendingTick = undefined;
    this.#pendingPcm = SILENCE;
  }

  #decodeNext(nowMs: number): void {
    const { buffer, decoder, hooks } = this.#options;
    const pulled = buffer.pull(nowMs);
    this.clear();
    if (pulled.kind === 'silence') return;
    if (pulled.kind === 'concealed') {
      if (pulled.sequence !== undefined)
        hooks.unbuffered(tickOf({ sequence: pulled.sequence }), true);
      this.#pendingPcm = decoder.decodePacketLoss(FRAME_SAMPLES);
      return;
    }
    const tick = tickOf(pulled.packet);
    hooks.unbuffered(tick, false);
    this.#pendingPcm = decoder.decode(pulled.packet.opus);
    this.#pendingTick = tick;
    hooks.decoded(tick);
  }
}
