// Round trips between two clocks: of each exchange, what it took less what it
// was held at the far end. No offset is in it, so no clock can spoil it.

import type { ClockSample } from '@framescope/protocol';

/** An exchange a second: the last minutes of a call. */
const KEPT_MAX = 256;

export class RoundTrips {
  readonly #byPair = new Map<string, number[]>();

  add(domain: string, { peer, t1, t2, t3, t4 }: ClockSample): void {
    const rttNs = t4 - t1 - (t3 - t2);
    if (peer === domain || !(rttNs >= 0)) return;
    const key = pairOf(domain, peer);
    const kept = this.#byPair.get(key) ?? [];
    if (kept.length === 0) this.#byPair.set(key, kept);
    kept.push(rttNs);
    if (kept.length > KEPT_MAX) kept.shift();
  }

  /** Null: none was made. */
  median(domain: string, other: string): number | null {
    const sorted = this.#byPair.get(pairOf(domain, other))?.toSorted((a, b) => a - b);
    return sorted?.[sorted.length >> 1] ?? null;
  }
}

const pairOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
