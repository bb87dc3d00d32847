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
  /** A frame left the jitter buffer, the decoder, or became audible. */
  readonly passed: (where: 'jitter_buffer' | 'decode' | 'playout', tick: number) => void;
  /** None was there in its turn: it is made up for. */
  readonly concealed: (tick: number) => void;
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
      this.#options.hooks.passed('playout', this.#pendingTick);
    }
    this.#decodeNext(nowMs);
    return audible;
  }

  #decodeNext(nowMs: number): void {
    const { buffer, decoder, hooks } = this.#options;
    const pulled = buffer.pull(nowMs);
    this.#pendingTick = undefined;
    this.#pendingPcm = SILENCE;
    if (pulled.kind === 'silence') return;
    if (pulled.kind === 'concealed') {
      const { sequence } = pulled;
      if (sequence !== undefined) hooks.concealed(tickOf({ sequence }));
      this.#pendingPcm = decoder.decodePacketLoss(FRAME_SAMPLES);
      return;
    }
    const tick = tickOf(pulled.packet);
    hooks.passed('jitter_buffer', tick);
    this.#pendingPcm = decoder.decode(pulled.packet.opus);
    this.#pendingTick = tick;
    hooks.passed('decode', tick);
  }
}
