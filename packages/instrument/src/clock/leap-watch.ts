// Asks a clock ten times a second whether it leapt, while any session is open.
//
// A leap is noticed at a check, never before: marks between the two would carry
// an epoch that is not theirs. So checks come more often than flushes, whoever
// holds marks is told at once, and a mark whose own time shows on which side of
// the leap it stands is put there (`rowsBeforeLeap`, `isTimedBeforeLeap`).

import { NS_PER_MS } from '@framescope/protocol';
import type { Clock, Timer, Timers } from '../ports.ts';

const CHECK_MS = 100;
/** A gap between two marks that may be the leap itself. */
const LEAP_NS = 50_000_000;
/** Longer than a check, with slack: what a mark made since the last one can be old. */
const SINCE_CHECK_NS = 1.5 * CHECK_MS * NS_PER_MS;

export class LeapWatch {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #onLeap: () => void;
  #epoch: number;
  #timer: Timer | undefined;

  /** @param onLeap Called after a new epoch began, off the audio path. */
  constructor(clock: Clock, timers: Timers, onLeap: () => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#onLeap = onLeap;
    this.#epoch = clock.epoch;
  }

  /** Checks from now on, until `stop`. Starting twice does nothing; a clock that cannot leap costs nothing. */
  start(): void {
    if (this.#timer !== undefined || this.#clock.check === undefined) return;
    this.#timer = this.#timers.after(CHECK_MS, () => {
      this.#timer = undefined;
      this.start();
      this.look();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Checks now. */
  look(): void {
    this.#clock.check?.();
    // Not the answer of `check`: the prober may have asked meanwhile.
    if (this.#clock.epoch === this.#epoch) return;
    this.#epoch = this.#clock.epoch;
    this.#onLeap();
  }
}

/**
 * How many of the first `count` marks, in the order in which they were made, came before a leap
 * that was noticed after the last of them. Those up to `checkedNs`, the last reading known to be
 * good, did; of the others the first that is far from the one before it did not. A clock that stood
 * still in its sleep shows no such gap: then all did, to a tenth of a second.
 */
export function rowsBeforeLeap(atNs: ArrayLike<number>, count: number, checkedNs: number): number {
  let beforeNs = -Infinity;
  for (let row = 0; row < count; row++) {
    const at = atNs[row]!;
    const isBack = at < beforeNs - LEAP_NS;
    const isAhead = at > checkedNs && at > Math.max(checkedNs, beforeNs) + LEAP_NS;
    if (isBack || isAhead) return row;
    beforeNs = at;
  }
  return count;
}

/**
 * Whether a mark that brought its time came before a leap that is noticed at `nowNs`, on the clock as
 * it is since. Such marks come late and from several threads, so that their order says nothing; each
 * is on the side of the reading that it is nearer to.
 */
export function isTimedBeforeLeap(atNs: number, checkedNs: number, nowNs: number): boolean {
  if (nowNs >= checkedNs) return atNs <= (checkedNs + nowNs) / 2;
  const newForNs = Math.max(SINCE_CHECK_NS, (checkedNs - nowNs) / 2);
  return atNs > nowNs || atNs <= nowNs - newForNs;
}
