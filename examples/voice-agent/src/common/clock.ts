// Time for pacing: a clock that may be skewed, and a metronome on absolute
// deadlines. A chain of setTimeout calls would add its lateness each round (a
// millisecond in 20: the microphone would run 5 % slow); here a late round makes
// the next one shorter, and a stall is caught up with.

/** Milliseconds on a monotonic clock; the zero means nothing. */
export type NowMs = () => number;

export interface Timers {
  set(callback: () => void, delayMs: number): unknown;
  clear(handle: unknown): void;
}

export const nodeTimers: Timers = {
  set: (callback, delayMs) => setTimeout(callback, delayMs),
  clear: handle => clearTimeout(handle as NodeJS.Timeout),
};

export interface MetronomeOptions {
  readonly periodMs: number;
  readonly nowMs: NowMs;
  readonly timers?: Timers;
  /** Called once for every period, also for those that a stall made late. */
  readonly onTick: (lateMs: number) => void;
}

export class Metronome {
  readonly #options: MetronomeOptions;
  readonly #timers: Timers;
  #startMs = 0;
  #ticks = 0;
  #handle: unknown;
  #isRunning = false;

  constructor(options: MetronomeOptions) {
    this.#options = options;
    this.#timers = options.timers ?? nodeTimers;
  }

  /** The first tick is now if `immediate`, else one period from now. */
  start(immediate = false): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#ticks = 0;
    this.#startMs = this.#options.nowMs() + (immediate ? 0 : this.#options.periodMs);
    this.#arm();
  }

  stop(): void {
    this.#isRunning = false;
    this.#timers.clear(this.#handle);
  }

  #arm(): void {
    const waitMs = this.#deadlineMs() - this.#options.nowMs();
    this.#handle = this.#timers.set(() => this.#run(), Math.max(0, waitMs));
  }

  #run(): void {
    const { nowMs, onTick } = this.#options;
    while (this.#isRunning && nowMs() >= this.#deadlineMs()) {
      const lateMs = nowMs() - this.#deadlineMs();
      this.#ticks += 1;
      onTick(lateMs);
    }
    if (this.#isRunning) this.#arm();
  }

  #deadlineMs(): number {
    return this.#startMs + this.#ticks * this.#options.periodMs;
  }
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(abortError(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('cancelled');
}
