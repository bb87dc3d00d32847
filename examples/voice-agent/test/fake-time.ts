// Time that moves only when the test says so, with the timers that hang on it.

import type { Timers } from '../src/common/clock.ts';

export class FakeTime {
  #nowMs = 0;
  #pending: { readonly dueMs: number; readonly run: () => void }[] = [];

  readonly nowMs = (): number => this.#nowMs;

  readonly timers: Timers = {
    set: (run, delayMs) => {
      const timer = { dueMs: this.#nowMs + delayMs, run };
      this.#pending.push(timer);
      return timer;
    },
    clear: handle => {
      this.#pending = this.#pending.filter(timer => timer !== handle);
    },
  };

  /** Runs what is due, each at its time, or `lateMs` after it. */
  advance(ms: number, lateMs = 0): void {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#pending.toSorted((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs + lateMs > endMs) break;
      this.#pending = this.#pending.filter(timer => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs + lateMs);
      next.run();
    }
    this.#nowMs = endMs;
  }
}
