// Minutes of a measure as bytes: what a chart over a day reads 144,000 of.
//
//   entry    minute (varint, from the entry before) · count lost late concealed over refused zero
//            (varints) · sum min max (f64) · buckets: n, then (gap, count) pairs · worst: bytes, n,
//            then (session, value f64, ref) of each, slowest first
//
// One pass adds an entry to dense counts with no object made: 1 to 2 µs, where
// `Sketch.fromBytes` and a merge take 15. The worst are skipped unless the
// minute's maximum is among the worst of its column.

import { bucketOf, Sketch, SKETCH_SCALE } from '@framescope/protocol';
import type { RollupRow } from '../store/store.ts';

const VERSION = 1;

/** Dense counts hold the buckets of 1 µs to 2^17 s at the sketch's own scale. */
export const BUCKET_MIN: number = -20 * 2 ** SKETCH_SCALE;
const BUCKET_MAX: number = 17 * 2 ** SKETCH_SCALE;
export const BUCKETS: number = BUCKET_MAX - BUCKET_MIN + 1;

const WORST_MAX = 32;

export interface WorstValue {
  readonly valueNs: number;
  /** Tick. */
  readonly ref: number;
  /** Row of the session in the store; 0 in packs of one session, which says it itself. */
  readonly session: number;
}

/** What `encodeMinutes` takes beside a row's own fields. */
export interface MinuteEntry extends Omit<
  RollupRow,
  'sessionKey' | 'measure' | 'sketch' | 'worst' | 'expectedCount'
> {
  readonly refusedCount: number;
  readonly zeroCount: number;
  readonly buckets: readonly (readonly [index: number, count: number])[];
  readonly worst: readonly WorstValue[];
  /** While entries of several sessions are added up: whose it is. */
  readonly session?: number;
}

/** A stored row as an entry; `undefined` when its sketch cannot be read. */
export function entryOf(row: RollupRow, session = 0): MinuteEntry | undefined {
  const sketch = Sketch.fromBytes(row.sketch);
  if (!sketch.ok || sketch.value.scale !== SKETCH_SCALE) return undefined;
  const buckets: [number, number][] = [];
  let beyond = 0;
  sketch.value.forEach((index, count) => {
    // A day and a half and more: all alike.
    if (index >= BUCKET_MAX) beyond += count;
    else buckets.push([Math.max(index, BUCKET_MIN), count]);
  });
  if (beyond > 0) buckets.push([BUCKET_MAX, beyond]);
  return {
    ...row,
    refusedCount: sketch.value.refusedCount,
    zeroCount: sketch.value.zeroCount,
    buckets,
    worst: row.worst.map(one => ({ ...one, session })),
  };
}

/** Entries in order of their minutes. */
export function encodeMinutes(entries: readonly MinuteEntry[]): Uint8Array {
  const out = new Bytes();
  out.u8(VERSION);
  let minute = 0;
  for (const entry of entries) {
    for (const value of [
      entry.minute - minute,
      entry.count,
      entry.lostCount,
      entry.lateCount,
      entry.concealedCount,
      entry.overBudgetCount,
      entry.refusedCount,
      entry.zeroCount,
    ])
      out.varint(value);
    minute = entry.minute;
    for (const value of [entry.sumNs, entry.minNs, entry.maxNs]) out.f64(value);
    writeBuckets(out, entry.buckets);
    const worst = new Bytes();
    worst.varint(entry.worst.length);
    for (const { session, valueNs, ref } of entry.worst) {
      worst.varint(session);
      worst.f64(valueNs);
      worst.f64(ref);
    }
    out.varint(worst.length);
    out.raw(worst.toBytes());
  }
  return out.toBytes();
}

function writeBuckets(out: Bytes, buckets: MinuteEntry['buckets']): void {
  out.varint(buckets.length);
  let next = BUCKET_MIN;
  for (const [index, count] of buckets) {
    out.varint(index - next);
    out.varint(count);
    next = index + 1;
  }
}

export class Bytes {
  #bytes = new Uint8Array(1024);
  length = 0;

  #room(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + count));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  u8(value: number): void {
    this.#room(1);
    this.#bytes[this.length++] = value;
  }

  varint(value: number): void {
    this.#room(8);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128))
      this.#bytes[this.length++] = (rest % 128) | 128;
    this.#bytes[this.length++] = rest;
  }

  u32(value: number): void {
    this.#room(4);
    new DataView(this.#bytes.buffer).setUint32(this.length, value, true);
    this.length += 4;
  }

  f64(value: number): void {
    this.#room(8);
    new DataView(this.#bytes.buffer).setFloat64(this.length, value, true);
    this.length += 8;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

/** Steps over the entries of encoded minutes; reused from blob to blob. */
export class MinuteCursor {
  minute = 0;
  count = 0;
  lostCount = 0;
  lateCount = 0;
  concealedCount = 0;
  overBudgetCount = 0;
  refusedCount = 0;
  zeroCount = 0;
  sumNs = 0;
  minNs = 0;
  maxNs = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #bucketsAt = 0;
  #worstAt = 0;
  #next = 0;
  #worstLeft = 0;
  /** The one that `stepWorst` stands at. */
  worstSession = 0;
  worstNs = 0;
  worstRef = 0;

  /** Begins at the first entry of `bytes`. False when it is of another version. */
  open(bytes: Uint8Array): boolean {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.minute = 0;
    this.#next = 1;
    return bytes[0] === VERSION;
  }

  /** Goes to the next entry; false after the last. */
  step(): boolean {
    if (this.#next >= this.#bytes.length) return false;
    this.#at = this.#next;
    this.minute += this.#varint();
    this.count = this.#varint();
    this.lostCount = this.#varint();
    this.lateCount = this.#varint();
    this.concealedCount = this.#varint();
    this.overBudgetCount = this.#varint();
    this.refusedCount = this.#varint();
    this.zeroCount = this.#varint();
    this.sumNs = this.#view.getFloat64(this.#at, true);
    this.minNs = this.#view.getFloat64(this.#at + 8, true);
    this.maxNs = this.#view.getFloat64(this.#at + 16, true);
    this.#bucketsAt = this.#at + 24;
    this.#at = this.#bucketsAt;
    const bytes = this.#bytes;
    let pairs = 2 * this.#varint();
    // The last byte of each number has its high bit clear.
    while (pairs > 0) if (bytes[this.#at++]! < 128) pairs--;
    const worstBytes = this.#varint();
    this.#worstAt = this.#at;
    this.#next = this.#at + worstBytes;
    return true;
  }

  /** Adds this entry's buckets to `counts`, bucket `BUCKET_MIN + i` at `base + i`. */
  addBuckets(counts: Float64Array, base: number): void {
    this.#at = this.#bucketsAt;
    const bytes = this.#bytes;
    let index = base;
    for (let left = this.#varint(); left > 0; left--) {
      // Nearly all gaps and counts are below 128.
      const gap = bytes[this.#at]!;
      if (gap < 128) {
        index += gap;
        this.#at++;
      } else index += this.#varint();
      const count = bytes[this.#at]!;
      if (count < 128) {
        counts[index]! += count;
        this.#at++;
      } else counts[index]! += this.#varint();
      index++;
    }
  }

  /** Values in buckets that end inside (minNs, maxNs]: exact when the bounds are those of buckets. */
  countBetween(minNs: number, maxNs: number): number {
    // A bound computed elsewhere may differ in the last bits.
    const low = minNs <= 0 ? -Infinity : bucketOf(minNs * (1 + 1e-9));
    const high = maxNs === Infinity ? Infinity : bucketOf(maxNs * (1 + 1e-9)) - 1;
    this.#at = this.#bucketsAt;
    let inside = minNs < 0 ? this.zeroCount : 0;
    let index = BUCKET_MIN;
    for (let left = this.#varint(); left > 0; left--, index++) {
      index += this.#varint();
      const count = this.#varint();
      if (index >= low && index <= high) inside += count;
    }
    return inside;
  }

  /** Slowest first. */
  worst(): WorstValue[] {
    const worst: WorstValue[] = [];
    this.openWorst();
    while (this.stepWorst())
      worst.push({ session: this.worstSession, valueNs: this.worstNs, ref: this.worstRef });
    return worst;
  }

  /** Begins before the slowest; `stepWorst` goes on with no object made. */
  openWorst(): void {
    this.#at = this.#worstAt;
    this.#worstLeft = Math.min(this.#varint(), WORST_MAX);
  }

  stepWorst(): boolean {
    if (this.#worstLeft-- <= 0) return false;
    this.worstSession = this.#varint();
    this.worstNs = this.#view.getFloat64(this.#at, true);
    this.worstRef = this.#view.getFloat64(this.#at + 8, true);
    this.#at += 16;
    return true;
  }

  /** All of the entry, as `encodeMinutes` took it. */
  entry(): MinuteEntry {
    const counts = new Float64Array(BUCKETS);
    this.addBuckets(counts, 0);
    const buckets: [number, number][] = [];
    counts.forEach((count, i) => count > 0 && buckets.push([BUCKET_MIN + i, count]));
    return {
      minute: this.minute,
      count: this.count,
      lostCount: this.lostCount,
      lateCount: this.lateCount,
      concealedCount: this.concealedCount,
      overBudgetCount: this.overBudgetCount,
      refusedCount: this.refusedCount,
      zeroCount: this.zeroCount,
      sumNs: this.sumNs,
      minNs: this.minNs,
      maxNs: this.maxNs,
      buckets,
      worst: this.worst(),
    };
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++]!;
      if (byte < 128) return value + byte * factor;
      value += (byte & 127) * factor;
      factor *= 128;
    }
  }
}

/** An entry as the row it was made of. */
export function rowOf(entry: MinuteEntry, measure: string, sessionKey: string): RollupRow {
  const sketch = new Sketch();
  sketch.zeroCount = entry.zeroCount;
  for (const [index, count] of entry.buckets) sketch.addBucket(index, count);
  sketch.refusedCount = entry.refusedCount;
  sketch.count = entry.count;
  sketch.sumNs = entry.sumNs;
  sketch.minNs = entry.count === 0 ? Infinity : entry.minNs;
  sketch.maxNs = entry.count === 0 ? -Infinity : entry.maxNs;
  const { minute, count, lostCount, lateCount, concealedCount, overBudgetCount } = entry;
  return {
    sessionKey,
    measure,
    minute,
    count,
    expectedCount: count + lostCount,
    lostCount,
    lateCount,
    concealedCount,
    overBudgetCount,
    sumNs: entry.sumNs,
    minNs: entry.minNs,
    maxNs: entry.maxNs,
    sketch: sketch.toBytes(),
    worst: entry.worst.map(({ valueNs, ref }) => ({ valueNs, ref })),
  };
}

/** Minutes of several sessions added up; worst of them kept with their session. */
export function addedUp(entries: readonly MinuteEntry[]): MinuteEntry {
  const counts = new Float64Array(BUCKETS);
  const total = {
    minute: entries[0]!.minute,
    count: 0,
    lostCount: 0,
    lateCount: 0,
    concealedCount: 0,
    overBudgetCount: 0,
    refusedCount: 0,
    zeroCount: 0,
    sumNs: 0,
    minNs: Infinity,
    maxNs: -Infinity,
  };
  for (const entry of entries) {
    for (const name of COUNTED) total[name] += entry[name];
    if (entry.count > 0) {
      total.minNs = Math.min(total.minNs, entry.minNs);
      total.maxNs = Math.max(total.maxNs, entry.maxNs);
    }
    for (const [index, count] of entry.buckets) counts[index - BUCKET_MIN]! += count;
  }
  const buckets: [number, number][] = [];
  counts.forEach((count, i) => count > 0 && buckets.push([BUCKET_MIN + i, count]));
  const worst = entries
    .flatMap(one => one.worst)
    .toSorted((a, b) => b.valueNs - a.valueNs || a.session - b.session || a.ref - b.ref)
    .slice(0, WORST_MAX);
  return {
    ...total,
    minNs: total.count === 0 ? 0 : total.minNs,
    maxNs: total.count === 0 ? 0 : total.maxNs,
    buckets,
    worst,
  };
}

const COUNTED = [
  'count',
  'lostCount',
  'lateCount',
  'concealedCount',
  'overBudgetCount',
  'refusedCount',
  'zeroCount',
  'sumNs',
] as const;
