// The spans of one commit as one blob of columns, grouped by trace.
//
//   version u8 = 2 │ length of raw u32 │ raw │ deflateRaw of packed
//
//   raw     what is random and would only keep deflate busy: span IDs, IDs of parents
//           that are not in the block, the three low bytes of starts and durations
//   packed  count · base of starts · form of times · parents · high bytes of times ·
//           columns of small numbers (name, scope, resource, …, shape) · shapes ·
//           values by (key, type) · sessions · resources · texts
//
// A shape is a row's list of attribute keys and types: spans of one place in a
// program share it, and their values of one key stand together. Trace IDs and how
// many rows each has are in the directory (trace-directory.ts).
//
// Texts longer than LARGE_BYTES are not here but in a table of their own, each
// content once: Pipecat's `llm` spans repeat the whole conversation every turn.

import { deflateRawSync } from 'node:zlib';
import { VALUE, type SpanColumns } from '../../decode/span-columns.ts';
import { ByteSink } from './byte-sink.ts';
import type { CommitRows } from './commit-rows.ts';
import { LocalTexts, ROOT_SHAPE, Shapes, ValueColumn, type KeepLarge } from './span-block-parts.ts';

export const BLOCK_VERSION = 2;

/** Level 1: the others take 2 to 5 times as long for a tenth less. */
const DEFLATE = { level: 1, chunkSize: 1 << 17 } as const;

/** How times are written: relative to the base in 6 bytes, or whole in 8. */
export const TIMES = { near: 0, whole: 1 } as const;

/** Parents, before the number of rows back or ahead. */
export const PARENT = { none: 0, outside: 1, inside: 2 } as const;

/** Forms of a column of integers. */
export const NUMBERS = { narrow: 0, wide: 1, doubles: 2 } as const;

const FOLDABLE_MAX = 2 ** 51;
const NEAR_MAX = 2 ** 47;
const TWO_32 = 2 ** 32;
/** Traces up to this are searched for a parent row by row. */
const SEARCHED_ROWS_MAX = 32;

/** Packs blocks one after the other; its memory is used again. */
export class SpanBlockWriter {
  readonly #raw = new ByteSink(1 << 17);
  readonly #packed = new ByteSink(1 << 17);
  readonly #texts = new LocalTexts();
  readonly #shapes = new Shapes();
  #valueColumns = new Map<number, ValueColumn>();
  #numbers = new Uint32Array(4_096);
  #shapeOf = new Uint32Array(4_096);

  /** `rows` tells which rows of `columns` are taken, and in which order. */
  pack(columns: SpanColumns, rows: CommitRows, keepLarge: KeepLarge): Buffer {
    this.#begin(columns, rows.count);
    const packed = this.#packed;
    packed.varint(rows.count);
    this.#ids(columns, rows);
    this.#times(columns, rows);
    this.#shapeRows(columns, rows);
    this.#columnOf(columns.name, rows);
    this.#columnOf(columns.scope, rows);
    this.#columnOf(columns.message, rows);
    this.#columnOf(columns.extra, rows);
    this.#bytesOf(columns.kind, rows);
    this.#bytesOf(columns.status, rows);
    this.#sessions(rows);
    this.#resources(columns, rows);
    packed.planes(this.#shapeOf, rows.count);
    this.#shapes.write(packed);
    for (const column of this.#valueColumns.values()) this.#values(column);
    this.#texts.write(packed, keepLarge);
    return this.#joined();
  }

  #begin(columns: SpanColumns, count: number): void {
    this.#raw.clear();
    this.#packed.clear();
    this.#shapes.clear();
    this.#valueColumns = new Map();
    this.#texts.begin(columns.texts);
    if (this.#numbers.length >= count) return;
    this.#numbers = new Uint32Array(count * 2);
    this.#shapeOf = new Uint32Array(count * 2);
  }

  #joined(): Buffer {
    const raw = this.#raw.view();
    const head = Buffer.alloc(5);
    head[0] = BLOCK_VERSION;
    head.writeUInt32LE(raw.length, 1);
    return Buffer.concat([head, raw, deflateRawSync(this.#packed.view(), DEFLATE)]);
  }

  // ---- IDs and times ----------------------------------------------------------------------

  #ids(columns: SpanColumns, rows: CommitRows): void {
    const words = columns.idWords();
    const { order, count } = rows;
    const at = this.#raw.take(8 * count);
    const target = this.#raw.bytes;
    const source = columns.ids;
    for (let i = 0; i < count; i++) {
      const from = order[i]! * 32 + 16;
      const to = at + 8 * i;
      for (let byte = 0; byte < 8; byte++) target[to + byte] = source[from + byte]!;
    }
    for (let trace = 0; trace < rows.traceCount; trace++)
      this.#parents(words, rows, rows.traceFrom[trace]!, rows.traceFrom[trace + 1]!);
  }

  /** Of the rows at `[from, to)` of the order: one trace. */
  #parents(words: Uint32Array, { order }: CommitRows, from: number, to: number): void {
    const packed = this.#packed;
    const isSmall = to - from <= SEARCHED_ROWS_MAX;
    const places = isSmall ? undefined : placesOf(words, order, from, to);
    for (let i = from; i < to; i++) {
      const at = order[i]! * 8;
      const low = words[at + 6]!;
      const high = words[at + 7]!;
      if (low === 0 && high === 0) {
        packed.byte(PARENT.none);
        continue;
      }
      const place = places
        ? (places.get(high * TWO_32 + low) ?? -1)
        : placeAmong(words, order, { from, to, low, high });
      if (
        place >= 0 &&
        words[order[place]! * 8 + 4] === low &&
        words[order[place]! * 8 + 5] === high
      )
        packed.varint(PARENT.inside + zigzag(place - i));
      else {
        packed.byte(PARENT.outside);
        this.#raw.word(low);
        this.#raw.word(high);
      }
    }
  }

  #times(columns: SpanColumns, rows: CommitRows): void {
    const { startLo, startHi, endLo, endHi } = columns;
    const { order, count } = rows;
    let baseLo = 0xffffffff;
    let baseHi = 0xffffffff;
    for (let i = 0; i < count; i++) {
      const row = order[i]!;
      const isLess = startHi[row]! < baseHi || (startHi[row] === baseHi && startLo[row]! < baseLo);
      if (!isLess) continue;
      baseLo = startLo[row]!;
      baseHi = startHi[row]!;
    }
    const low = this.#numbers;
    const high = this.#shapeOf;
    this.#packed.word(baseLo);
    this.#packed.word(baseHi);
    const isNear = this.#areNear(columns, rows, baseHi);
    this.#packed.byte(isNear ? TIMES.near : TIMES.whole);
    if (!isNear) return this.#wholeTimes(columns, rows);
    for (let i = 0; i < count; i++) {
      const row = order[i]!;
      const offset = (startHi[row]! - baseHi) * TWO_32 + (startLo[row]! - baseLo);
      low[i] = offset % TWO_32;
      high[i] = offset / TWO_32;
    }
    this.#nearPlanes(count);
    for (let i = 0; i < count; i++) {
      const row = order[i]!;
      const spent = (endHi[row]! - startHi[row]!) * TWO_32 + (endLo[row]! - startLo[row]!);
      const value = spent >= 0 ? spent * 2 : -spent * 2 - 1;
      low[i] = value % TWO_32;
      high[i] = value / TWO_32;
    }
    this.#nearPlanes(count);
  }

  #areNear({ startHi, endHi }: SpanColumns, { order, count }: CommitRows, baseHi: number): boolean {
    const max = NEAR_MAX / TWO_32 / 2 - 1;
    for (let i = 0; i < count; i++) {
      const row = order[i]!;
      if (startHi[row]! - baseHi > max) return false;
      if (Math.abs(endHi[row]! - startHi[row]!) > max) return false;
    }
    return true;
  }

  /** The numbers of 48 bits in `#numbers` and `#shapeOf`: low bytes are noise, high ones are not. */
  #nearPlanes(count: number): void {
    for (let shift = 0; shift < 24; shift += 8) this.#raw.plane(this.#numbers, count, shift);
    this.#packed.plane(this.#numbers, count, 24);
    this.#packed.plane(this.#shapeOf, count, 0);
    this.#packed.plane(this.#shapeOf, count, 8);
  }

  #wholeTimes(columns: SpanColumns, rows: CommitRows): void {
    for (const half of [columns.startLo, columns.startHi, columns.endLo, columns.endHi]) {
      this.#pick(half, rows);
      for (let shift = 0; shift < 32; shift += 8)
        this.#packed.plane(this.#numbers, rows.count, shift);
    }
  }

  // ---- columns of small numbers -----------------------------------------------------------

  #pick(column: Uint32Array | Uint8Array, { order, count }: CommitRows): void {
    const numbers = this.#numbers;
    for (let i = 0; i < count; i++) numbers[i] = column[order[i]!]!;
  }

  /** A column of texts. */
  #columnOf(column: Uint32Array, { order, count }: CommitRows): void {
    const numbers = this.#numbers;
    const texts = this.#texts;
    for (let i = 0; i < count; i++) numbers[i] = texts.local(column[order[i]!]!);
    this.#packed.planes(numbers, count);
  }

  #bytesOf(column: Uint8Array, rows: CommitRows): void {
    this.#pick(column, rows);
    this.#packed.planes(this.#numbers, rows.count);
  }

  /** Row IDs of the volume's sessions; 0: none. */
  #sessions(rows: CommitRows): void {
    const { order, count, sessionRow } = rows;
    const numbers = this.#numbers;
    const known = new Map<number, number>([[0, 0]]);
    for (let i = 0; i < count; i++) {
      const session = sessionRow[order[i]!]!;
      let local = known.get(session);
      if (local === undefined) known.set(session, (local = known.size));
      numbers[i] = local;
    }
    this.#packed.varint(known.size);
    for (const session of known.keys()) this.#packed.varint(session);
    this.#packed.planes(numbers, count);
  }

  #resources(columns: SpanColumns, rows: CommitRows): void {
    this.#packed.varint(columns.resources.length);
    for (const { json } of columns.resources) this.#packed.varint(this.#texts.local(json));
    this.#pick(columns.resource, rows);
    this.#packed.planes(this.#numbers, rows.count);
  }

  // ---- attributes -------------------------------------------------------------------------

  #shapeRows(columns: SpanColumns, { order, count }: CommitRows): void {
    const { attrEnd, attrKey, attrType, attrValue } = columns;
    const texts = this.#texts;
    for (let i = 0; i < count; i++) {
      const row = order[i]!;
      const from = row === 0 ? 0 : attrEnd[row - 1]!;
      const to = attrEnd[row]!;
      let shape = ROOT_SHAPE;
      for (let a = from; a < to; a++) {
        const type = attrType[a]!;
        const column = texts.local(attrKey[a]!) * 8 + type;
        shape = this.#shapes.next(shape, column);
        if (type === VALUE.text || type === VALUE.json)
          this.#valuesOf(column, type).push(texts.local(attrValue[a]!));
        else if (type === VALUE.integer || type === VALUE.double)
          this.#valuesOf(column, type).push(attrValue[a]!);
      }
      this.#shapeOf[i] = this.#shapes.number(shape);
    }
  }

  #valuesOf(column: number, type: number): ValueColumn {
    let values = this.#valueColumns.get(column);
    if (!values) this.#valueColumns.set(column, (values = new ValueColumn(type)));
    return values;
  }

  /** Read back in the order in which the shapes first name their columns. */
  #values({ type, values, count }: ValueColumn): void {
    if (type === VALUE.double || (type === VALUE.integer && !areFoldable(values, count))) {
      if (type === VALUE.integer) this.#packed.byte(NUMBERS.doubles);
      const at = this.#packed.take(8 * count);
      for (let i = 0; i < count; i++) this.#packed.bytes.writeDoubleLE(values[i]!, at + 8 * i);
      return;
    }
    const numbers = count <= this.#numbers.length ? this.#numbers : new Uint32Array(count);
    let max = 0;
    for (let i = 0; i < count; i++) {
      const value = type === VALUE.integer ? zigzag(values[i]!) : values[i]!;
      values[i] = value;
      if (value > max) max = value;
    }
    const isWide = max >= TWO_32;
    this.#packed.byte(isWide ? NUMBERS.wide : NUMBERS.narrow);
    for (let i = 0; i < count; i++) numbers[i] = values[i]! % TWO_32;
    this.#packed.planes(numbers, count);
    if (!isWide) return;
    for (let i = 0; i < count; i++) numbers[i] = values[i]! / TWO_32;
    this.#packed.planes(numbers, count);
  }
}

function placeAmong(
  words: Uint32Array,
  order: Uint32Array,
  wanted: { from: number; to: number; low: number; high: number },
): number {
  const { from, to, low, high } = wanted;
  for (let i = from; i < to; i++) {
    const at = order[i]! * 8;
    if (words[at + 4] === low && words[at + 5] === high) return i;
  }
  return -1;
}

/** By span ID as a double: equal ones are told apart by whoever asks. */
function placesOf(
  words: Uint32Array,
  order: Uint32Array,
  from: number,
  to: number,
): Map<number, number> {
  const places = new Map<number, number>();
  for (let i = from; i < to; i++) {
    const at = order[i]! * 8;
    places.set(words[at + 5]! * TWO_32 + words[at + 4]!, i);
  }
  return places;
}

const zigzag = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1);

/** With the sign folded in they still fit a double. */
function areFoldable(values: Float64Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (Math.abs(values[i]!) >= FOLDABLE_MAX) return false;
  return true;
}
