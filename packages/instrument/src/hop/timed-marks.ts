// Marks whose time was read elsewhere: by a browser's network thread, by an
// audio worklet, by a device. They wait beside the ring, which stamps its own,
// until the flush takes both. Not the hot path: a few a second to a hundred.

import type { MarkRows } from '../hot/mark-rows.ts';

/** A second of one stream through three hops is 150; a burst after a blocked page some more. */
const TIMED_MAX = 2_048;

type TimedMark = readonly [hop: number, startTick: number, samples: number, atNs: number];

export class TimedMarks {
  /** Marks refused because nobody flushed, since construction. */
  refusedCount = 0;
  /** Marks refused because the session had ended, since construction. */
  closedCount = 0;
  /** As `MarkRing.onClosedMark`. */
  onClosedMark: (() => void) | undefined;
  #isClosed = false;
  readonly #marks: TimedMark[] = [];

  get length(): number {
    return this.#marks.length;
  }

  /** Counted when there is no room. */
  push(...mark: TimedMark): void {
    if (this.#isClosed) {
      this.closedCount += 1;
      const tell = this.onClosedMark;
      this.onClosedMark = undefined;
      tell?.();
    } else if (this.#marks.length >= TIMED_MAX) this.refusedCount += 1;
    else this.#marks.push(mark);
  }

  /** Refuses every later push; what waits can still be drained. */
  close(): void {
    this.#isClosed = true;
  }

  /** Appends to the first `count` rows as many as there is room for; returns the new count. */
  drainInto(rows: MarkRows, count: number): number {
    let row = count;
    for (const mark of this.#marks.splice(0, rows.capacity - count)) {
      [rows.hop[row], rows.startTick[row], rows.samples[row], rows.atNs[row]] = mark;
      row += 1;
    }
    return row;
  }
}
