// Columns that are read and copied at once come out of one piece of memory, used
// again for the next record: a typed array of its own costs more than its rows.

/** Rows of a few records; what is beyond gets arrays of its own. */
const ROWS = 32_768;

export class RowArena {
  readonly #rows = new Float64Array(ROWS);
  #next = 0;

  /** All that was taken is free again. */
  clear(): void {
    this.#next = 0;
  }

  /** Zeros, as many as asked for. */
  take(count: number): Float64Array {
    const from = this.#next;
    if (from + count > ROWS) return new Float64Array(count);
    this.#next = from + count;
    return this.#rows.subarray(from, from + count).fill(0);
  }
}
