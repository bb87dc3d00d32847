// What the wall clock shows at the zero of a monotonic one, better than the wall
// clock's own step.
//
// JavaScript reads the wall clock in whole milliseconds, rounded down. Each
// reading between two of the monotonic clock proves an interval:
//
//   monotonic   before ──▶ wall = w ──▶ after     w ≤ true wall < w + 1 ms
//
//   zero ≥ w − after          zero < w + 1 ms − before
//
// Read again and again across the moment at which the wall clock steps, the
// intervals intersect to the time between two readings: some 100 ns instead of
// a millisecond. A pause of the thread makes an interval wide, never wrong.

import { NS_PER_MS, unixNs, type UnixNs } from './units.ts';

/** Good at once: a mark costs about as much. */
const BEST_NS = 400;
/** After two steps of the wall clock this is good enough… */
const USUAL_NS = 2_300_000;
const ENOUGH_NS = 20_000;
/** …and on a machine whose scheduler takes the thread away again and again, this is the end. */
const LONGEST_NS = 10_000_000;
/** Readings that a clock may stand still; then it is no clock that waiting helps (virtual time). */
const STILL_MAX = 2_000;

export interface WallClocks {
  /** Nanoseconds; any zero. */
  readonly monotonicNs: () => number;
  /** Milliseconds since 1970, rounded down to a whole one. */
  readonly wallMs: () => number;
}

export interface WallZero {
  readonly zeroUnixNs: UnixNs;
  /** How wrong that can be. */
  readonly errorNs: number;
}

/** Reads both clocks in one go for about a millisecond, at most 10: at start, and after a jump. */
export function measureWallZero({ monotonicNs, wallMs }: WallClocks): WallZero {
  const startNs = monotonicNs();
  const startMs = wallMs();
  let low = -Infinity;
  let high = Infinity;
  let before = monotonicNs() - startNs;
  const firstNs = before;
  for (let still = 0; still < STILL_MAX && before - firstNs < LONGEST_NS;) {
    const wallNs = (wallMs() - startMs) * NS_PER_MS;
    const after = monotonicNs() - startNs;
    low = Math.max(low, wallNs - after);
    high = Math.min(high, wallNs + NS_PER_MS - before);
    if (high < low) {
      // The wall clock was set meanwhile: what it showed before counts no more.
      low = wallNs - after;
      high = wallNs + NS_PER_MS - before;
    }
    const isLate = after - firstNs > USUAL_NS;
    if (high - low <= (isLate ? ENOUGH_NS : BEST_NS)) break;
    still = after === before ? still + 1 : 0;
    before = after;
  }
  const middle = BigInt(Math.round((low + high) / 2));
  return {
    zeroUnixNs: unixNs(BigInt(startMs) * BigInt(NS_PER_MS) - BigInt(Math.round(startNs)) + middle),
    errorNs: Math.ceil((high - low) / 2) + 1,
  };
}
