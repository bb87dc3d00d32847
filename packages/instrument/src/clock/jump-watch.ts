// Notices that a monotonic clock and the wall clock no longer agree: the
// machine slept (a monotonic clock may stand still meanwhile), or the wall
// clock was set. Either way what was known of the offset to other clocks is
// void, and a new epoch opens. Old marks are never bent.

import { NS_PER_MS, unixNs, type DomainNs, type UnixNs } from '@framescope/protocol';

/** Beyond what NTP slews in a second (0.5 ms) and a busy scheduler's gap between two readings. */
const JUMP_NS = BigInt(50 * NS_PER_MS);

export class JumpWatch {
  epoch = 0;
  zeroUnixNs: UnixNs;

  readonly #now: () => DomainNs;
  readonly #wallNs: () => bigint;
  #expected: bigint;

  /**
   * @param now Reads the monotonic clock.
   * @param wallNs Reads the wall clock: ns since 1970.
   */
  constructor(now: () => DomainNs, wallNs: () => bigint) {
    this.#now = now;
    this.#wallNs = wallNs;
    this.#expected = this.#difference();
    this.zeroUnixNs = unixNs(this.#expected);
  }

  /** Call about once a second. True if a new epoch was opened. */
  check(): boolean {
    const difference = this.#difference();
    const moved = difference - this.#expected;
    // What moves slowly is drift and slewing: follow it, so that it never adds up to a jump.
    this.#expected = difference;
    if (moved <= JUMP_NS && moved >= -JUMP_NS) return false;
    this.epoch += 1;
    this.zeroUnixNs = unixNs(difference);
    return true;
  }

  /** Wall minus monotonic. Of three tries the one with the closest readings: a pause may fall between. */
  #difference(): bigint {
    let best = 0n;
    let bestGapNs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const before = this.#now();
      const wall = this.#wallNs();
      const after = this.#now();
      if (after - before >= bestGapNs) continue;
      bestGapNs = after - before;
      best = wall - BigInt(Math.round((before + after) / 2));
    }
    return best;
  }
}
