// What a block is made of beside its plain columns: values by key, shapes, texts.

import type { SpanColumns } from '../../decode/span-columns.ts';
import type { ByteSink } from './byte-sink.ts';

/** Texts from here on are kept apart. */
export const LARGE_BYTES = 4_096;

/** Keeps a large text; answers its key of 16 bytes. */
export type KeepLarge = (text: Buffer) => Buffer;

/** Values of one (key, type) in the order of the rows. */
export class ValueColumn {
  readonly type: number;
  count = 0;
  values: Float64Array = new Float64Array(1_024);

  constructor(type: number) {
    this.type = type;
  }

  push(value: number): void {
    if (this.count === this.values.length) {
      const grown = new Float64Array(this.count * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[this.count++] = value;
  }
}

/** A row without attributes. */
export const ROOT_SHAPE = 0;

/**
 * Shapes as paths from a root, a step an attribute: the rows of a block take a few of
 * them again and again, and each step is mostly the one taken from there last.
 */
export class Shapes {
  /** By node: the step that was taken from it last, and where it led. */
  #lastColumn = new Int32Array(256);
  #lastNode = new Int32Array(256);
  /** By node: where it came from, by which step, and the number of its shape or -1. */
  #parent = new Int32Array(256);
  #column = new Int32Array(256);
  #number = new Int32Array(256);
  readonly #nodes = new Map<number, number>();
  /** Nodes in the order in which they became shapes. */
  readonly #ends: number[] = [];
  #count = 1;

  clear(): void {
    this.#nodes.clear();
    this.#ends.length = 0;
    this.#count = 1;
    this.#lastColumn[ROOT_SHAPE] = -1;
    this.#number[ROOT_SHAPE] = -1;
  }

  next(node: number, column: number): number {
    if (this.#lastColumn[node] === column) return this.#lastNode[node]!;
    const step = node * STEP + column;
    let next = this.#nodes.get(step);
    if (next === undefined) {
      next = this.#add(node, column);
      this.#nodes.set(step, next);
    }
    this.#lastColumn[node] = column;
    this.#lastNode[node] = next;
    return next;
  }

  #add(parent: number, column: number): number {
    const node = this.#count++;
    if (node === this.#number.length) {
      this.#lastColumn = wider(this.#lastColumn);
      this.#lastNode = wider(this.#lastNode);
      this.#parent = wider(this.#parent);
      this.#column = wider(this.#column);
      this.#number = wider(this.#number);
    }
    this.#parent[node] = parent;
    this.#column[node] = column;
    this.#lastColumn[node] = this.#number[node] = -1;
    return node;
  }

  /** The number of the shape that ends at a node. */
  number(node: number): number {
    if (this.#number[node]! < 0) this.#number[node] = this.#ends.push(node) - 1;
    return this.#number[node]!;
  }

  write(sink: ByteSink): void {
    sink.varint(this.#ends.length);
    for (const end of this.#ends) {
      const columns: number[] = [];
      for (let node = end; node !== ROOT_SHAPE; node = this.#parent[node]!)
        columns.push(this.#column[node]!);
      sink.varint(columns.length);
      for (const column of columns.toReversed()) sink.varint(column);
    }
  }
}

/** More columns than a block can have: a key is a text of it, in eight types. */
const STEP = 2 ** 26;

function wider(old: Int32Array): Int32Array<ArrayBuffer> {
  const next = new Int32Array(old.length * 2);
  next.set(old);
  return next;
}

/** Texts of the columns that a block uses, numbered anew. */
export class LocalTexts {
  #texts: SpanColumns['texts'] | undefined;
  /** By text: its number here, where `#stamps` says that it is of this block. */
  #locals = new Uint32Array(4_096);
  #stamps = new Uint32Array(4_096);
  #stamp = 0;
  #used = new Uint32Array(4_096);
  #count = 0;

  begin(texts: SpanColumns['texts']): void {
    this.#texts = texts;
    if (this.#locals.length < texts.count) {
      this.#locals = new Uint32Array(texts.count * 2);
      this.#stamps = new Uint32Array(texts.count * 2);
      this.#stamp = 0;
    }
    this.#stamp++;
    this.#count = 0;
    this.local(0);
  }

  local(text: number): number {
    if (this.#stamps[text] === this.#stamp) return this.#locals[text]!;
    this.#stamps[text] = this.#stamp;
    this.#locals[text] = this.#count;
    if (this.#count === this.#used.length) {
      const used = new Uint32Array(this.#count * 2);
      used.set(this.#used);
      this.#used = used;
    }
    this.#used[this.#count] = text;
    return this.#count++;
  }

  write(sink: ByteSink, keepLarge: KeepLarge): void {
    const texts = this.#texts!;
    sink.varint(this.#count);
    for (let i = 0; i < this.#count; i++) {
      const length = texts.byteLength(this.#used[i]!);
      sink.varint(length >= LARGE_BYTES ? 1 : length * 2);
    }
    for (let i = 0; i < this.#count; i++) {
      const text = this.#used[i]!;
      const length = texts.byteLength(text);
      if (length >= LARGE_BYTES) sink.raw(keepLarge(texts.bytesOf(text)));
      else {
        const at = sink.take(length);
        texts.copyTo(text, sink.bytes, at);
      }
    }
  }
}
