// Whole numbers around a reference, each in about as many bits as it is
// surprising (Golomb-Rice, with an exponential tail for the rare far ones).
//
//   bits      lowest first, a number after the other, the last byte filled with zeros
//
//   z = n − r, or with both sides 2(n − r) where n ≥ r, 2(r − n) − 1 where it is less
//   q = floor(z / 2^k)
//     q < 4    q ones, a zero
//     else     four ones, m = floor(log2(q − 3)) ones, a zero, m bits of (q − 3) − 2^m
//   then the k low bits of z
//
// Against packing by fixed width it saves a bit a mark where a second of frames
// is all there is to learn a width from. A k that adapts from number to number
// costs half a bit more than one k for the second, and so does the mean of what
// came before instead of a reference: a column is too short to learn in.

import type { ByteReader, ByteWriter } from './bytes.ts';

/** Beyond this a number is packed by width instead: everything below stays within 32 bits. */
export const RICE_MAX: number = 2 ** 24 - 1;
export const RICE_K_MAX = 24;
/** How far apart numbers may lie: zigzag doubles, and the reference is rounded. */
export const RICE_SPAN_MAX: number = RICE_MAX >> 2;
const ESCAPE = 4;

/** How the numbers of one column are told. */
export interface RiceCode {
  /** Low bits that are told plainly; 0 to RICE_K_MAX. */
  readonly k: number;
  /** A multiple of 2^`referenceShift(k)`. */
  readonly reference: number;
  /** Numbers lie on both sides of the reference, not only above. */
  readonly isTwoSided: boolean;
}

/** References are multiples of 2^this: finer ones would cost more than they save. */
export const referenceShift = (k: number): number => (k > 3 ? k - 3 : 0);

const chosen = { k: 0, reference: 0, isTwoSided: false };
/** Numbers that the middle is sought among at most: of more, each second, third, … is looked at. */
const SAMPLE = 32;
const sample = new Int32Array(SAMPLE);
/** How many numbers are so many bits wide, told above the least one; told around the middle. */
const widthsAbove = new Int32Array(33);
const widthsAround = new Int32Array(33);

/**
 * The cheaper of: all above the least number; both sides of the middle one. Undefined when numbers
 * are more than RICE_SPAN_MAX apart. Good until the next call.
 */
export function chooseRice(values: Int32Array, count: number): RiceCode | undefined {
  let least = values[0]!;
  let greatest = least;
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    if (value < least) least = value;
    else if (value > greatest) greatest = value;
  }
  if (greatest - least > RICE_SPAN_MAX) return undefined;
  const middle = middleOf(values, count);
  const widest =
    32 - Math.clz32(Math.max(greatest - least, (greatest - middle) * 2, (middle - least) * 2));
  for (let width = 0; width <= widest; width++) widthsAbove[width] = widthsAround[width] = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    widthsAbove[32 - Math.clz32(value - least)]!++;
    const around = value - middle;
    widthsAround[32 - Math.clz32((around << 1) ^ (around >> 31))]!++;
  }
  const above = costOf(widthsAbove, widest, count);
  const aboveK = chosen.k;
  const around = costOf(widthsAround, widest, count);
  const isAbove = above <= around;
  chosen.isTwoSided = !isAbove;
  if (isAbove) chosen.k = aboveK;
  const step = 2 ** referenceShift(chosen.k);
  chosen.reference = isAbove ? Math.floor(least / step) * step : Math.round(middle / step) * step;
  return chosen;
}

/** Writes `count` numbers, at most 4,096, by a code that was chosen for them. */
export function writeRice(
  out: ByteWriter,
  values: Int32Array,
  count: number,
  code: RiceCode,
): void {
  const { k, reference, isTwoSided } = code;
  out.reserve(count * 8 + 8);
  const bytes = out.bytes;
  const mask = (1 << k) - 1;
  let at = out.length;
  let bits = 0;
  let bitCount = 0;
  for (let i = 0; i < count; i++) {
    const z = zOf(values[i]! - reference, isTwoSided);
    const q = z >>> k;
    if (q < ESCAPE && k <= 18) {
      // At most 7 bits wait, 4 tell q, 18 follow: within 32.
      bits |= (((1 << q) - 1) | ((z & mask) << (q + 1))) << bitCount;
      bitCount += q + 1 + k;
    } else {
      if (q < ESCAPE) {
        bits |= ((1 << q) - 1) << bitCount;
        bitCount += q + 1;
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
        bits |= (q - 3 - (1 << m)) << bitCount;
        bitCount += m;
      }
      while (bitCount >= 8) {
        bytes[at++] = bits;
        bits >>>= 8;
        bitCount -= 8;
      }
      bits |= (z & mask) << bitCount;
      bitCount += k;
    }
    while (bitCount >= 8) {
      bytes[at++] = bits;
      bits >>>= 8;
      bitCount -= 8;
    }
  }
  if (bitCount > 0) bytes[at++] = bits;
  out.length = at;
}

const zOf = (distance: number, isTwoSided: boolean): number =>
  isTwoSided ? (distance << 1) ^ (distance >> 31) : distance;

/**
 * Bits of all numbers by the best of four neighbouring k, which is left in `chosen`. Counted by the
 * widths of the numbers, not one by one: a tenth of the time, and right to a hundredth.
 */
function costOf(widths: Int32Array, widest: number, count: number): number {
  let middle = 0;
  for (let seen = widths[0]!; seen * 2 < count; seen += widths[middle]!) middle++;
  const first = Math.max(0, middle - 2);
  let best = Infinity;
  for (let k = first; k <= Math.min(RICE_K_MAX, first + 3); k++) {
    // All have the k low bits and one more; only what is wider has a longer head.
    let bits = count * (k + 1);
    for (let width = k + 1; width <= widest; width++)
      bits += widths[width]! * (HEAD_BITS[width - k]! - 1);
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

/** A number in the middle, by order, of all or of `among` of them, which are 32 at most. */
export function middleOf(
  values: Int32Array | Float64Array,
  count: number,
  among: number = SAMPLE,
): number {
  const stride = Math.ceil(count / among);
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

/**
 * Reads `count` numbers into `out`; false, and `input.problem`, when they make no sense. What the
 * code says is checked by whoever read it: k up to RICE_K_MAX.
 */
export function readRice(
  input: ByteReader,
  out: Float64Array,
  count: number,
  { k, reference, isTwoSided }: RiceCode,
): boolean {
  const bytes = input.bytes;
  const end = input.end;
  const mask = (1 << k) - 1;
  let next = input.at;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < count; i++) {
    // At least 25 bits in hand, zeros behind the end.
    while (held < 25 && next < end) {
      bits |= bytes[next++]! << held;
      held += 8;
    }
    const inverted = ~bits;
    const ones = 31 - Math.clz32(inverted & -inverted);
    let z: number;
    // 32 ones in hand have no zero: −1.
    if (ones >= 0 && ones < ESCAPE && k <= 20) {
      z = (ones << k) | ((bits >>> (ones + 1)) & mask);
      bits >>>= ones + 1 + k;
      held -= ones + 1 + k;
    } else {
      slow.bits = bits;
      slow.held = held;
      slow.next = next;
      z = readFar(slow, bytes, end, k);
      ({ bits, held, next } = slow);
    }
    if (held < 0 || z > RICE_MAX) {
      input.at = end;
      input.fail(held < 0 ? 'input ends early' : `number ${z} is too far from its reference`);
      return false;
    }
    out[i] = reference + (isTwoSided ? (z >>> 1) ^ -(z & 1) : z);
  }
  input.at = next - (held >> 3);
  return true;
}

interface BitState {
  bits: number;
  /** Bits in hand; negative once bits beyond the end were taken. */
  held: number;
  next: number;
}

const slow: BitState = { bits: 0, held: 0, next: 0 };

/** A number far from the reference, or one with many low bits. */
function readFar(state: BitState, bytes: Uint8Array, end: number, k: number): number {
  let ones = 0;
  // More than 28 ones make no sense.
  while (ones < ESCAPE + RICE_K_MAX && take(state, bytes, end, 1) === 1) ones++;
  const m = ones - ESCAPE;
  const q = m < 0 ? ones : 3 + 2 ** m + take(state, bytes, end, m);
  return q * 2 ** k + take(state, bytes, end, k);
}

/** `width` bits, at most 24. */
function take(state: BitState, bytes: Uint8Array, end: number, width: number): number {
  while (state.held < 25 && state.held >= 0 && state.next < end) {
    state.bits |= bytes[state.next++]! << state.held;
    state.held += 8;
  }
  const value = state.bits & ((1 << width) - 1);
  state.bits >>>= width;
  state.held -= width;
  return value;
}
