import type { DomainNs } from '@framescope/protocol';

/**
 * A column of moments, stamped by slot.
 *
 * The clock makes it (`Clock.makeColumn`), because the one reading that costs
 * no garbage differs by platform: `hrtime.bigint()` into a `BigUint64Array` on
 * Node, `performance.now()` in a browser, a double for an injected clock.
 */
export interface TimeColumn {
  /** Writes the current moment into `slot`. Hot: allocates nothing, never throws. */
  stamp(slot: number): void;
  /** Reads `slot` as domain time. Not for the hot path: it may allocate. */
  read(slot: number): DomainNs;
}
