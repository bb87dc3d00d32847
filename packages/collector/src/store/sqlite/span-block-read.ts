// Reads a block of spans back into columns; see span-block.ts for what stands where.

import { inflateRawSync } from 'node:zlib';
import type { Attributes } from '@framescope/protocol';
import {
  ID_BYTES,
  PARENT_ID_AT,
  SPAN_ID_AT,
  SpanColumns,
  VALUE,
} from '../../decode/span-columns.ts';
import { ByteSource } from './byte-sink.ts';
import { BLOCK_VERSION, NUMBERS, PARENT, TIMES } from './span-block.ts';
import type { TraceEntry } from './trace-directory.ts';

const TWO_32 = 2 ** 32;

export interface SpanBlock {
  readonly columns: SpanColumns;
  /** By row: the row ID of its session in the volume, 0 for none. */
  readonly sessionRow: Uint32Array;
}

/** Finds a large text by its key. */
export type FindLarge = (key: Buffer) => Buffer;

/** Throws on a damaged block. `traces`: the commit's directory. */
export function readBlock(
  block: Buffer,
  traces: readonly Pick<TraceEntry, 'traceId' | 'from' | 'count'>[],
  findLarge: FindLarge,
): SpanBlock {
  if (block[0] !== BLOCK_VERSION) throw new Error(`span block of version ${block[0]}`);
  const rawLength = block.readUInt32LE(1);
  const raw = new ByteSource(block.subarray(5, 5 + rawLength));
  const packed = new ByteSource(inflateRawSync(block.subarray(5 + rawLength)));
  return new BlockReader(raw, packed).read(traces, findLarge);
}

class BlockReader {
  readonly #raw: ByteSource;
  readonly #packed: ByteSource;
  readonly #count: number;
  readonly #columns: SpanColumns;

  constructor(raw: ByteSource, packed: ByteSource) {
    this.#raw = raw;
    this.#packed = packed;
    this.#count = packed.varint();
    // No more than it needs: fifty blocks of a long trace would else be 45 MB to be cleared.
    this.#columns = new SpanColumns(Math.max(1, this.#count), Math.max(1, this.#count));
  }

  read(
    traces: readonly Pick<TraceEntry, 'traceId' | 'from' | 'count'>[],
    findLarge: FindLarge,
  ): SpanBlock {
    const columns = this.#columns;
    for (const trace of traces) this.#traceIds(trace);
    this.#ids();
    this.#times();
    const count = this.#count;
    const texts = ['name', 'scope', 'message', 'extra'] as const;
    const locals = texts.map(() => this.#packed.planes(count));
    columns.kind = bytesOf(this.#packed.planes(count));
    columns.status = bytesOf(this.#packed.planes(count));
    const sessionRow = this.#sessions();
    const resources = Array.from({ length: this.#packed.varint() }, () => this.#packed.varint());
    columns.resource = this.#packed.planes(count);
    const fillAttributes = this.#attributes();
    const textOf = this.#texts(findLarge);
    for (const [i, name] of texts.entries()) columns[name] = locals[i]!.map(text => textOf[text]!);
    for (const local of resources) {
      const attributes = JSON.parse(columns.texts.text(textOf[local]!)) as Attributes;
      columns.addResource({ attributes });
    }
    fillAttributes(textOf);
    columns.length = count;
    return { columns, sessionRow };
  }

  #traceIds({ traceId, from, count }: Pick<TraceEntry, 'traceId' | 'from' | 'count'>): void {
    const id = Buffer.from(traceId, 'hex');
    for (let row = from; row < from + count; row++) this.#columns.ids.set(id, row * ID_BYTES);
  }

  #ids(): void {
    const { ids } = this.#columns;
    const count = this.#count;
    const spanIds = this.#raw.raw(8 * count);
    for (let row = 0; row < count; row++) {
      const to = row * ID_BYTES + SPAN_ID_AT;
      for (let byte = 0; byte < 8; byte++) ids[to + byte] = spanIds[row * 8 + byte]!;
    }
    for (let row = 0; row < count; row++) {
      const parent = this.#packed.varint();
      const at = row * ID_BYTES + PARENT_ID_AT;
      if (parent === PARENT.outside) this.#raw.raw(8).copy(ids, at);
      else if (parent >= PARENT.inside) {
        const from = (row + unfold(parent - PARENT.inside)) * ID_BYTES + SPAN_ID_AT;
        if (!(from >= 0 && from < count * ID_BYTES)) throw new Error('a parent outside its block');
        for (let byte = 0; byte < 8; byte++) ids[at + byte] = ids[from + byte]!;
      }
    }
  }

  #times(): void {
    const columns = this.#columns;
    const packed = this.#packed;
    const count = this.#count;
    const baseLo = packed.word();
    const baseHi = packed.word();
    if (packed.byte() === TIMES.whole) {
      columns.startLo = this.#words();
      columns.startHi = this.#words();
      columns.endLo = this.#words();
      columns.endHi = this.#words();
      return;
    }
    const starts = this.#near();
    const lengths = this.#near();
    for (let row = 0; row < count; row++) {
      const startLo = baseLo + (starts[row]! % TWO_32);
      const startHi = baseHi + Math.floor(starts[row]! / TWO_32) + (startLo >= TWO_32 ? 1 : 0);
      columns.startLo[row] = startLo % TWO_32;
      columns.startHi[row] = startHi;
      const length = unfold(lengths[row]!);
      const carry = Math.floor((columns.startLo[row]! + length) / TWO_32);
      columns.endLo[row] = columns.startLo[row]! + length - carry * TWO_32;
      columns.endHi[row] = startHi + carry;
    }
  }

  /** Numbers of 48 bits. */
  #near(): Float64Array {
    const low = new Uint32Array(this.#count);
    const high = new Uint32Array(this.#count);
    for (let shift = 0; shift < 24; shift += 8) this.#raw.plane(low, this.#count, shift);
    this.#packed.plane(low, this.#count, 24);
    this.#packed.plane(high, this.#count, 0);
    this.#packed.plane(high, this.#count, 8);
    // A loop: `from` with a function takes twenty times as long.
    const values = new Float64Array(this.#count);
    for (let row = 0; row < values.length; row++) values[row] = high[row]! * TWO_32 + low[row]!;
    return values;
  }

  #words(): Uint32Array {
    const values = new Uint32Array(this.#count);
    for (let shift = 0; shift < 32; shift += 8) this.#packed.plane(values, this.#count, shift);
    return values;
  }

  #sessions(): Uint32Array {
    const known = Array.from({ length: this.#packed.varint() }, () => this.#packed.varint());
    return this.#packed.planes(this.#count).map(local => known[local] ?? 0);
  }

  /** Reads keys, types and numbers; what it answers fills them in once the texts are known. */
  #attributes(): (textOf: Uint32Array) => void {
    const shapeOf = this.#packed.planes(this.#count);
    const shapes = Array.from({ length: this.#packed.varint() }, () =>
      Array.from({ length: this.#packed.varint() }, () => this.#packed.varint()),
    );
    const values = this.#values(shapeOf, shapes);
    return textOf => this.#fill({ shapeOf, shapes, values, textOf });
  }

  #values(shapeOf: Uint32Array, shapes: readonly number[][]): Map<number, Float64Array> {
    const uses = new Uint32Array(shapes.length);
    for (const shape of shapeOf) uses[shape]!++;
    const counts = new Map<number, number>();
    for (const [i, shape] of shapes.entries())
      for (const column of shape) counts.set(column, (counts.get(column) ?? 0) + uses[i]!);
    const values = new Map<number, Float64Array>();
    for (const [column, count] of counts) {
      const type = column % 8;
      if (type === VALUE.false || type === VALUE.true) continue;
      values.set(column, this.#column(type, count));
    }
    return values;
  }

  #column(type: number, count: number): Float64Array {
    const packed = this.#packed;
    if (type === VALUE.double) return doubles(packed.raw(8 * count), count);
    const form = packed.byte();
    if (form === NUMBERS.doubles) return doubles(packed.raw(8 * count), count);
    const low = packed.planes(count);
    const high = form === NUMBERS.wide ? packed.planes(count) : undefined;
    const values = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      const whole = high ? high[i]! * TWO_32 + low[i]! : low[i]!;
      values[i] = type === VALUE.integer ? unfold(whole) : whole;
    }
    return values;
  }

  #fill(one: {
    shapeOf: Uint32Array;
    shapes: readonly number[][];
    values: Map<number, Float64Array>;
    textOf: Uint32Array;
  }): void {
    const columns = this.#columns;
    const next = new Map<number, number>();
    let at = 0;
    for (let row = 0; row < this.#count; row++) {
      const shape = one.shapes[one.shapeOf[row]!];
      if (!shape) throw new Error(`a shape that is not there: ${one.shapeOf[row]}`);
      columns.reserveAttributes(at + shape.length);
      for (const column of shape) {
        const type = column % 8;
        columns.attrKey[at] = one.textOf[(column - type) / 8]!;
        columns.attrType[at] = type;
        const values = one.values.get(column);
        if (values) {
          const i = next.get(column) ?? 0;
          next.set(column, i + 1);
          const value = values[i]!;
          const isText = type === VALUE.text || type === VALUE.json;
          columns.attrValue[at] = isText ? one.textOf[value]! : value;
        }
        at++;
      }
      columns.attrEnd[row] = at;
    }
    columns.attributeCount = at;
  }

  /** By number here: the number in the columns. */
  #texts(findLarge: FindLarge): Uint32Array {
    const packed = this.#packed;
    const lengths = Array.from({ length: packed.varint() }, () => packed.varint());
    return Uint32Array.from(lengths, length => {
      const bytes = length === 1 ? findLarge(packed.raw(16)) : packed.raw(length / 2);
      return this.#columns.texts.intern(bytes, 0, bytes.length);
    });
  }
}

const unfold = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);

const bytesOf = (values: Uint32Array): Uint8Array => Uint8Array.from(values);

const doubles = (bytes: Buffer, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => bytes.readDoubleLE(8 * i));
