// Span IDs to numbers: open addressing over two words of 32 bits. 100,000 strings in a
// Map take ten times as long to make and as long again to collect.
//
//   slots  [ . 3 . . 1 2 . ]  ──▶  lo, hi, number of each entry

const GOLDEN = 0x9e3779b1;

export class IdTable {
  readonly #lo: Uint32Array;
  readonly #hi: Uint32Array;
  readonly #number: Int32Array;
  /** Entry + 1; 0 is free. */
  readonly #slots: Uint32Array;
  #count = 0;

  constructor(capacity: number) {
    this.#lo = new Uint32Array(capacity);
    this.#hi = new Uint32Array(capacity);
    this.#number = new Int32Array(capacity);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, capacity * 2))));
  }

  /** Keeps `number` for an ID that is new; answers the number that is kept for it. */
  add(lo: number, hi: number, number: number): number {
    const slot = this.#slotOf(lo, hi);
    const known = this.#slots[slot]!;
    if (known > 0) return this.#number[known - 1]!;
    const entry = this.#count++;
    this.#lo[entry] = lo;
    this.#hi[entry] = hi;
    this.#number[entry] = number;
    this.#slots[slot] = entry + 1;
    return number;
  }

  /** The number of an ID; −1: not here. */
  find(lo: number, hi: number): number {
    const known = this.#slots[this.#slotOf(lo, hi)]!;
    return known === 0 ? -1 : this.#number[known - 1]!;
  }

  /** Where an ID is, or would be. */
  #slotOf(lo: number, hi: number): number {
    const mask = this.#slots.length - 1;
    let hash = Math.imul(lo ^ Math.imul(hi, GOLDEN), GOLDEN);
    hash ^= hash >>> 15;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0 || (this.#lo[entry] === lo && this.#hi[entry] === hi)) return slot;
    }
  }
}

/** 16 hex digits as two words, as they stand in memory: little-endian. */
export function wordsOfId(id: string): [lo: number, hi: number] {
  const bytes = Buffer.from(id, 'hex');
  return bytes.length === 8 ? [bytes.readUInt32LE(0), bytes.readUInt32LE(4)] : [0, 0];
}
