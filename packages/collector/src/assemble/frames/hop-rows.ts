// The marks of one hop: columns, a row a frame, ascending by tick, on the clock
// that read them. Corrected time is another column, made when asked for.
//
//   startTick   0    320   640
//   endTick   320    640   960
//   rawNs      …      …     …      DomainNs of clocks[clock]
//   clock      0      0     1      a jump of the clock, or another instance took over
//
// Rows that were counted for good may go: a few of them stay in front, for what
// comes behind them to be judged by.

/** Frames of one block, ascending; only the first `length` rows count. */
export interface RowBlock {
  readonly length: number;
  readonly startTick: ArrayLike<number>;
  readonly endTick: ArrayLike<number>;
  readonly atNs: ArrayLike<number>;
}

const FIRST_CAPACITY = 256;
/** A minute of frames. */
const KEPT_CAPACITY = 4_096;

export class HopRows {
  length = 0;
  /** Rows refused: a frame that was there before (the first passing counts). */
  repeatedCount = 0;
  /** Rows in front that were counted for good. */
  sealedLength = 0;
  startTick: Float64Array = new Float64Array(FIRST_CAPACITY);
  endTick: Float64Array = new Float64Array(FIRST_CAPACITY);
  rawNs: Float64Array = new Float64Array(FIRST_CAPACITY);
  clock: Uint8Array = new Uint8Array(FIRST_CAPACITY);

  /**
   * Adds a block read on one clock. In order it costs a copy; out of order, a merge of all rows.
   * Frames that end before `edgeTick` are left out: their part of the axis was counted for good.
   * Answers how many.
   */
  add(block: RowBlock, clock: number, edgeTick = 0): number {
    let from = 0;
    if (edgeTick > 0) {
      const sealedTick = this.sealedLength === 0 ? -1 : this.startTick[this.sealedLength - 1]!;
      while (from < block.length && isBefore(block, from, edgeTick, sealedTick)) from++;
    }
    if (from >= block.length) return from;
    const isAfter = this.length === 0 || block.startTick[from]! > this.startTick[this.length - 1]!;
    if (isAfter) this.#append(block, from, clock);
    else this.#merge(block, from, clock);
    return from;
  }

  /** Rows in front that end before `tick`. */
  countBefore(tick: number): number {
    return lastAtOrBelow(this.endTick, this.length, tick - 1) + 1;
  }

  /** The first `count` rows are counted for good; of them those that start at `contextTick` or later stay. */
  seal(count: number, contextTick: number): void {
    this.sealedLength = Math.max(this.sealedLength, count);
    const gone = Math.min(
      this.sealedLength,
      lastAtOrBelow(this.startTick, this.length, contextTick - 1) + 1,
    );
    // Moving the rest costs what it holds: worth it when half of it goes.
    if (gone * 2 < this.length) return;
    for (const column of [this.startTick, this.endTick, this.rawNs, this.clock])
      column.copyWithin(0, gone, this.length);
    this.length -= gone;
    this.sealedLength -= gone;
    // Room that the next minute needs again is not handed back.
    if (this.startTick.length > 8 * this.length && this.startTick.length > KEPT_CAPACITY)
      this.#resize(Math.max(FIRST_CAPACITY, 2 * this.length));
  }

  #append(block: RowBlock, from: number, clock: number): void {
    this.#reserve(this.length + block.length - from);
    // Every mark passes here: columns in locals, nothing looked up twice.
    const { startTick, endTick, rawNs, clock: clocks } = this;
    const { startTick: starts, endTick: ends, atNs } = block;
    let at = this.length;
    let before = -1;
    for (let row = from; row < block.length; row++) {
      const start = starts[row]!;
      if (start === before) {
        this.repeatedCount++;
        continue;
      }
      before = start;
      startTick[at] = start;
      endTick[at] = ends[row]!;
      rawNs[at] = atNs[row]!;
      clocks[at++] = clock;
    }
    this.length = at;
  }

  #push(from: RowBlock, row: number, clock: number): void {
    const at = this.length++;
    this.startTick[at] = from.startTick[row]!;
    this.endTick[at] = from.endTick[row]!;
    this.rawNs[at] = from.atNs[row]!;
    this.clock[at] = clock;
  }

  #merge(block: RowBlock, from: number, clock: number): void {
    const old = {
      length: this.length,
      startTick: this.startTick,
      endTick: this.endTick,
      atNs: this.rawNs,
      clock: this.clock,
    };
    this.length = 0;
    this.#resize(Math.max(FIRST_CAPACITY, (old.length + block.length) * 2));
    let row = from;
    for (let at = 0; at < old.length; at++) {
      for (; row < block.length && block.startTick[row]! < old.startTick[at]!; row++)
        this.#push(block, row, clock);
      this.#push(old, at, old.clock[at]!);
      for (; row < block.length && block.startTick[row] === old.startTick[at]; row++)
        this.repeatedCount++;
    }
    for (; row < block.length; row++) this.#push(block, row, clock);
  }

  #reserve(rows: number): void {
    if (rows > this.startTick.length) this.#resize(Math.max(rows, this.startTick.length * 2));
  }

  #resize(capacity: number): void {
    const keep = this.length;
    const grown = (from: Float64Array): Float64Array => {
      const to = new Float64Array(capacity);
      to.set(from.subarray(0, keep));
      return to;
    };
    this.startTick = grown(this.startTick);
    this.endTick = grown(this.endTick);
    this.rawNs = grown(this.rawNs);
    const clock = new Uint8Array(capacity);
    clock.set(this.clock.subarray(0, keep));
    this.clock = clock;
  }

  /** Row of the frame that holds `tick`, −1 if it did not pass. */
  rowOf(tick: number): number {
    const row = lastAtOrBelow(this.startTick, this.length, tick);
    return row >= 0 && tick < this.endTick[row]! ? row : -1;
  }
}

/** A frame of the part that was counted for good. */
const isBefore = (block: RowBlock, row: number, edgeTick: number, sealedTick: number): boolean =>
  block.endTick[row]! < edgeTick || block.startTick[row]! <= sealedTick;

/** Last index of the ascending first `length` values that is ≤ `value`; −1 if none. */
export function lastAtOrBelow(values: ArrayLike<number>, length: number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
