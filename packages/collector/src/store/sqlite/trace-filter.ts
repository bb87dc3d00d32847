// May a volume hold a trace? A Bloom filter in blocks of 64 bytes: "no" is sure, a
// wrong "yes" comes once in some hundred. New traces are asked for in every volume
// of a day; without this each would cost a look into each.

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
    let bits = spread(hash);
    for (let i = 0; i < 3; i++) {
      segment[at + ((bits >>> 5) & 15)]! |= 1 << (bits & 31);
      bits >>>= 9;
    }
  }

  mayHave(hash: number): boolean {
    const at = blockOf(hash);
    const bits = spread(hash);
    for (const segment of this.#segments) {
      if (
        ((segment[at + ((bits >>> 5) & 15)]! >>> (bits & 31)) & 1) !== 0 &&
        ((segment[at + ((bits >>> 14) & 15)]! >>> ((bits >>> 9) & 31)) & 1) !== 0 &&
        ((segment[at + ((bits >>> 23) & 15)]! >>> ((bits >>> 18) & 31)) & 1) !== 0
      )
        return true;
    }
    return false;
  }
}

const blockOf = (hash: number): number => (hash & BLOCK_MASK) * BLOCK_WORDS;

/** 27 bits for three places in a block, independent of those that chose the block. */
const spread = (hash: number): number => {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 12)) >>> 0;
};
