// How a million latencies are kept in a few hundred counts: a base-2
// exponential histogram of fixed scale.
//
//   bucket i holds (2^(i/32), 2^((i+1)/32)] seconds at scale 5: 32 an octave
//
// The scale never adapts: merging is adding, a coarser heatmap is an index
// shift, and the export as an OTLP ExponentialHistogram loses nothing. Values
// to 1 µs share the zero bucket. Minimum and maximum are kept exactly.
//
// A quantile is the upper bound of the bucket that holds rank ceil(q·n),
// clamped to the maximum: never below the true value, at most 2.19 % above;
// the bucket's middle (`valueOf: 'middle'`) is within 1.08 % either way.

import { ByteReader, ByteWriter } from './bytes.ts';
import { decoded, rejected, type Decoded } from './result.ts';
import { NS_PER_S, NS_PER_US } from './units.ts';
import { SKETCH_VERSION } from './version.ts';

export const SKETCH_SCALE = 5;
/** Values up to and including this one share the zero bucket. */
export const SKETCH_ZERO_NS: number = NS_PER_US;

/** Bucket of a value above zero; the upper bound belongs to the bucket. */
export const bucketOf = (valueNs: number, scale: number = SKETCH_SCALE): number =>
  Math.ceil(Math.log2(valueNs / NS_PER_S) * 2 ** scale) - 1;

/**
 * `bucketOf` at the sketch's own scale, by the bits of the double and no logarithm: its exponent
 * says the octave, the first 11 bits behind it which of 32 buckets, but for values near a bound.
 */
function bucketOfBits(valueNs: number): number {
  seconds[0] = valueNs / NS_PER_S;
  const high = words[1]!;
  const place = PLACES[(high >>> 9) & 2_047]!;
  if (place < 0) return bucketOf(valueNs);
  return ((high >>> 20) - 1_023) * 32 + place;
}

const seconds = new Float64Array(1);
/** Low word first: on the machine, and the tests are the proof that it is. */
const words = new Uint32Array(seconds.buffer);
/** By the 11 bits: the bucket within the octave; −1 where a bound lies in between or near. */
const PLACES: Int8Array = Int8Array.from({ length: 2_048 }, (_, bits) => {
  const at = (more: number): number =>
    Math.ceil(Math.log2(1 + Math.min(2_047.999, Math.max(1e-3, bits + more)) / 2_048) * 32) - 1;
  const [low, high] = [at(-1e-3), at(1 + 1e-3)];
  return bits > 0 && low === high ? low : -1;
});

/** Inclusive upper bound of a bucket in ns, not rounded; its lower one is that of `index - 1`. */
export const bucketUpperNs = (index: number, scale: number = SKETCH_SCALE): number =>
  2 ** ((index + 1) / 2 ** scale) * NS_PER_S;

/** 1-based rank of quantile `q` among `n` values: ceil(q·n), never outside 1..n. */
export function rankOf(q: number, n: number): number {
  // 0.07 × 100 is 7.000000000000001 in doubles: the rank is 7 all the same.
  const exact = q * n;
  const nearest = Math.round(exact);
  const rank = Math.abs(exact - nearest) <= exact * 1e-12 ? nearest : Math.ceil(exact);
  return Math.min(Math.max(rank, 1), n);
}

/** Largest |index| a stored sketch may have: 2^±32 seconds at scale 5. */
const INDEX_LIMIT = 32 * 2 ** SKETCH_SCALE;

export class Sketch {
  readonly scale: number;
  count = 0;
  zeroCount = 0;
  /** Values that were no finite number: counted here and nowhere else. */
  refusedCount = 0;
  sumNs = 0;
  minNs: number = Infinity;
  maxNs: number = -Infinity;
  /** Count of bucket `#base + i`; doubles, because counts may pass 2^32 when merged. */
  #counts: Float64Array = new Float64Array(0);
  #base = 0;

  constructor(scale: number = SKETCH_SCALE) {
    this.scale = Math.max(-8, Math.min(SKETCH_SCALE, Math.trunc(scale)));
  }

  /** Adds a value `n` times. Negative ones count as zero (a clock's error), but show in `minNs`. */
  add(valueNs: number, n = 1): void {
    if (!Number.isFinite(valueNs) || !(n > 0) || !Number.isFinite(n)) {
      this.refusedCount++;
      return;
    }
    this.count += n;
    this.sumNs += valueNs * n;
    if (valueNs < this.minNs) this.minNs = valueNs;
    if (valueNs > this.maxNs) this.maxNs = valueNs;
    if (valueNs <= SKETCH_ZERO_NS) this.zeroCount += n;
    else
      this.#addTo(
        this.scale === SKETCH_SCALE ? bucketOfBits(valueNs) : bucketOf(valueNs, this.scale),
        n,
      );
  }

  /** Adds all of `other`; a finer one is shifted to this scale, a coarser one is refused. */
  merge(other: Sketch): boolean {
    if (other.scale < this.scale) return false;
    const shift = other.scale - this.scale;
    if (shift === 0) this.#addBuckets(other);
    else other.forEach((index, n) => this.#addTo(index >> shift, n));
    this.count += other.count;
    this.zeroCount += other.zeroCount;
    this.refusedCount += other.refusedCount;
    this.sumNs += other.sumNs;
    this.minNs = Math.min(this.minNs, other.minNs);
    this.maxNs = Math.max(this.maxNs, other.maxNs);
    return true;
  }

  /** A copy at a coarser scale: pairs of buckets become one, exactly. */
  shiftedTo(scale: number): Sketch {
    const coarse = new Sketch(Math.min(scale, this.scale));
    coarse.merge(this);
    return coarse;
  }

  /** Non-empty buckets by rising index; the zero bucket is not among them. */
  forEach(visit: (index: number, count: number) => void): void {
    for (let i = 0; i < this.#counts.length; i++)
      if (this.#counts[i]! > 0) visit(this.#base + i, this.#counts[i]!);
  }

  /** Puts `n` more into a bucket, without touching `count`, sum or bounds: for readers of other forms. */
  addBucket(index: number, n: number): void {
    this.#addTo(index, n);
  }

  /** Count of one bucket. */
  countAt(index: number): number {
    return this.#counts[index - this.#base] ?? 0;
  }

  /**
   * The value of rank ceil(q·n); `undefined` when empty. `upper` never understates;
   * `middle` has the smaller error. First and last rank are exact either way.
   */
  quantile(q: number, valueOf: 'upper' | 'middle' = 'upper'): number | undefined {
    if (this.count === 0 || !(q >= 0 && q <= 1)) return undefined;
    const rank = rankOf(q, this.count);
    if (rank <= 1) return this.minNs;
    if (rank >= this.count) return this.maxNs;
    return Math.min(Math.max(this.#valueOfRank(rank, valueOf), this.minNs), this.maxNs);
  }

  /** Values in buckets that lie wholly above `limitNs`. */
  countAbove(limitNs: number): number {
    let above = 0;
    this.forEach((index, n) => {
      if (bucketUpperNs(index - 1, this.scale) >= limitNs) above += n;
    });
    return above;
  }

  /** See docs/wire.md, "Sketch". */
  toBytes(): Uint8Array {
    const out = new ByteWriter(64);
    out.u8(SKETCH_VERSION);
    out.svarint(this.scale);
    out.varint(this.count);
    out.varint(this.zeroCount);
    out.varint(this.refusedCount);
    for (const value of [this.sumNs, this.minNs, this.maxNs]) out.f64(value);
    let next = 0;
    this.forEach((index, n) => {
      out.svarint(index - next);
      out.varint(n);
      next = index + 1;
    });
    return out.toBytes();
  }

  /** Reads a stored sketch; never throws. */
  static fromBytes(bytes: Uint8Array): Decoded<Sketch> {
    const input = new ByteReader(bytes);
    const version = input.u8();
    if (version !== SKETCH_VERSION)
      return rejected('version', `sketch version ${version}, known is ${SKETCH_VERSION}`);
    const scale = input.svarint();
    if (scale < -8 || scale > SKETCH_SCALE) return rejected('scale', `scale ${scale}`);
    const sketch = new Sketch(scale);
    sketch.count = input.varint();
    sketch.zeroCount = input.varint();
    sketch.refusedCount = input.varint();
    sketch.sumNs = input.f64();
    sketch.minNs = input.f64();
    sketch.maxNs = input.f64();
    const problem = sketch.#readBuckets(input);
    return problem === undefined ? decoded(sketch) : rejected('buckets', problem);
  }

  #readBuckets(input: ByteReader): string | undefined {
    let next = 0;
    let total = this.zeroCount;
    for (let isFirst = true; input.remaining > 0; isFirst = false) {
      const index = next + input.svarint();
      const n = input.varint();
      if (input.problem !== undefined) break;
      if (Math.abs(index) > INDEX_LIMIT || n === 0 || (!isFirst && index < next))
        return `bucket ${index} with count ${n} at byte ${input.at}`;
      this.#addTo(index, n);
      total += n;
      next = index + 1;
    }
    if (input.problem === undefined && total !== this.count)
      return `buckets hold ${total} values, header says ${this.count}`;
    return input.problem;
  }

  #valueOfRank(rank: number, valueOf: 'upper' | 'middle'): number {
    let seen = this.zeroCount;
    if (rank <= seen) return SKETCH_ZERO_NS;
    for (let i = 0; i < this.#counts.length; i++) {
      seen += this.#counts[i]!;
      if (seen < rank) continue;
      const upper = bucketUpperNs(this.#base + i, this.scale);
      // Harmonic middle: equally wrong, relatively, at both ends of the bucket.
      return valueOf === 'upper' ? upper : (2 * upper) / (2 ** (2 ** -this.scale) + 1);
    }
    return this.maxNs;
  }

  #addTo(index: number, n: number): void {
    const at = index - this.#base;
    if (at < 0 || at >= this.#counts.length) this.#growTo(index);
    this.#counts[index - this.#base]! += n;
  }

  /** Those of a sketch of the same scale, side by side. */
  #addBuckets(other: Sketch): void {
    const theirs = other.#counts;
    if (this.#counts.length === 0) {
      this.#counts = theirs.slice();
      this.#base = other.#base;
      return;
    }
    let first = 0;
    while (first < theirs.length && theirs[first] === 0) first++;
    if (first === theirs.length) return;
    let last = theirs.length - 1;
    while (theirs[last] === 0) last--;
    // Room at both ends first: counts of 0 change nothing.
    this.#addTo(other.#base + first, 0);
    this.#addTo(other.#base + last, 0);
    const shift = other.#base - this.#base;
    for (let i = first; i <= last; i++) this.#counts[i + shift]! += theirs[i]!;
  }

  #growTo(index: number): void {
    // Neighbours of a latency are usually next; what grows once often grows again.
    const SLACK = 16 + this.#counts.length;
    const isEmpty = this.#counts.length === 0;
    const low = isEmpty ? index - SLACK : Math.min(this.#base, index - SLACK);
    const high = Math.max(isEmpty ? index : this.#base + this.#counts.length, index + SLACK);
    const grown = new Float64Array(high - low);
    grown.set(this.#counts, isEmpty ? 0 : this.#base - low);
    this.#counts = grown;
    this.#base = low;
  }
}
