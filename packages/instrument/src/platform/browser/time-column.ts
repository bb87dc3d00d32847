import { domainNs, NS_PER_MS, type DomainNs } from '@framescope/protocol';
import type { TimeColumn } from '../../hot/time-column.ts';

/** `performance.now()`: a double of milliseconds since the page began, as the browser gives it. */
export class BrowserTimeColumn implements TimeColumn {
  readonly #ms: Float64Array;

  constructor(capacity: number) {
    this.#ms = new Float64Array(capacity);
  }

  stamp(slot: number): void {
    this.#ms[slot] = performance.now();
  }

  read(slot: number): DomainNs {
    return domainNs(Math.round(this.#ms[slot]! * NS_PER_MS));
  }
}
