// Whole numbers packed into as few bits as most of them need (frame of
// reference with patched exceptions). A group holds up to 256 numbers:
//
//   u8        width w in bits 0–4 (0…30); bit 7: exceptions follow
//   svarint   reference r
//   varint    number of exceptions, if bit 7 is set
//   lanes     w bits a number, lowest bit first, filled up to a whole byte
//   exception varint positions skipped since the one before, svarint high (not 0)
//
//   number = r + high · 2^w + lane        high = 0 where there is no exception
//
// A late frame in a column of punctual ones costs two or three bytes instead
// of widening every lane; `high` is signed, so an early one costs no more.

import type { ByteReader, ByteWriter } from './bytes.ts';

export const GROUP_SIZE = 256;
export const WIDTH_MAX = 30;
/** Largest magnitude that packs; keeps every difference of two of them exact in a double. */
export const PACKED_MAX: number = 2 ** 51 - 1;

const EXCEPTIONS_FOLLOW = 128;

const sorted = new Float64Array(GROUP_SIZE);
const highs = new Float64Array(GROUP_SIZE);
/** Result of `chooseLane`: a module-level pair, because packing runs once per column and flush. */
const lane = { width: 0, reference: 0 };

/** Writes numbers `[from, to)`, each a whole number of magnitude <= PACKED_MAX. */
export function pack(out: ByteWriter, values: Float64Array, from: number, to: number): void {
  for (let at = from; at < to; at += GROUP_SIZE)
    packGroup(out, values, at, Math.min(to, at + GROUP_SIZE));
}

/**
 * Roughly how many bits `pack` will take, to choose among ways to tell one column: the widths of
 * the steps between neighbours. Tells packings apart at a tenth of the cost of making them.
 */
export function roughBits(values: Float64Array, count: number): number {
  let bits = 0;
  for (let i = 1; i < count; i++) {
    const step = Math.abs(values[i]! - values[i - 1]!);
    bits += step < 0x80000000 ? 32 - Math.clz32(step) : 52;
  }
  return bits;
}

/** Reads `count` numbers into `out` from `at`; false, and `input.problem`, when they do not fit. */
export function unpack(input: ByteReader, out: Float64Array, at: number, count: number): boolean {
  const end = at + count;
  for (let from = at; from < end; from += GROUP_SIZE)
    if (!unpackGroup(input, out, from, Math.min(end, from + GROUP_SIZE))) return false;
  return true;
}

function packGroup(out: ByteWriter, values: Float64Array, from: number, to: number): void {
  if (areEqual(values, from, to)) {
    out.u8(0);
    return out.svarint(values[from]!);
  }
  const { width, reference } = chooseLane(values, from, to);
  const size = 2 ** width;
  let exceptionCount = 0;
  for (let i = from; i < to; i++) {
    const high = Math.floor((values[i]! - reference) / size);
    highs[i - from] = high;
    if (high !== 0) exceptionCount++;
  }
  out.u8(exceptionCount > 0 ? width | EXCEPTIONS_FOLLOW : width);
  out.svarint(reference);
  if (exceptionCount > 0) out.varint(exceptionCount);
  if (width > 0) packLanes(out, values, { from, to, width, reference });
  if (exceptionCount > 0) packExceptions(out, to - from);
}

interface Lanes {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly reference: number;
}

function packLanes(out: ByteWriter, values: Float64Array, lanes: Lanes): void {
  const { from, to, width, reference } = lanes;
  const size = 2 ** width;
  out.reserve(Math.ceil(((to - from) * width) / 8));
  const bytes = out.bytes;
  let at = out.length;
  let bits = 0;
  let bitCount = 0;
  for (let i = from; i < to; i++) {
    let rest = values[i]! - reference - highs[i - from]! * size;
    let left = width;
    while (left > 0) {
      bits |= (rest & 255) << bitCount;
      const taken = left < 8 ? left : 8;
      bitCount += taken;
      left -= taken;
      rest >>>= 8;
      if (bitCount >= 8) {
        bytes[at++] = bits;
        bits >>>= 8;
        bitCount -= 8;
      }
    }
  }
  if (bitCount > 0) bytes[at++] = bits;
  out.length = at;
}

function areEqual(values: Float64Array, from: number, to: number): boolean {
  const first = values[from]!;
  for (let i = from + 1; i < to; i++) if (values[i] !== first) return false;
  return true;
}

function packExceptions(out: ByteWriter, count: number): void {
  let next = 0;
  for (let i = 0; i < count; i++) {
    if (highs[i] === 0) continue;
    out.varint(i - next);
    out.svarint(highs[i]!);
    next = i + 1;
  }
}

/**
 * The cheapest width and reference. Over sorted numbers the best reference of a width is the start
 * of the window [r, r + 2^w) that holds most of them: one sliding pass a width. A width that leaves
 * out more than every fifth number has never paid, so the passes begin where four fifths fit.
 */
function chooseLane(values: Float64Array, from: number, to: number): typeof lane {
  const count = to - from;
  const view = sorted.subarray(0, count);
  view.set(values.subarray(from, to));
  view.sort();
  const low = view[0]!;
  const high = view[count - 1]!;
  const margin = Math.floor(count / 10);
  const core = view[count - 1 - margin]! - view[margin]!;
  let leastBytes = Infinity;
  const firstWidth = core < 1 ? 0 : Math.min(WIDTH_MAX, Math.floor(Math.log2(core)));
  for (let width = firstWidth; width <= WIDTH_MAX; width++) {
    const laneBytes = Math.ceil((count * width) / 8);
    if (laneBytes >= leastBytes) break;
    const size = 2 ** width;
    densestWindow(view, size);
    const reference = view[dense.start]!;
    const worst = (Math.max(high - reference, reference - low) / size) * 2;
    const bytes = laneBytes + (count - dense.count) * (1 + varintBytes(worst));
    if (bytes < leastBytes) {
      leastBytes = bytes;
      lane.width = width;
      lane.reference = reference;
    }
    if (dense.count === count) break;
  }
  return lane;
}

/** Result of `densestWindow`. */
const dense = { start: 0, count: 0 };

function densestWindow(view: Float64Array, size: number): void {
  dense.count = 0;
  let end = 0;
  for (let start = 0; view.length - start > dense.count; start++) {
    const limit = view[start]! + size;
    while (end < view.length && view[end]! < limit) end++;
    if (end - start > dense.count) {
      dense.count = end - start;
      dense.start = start;
    }
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest /= 128) bytes++;
  return bytes;
}

function unpackGroup(input: ByteReader, out: Float64Array, from: number, to: number): boolean {
  const head = input.u8();
  const width = head & 31;
  if (width > WIDTH_MAX || (head & 96) !== 0) input.fail(`packing ${head} is none`);
  const reference = input.svarint();
  const exceptionCount = head & EXCEPTIONS_FOLLOW ? input.varint() : 0;
  if (exceptionCount > to - from)
    input.fail(`${exceptionCount} exceptions in ${to - from} numbers`);
  const lanes = input.raw(Math.ceil(((to - from) * width) / 8));
  if (input.problem !== undefined) return false;
  unpackLanes(lanes, out, { from, to, width, reference });
  let next = from;
  for (let i = 0; i < exceptionCount; i++) {
    const at = next + input.varint();
    const value = at < to ? out[at]! + input.svarint() * 2 ** width : NaN;
    if (!Number.isSafeInteger(value)) input.fail('exception out of range');
    if (input.problem !== undefined) return false;
    out[at] = value;
    next = at + 1;
  }
  return true;
}

function unpackLanes(bytes: Uint8Array, out: Float64Array, lanes: Lanes): void {
  const { from, to, width, reference } = lanes;
  let at = 0;
  let bits = 0;
  let bitCount = 0;
  for (let i = from; i < to; i++) {
    let value = 0;
    let have = 0;
    while (have < width) {
      if (bitCount === 0) {
        bits = bytes[at++]!;
        bitCount = 8;
      }
      const take = Math.min(width - have, bitCount);
      value |= (bits & ((1 << take) - 1)) << have;
      bits >>>= take;
      bitCount -= take;
      have += take;
    }
    out[i] = reference + value;
  }
}
