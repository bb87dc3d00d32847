// When sessions flush: all of them once a period, some at a time, so that no
// piece holds up the audio that shares this event loop; and what a round packed
// leaves together, in one request.
//
//   period ──▶ round: ▮▮▮ · ▮▮▮ · ▮▮ ──▶ one post
//              a slice of a quarter of a millisecond, then the loop's turn

import { NS_PER_MS } from '@framescope/protocol';
import type { Timer, Timers } from '../ports.ts';

/** A slice ends with the session that passes this. A session takes some 50 µs; a cold one ten times that. */
const SLICE_NS = 0.25 * NS_PER_MS;
/** Between two slices: whatever came meanwhile goes first. */
const PAUSE_MS = 1;

/** One that flushes; must not throw. */
export interface Flushing {
  flush(): void;
}

export interface RoundPorts {
  readonly timers: Timers;
  readonly now: () => number;
  readonly everyMs: number;
  /** Who is to flush, as of now. */
  readonly all: () => Iterable<Flushing>;
  /** Held from the first slice of a round to its last. */
  readonly outbox: { hold(): void; release(): void };
}

export class FlushRounds {
  readonly #ports: RoundPorts;
  #period: Timer | undefined;
  #pause: Timer | undefined;
  #left: Flushing[] | undefined;
  #done: (() => void)[] = [];
  /** Asked for while a round was under way, which some had behind them: for the next one. */
  #next: (() => void)[] = [];
  #isRunning = false;

  constructor(ports: RoundPorts) {
    this.#ports = ports;
  }

  /** Rounds from now on, a period apart, until `stop`. Starting twice does nothing. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#schedule();
  }

  /** No more rounds; one that is under way ends at once, with what it has. */
  stop(): void {
    this.#isRunning = false;
    this.#period?.cancel();
    this.#period = undefined;
    this.all();
  }

  /** A round now, or right after the one under way; resolves when all have flushed since this call. */
  round(): Promise<void> {
    return new Promise(resolve => {
      if (this.#left !== undefined) return void this.#next.push(resolve);
      this.#done.push(resolve);
      this.#begin();
      this.#slice();
    });
  }

  /** All at once: the page goes, or the clock leapt. */
  all(): void {
    this.#done.push(...this.#next.splice(0));
    if (this.#left !== undefined) this.#end();
    for (const one of this.#ports.all()) one.flush();
  }

  #schedule(): void {
    this.#period = this.#ports.timers.after(this.#ports.everyMs, () => {
      this.#period = undefined;
      if (this.#left === undefined) {
        this.#begin();
        this.#slice();
      }
      if (this.#isRunning) this.#schedule();
    });
  }

  #begin(): void {
    this.#left = [...this.#ports.all()];
    this.#ports.outbox.hold();
  }

  #slice(): void {
    const { now, timers } = this.#ports;
    const left = this.#left ?? [];
    const startNs = now();
    while (left.length > 0) {
      left.shift()!.flush();
      if (now() - startNs < SLICE_NS || left.length === 0) continue;
      this.#pause = timers.after(PAUSE_MS, () => this.#slice());
      return;
    }
    this.#end();
  }

  #end(): void {
    this.#pause?.cancel();
    this.#left = undefined;
    this.#ports.outbox.release();
    const done = this.#done;
    this.#done = [];
    for (const resolve of done) resolve();
    if (this.#next.length === 0) return;
    this.#done = this.#next.splice(0);
    this.#begin();
    this.#pause = this.#ports.timers.after(PAUSE_MS, () => this.#slice());
  }
}
