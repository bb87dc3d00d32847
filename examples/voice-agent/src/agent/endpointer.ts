// When is it the agent's turn? When the user has been silent for the window,
// counted on the media clock from the last voiced sample: what the network did
// with the frames in between does not shorten it.

import { SAMPLE_RATE_HZ } from '../common/audio.ts';

export class Endpointer {
  readonly #windowTicks: number;
  #speechEndTick: number | undefined;

  constructor(windowMs: number) {
    this.#windowTicks = (windowMs / 1000) * SAMPLE_RATE_HZ;
  }

  speechStarted(): void {
    this.#speechEndTick = undefined;
  }

  speechStopped(tick: number): void {
    this.#speechEndTick = tick;
  }

  /** The stream is heard up to `tick`. True once per utterance: the turn is over. */
  advance(tick: number): boolean {
    if (this.#speechEndTick === undefined) return false;
    if (tick - this.#speechEndTick < this.#windowTicks) return false;
    this.#speechEndTick = undefined;
    return true;
  }
}
