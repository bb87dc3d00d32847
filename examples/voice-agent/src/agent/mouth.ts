// The agent's voice on its way out: samples → frames of 20 ms → Opus → paced
// sending, a little ahead of real time.
//
// Tick 0 of the stream is the first sample the agent ever generates in the
// call, and ticks advance with generated audio only. The sequence number is
// given when a frame is cut, so what a barge-in throws away leaves a hole that
// nobody mistakes for a loss on the line.

import type { OpusEncoderHandle } from 'libopus-wasm';
import { Chunker, FRAME_MS, FRAME_SAMPLES, levelDb, SAMPLE_RATE_HZ } from '../common/audio.ts';
import { Metronome, nodeTimers, type NowMs, type Timers } from '../common/clock.ts';
import { tickOf, type Packet } from '../common/packet.ts';

/** Steps of 10 ms above this are voice. */
const VOICED_DB = -45;
const VOICED_STEP = SAMPLE_RATE_HZ / 100;
/** What was sent is still being heard for about this long: line and jitter buffer. */
const DOWNSTREAM_MS = 150;
/** What a synthesiser may have made, and numbered, before it hears of a barge-in: 1 s. */
const UNDER_WAY_FRAMES = 50;

interface Frame {
  readonly sequence: number;
  readonly pcm: Int16Array;
}

export interface MouthOptions {
  readonly encoder: OpusEncoderHandle;
  readonly nowMs: NowMs;
  readonly timers?: Timers;
  readonly leadMs: number;
  readonly onEncoded: (tick: number) => void;
  readonly send: (packet: Packet) => void;
  /** The frame from `tick` on is sent. */
  readonly onSent: (tick: number) => void;
  /** The first frame since `awaitVoice` is sent, voiced or not. */
  readonly onBegun: () => void;
  /** The first voiced sample since `awaitVoice` is sent. */
  readonly onVoiced: (tick: number) => void;
  /** All that was said is sent; `isFinished`: and nothing more comes in this answer. */
  readonly onDrained: (isFinished: boolean) => void;
  /** The whole answer has been heard, as far as that can be known here; not after `clear`. */
  readonly onHeard: () => void;
}

export class Mouth {
  readonly #options: MouthOptions;
  readonly #chunker = new Chunker(FRAME_SAMPLES);
  readonly #pacer: Metronome;
  readonly #timers: Timers;
  #hearing: unknown;
  #queue: Frame[] = [];
  #sequence = 0;
  #spurtStartMs = 0;
  #spurtSent = 0;
  #isSpurtOpen = false;
  #isFinished = true;
  #boundary: { readonly sequence: number; readonly onSent: () => void } | undefined;
  #awaitsBegin = false;
  #awaitsVoice = false;
  #audibleUntilMs = -Infinity;

  constructor(options: MouthOptions) {
    this.#options = options;
    const { nowMs, timers } = options;
    this.#timers = timers ?? nodeTimers;
    this.#pacer = new Metronome({
      periodMs: FRAME_MS,
      nowMs,
      ...(timers === undefined ? {} : { timers }),
      onTick: () => this.#pace(),
    });
  }

  /** First tick that is not generated yet. */
  get generatedTick(): number {
    return this.#sequence * FRAME_SAMPLES + this.#chunker.heldSamples;
  }

  /** True as long as the user hears, or is about to hear, the agent. */
  get isSpeaking(): boolean {
    return this.#queue.length > 0 || this.#options.nowMs() < this.#audibleUntilMs;
  }

  awaitVoice(): void {
    this.#awaitsBegin = true;
    this.#awaitsVoice = true;
  }

  /** More of the answer. */
  say(pcm: Int16Array): void {
    this.#isFinished = false;
    this.#timers.clear(this.#hearing);
    for (const piece of this.#chunker.push(pcm)) this.#cut(piece);
  }

  /**
   * A piece of the answer is complete: fills up its last frame with silence. `onSent` is called when
   * that frame is sent; never, if a barge-in comes before.
   */
  endPiece(onSent?: () => void): void {
    const rest = this.#chunker.flush();
    if (rest !== undefined) this.#cut(rest);
    if (onSent === undefined) return;
    if (this.#queue.length === 0) onSent();
    else this.#boundary = { sequence: this.#sequence - 1, onSent };
  }

  /** Nothing more comes in this answer. */
  finish(): void {
    this.endPiece();
    this.#isFinished = true;
    if (this.#queue.length === 0) this.#drained();
  }

  /**
   * Throws away what is not sent yet (barge-in); returns how many samples that was, with those that
   * a synthesiser may still be making: their places are not used again.
   */
  clear(): number {
    this.endPiece();
    const dropped = (this.#queue.length + UNDER_WAY_FRAMES) * FRAME_SAMPLES;
    this.#sequence += UNDER_WAY_FRAMES;
    this.#timers.clear(this.#hearing);
    this.#queue = [];
    this.#boundary = undefined;
    this.#isFinished = true;
    this.#isSpurtOpen = false;
    this.#audibleUntilMs = -Infinity;
    this.#pacer.stop();
    return dropped;
  }

  #cut(pcm: Int16Array): void {
    this.#queue.push({ sequence: this.#sequence, pcm });
    this.#sequence += 1;
    this.#pacer.start(true);
  }

  /** Sends what real time and the lead allow. */
  #pace(): void {
    const { nowMs, leadMs } = this.#options;
    if (this.#queue.length === 0) return;
    if (!this.#isSpurtOpen) this.#openSpurt();
    const allowed = Math.floor((nowMs() - this.#spurtStartMs + leadMs) / FRAME_MS) + 1;
    while (this.#queue.length > 0 && this.#spurtSent < allowed) this.#sendNext();
    this.#audibleUntilMs = this.#spurtStartMs + this.#spurtSent * FRAME_MS + DOWNSTREAM_MS;
    if (this.#queue.length === 0) this.#drained();
  }

  #openSpurt(): void {
    this.#isSpurtOpen = true;
    this.#spurtStartMs = this.#options.nowMs();
    this.#spurtSent = 0;
  }

  #sendNext(): void {
    const frame = this.#queue.shift();
    if (frame === undefined) return;
    const { encoder, nowMs, send, onEncoded } = this.#options;
    const opus = encoder.encode(frame.pcm);
    onEncoded(tickOf(frame));
    send({
      sequence: frame.sequence,
      sentMs: nowMs(),
      isSpurtStart: this.#spurtSent === 0,
      isSpurtEnd: this.#queue.length === 0,
      opus,
    });
    this.#spurtSent += 1;
    this.#options.onSent(tickOf(frame));
    if (this.#awaitsBegin) this.#options.onBegun();
    this.#awaitsBegin = false;
    this.#checkVoice(frame);
    this.#checkBoundary(frame);
  }

  #checkBoundary(frame: Frame): void {
    const boundary = this.#boundary;
    if (boundary?.sequence !== frame.sequence) return;
    this.#boundary = undefined;
    boundary.onSent();
  }

  #checkVoice(frame: Frame): void {
    if (!this.#awaitsVoice) return;
    for (let at = 0; at < FRAME_SAMPLES; at += VOICED_STEP) {
      if (levelDb(frame.pcm.subarray(at, at + VOICED_STEP)) < VOICED_DB) continue;
      this.#awaitsVoice = false;
      this.#options.onVoiced(tickOf(frame) + at);
      return;
    }
  }

  #drained(): void {
    this.#isSpurtOpen = false;
    this.#pacer.stop();
    this.#options.onDrained(this.#isFinished);
    if (!this.#isFinished) return;
    const waitMs = Math.max(0, this.#audibleUntilMs - this.#options.nowMs());
    this.#hearing = this.#timers.set(() => this.#options.onHeard(), waitMs);
  }
}
