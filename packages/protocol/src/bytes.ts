// A growing byte buffer to write to, and a reader that never throws: a read
// past the end, or a number too large for a double, sets `problem` and yields 0,
// so that a decoder checks once per item instead of once per byte.
//
//   varint    7 bits a byte, low bits first, high bit = more follow; at most 8 bytes, < 2^53
//   svarint   zigzag: 0, -1, 1, -2, 2, … as varint 0, 1, 2, 3, 4, …; |value| < 2^52
//   string    varint length in bytes, then UTF-8

import { hexDigit } from './hex.ts';
import { decodeUtf8 } from './utf8-decode.ts';
import { encodeUtf8 } from './utf8.ts';

/** Zigzag doubles its argument: beyond this a double would lose the lowest bit. */
export const SVARINT_MAX: number = 2 ** 52 - 1;

/** Shared by all writers and readers: one double and its eight bytes. */
const double = new DataView(new ArrayBuffer(8));

export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 2048) {
    this.bytes = new Uint8Array(capacity);
  }

  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + count));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.u8(value);
    this.u8(value >>> 8);
  }

  u32(value: number): void {
    this.u16(value);
    this.u16(value >>> 16);
  }

  /** Whole number, two's complement. */
  i64(value: number): void {
    this.u32(value % 0x100000000);
    this.u32(Math.floor(value / 0x100000000));
  }

  /** IEEE 754 double. */
  f64(value: number): void {
    double.setFloat64(0, value, true);
    for (let i = 0; i < 8; i++) this.u8(double.getUint8(i));
  }

  /** Overwrites two bytes written before. */
  setU16(at: number, value: number): void {
    this.bytes[at] = value;
    this.bytes[at + 1] = value >>> 8;
  }

  /** Overwrites four bytes written before. */
  setU32(at: number, value: number): void {
    for (let i = 0; i < 4; i++) this.bytes[at + i] = value >>> (8 * i);
  }

  /** Whole number in [0, 2^53). */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80000000) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 128) {
      this.bytes[this.length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  /** Whole number, |value| <= SVARINT_MAX. */
  svarint(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The bytes alone, with no length. */
  utf8(text: string): void {
    this.raw(encodeUtf8(text));
  }

  /** Hex digits as `byteCount` bytes; what is no hex digit, or missing, counts as 0. */
  hex(digits: string, byteCount: number): void {
    this.reserve(byteCount);
    for (let i = 0; i < byteCount; i++)
      this.bytes[this.length++] =
        (hexDigit(digits.charCodeAt(2 * i)) << 4) | hexDigit(digits.charCodeAt(2 * i + 1));
  }

  string(text: string): void {
    if (text.length < 128 && this.#shortAscii(text)) return;
    const bytes = encodeUtf8(text);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Most strings: a byte of length, a byte a character. False, and nothing written, for others. */
  #shortAscii(text: string): boolean {
    const count = text.length;
    this.reserve(count + 1);
    const from = this.length + 1;
    for (let i = 0; i < count; i++) {
      const code = text.charCodeAt(i);
      if (code >= 128) return false;
      this.bytes[from + i] = code;
    }
    this.bytes[from - 1] = count;
    this.length = from + count;
    return true;
  }

  /** Cut at the last whole character that fits `maxBytes`. */
  shortString(text: string, maxBytes: number): void {
    let bytes = encodeUtf8(text.slice(0, maxBytes));
    if (bytes.length > maxBytes) {
      let end = maxBytes;
      while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
      bytes = bytes.slice(0, end);
    }
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;
  /** First thing that went wrong, with its byte offset; reads after it yield 0. */
  problem: string | undefined = undefined;

  constructor(bytes: Uint8Array, from = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = from;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  /** Records the first problem and moves to the end, so that loops over the input stop. */
  fail(what: string): 0 {
    this.problem ??= `${what} at byte ${this.at}`;
    this.at = this.end;
    return 0;
  }

  u8(): number {
    return this.at < this.end ? this.bytes[this.at++]! : this.fail('input ends early');
  }

  u16(): number {
    return this.u8() + this.u8() * 256;
  }

  u32(): number {
    return this.u16() + this.u16() * 65536;
  }

  /** May be any double: infinite, not a number. */
  f64(): number {
    for (let i = 0; i < 8; i++) double.setUint8(i, this.u8());
    return double.getFloat64(0, true);
  }

  /** Two's complement; fails outside the safe integers. */
  i64(): number {
    const low = this.u32();
    const value = (this.u32() | 0) * 0x100000000 + low;
    return Number.isSafeInteger(value) ? value : this.fail('number too large');
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 127) * factor;
      if (byte < 128)
        return value <= Number.MAX_SAFE_INTEGER ? value : this.fail('number too large');
      factor *= 128;
    }
    return this.fail('varint longer than 8 bytes');
  }

  svarint(): number {
    const value = this.varint();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  /** A view, not a copy; empty after a failure. */
  raw(count: number): Uint8Array {
    if (count > this.remaining) this.fail(`${count} bytes wanted, input ends early`);
    const size = this.problem === undefined ? count : 0;
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  string(maxBytes: number): string {
    const size = this.varint();
    if (size > maxBytes) this.fail(`string of ${size} bytes, limit ${maxBytes}`);
    const view = this.raw(size);
    return decodeUtf8(view);
  }
}
