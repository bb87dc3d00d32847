// A fixed ring of marks, one column per field: the only thing that a frame
// touches on its way through a hop.
//
// The audio path writes (`push`) and the flush reads (`drain`), on one event
// loop, so there are no locks. Nothing allocates after construction; the gate
// gates/bytes-per-mark.mjs fails the build if a mark costs a byte.
//
// A full ring refuses the new mark and counts it. Overwriting the oldest would
// instead cut the head off a record that is about to leave.
//
//   slot       0     1     2     3
//   at         120   145   .     .     stamped by the clock's own column
//   startTick  0     0     .     .     Float64Array
//   samples    320   320   .     .     Int32Array
//   hop        0     1     .     .     Uint16Array, index into the session's hops
//              ^ tail      ^ head

import type { MarkRows } from './mark-rows.ts';
import type { TimeColumn } from './time-column.ts';

export class MarkRing {
  /** Marks refused because the ring was full, since construction. */
  refusedCount = 0;
  /** Marks refused because the session had ended, since construction. */
  closedCount = 0;
  /** Marks refused for their arguments, since construction. */
  badCount = 0;
  /** Called at the next mark that is refused because the session had ended, once. Must not throw. */
  onClosedMark: (() => void) | undefined = undefined;

  readonly #capacity: number;
  readonly #mask: number;
  readonly #at: TimeColumn;
  readonly #startTick: Float64Array;
  readonly #samples: Int32Array;
  readonly #hop: Uint16Array;
  #head = 0;
  #tail = 0;
  #isClosed = false;

  /**
   * @param capacity Marks held; a power of two, so that wrapping is a mask.
   * @param at A time column of at least `capacity` slots.
   */
  constructor(capacity: number, at: TimeColumn) {
    this.#capacity = capacity;
    this.#mask = capacity - 1;
    this.#at = at;
    this.#startTick = new Float64Array(capacity);
    this.#samples = new Int32Array(capacity);
    this.#hop = new Uint16Array(capacity);
  }

  /** Marks waiting to be drained. */
  get length(): number {
    return (this.#head - this.#tail) | 0;
  }

  /** Stamps one frame with the current time. False, and counted, if full or closed. */
  push(hop: number, startTick: number, samples: number): boolean {
    if (this.#isClosed) {
      this.closedCount = (this.closedCount + 1) | 0;
      const tell = this.onClosedMark;
      this.onClosedMark = undefined;
      if (tell !== undefined) tell();
      return false;
    }
    if (((this.#head - this.#tail) | 0) === this.#capacity) {
      this.refusedCount = (this.refusedCount + 1) | 0;
      return false;
    }
    const slot = this.#head & this.#mask;
    this.#at.stamp(slot);
    this.#startTick[slot] = startTick;
    this.#samples[slot] = samples;
    this.#hop[slot] = hop;
    this.#head = (this.#head + 1) | 0;
    return true;
  }

  /** Counts a mark that makes no sense. */
  refuseBad(): void {
    this.badCount = (this.badCount + 1) | 0;
  }

  /** Moves out up to `into.capacity` marks, oldest first; returns how many. */
  drain(into: MarkRows): number {
    const waiting = (this.#head - this.#tail) | 0;
    const count = waiting < into.capacity ? waiting : into.capacity;
    for (let row = 0; row < count; row++) {
      const slot = (this.#tail + row) & this.#mask;
      into.atNs[row] = this.#at.read(slot);
      into.startTick[row] = this.#startTick[slot]!;
      into.samples[row] = this.#samples[slot]!;
      into.hop[row] = this.#hop[slot]!;
    }
    this.#tail = (this.#tail + count) | 0;
    return count;
  }

  /** Refuses every later push; what waits can still be drained. */
  close(): void {
    this.#isClosed = true;
  }
}
