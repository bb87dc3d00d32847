// Marks whose time was read elsewhere: by a browser's network thread, by an
// audio worklet, by a device. They wait beside the ring, which stamps its own,
// until the flush takes both. Not the hot path: a few a second to a hundred.

import type { MarkRows } from '../hot/mark-ring.ts';

/** A second of one stream through three hops is 150; a burst after a blocked page some more. */
const TIMED_MAX = 2_048;

export class TimedMarks {
  /** Marks refused because nobody flushed, or because the session had ended, since construction. */
  refusedCount = 0;
  #isClosed = false;
  #hop: number[] = [];
  #startTick: number[] = [];
  #samples: number[] = [];
  #atNs: number[] = [];

  get length(): number {
    return this.#hop.length;
  }

  /** False, and counted, when there is no room. */
  push(hop: number, startTick: number, samples: number, atNs: number): boolean {
    if (this.#isClosed || this.#hop.length >= TIMED_MAX) {
      this.refusedCount += 1;
      return false;
    }
    this.#hop.push(hop);
    this.#startTick.push(startTick);
    this.#samples.push(samples);
    this.#atNs.push(atNs);
    return true;
  }

  /** Refuses every later push; what waits can still be drained. */
  close(): void {
    this.#isClosed = true;
  }

  /** Appends to the first `count` rows as many as there is room for; returns the new count. */
  drainInto(rows: MarkRows, count: number): number {
    const taken = Math.min(this.#hop.length, rows.capacity - count);
    for (let i = 0; i < taken; i++) {
      rows.hop[count + i] = this.#hop[i]!;
      rows.startTick[count + i] = this.#startTick[i]!;
      rows.samples[count + i] = this.#samples[i]!;
      rows.atNs[count + i] = this.#atNs[i]!;
    }
    for (const column of [this.#hop, this.#startTick, this.#samples, this.#atNs])
      column.splice(0, taken);
    return count + taken;
  }
}
