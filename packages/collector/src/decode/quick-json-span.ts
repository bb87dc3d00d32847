// One OTLP span in JSON, from its bytes straight into columns; see
// quick-protobuf.ts for what is read here and what is left to the other reader.

import { ATTRIBUTES_MAX, TEXT_LENGTH_MAX } from './limits.ts';
import type { ColumnWords } from './column-words.ts';
import { HEX, JsonScanner } from './json-scanner.ts';
import type { QuickPlace } from './quick-protobuf.ts';
import { ID_BYTES, PARENT_ID_AT, SPAN_ID_AT, VALUE, type SpanColumns } from './span-columns.ts';

const FIELDS = [
  'traceId',
  'spanId',
  'parentSpanId',
  'name',
  'kind',
  'startTimeUnixNano',
  'endTimeUnixNano',
  'attributes',
  'status',
  'events',
  'links',
  'traceState',
  'flags',
  'droppedAttributesCount',
  'droppedEventsCount',
  'droppedLinksCount',
] as const;

type Field = (typeof FIELDS)[number];

const WORDS = FIELDS.map(name => Buffer.from(name));
const KEY = Buffer.from('key');
const VALUE_WORD = Buffer.from('value');
const CODE = Buffer.from('code');
const MESSAGE = Buffer.from('message');
const STRING_VALUE = Buffer.from('stringValue');
const INT_VALUE = Buffer.from('intValue');
const BOOL_VALUE = Buffer.from('boolValue');
const DOUBLE_VALUE = Buffer.from('doubleValue');

const TEXT_REFUSED = 0xffffffff;
const DIGITS_SAFE = 15;
const TIME_DIGITS = 19;

export class QuickJsonSpan {
  readonly #columns: SpanColumns;
  readonly #words: ColumnWords;
  readonly #scanner = new JsonScanner();
  #bytes: Uint8Array = new Uint8Array(0);
  /** Where the value that was read ends. */
  #end = 0;
  /** OTLP's flags of the span. */
  #flags = 0;
  #session = 0;
  #sessionRank = 0;
  readonly #lastKeys = new Uint32Array(ATTRIBUTES_MAX);

  constructor(columns: SpanColumns, words: ColumnWords) {
    this.#columns = columns;
    this.#words = words;
  }

  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#scanner.begin(bytes);
    this.#lastKeys.fill(0);
  }

  /** Where the span that starts at `at` ends, and it is a row; or -1, and nothing has changed. */
  read(at: number, place: QuickPlace): number {
    const columns = this.#columns;
    const attributeCount = columns.attributeCount;
    columns.reserve(attributeCount + 64);
    const row = columns.length;
    this.#blank(row);
    this.#flags = 0;
    this.#session = place.session;
    this.#sessionRank = place.sessionRank;
    if (!this.#fields(at, row) || !this.#isSound(row)) {
      columns.attributeCount = attributeCount;
      return -1;
    }
    columns.scope[row] = place.scope;
    columns.resource[row] = place.resource;
    columns.session[row] = this.#session;
    columns.sessionRank[row] = this.#sessionRank;
    columns.extra[row] = this.#words.flagsText(this.#flags);
    columns.attrEnd[row] = columns.attributeCount;
    columns.length = row + 1;
    return this.#end;
  }

  #blank(row: number): void {
    const columns = this.#columns;
    const at = row * ID_BYTES;
    for (let i = at; i < at + ID_BYTES; i++) columns.ids[i] = 0;
    columns.startLo[row] = columns.startHi[row] = columns.endLo[row] = columns.endHi[row] = 0;
    columns.name[row] = columns.message[row] = columns.kind[row] = columns.status[row] = 0;
  }

  #isSound(row: number): boolean {
    const columns = this.#columns;
    const at = row * ID_BYTES;
    let trace = 0;
    for (let i = at; i < at + SPAN_ID_AT; i++) trace |= columns.ids[i]!;
    let span = 0;
    for (let i = at + SPAN_ID_AT; i < at + PARENT_ID_AT; i++) span |= columns.ids[i]!;
    if (trace === 0 || span === 0 || columns.startHi[row]! > 0x7fffffff) return false;
    if (columns.endHi[row]! > 0x7fffffff) return false;
    if (columns.endLo[row] === 0 && columns.endHi[row] === 0) {
      columns.endLo[row] = columns.startLo[row]!;
      columns.endHi[row] = columns.startHi[row]!;
    }
    return !this.#words.isSpecial(columns.name[row]!);
  }

  #fields(from: number, row: number): boolean {
    const scanner = this.#scanner;
    let at = scanner.byte(from) === 0x7b ? scanner.space(from + 1) : -1;
    let seen = 0;
    // Serializers write the fields of all spans in one order: each is looked for behind the last.
    let expected = 0;
    for (;;) {
      const keyEnd = scanner.string(at);
      if (keyEnd < 0 || scanner.hasEscapes) return false;
      const index = this.#fieldAt(at + 1, keyEnd, expected);
      if (index < 0 || (seen & (1 << index)) !== 0) return false;
      seen |= 1 << index;
      expected = index + 1;
      at = scanner.space(keyEnd + 1);
      if (scanner.byte(at) !== 0x3a) return false;
      if (!this.#field(FIELDS[index]!, scanner.space(at + 1), row)) return false;
      at = scanner.space(this.#end);
      const next = scanner.byte(at);
      if (next === 0x7d) {
        this.#end = at + 1;
        return true;
      }
      if (next !== 0x2c) return false;
      at = scanner.space(at + 1);
    }
  }

  #fieldAt(from: number, to: number, expected: number): number {
    for (let i = 0; i < WORDS.length; i++) {
      const index = (expected + i) % WORDS.length;
      if (this.#scanner.is(from, to, WORDS[index]!)) return index;
    }
    return -1;
  }

  #field(field: Field, at: number, row: number): boolean {
    const columns = this.#columns;
    const idAt = row * ID_BYTES;
    switch (field) {
      case 'traceId':
        return this.#hex(at, idAt, 16);
      case 'spanId':
        return this.#hex(at, idAt + SPAN_ID_AT, 8);
      case 'parentSpanId':
        return this.#parent(at, idAt + PARENT_ID_AT);
      case 'name':
        return (columns.name[row] = this.#text(at)) !== TEXT_REFUSED;
      case 'kind':
        return this.#digit(at, 5, columns.kind, row);
      case 'startTimeUnixNano':
        return this.#time(at, columns.startLo, columns.startHi, row);
      case 'endTimeUnixNano':
        return this.#time(at, columns.endLo, columns.endHi, row);
      case 'attributes':
        return this.#attributes(at);
      case 'status':
        return this.#status(at, row);
      case 'events':
      case 'links':
        return this.#emptyList(at);
      case 'traceState':
        // What says something is for the reader that keeps it.
        return this.#text(at) === 0;
      case 'flags':
        return this.#wordOfFlags(at);
      default:
        this.#end = this.#scanner.number(at);
        return this.#end === at + 1 && this.#bytes[at] === 0x30;
    }
  }

  #wordOfFlags(at: number): boolean {
    this.#end = this.#scanner.number(at);
    if (this.#end < 0 || this.#end - at > 10) return false;
    this.#flags = this.#decimal(at, this.#end);
    return this.#flags >= 0 && this.#flags < 2 ** 32;
  }

  #hex(at: number, into: number, length: number): boolean {
    const bytes = this.#bytes;
    const close = at + 1 + 2 * length;
    if (bytes[at] !== 0x22 || bytes[close] !== 0x22) return false;
    const { ids } = this.#columns;
    for (let i = 0; i < length; i++) {
      const high = HEX[bytes[at + 1 + 2 * i]!]!;
      const low = HEX[bytes[at + 2 + 2 * i]!]!;
      if (high > 15 || low > 15) return false;
      ids[into + i] = (high << 4) | low;
    }
    this.#end = close + 1;
    return true;
  }

  #parent(at: number, into: number): boolean {
    const bytes = this.#bytes;
    if (bytes[at] !== 0x22 || bytes[at + 1] !== 0x22) return this.#hex(at, into, 8);
    this.#end = at + 2;
    return true;
  }

  #text(at: number): number {
    const scanner = this.#scanner;
    const close = scanner.string(at);
    if (close < 0 || close - at > TEXT_LENGTH_MAX) return TEXT_REFUSED;
    this.#end = close + 1;
    const { texts } = this.#columns;
    if (!scanner.hasEscapes) return texts.intern(this.#bytes, at + 1, close);
    const text = scanner.unescaped(at + 1, close);
    return text === undefined ? TEXT_REFUSED : texts.internText(text);
  }

  /** A number of one digit. */
  #digit(at: number, max: number, into: Uint8Array, row: number): boolean {
    const digit = this.#bytes[at]! - 0x30;
    this.#end = this.#scanner.number(at);
    if (this.#end !== at + 1 || !(digit >= 0 && digit <= max)) return false;
    into[row] = digit;
    return true;
  }

  /** Decimal digits in a string; other forms are for the other reader. */
  #time(at: number, lo: Uint32Array, hi: Uint32Array, row: number): boolean {
    const bytes = this.#bytes;
    if (bytes[at] !== 0x22) return false;
    // Nanoseconds since 2001 have 19 digits; ten and nine of them are each exact in a double.
    const close = at + 1 + TIME_DIGITS;
    if (bytes[close] !== 0x22) return false;
    const head = this.#decimal(at + 1, close - 9);
    const tail = this.#decimal(close - 9, close);
    if (head < 0 || tail < 0) return false;
    this.#end = close + 1;
    const low16 = head % 65_536;
    const y = ((head - low16) / 65_536) * 1e9;
    const yLow = y % 65_536;
    const sum = yLow * 65_536 + low16 * 1e9 + tail;
    lo[row] = sum % 2 ** 32;
    hi[row] = (y - yLow) / 65_536 + Math.floor(sum / 2 ** 32);
    return head < 9_223_372_036;
  }

  /** Digits as a number; -1 when one of them is none. */
  #decimal(from: number, to: number): number {
    let value = 0;
    for (let i = from; i < to; i++) {
      const digit = this.#bytes[i]! - 0x30;
      if (!(digit >= 0 && digit <= 9)) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  #emptyList(at: number): boolean {
    const scanner = this.#scanner;
    const close = scanner.byte(at) === 0x5b ? scanner.space(at + 1) : -1;
    this.#end = close + 1;
    return close >= 0 && scanner.byte(close) === 0x5d;
  }

  #status(from: number, row: number): boolean {
    const scanner = this.#scanner;
    const columns = this.#columns;
    let at = scanner.byte(from) === 0x7b ? scanner.space(from + 1) : -1;
    if (scanner.byte(at) === 0x7d) {
      this.#end = at + 1;
      return true;
    }
    let seen = 0;
    for (;;) {
      const keyEnd = scanner.string(at);
      const isCode = keyEnd > 0 && scanner.is(at + 1, keyEnd, CODE);
      if (!isCode && !(keyEnd > 0 && scanner.is(at + 1, keyEnd, MESSAGE))) return false;
      const bit = isCode ? 1 : 2;
      if ((seen & bit) !== 0) return false;
      seen |= bit;
      at = scanner.space(keyEnd + 1);
      if (scanner.byte(at) !== 0x3a) return false;
      at = scanner.space(at + 1);
      if (isCode ? !this.#digit(at, 2, columns.status, row) : !this.#message(at, row)) return false;
      at = scanner.space(this.#end);
      if (scanner.byte(at) === 0x7d) {
        this.#end = at + 1;
        return true;
      }
      if (scanner.byte(at) !== 0x2c) return false;
      at = scanner.space(at + 1);
    }
  }

  #message(at: number, row: number): boolean {
    return (this.#columns.message[row] = this.#text(at)) !== TEXT_REFUSED;
  }

  // ---- attributes -------------------------------------------------------------------------

  #attributes(from: number): boolean {
    const scanner = this.#scanner;
    let at = scanner.byte(from) === 0x5b ? scanner.space(from + 1) : -1;
    if (scanner.byte(at) === 0x5d) {
      this.#end = at + 1;
      return true;
    }
    for (let index = 0; index < ATTRIBUTES_MAX; index++) {
      if (!this.#attribute(at, index)) return false;
      at = scanner.space(this.#end);
      if (scanner.byte(at) === 0x5d) {
        this.#end = at + 1;
        return true;
      }
      if (scanner.byte(at) !== 0x2c) return false;
      at = scanner.space(at + 1);
    }
    return false;
  }

  /** `{"key":"…","value":{"stringValue":"…"}}`, in this order: the one in which it is written. */
  #attribute(from: number, index: number): boolean {
    const scanner = this.#scanner;
    const columns = this.#columns;
    if (scanner.byte(from) !== 0x7b) return false;
    let at = this.#member(scanner.space(from + 1), KEY);
    const i = columns.attributeCount;
    if (i >= columns.attrType.length) columns.reserve(i + 1);
    const key = at < 0 ? TEXT_REFUSED : this.#key(at, index);
    if (key === TEXT_REFUSED) return false;
    columns.attrKey[i] = key;
    at = scanner.space(this.#end);
    if (scanner.byte(at) !== 0x2c) return false;
    at = this.#member(scanner.space(at + 1), VALUE_WORD);
    if (at < 0 || !this.#anyValue(at, i)) return false;
    at = scanner.space(this.#end);
    if (scanner.byte(at) !== 0x7d) return false;
    this.#end = at + 1;
    columns.attributeCount = i + 1;
    return key > this.#words.lastSessionKey || this.#sessionFrom(i, key);
  }

  #key(at: number, index: number): number {
    const last = this.#lastKeys[index]!;
    const close = this.#scanner.string(at);
    if (close < 0) return TEXT_REFUSED;
    const { texts } = this.#columns;
    if (last !== 0 && texts.equals(last, this.#bytes, at + 1, close)) {
      this.#end = close + 1;
      return last;
    }
    const key = this.#text(at);
    // An escaped key is equal to no bytes of a later one, whatever stands here.
    this.#lastKeys[index] = key === TEXT_REFUSED ? 0 : key;
    return key;
  }

  /** Where the value of the member `word` starts, or -1. */
  #member(at: number, word: Uint8Array): number {
    const scanner = this.#scanner;
    const keyEnd = scanner.string(at);
    if (keyEnd < 0 || !scanner.is(at + 1, keyEnd, word)) return -1;
    const colon = scanner.space(keyEnd + 1);
    return scanner.byte(colon) === 0x3a ? scanner.space(colon + 1) : -1;
  }

  /** `{"stringValue":"…"}` and the other plain kinds. */
  #anyValue(from: number, i: number): boolean {
    const scanner = this.#scanner;
    const open = scanner.byte(from) === 0x7b ? scanner.space(from + 1) : -1;
    const keyEnd = open < 0 ? -1 : scanner.string(open);
    if (keyEnd < 0) return false;
    const colon = scanner.space(keyEnd + 1);
    if (scanner.byte(colon) !== 0x3a) return false;
    const at = scanner.space(colon + 1);
    let isRead = false;
    if (scanner.is(open + 1, keyEnd, STRING_VALUE)) isRead = this.#stringValue(at, i);
    else if (scanner.is(open + 1, keyEnd, INT_VALUE)) isRead = this.#intValue(at, i);
    else if (scanner.is(open + 1, keyEnd, BOOL_VALUE)) isRead = this.#boolValue(at, i);
    else if (scanner.is(open + 1, keyEnd, DOUBLE_VALUE)) isRead = this.#doubleValue(at, i);
    if (!isRead) return false;
    const close = scanner.space(this.#end);
    this.#end = close + 1;
    return scanner.byte(close) === 0x7d;
  }

  #stringValue(at: number, i: number): boolean {
    const text = this.#text(at);
    this.#columns.attrType[i] = VALUE.text;
    this.#columns.attrValue[i] = text;
    return text !== TEXT_REFUSED;
  }

  /** Up to 15 digits, bare or in a string; beyond that the other reader takes care. */
  #intValue(at: number, i: number): boolean {
    const bytes = this.#bytes;
    const isText = bytes[at] === 0x22;
    let from = isText ? at + 1 : at;
    const isNegative = bytes[from] === 0x2d;
    if (isNegative) from++;
    let value = 0;
    let to = from;
    for (; to - from <= DIGITS_SAFE; to++) {
      const digit = bytes[to]! - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (to === from || to - from > DIGITS_SAFE) return false;
    if (isText ? bytes[to] !== 0x22 : this.#scanner.number(at) !== to) return false;
    this.#end = isText ? to + 1 : to;
    this.#columns.attrType[i] = VALUE.integer;
    this.#columns.attrValue[i] = isNegative && value !== 0 ? -value : value;
    return true;
  }

  #boolValue(at: number, i: number): boolean {
    const isTrue = this.#bytes[at] === 0x74;
    this.#end = this.#scanner.literal(at, isTrue ? 'true' : 'false');
    this.#columns.attrType[i] = isTrue ? VALUE.true : VALUE.false;
    this.#columns.attrValue[i] = 0;
    return this.#end >= 0;
  }

  #doubleValue(at: number, i: number): boolean {
    const scanner = this.#scanner;
    this.#end = scanner.number(at);
    const value = this.#end < 0 ? Number.NaN : Number(scanner.parse(at, this.#end));
    this.#columns.attrType[i] = Number.isSafeInteger(value) ? VALUE.integer : VALUE.double;
    this.#columns.attrValue[i] = value;
    return Number.isFinite(value);
  }

  #sessionFrom(i: number, key: number): boolean {
    const named = this.#words.sessionIn(i, key, this.#sessionRank);
    if (named <= 0) return named === 0;
    this.#session = this.#columns.attrValue[i]!;
    this.#sessionRank = this.#words.rankOf(key);
    return true;
  }
}
