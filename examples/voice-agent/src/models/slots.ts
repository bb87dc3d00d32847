// A service that works on so many requests at a time: the others wait their
// turn, first come first served. How many wait is what load looks like from inside.

export class Slots {
  readonly #limit: number;
  readonly #onDepth: (waiting: number) => void;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  /** `limit` 0: any number. `onDepth` hears how many wait, at each change. */
  constructor(limit: number, onDepth: (waiting: number) => void) {
    this.#limit = limit;
    this.#onDepth = onDepth;
  }

  /** `work`, when a slot is free; gives it back when the work is over, or given up. */
  async *use<T>(work: () => AsyncIterable<T>, signal: AbortSignal): AsyncIterable<T> {
    await this.#take();
    try {
      signal.throwIfAborted();
      yield* work();
    } finally {
      this.#giveBack();
    }
  }

  async #take(): Promise<void> {
    if (this.#limit === 0 || this.#busy < this.#limit) {
      this.#busy += 1;
      return;
    }
    await new Promise<void>(resolve => {
      this.#waiting.push(resolve);
      this.#onDepth(this.#waiting.length);
    });
  }

  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#busy -= 1;
      return;
    }
    // The slot goes from one to the other.
    this.#onDepth(this.#waiting.length);
    next();
  }
}
