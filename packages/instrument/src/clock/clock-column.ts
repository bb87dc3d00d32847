import { domainNs, type DomainNs } from '@framescope/protocol';
import type { TimeColumn } from '../hot/time-column.ts';

/**
 * The time column of an injected clock: whatever `now` answers, as a double. Costs what `now`
 * costs, and the garbage that it makes.
 */
export class ClockColumn implements TimeColumn {
  readonly #atNs: Float64Array;
  readonly #now: () => DomainNs;

  constructor(capacity: number, now: () => DomainNs) {
    this.#atNs = new Float64Array(capacity);
    this.#now = now;
  }

  /** As `TimeColumn.stamp`. */
  stamp(slot: number): void {
    this.#atNs[slot] = this.#now();
  }

  /** As `TimeColumn.read`. */
  read(slot: number): DomainNs {
    return domainNs(this.#atNs[slot]!);
  }
}
