// Whole numbers around a reference, each in about as many bits as it is
// surprising (Golomb-Rice, with an exponential tail for the rare far ones).
//
//   u8        bits 0–4: k (0 … 24) · bit 5: numbers lie on both sides of r · bits 6–7: 0
//   svarint   reference r
//   bits      lowest first, a number after the other, the last byte filled with zeros
//
//   z = n − r, or with both sides 2(n − r) where n ≥ r, 2(r − n) − 1 where it is less
//   q = floor(z / 2^k)
//     q < 4    q ones, a zero
//     else     four ones, m = floor(log2(q − 3)) ones, a zero, m bits of (q − 3) − 2^m
//   then the k low bits of z
//
// Against packing by fixed width it saves a bit a mark where a second of frames
// is all there is to learn a width from; docs/measurements.md has the figures.

import type { ByteReader, ByteWriter } from './bytes.ts';

/** Beyond this a number is packed by width instead: everything below stays within 32 bits. */
export const RICE_MAX: number = 2 ** 24 - 1;
const K_MAX = 24;
const ESCAPE = 4;
const BOTH_SIDES = 32;

const chosen = { k: 0, reference: 0, isTwoSided: false };
/** Numbers that the middle is sought among: of more, each second, third, … is looked at. */
const SAMPLE = 32;
const sample = new Int32Array(SAMPLE);
const classes = new Int32Array(32);

/**
 * Writes `count` numbers; false, and nothing written, when they span more than RICE_MAX.
 * At most 4,096 at a time.
 */
export function writeRice(out: ByteWriter, values: Int32Array, count: number): boolean {
  if (!chooseCode(values, count)) return false;
  const { k, reference, isTwoSided } = chosen;
  out.u8(k | (isTwoSided ? BOTH_SIDES : 0));
  out.svarint(reference);
  out.reserve(count * 8 + 8);
  const bytes = out.bytes;
  let at = out.length;
  let bits = 0;
  let bitCount = 0;
  for (let i = 0; i < count; i++) {
    const z = zOf(values[i]! - reference, isTwoSided);
    const q = z >>> k;
    let head: number;
    let headBits: number;
    if (q < ESCAPE) {
      head = (1 << q) - 1;
      headBits = q + 1;
    } else {
      const m = 31 - Math.clz32(q - 3);
      // Four ones and m ones; the zero and m more bits follow.
      bits |= ((1 << ESCAPE) - 1) << bitCount;
      bitCount += ESCAPE;
      while (bitCount >= 8) {
        bytes[at++] = bits;
        bits >>>= 8;
        bitCount -= 8;
      }
      bits |= ((1 << m) - 1) << bitCount;
      bitCount += m + 1;
      while (bitCount >= 8) {
        bytes[at++] = bits;
        bits >>>= 8;
        bitCount -= 8;
      }
      head = q - 3 - (1 << m);
      headBits = m;
    }
    bits |= head << bitCount;
    bitCount += headBits;
    while (bitCount >= 8) {
      bytes[at++] = bits;
      bits >>>= 8;
      bitCount -= 8;
    }
    bits |= (z & ((1 << k) - 1)) << bitCount;
    bitCount += k;
    while (bitCount >= 8) {
      bytes[at++] = bits;
      bits >>>= 8;
      bitCount -= 8;
    }
  }
  if (bitCount > 0) bytes[at++] = bits;
  out.length = at;
  return true;
}

const zOf = (distance: number, isTwoSided: boolean): number =>
  isTwoSided ? (distance << 1) ^ (distance >> 31) : distance;

/** The cheaper of: all above the least number; both sides of the middle one. False if too far apart. */
function chooseCode(values: Int32Array, count: number): boolean {
  let least = values[0]!;
  let greatest = least;
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    if (value < least) least = value;
    else if (value > greatest) greatest = value;
  }
  // Zigzag doubles: half the room on each side.
  if (greatest - least > RICE_MAX >> 1) return false;
  const middle = middleOf(values, count);
  const above = costOf(values, count, least, false);
  const aboveK = chosen.k;
  const around = costOf(values, count, middle, true);
  const isAbove = above <= around;
  chosen.isTwoSided = !isAbove;
  chosen.reference = isAbove ? least : middle;
  if (isAbove) chosen.k = aboveK;
  return true;
}

/**
 * Bits of all numbers by the best of four neighbouring k, which is left in `chosen`. Counted by the
 * widths of the numbers, not one by one: a tenth of the time, and right to a hundredth.
 */
function costOf(values: Int32Array, count: number, reference: number, isTwoSided: boolean): number {
  classes.fill(0);
  for (let i = 0; i < count; i++)
    classes[32 - Math.clz32(zOf(values[i]! - reference, isTwoSided))]!++;
  let widest = 31;
  while (widest > 0 && classes[widest] === 0) widest--;
  let middle = 0;
  for (let seen = classes[0]!; seen * 2 < count; seen += classes[middle]!) middle++;
  const first = Math.max(0, middle - 2);
  let best = Infinity;
  for (let k = first; k <= Math.min(K_MAX, first + 3); k++) {
    let bits = count * k;
    for (let width = 0; width <= widest; width++)
      bits += classes[width]! * (width <= k ? 1 : HEAD_BITS[width - k]!);
    if (bits >= best) continue;
    best = bits;
    chosen.k = k;
  }
  return best;
}

/** Mean bits before the k low ones, of numbers that are so many bits wider than k. */
const HEAD_BITS: Float64Array = Float64Array.from({ length: 32 }, (_, more) =>
  more < 2 ? more + 1 : more === 2 ? 3.5 : 2 * more + 1.75,
);

/** A number in the middle, by order, of all or of a sample. */
function middleOf(values: Int32Array, count: number): number {
  const stride = Math.ceil(count / SAMPLE);
  let size = 0;
  for (let from = 0; from < count; from += stride) {
    const value = values[from]!;
    let at = size;
    while (at > 0 && sample[at - 1]! > value) {
      sample[at] = sample[at - 1]!;
      at--;
    }
    sample[at] = value;
    size++;
  }
  return sample[size >> 1]!;
}

/** Reads `count` numbers into `out`; false, and `input.problem`, when they make no sense. */
export function readRice(input: ByteReader, out: Float64Array, count: number): boolean {
  const head = input.u8();
  const k = head & 31;
  if (k > K_MAX || (head & 192) !== 0) input.fail(`rice code ${head} is none`);
  const reference = input.svarint();
  const isTwoSided = (head & BOTH_SIDES) !== 0;
  const bits = new BitReader(input.bytes, input.at, input.end);
  for (let i = 0; i < count && input.problem === undefined; i++) {
    const ones = bits.ones();
    const q = ones < ESCAPE ? ones : 3 + 2 ** (ones - ESCAPE) + bits.take(ones - ESCAPE);
    const z = q * 2 ** k + bits.take(k);
    if (z > RICE_MAX || bits.isOver) {
      input.at = Math.min(bits.at, input.end);
      input.fail(bits.isOver ? 'input ends early' : `number ${z} is too far from its reference`);
    }
    out[i] = reference + (isTwoSided ? (z >>> 1) ^ -(z & 1) : z);
  }
  if (input.problem === undefined) input.at = bits.at;
  return input.problem === undefined;
}

/** Bits of a range of bytes, lowest first; past its end they are zeros, and `isOver`. */
class BitReader {
  /** True once bits beyond the end were taken. */
  isOver = false;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #next: number;
  #bits = 0;
  #count = 0;

  constructor(bytes: Uint8Array, from: number, end: number) {
    this.#bytes = bytes;
    this.#next = from;
    this.#end = end;
  }

  /** The first byte of which no bit was taken. */
  get at(): number {
    return this.#next - (this.#count >> 3);
  }

  /** Ones up to the first zero, which is taken too; at most 28, beyond which nothing makes sense. */
  ones(): number {
    this.#fill();
    // The lowest zero bit; bits beyond `#count` are zeros, and there are at least 24 of them in hand.
    const inverted = ~this.#bits;
    const ones = 31 - Math.clz32(inverted & -inverted);
    this.#drop(Math.min(24, ones + 1));
    if (ones < 24) return ones;
    let more = 24;
    while (more < ESCAPE + K_MAX && this.take(1) === 1) more++;
    return more;
  }

  /** `width` bits, at most 24. */
  take(width: number): number {
    this.#fill();
    const value = this.#bits & ((1 << width) - 1);
    this.#drop(width);
    return value;
  }

  #drop(width: number): void {
    this.#bits >>>= width;
    this.#count -= width;
    if (this.#count < 0) this.isOver = true;
  }

  /** At least 24 bits in hand, zeros behind the end. */
  #fill(): void {
    while (this.#count < 24 && this.#next < this.#end) {
      this.#bits |= this.#bytes[this.#next++]! << this.#count;
      this.#count += 8;
    }
  }
}
