// Which rows of a batch's columns are new, grouped by trace: what a block and a
// directory are made from.
//
//   columns   a1 b1 a2 a1 b2        order      0 2 │ 1 4
//             0  1  2  3  4         traceFrom  0     2     4
//                      ^ seen before: in no group

const NONE = 0xffffffff;

export interface CommitRows {
  /** New rows. */
  readonly count: number;
  /** Row numbers, trace by trace, each in order of arrival. */
  readonly order: Uint32Array;
  readonly traceCount: number;
  /** Where each trace begins in `order`; one more entry ends the last. */
  readonly traceFrom: Uint32Array;
  /** By row: the row ID of its session in the volume, 0 for none. */
  readonly sessionRow: Uint32Array;
}

/** Numbers the traces of a batch in order of appearance. */
export class TraceGroups {
  #slots = new Uint32Array(1 << 13);
  /** By trace: the first row that is of it. */
  #firstRow = new Uint32Array(1 << 10);
  #hashes = new Uint32Array(1 << 10);
  #traceOf = new Uint32Array(1 << 12);
  #counts = new Uint32Array(1 << 10);
  #order = new Uint32Array(1 << 12);
  #from = new Uint32Array((1 << 10) + 1);
  sessionRow: Uint32Array = new Uint32Array(1 << 12);
  traceCount = 0;

  begin(rowCount: number): void {
    this.traceCount = 0;
    if (this.#traceOf.length < rowCount) {
      this.#traceOf = new Uint32Array(rowCount * 2);
      this.#order = new Uint32Array(rowCount * 2);
      this.sessionRow = new Uint32Array(rowCount * 2);
    }
    if (this.#slots.length < rowCount * 2) {
      let size = this.#slots.length;
      while (size < rowCount * 2) size *= 2;
      this.#slots = new Uint32Array(size);
    } else this.#slots.fill(0);
    this.sessionRow.fill(0, 0, rowCount);
  }

  /** The trace of a row, a new one or one seen before in this batch. */
  traceOf(words: Uint32Array, row: number): number {
    const at = row * 8;
    // The row before is mostly of the same trace.
    if (row > 0 && this.traceCount > 0) {
      const before = this.#traceOf[row - 1]!;
      if (before !== NONE && isSameTrace(words, at, this.#firstRow[before]! * 8))
        return (this.#traceOf[row] = before);
    }
    const hash = traceHash(words, at);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const trace = this.#slots[slot]! - 1;
      if (trace < 0) break;
      if (this.#hashes[trace] === hash && isSameTrace(words, at, this.#firstRow[trace]! * 8))
        return (this.#traceOf[row] = trace);
      slot = (slot + 1) & mask;
    }
    return (this.#traceOf[row] = this.#addTrace(row, hash, slot));
  }

  #addTrace(row: number, hash: number, slot: number): number {
    const trace = this.traceCount++;
    this.#slots[slot] = trace + 1;
    if (trace === this.#firstRow.length) {
      const size = trace * 2;
      this.#firstRow = grown(this.#firstRow, size);
      this.#hashes = grown(this.#hashes, size);
      this.#counts = grown(this.#counts, size);
      this.#from = new Uint32Array(size + 1);
    }
    this.#firstRow[trace] = row;
    this.#hashes[trace] = hash;
    this.#counts[trace] = 0;
    return trace;
  }

  firstRow(trace: number): number {
    return this.#firstRow[trace]!;
  }

  hash(trace: number): number {
    return this.#hashes[trace]!;
  }

  /** The row is new: it is counted with its trace. */
  keep(trace: number): void {
    this.#counts[trace]!++;
  }

  /** The row is a repetition. */
  leaveOut(row: number): void {
    this.#traceOf[row] = NONE;
  }

  tracePlace(row: number): number {
    return this.#traceOf[row]!;
  }

  isLeftOut(row: number): boolean {
    return this.#traceOf[row] === NONE;
  }

  /** The rows that are left, trace by trace; traces that have none are closed up. */
  rows(rowCount: number): CommitRows {
    const from = this.#from;
    let place = 0;
    let kept = 0;
    /** Where the next row of each trace goes. */
    const next = this.#hashes;
    for (let trace = 0; trace < this.traceCount; trace++) {
      next[trace] = place;
      if (this.#counts[trace] === 0) continue;
      from[kept++] = place;
      place += this.#counts[trace]!;
    }
    from[kept] = place;
    for (let row = 0; row < rowCount; row++) {
      const trace = this.#traceOf[row]!;
      if (trace !== NONE) this.#order[next[trace]!++] = row;
    }
    return {
      count: place,
      order: this.#order,
      traceCount: kept,
      traceFrom: from,
      sessionRow: this.sessionRow,
    };
  }
}

function isSameTrace(words: Uint32Array, at: number, other: number): boolean {
  return (
    words[at] === words[other] &&
    words[at + 1] === words[other + 1] &&
    words[at + 2] === words[other + 2] &&
    words[at + 3] === words[other + 3]
  );
}

/** 32 bits of a trace ID, mixed: some programs count their traces up. */
export function traceHash(words: Uint32Array, at: number): number {
  let hash = Math.imul(words[at]! ^ (words[at + 1]! >>> 16), 0x9e3779b1);
  hash = Math.imul((hash ^ (hash >>> 15)) + words[at + 1]!, 0x85ebca6b);
  hash = Math.imul((hash ^ (hash >>> 13)) + words[at + 2]!, 0xc2b2ae35);
  hash = Math.imul((hash ^ (hash >>> 16)) + words[at + 3]!, 0x27d4eb2f);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2545f491);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export function traceHashOf(traceId: string): number {
  const bytes = Buffer.from(traceId, 'hex');
  const words = Uint32Array.from({ length: 4 }, (_, i) => bytes.readUInt32LE(4 * i));
  return traceHash(words, 0);
}

function grown(old: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(size);
  next.set(old);
  return next;
}
