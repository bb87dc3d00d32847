// Keeps what the wall clock shows at the zero of the collector's clock: from the
// store when it is known, measured where it is not, and again when somebody set
// the wall clock.

import { ClockBook } from '../assemble/clock/clock-book.ts';
import type { ClockName } from '../assemble/clock/session-clocks.ts';
import { StoreError } from '../store/errors.ts';
import type { AssemblyStore } from '../store/store.ts';

/** Measured to less than a microsecond; what moved farther was set, not slewed. */
const SET_NS = 1_000_000n;
/** A look costs two readings. */
const LOOK_EVERY_NS = 10_000_000_000;

export interface KeeperPorts {
  readonly store: Pick<AssemblyStore, 'collectorClocks' | 'noteCollectorClock'>;
  /** The running clock. */
  readonly measured: ClockName;
  /** Measures its zero again: about a millisecond. */
  readonly measureZero: () => bigint;
  readonly nowUnixNs: () => bigint;
  readonly nowNs: () => number;
}

export class ClockKeeper {
  readonly book: ClockBook;
  readonly #ports: KeeperPorts;
  #lookedNs: number;

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
    this.book = new ClockBook(ports.store.collectorClocks(), ports.measured);
    this.#note(ports.measured.zeroUnixNs);
    this.#lookedNs = ports.nowNs();
  }

  /** Call now and then. Does nothing most of the time. */
  look(): void {
    const { nowNs, nowUnixNs, measureZero } = this.#ports;
    const atNs = nowNs();
    if (atNs - this.#lookedNs < LOOK_EVERY_NS) return;
    this.#lookedNs = atNs;
    // The wall clock tells whole milliseconds, rounded down, and a pause may fall in between.
    if (isSet(nowUnixNs() - BigInt(atNs), this.book.current?.zeroUnixNs)) this.#note(measureZero());
  }

  #note(zeroUnixNs: bigint): void {
    const { store, measured } = this.#ports;
    if (!isSet(zeroUnixNs, this.book.current?.zeroUnixNs)) return;
    const zero = { ...measured, zeroUnixNs };
    try {
      this.book.add(store.noteCollectorClock(zero));
    } catch (problem) {
      // A full disk takes no sessions either: until it does, knowing it in memory is enough.
      if (!(problem instanceof StoreError && problem.isRetryable)) throw problem;
      this.book.add({ ...zero, sinceCommit: Number.MAX_SAFE_INTEGER });
    }
  }
}

function isSet(zeroUnixNs: bigint, knownUnixNs: bigint | undefined): boolean {
  if (knownUnixNs === undefined) return true;
  const movedNs = zeroUnixNs - knownUnixNs;
  return movedNs > SET_NS || movedNs < -SET_NS;
}
