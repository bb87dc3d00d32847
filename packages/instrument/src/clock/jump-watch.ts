// Notices that a monotonic clock and the wall clock no longer agree: the
// machine slept (a monotonic clock may stand still meanwhile), or the wall
// clock was set. After a sleep what was known of the offset to other clocks is
// void, and a new epoch opens. Old marks are never bent.
//
// A wall clock that was set is no matter of the monotonic one. Where the
// platform can tell the two apart (Linux counts the time it slept) no epoch
// opens for it; elsewhere one opens needlessly rather than not.

import {
  domainNs,
  measureWallZero,
  NS_PER_MS,
  type DomainNs,
  type UnixNs,
} from '@framescope/protocol';

/** Beyond what NTP slews in a second (0.5 ms) and a busy scheduler's gap between two readings. */
const JUMP_NS = 50 * NS_PER_MS;
/** Linux tells the time it slept in steps of 10 ms. */
const SLEPT_NS = 25 * NS_PER_MS;

export interface JumpPorts {
  /** Reads the monotonic clock. */
  readonly now: () => DomainNs;
  /** Milliseconds since 1970, rounded down. */
  readonly wallMs: () => number;
  /** How long the machine slept so far, ns, from any start; absent where nobody knows. */
  readonly sleptNs?: () => number;
}

export class JumpWatch {
  epoch = 0;
  zeroUnixNs: UnixNs;
  /** Reading at the last check that found no jump: marks up to it are of earlier epochs. */
  epochFromNs: DomainNs = domainNs(0);

  readonly #ports: JumpPorts;
  #expectedNs: number;
  #sleptNs: number;
  #checkedNs: DomainNs;

  constructor(ports: JumpPorts) {
    this.#ports = ports;
    this.#expectedNs = this.#differenceNs();
    this.#sleptNs = ports.sleptNs?.() ?? 0;
    this.#checkedNs = ports.now();
    this.zeroUnixNs = this.#measureZero();
  }

  /** Call ten times a second or so: half a microsecond. True if a new epoch was opened. */
  check(): boolean {
    const differenceNs = this.#differenceNs();
    const movedNs = Math.abs(differenceNs - this.#expectedNs);
    // What moves slowly is drift and slewing: follow it, so that it never adds up to a jump.
    this.#expectedNs = differenceNs;
    const hasLeapt = movedNs > JUMP_NS && this.#hasSlept();
    if (hasLeapt) {
      this.epoch += 1;
      this.epochFromNs = this.#checkedNs;
      this.zeroUnixNs = this.#measureZero();
    }
    this.#checkedNs = this.#ports.now();
    return hasLeapt;
  }

  #hasSlept(): boolean {
    const { sleptNs } = this.#ports;
    if (sleptNs === undefined) return true;
    const nowNs = sleptNs();
    // Unknown (not a number) counts as a sleep.
    const hasSlept = !(Math.abs(nowNs - this.#sleptNs) <= SLEPT_NS);
    this.#sleptNs = nowNs;
    return hasSlept;
  }

  #measureZero(): UnixNs {
    return measureWallZero({ monotonicNs: this.#ports.now, wallMs: this.#ports.wallMs }).zeroUnixNs;
  }

  /** Wall minus monotonic. Of three tries the one with the closest readings: a pause may fall between. */
  #differenceNs(): number {
    const { now, wallMs } = this.#ports;
    let best = 0;
    let bestGapNs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const before = now();
      const wall = wallMs();
      const after = now();
      if (after - before >= bestGapNs) continue;
      bestGapNs = after - before;
      best = wall * NS_PER_MS - (before + after) / 2;
    }
    return best;
  }
}
