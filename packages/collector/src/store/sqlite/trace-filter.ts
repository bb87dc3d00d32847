// May a volume hold a trace? A Bloom filter in blocks of 64 bytes: "no" is sure, a
// wrong "yes" comes about once in three hundred. New traces are asked for in every
// volume of a day; without this each would cost a look into each.

/** A segment: 2^18 traces at 16 bits each. */
const SEGMENT_BITS = 1 << 22;
const SEGMENT_TRACES: number = 1 << 18;
const BLOCK_WORDS = 16;
const BLOCK_MASK: number = SEGMENT_BITS / 512 - 1;

export class TraceFilter {
  readonly #segments: Uint32Array[] = [];
  #count = 0;

  add(hash: number): void {
    if (this.#count++ % SEGMENT_TRACES === 0)
      this.#segments.push(new Uint32Array(SEGMENT_BITS / 32));
    const segment = this.#segments[this.#segments.length - 1]!;
    const at = blockOf(hash);
    const first = spread(hash);
    const second = Math.imul(first, 0x297a2d39) >>> 0;
    segment[at + (first >>> 28)]! |= 1 << (first & 31);
    segment[at + ((first >>> 24) & 15)]! |= 1 << ((first >>> 5) & 31);
    segment[at + (second >>> 28)]! |= 1 << ((second >>> 20) & 31);
    segment[at + ((second >>> 24) & 15)]! |= 1 << ((second >>> 15) & 31);
  }

  mayHave(hash: number): boolean {
    const at = blockOf(hash);
    const first = spread(hash);
    const second = Math.imul(first, 0x297a2d39) >>> 0;
    for (const segment of this.#segments)
      if (
        ((segment[at + (first >>> 28)]! >>> (first & 31)) & 1) !== 0 &&
        ((segment[at + ((first >>> 24) & 15)]! >>> ((first >>> 5) & 31)) & 1) !== 0 &&
        ((segment[at + (second >>> 28)]! >>> ((second >>> 20) & 31)) & 1) !== 0 &&
        ((segment[at + ((second >>> 24) & 15)]! >>> ((second >>> 15) & 31)) & 1) !== 0
      )
        return true;
    return false;
  }
}

const blockOf = (hash: number): number => (hash & BLOCK_MASK) * BLOCK_WORDS;

/** Bits for the places in a block, independent of those that chose the block. */
const spread = (hash: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 12)) >>> 0;
};
