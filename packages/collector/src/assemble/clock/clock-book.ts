// Which zeros the collector's clock has had.
//
// Session times stand on the collector's wall clock, and that is known by one
// measurement: what it showed at the zero of the monotonic clock. Measured anew
// at each start it would move all stored sessions a little, and after a reboot
// their clocks would lead to a domain that nobody knows. So it is measured once
// a boot, kept in the store, and what a session began with stays its own.
//
//   commit   1 ───────── 40 ───────────── 90 ─────────▶
//            boot A      A, clock set      boot B
//   session from 12: A's first zero; from 55: A's second; from 95: B, and A's second
//   for whatever of it was measured against A

import type { CollectorClockRow } from '../../store/store.ts';
import { clockKey } from './clock-graph.ts';
import type { ClockName } from './session-clocks.ts';

export class ClockBook {
  /** Oldest first. */
  readonly #zeros: CollectorClockRow[];
  readonly #running: string;

  /** `zeros`: oldest first; those of `running`'s domain may be followed by others' (a moved folder). */
  constructor(zeros: readonly CollectorClockRow[], running: Pick<ClockName, 'domain' | 'epoch'>) {
    this.#zeros = [...zeros];
    this.#running = keyOf(running);
  }

  add(zero: CollectorClockRow): void {
    this.#zeros.push(zero);
  }

  /** The newest zero of the running clock; undefined before the first. */
  get current(): CollectorClockRow | undefined {
    return this.#zeros.findLast(zero => keyOf(zero) === this.#running);
  }

  /** Each clock's zero for a session whose first data came in `commit`: the running one first. */
  at(commit: number): ClockName[] {
    const chosen = new Map<string, CollectorClockRow>();
    for (const zero of this.#zeros) {
      const key = keyOf(zero);
      // A clock's first zero is all there is of it for what came before.
      if (!chosen.has(key) || zero.sinceCommit < commit) chosen.set(key, zero);
    }
    const isRunning = (zero: CollectorClockRow): number => (keyOf(zero) === this.#running ? 0 : 1);
    return [...chosen.values()].toReversed().toSorted((a, b) => isRunning(a) - isRunning(b));
  }
}

const keyOf = ({ domain, epoch }: Pick<ClockName, 'domain' | 'epoch'>): string =>
  clockKey(domain, epoch);
