// A line with delay, jitter and loss, one per direction and call. Order is
// kept, as over TCP: a frame that waits holds up those behind it, and they come
// out together. Messages that are not audio are delayed with the rest, in
// order, but never lost.

import type { NowMs, Timers } from './clock.ts';
import { exponentialMs, type Random } from './random.ts';

export interface LineShape {
  readonly delayMs: number;
  /** 19 of 20 frames are held up by less than this on top. */
  readonly jitterMs: number;
  /** Share of frames that vanish, 0 to 1. */
  readonly loss: number;
}

/** The 95th percentile of an exponential distribution is three times its mean. */
const MEANS_PER_P95 = 3;

export interface DelayLineOptions<T> {
  readonly shape: LineShape;
  readonly nowMs: NowMs;
  readonly timers: Timers;
  readonly random: Random;
  readonly deliver: (item: T) => void;
}

export class DelayLine<T> {
  readonly #options: DelayLineOptions<T>;
  readonly #waiting: { readonly item: T; readonly dueMs: number }[] = [];
  #lastDueMs = -Infinity;
  #handle: unknown;
  #isArmed = false;
  #lostCount = 0;

  constructor(options: DelayLineOptions<T>) {
    this.#options = options;
  }

  get lostCount(): number {
    return this.#lostCount;
  }

  /** `canBeLost` is for audio. */
  send(item: T, canBeLost: boolean): void {
    const { shape, nowMs, random } = this.#options;
    if (canBeLost && random() < shape.loss) {
      this.#lostCount += 1;
      return;
    }
    const jitterMs = exponentialMs(random, shape.jitterMs / MEANS_PER_P95);
    const dueMs = Math.max(this.#lastDueMs, nowMs() + shape.delayMs + jitterMs);
    this.#lastDueMs = dueMs;
    this.#waiting.push({ item, dueMs });
    this.#arm();
  }

  close(): void {
    this.#options.timers.clear(this.#handle);
    this.#waiting.length = 0;
  }

  #arm(): void {
    const first = this.#waiting[0];
    if (this.#isArmed || first === undefined) return;
    this.#isArmed = true;
    const waitMs = Math.max(0, first.dueMs - this.#options.nowMs());
    this.#handle = this.#options.timers.set(() => this.#release(), waitMs);
  }

  #release(): void {
    this.#isArmed = false;
    const nowMs = this.#options.nowMs();
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.dueMs > nowMs) break;
      this.#waiting.shift();
      this.#options.deliver(first.item);
    }
    this.#arm();
  }
}
