// One OTLP span in protobuf, from its bytes straight into columns.
//
// Reads what SDKs write: every field of its own wire type, IDs of the right
// length, values that are text, numbers or booleans. Whatever else stands there
// (events, links, trace state, arrays, something broken) is not judged here: `read` answers
// false, leaves the columns as they were, and the reader that knows everything
// (otlp-protobuf.ts) reads the same bytes and says what is wrong.

import { ATTRIBUTES_MAX, TEXT_LENGTH_MAX } from './limits.ts';
import type { ColumnWords } from './column-words.ts';
import { ID_BYTES, PARENT_ID_AT, SPAN_ID_AT, VALUE, type SpanColumns } from './span-columns.ts';

/** field << 3 | wire type */
const TAG = {
  traceId: 0x0a,
  spanId: 0x12,
  traceState: 0x1a,
  parentSpanId: 0x22,
  name: 0x2a,
  kind: 0x30,
  start: 0x39,
  end: 0x41,
  attribute: 0x4a,
  droppedAttributes: 0x50,
  droppedEvents: 0x60,
  droppedLinks: 0x70,
  status: 0x7a,
  flagsLow: 0x85,
} as const;

/** `read` gave up. */
const NOT_QUICK = -1;
const SAFE_HIGH_MAX = 0x1fffff;
const TWO_32 = 2 ** 32;

/** Where one resource's and one scope's spans belong. */
export interface QuickPlace {
  readonly scope: number;
  readonly resource: number;
  /** Text of the session that the resource names, 0 for none, and by which key. */
  readonly session: number;
  readonly sessionRank: number;
}

export class QuickProtobuf {
  readonly #columns: SpanColumns;
  readonly #words: ColumnWords;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Where the next read starts; of the span that is read. */
  #at = 0;
  /** Keys of the span before: the next one mostly has the same. */
  readonly #lastKeys = new Uint32Array(ATTRIBUTES_MAX);
  /** OTLP's flags of the span. */
  #flags = 0;
  #session = 0;
  #sessionRank = 0;

  constructor(columns: SpanColumns, words: ColumnWords) {
    this.#columns = columns;
    this.#words = words;
  }

  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#lastKeys.fill(0);
  }

  /** True when the span at `[from, to)` is a row now. */
  read(from: number, to: number, place: QuickPlace): boolean {
    const columns = this.#columns;
    const attributeCount = columns.attributeCount;
    columns.reserve(attributeCount + 64);
    const isRead = this.#span(from, to, place) && this.#isSound();
    if (!isRead) {
      columns.attributeCount = attributeCount;
      return false;
    }
    const row = columns.length;
    columns.scope[row] = place.scope;
    columns.resource[row] = place.resource;
    columns.session[row] = this.#session;
    columns.sessionRank[row] = this.#sessionRank;
    columns.extra[row] = this.#words.flagsText(this.#flags);
    columns.attrEnd[row] = columns.attributeCount;
    columns.length = row + 1;
    return true;
  }

  #span(from: number, to: number, place: QuickPlace): boolean {
    const columns = this.#columns;
    const bytes = this.#bytes;
    const row = columns.length;
    const idAt = row * ID_BYTES;
    const { ids } = columns;
    for (let i = idAt; i < idAt + ID_BYTES; i++) ids[i] = 0;
    columns.startLo[row] = columns.startHi[row] = columns.endLo[row] = columns.endHi[row] = 0;
    columns.name[row] = columns.message[row] = columns.kind[row] = columns.status[row] = 0;
    this.#session = place.session;
    this.#sessionRank = place.sessionRank;
    this.#flags = 0;
    let index = 0;
    this.#at = from;
    while (this.#at < to) {
      const tag = bytes[this.#at++]!;
      let isFine = true;
      switch (tag) {
        case TAG.traceId:
          isFine = this.#id(idAt, 16, to);
          break;
        case TAG.spanId:
          isFine = this.#id(idAt + SPAN_ID_AT, 8, to);
          break;
        case TAG.parentSpanId:
          isFine = this.#parentId(idAt + PARENT_ID_AT, to);
          break;
        case TAG.name:
          isFine = (columns.name[row] = this.#text(to)) !== TEXT_REFUSED;
          // It stands before the attributes: those of a flush are not looked at for nothing.
          isFine &&= !this.#words.isSpecial(columns.name[row]!);
          break;
        case TAG.kind:
          isFine = (columns.kind[row] = this.#small(to, 5)) !== SMALL_REFUSED;
          break;
        case TAG.start:
          isFine = this.#time(columns.startLo, columns.startHi, row, to);
          break;
        case TAG.end:
          isFine = this.#time(columns.endLo, columns.endHi, row, to);
          break;
        case TAG.attribute:
          isFine = this.#attribute(index++, to);
          break;
        case TAG.status:
          isFine = this.#status(row, to);
          break;
        default:
          isFine = this.#skip(tag, to);
      }
      if (!isFine) return false;
    }
    return this.#at === to;
  }

  /** What checkSpan demands of a span, as far as it was not seen while reading. */
  #isSound(): boolean {
    const { columns, row } = { columns: this.#columns, row: this.#columns.length };
    const { ids } = columns;
    const at = row * ID_BYTES;
    let trace = 0;
    for (let i = at; i < at + SPAN_ID_AT; i++) trace |= ids[i]!;
    let span = 0;
    for (let i = at + SPAN_ID_AT; i < at + PARENT_ID_AT; i++) span |= ids[i]!;
    if (trace === 0 || span === 0) return false;
    if (columns.startHi[row]! > 0x7fffffff || columns.endHi[row]! > 0x7fffffff) return false;
    if (columns.endLo[row] === 0 && columns.endHi[row] === 0) {
      columns.endLo[row] = columns.startLo[row]!;
      columns.endHi[row] = columns.startHi[row]!;
    }
    return !this.#words.isSpecial(columns.name[row]!);
  }

  #id(into: number, length: number, to: number): boolean {
    const bytes = this.#bytes;
    const at = this.#at + 1;
    if (bytes[this.#at] !== length || at + length > to) return false;
    const { ids } = this.#columns;
    for (let i = 0; i < length; i++) ids[into + i] = bytes[at + i]!;
    this.#at = at + length;
    return true;
  }

  #parentId(into: number, to: number): boolean {
    if (this.#bytes[this.#at] !== 0) return this.#id(into, 8, to);
    // Said again, and none this time: the last word counts.
    this.#columns.ids.fill(0, into, into + 8);
    this.#at++;
    return true;
  }

  /** A length; NOT_QUICK when it does not fit before `to`. */
  #length(to: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (at >= to || at >= bytes.length) return NOT_QUICK;
    let value = bytes[at++]!;
    if (value >= 0x80) {
      value &= 0x7f;
      let byte = bytes[at++]!;
      value |= (byte & 0x7f) << 7;
      if (byte >= 0x80) {
        byte = bytes[at++]!;
        value |= (byte & 0x7f) << 14;
        // 2 MB or more is no text that is taken.
        if (byte >= 0x80) return NOT_QUICK;
      }
    }
    this.#at = at;
    return at + value > to ? NOT_QUICK : value;
  }

  #text(to: number): number {
    const length = this.#length(to);
    if (length < 0 || length > TEXT_LENGTH_MAX) return TEXT_REFUSED;
    const from = this.#at;
    this.#at = from + length;
    return this.#columns.texts.intern(this.#bytes, from, from + length);
  }

  #small(to: number, max: number): number {
    const value = this.#bytes[this.#at++]!;
    return this.#at > to || value > max ? SMALL_REFUSED : value;
  }

  #time(lo: Uint32Array, hi: Uint32Array, row: number, to: number): boolean {
    const at = this.#at;
    if (at + 8 > to) return false;
    const bytes = this.#bytes;
    lo[row] = word(bytes, at);
    hi[row] = word(bytes, at + 4);
    this.#at = at + 8;
    return true;
  }

  #status(row: number, to: number): boolean {
    const columns = this.#columns;
    const length = this.#length(to);
    if (length < 0) return false;
    const end = this.#at + length;
    while (this.#at < end) {
      const tag = this.#bytes[this.#at++]!;
      if (tag === 0x12) columns.message[row] = this.#text(end);
      else if (tag === 0x18) columns.status[row] = this.#small(end, 2);
      else return false;
      if (columns.message[row] === TEXT_REFUSED || columns.status[row] === SMALL_REFUSED)
        return false;
    }
    return this.#at === end;
  }

  #attribute(index: number, to: number): boolean {
    const columns = this.#columns;
    const length = this.#length(to);
    if (length < 0 || index >= ATTRIBUTES_MAX) return false;
    const bytes = this.#bytes;
    const end = this.#at + length;
    // Key, then value: the order in which every serializer writes them.
    if (bytes[this.#at++] !== 0x0a) return false;
    const keyLength = this.#length(end);
    if (keyLength < 0) return false;
    const keyAt = this.#at;
    const valueAt = keyAt + keyLength;
    const { texts } = columns;
    let key = this.#lastKeys[index]!;
    if (key === 0 || !texts.equals(key, bytes, keyAt, valueAt)) {
      key = texts.intern(bytes, keyAt, valueAt);
      this.#lastKeys[index] = key;
    }
    this.#at = valueAt;
    if (valueAt >= end || bytes[this.#at++] !== 0x12) return false;
    const valueLength = this.#length(end);
    if (valueLength < 2 || this.#at + valueLength !== end) return false;
    const i = columns.attributeCount;
    if (i >= columns.attrType.length) columns.reserve(i + 1);
    columns.attrKey[i] = key;
    if (!this.#value(i, end)) return false;
    columns.attributeCount = i + 1;
    return key > this.#words.lastSessionKey || this.#sessionFrom(i, key);
  }

  /** A value of one field, which takes all bytes to `end`. */
  #value(i: number, end: number): boolean {
    const { attrType, attrValue } = this.#columns;
    const tag = this.#bytes[this.#at++]!;
    if (tag === 0x0a) {
      const text = this.#text(end);
      attrType[i] = VALUE.text;
      attrValue[i] = text;
      return text !== TEXT_REFUSED && this.#at === end;
    }
    if (tag === 0x18) return this.#integer(i, end);
    if (tag === 0x10) {
      const value = this.#bytes[this.#at++]!;
      attrType[i] = value === 0 ? VALUE.false : VALUE.true;
      attrValue[i] = 0;
      return value < 0x80 && this.#at === end;
    }
    return tag === 0x21 && this.#double(i, end);
  }

  #double(i: number, end: number): boolean {
    if (this.#at + 8 !== end) return false;
    scratchWords[0] = word(this.#bytes, this.#at);
    scratchWords[1] = word(this.#bytes, this.#at + 4);
    this.#at = end;
    const value = scratchDouble[0]!;
    this.#columns.attrType[i] = Number.isSafeInteger(value) ? VALUE.integer : VALUE.double;
    this.#columns.attrValue[i] = value;
    // NaN and infinities are kept as text: rare.
    return value - value === 0;
  }

  /** Up to 53 bits, of either sign; what is larger is kept as text, by the other reader. */
  #integer(i: number, end: number): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (end - at <= 4) return this.#smallInteger(i, end);
    let low = 0;
    let high = 0;
    let shift = 0;
    let byte: number;
    do {
      if (at >= end || shift > 63) return false;
      byte = bytes[at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low += bits * 2 ** shift;
      else if (shift === 28) {
        low += (bits & 0xf) * 2 ** 28;
        high += bits >> 4;
      } else high += bits * 2 ** (shift - 32);
      shift += 7;
    } while (byte >= 0x80);
    this.#at = at;
    if (at !== end) return false;
    let value = high * TWO_32 + low;
    if (high > SAFE_HIGH_MAX) {
      // Two's complement of a number of at least −2^53.
      const top = high % TWO_32;
      if (high >= 2 * TWO_32 || top < 0xffe00000) return false;
      value = (top - TWO_32) * TWO_32 + low;
      if (!Number.isSafeInteger(value)) return false;
    }
    this.#columns.attrType[i] = VALUE.integer;
    this.#columns.attrValue[i] = value;
    return true;
  }

  /** 28 bits at most: most numbers are. */
  #smallInteger(i: number, end: number): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    let value = 0;
    let shift = 0;
    let byte = 0x80;
    while (at < end && byte >= 0x80) {
      byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      shift += 7;
    }
    this.#at = at;
    this.#columns.attrType[i] = VALUE.integer;
    this.#columns.attrValue[i] = value;
    return at === end && byte < 0x80;
  }

  #sessionFrom(i: number, key: number): boolean {
    const named = this.#words.sessionIn(i, key, this.#sessionRank);
    if (named <= 0) return named === 0;
    this.#session = this.#columns.attrValue[i]!;
    this.#sessionRank = this.#words.rankOf(key);
    return true;
  }

  #skip(tag: number, to: number): boolean {
    switch (tag) {
      case TAG.traceState:
        // Empty: what says something is for the reader that keeps it.
        return this.#length(to) === 0;
      case TAG.droppedAttributes:
      case TAG.droppedEvents:
      case TAG.droppedLinks: {
        // Mostly left out; some serializers write 0.
        return this.#length(Number.MAX_SAFE_INTEGER) === 0 && this.#at <= to;
      }
      case TAG.flagsLow:
        this.#at += 5;
        if (this.#bytes[this.#at - 5] !== 0x01 || this.#at > to) return false;
        this.#flags = word(this.#bytes, this.#at - 4);
        return true;
      default:
        return false;
    }
  }
}

/** Beyond every number of a text: memory ends before. */
const TEXT_REFUSED = 0xffffffff;
const SMALL_REFUSED = 0xff;

const scratchDouble = new Float64Array(1);
const scratchWords = new Uint32Array(scratchDouble.buffer);

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
