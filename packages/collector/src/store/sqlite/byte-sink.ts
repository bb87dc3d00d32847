// Bytes to write to and to read from, for what is packed. The sink grows and is
// used again; the source throws where the bytes end: a damaged file.
//
// A plane is one byte of each of many numbers: the high bytes of times are nearly
// all alike, and side by side they deflate to nothing.

export class ByteSink {
  #bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#bytes = Buffer.alloc(size);
  }

  get length(): number {
    return this.#at;
  }

  clear(): void {
    this.#at = 0;
  }

  /** A view, good until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Room for `count` bytes, to be filled by the caller; answers where they start. */
  take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) this.#grow(at + count);
    this.#at = at + count;
    return at;
  }

  /** The bytes themselves; another object after the next `take`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  byte(value: number): void {
    // Before `bytes` is read: taking may replace it.
    const at = this.take(1);
    this.#bytes[at] = value;
  }

  word(value: number): void {
    const at = this.take(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    let at = this.take(8);
    const bytes = this.#bytes;
    let rest = value;
    while (rest >= 0x80) {
      bytes[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    bytes[at++] = rest;
    this.#at = at;
  }

  raw(bytes: Uint8Array): void {
    const at = this.take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Byte `shift / 8` of each of the first `count` values. */
  plane(values: Uint32Array, count: number, shift: number): void {
    const at = this.take(count);
    const bytes = this.#bytes;
    for (let i = 0; i < count; i++) bytes[at + i] = values[i]! >>> shift;
  }

  /** The first `count` values in as many planes as the largest needs; none when all are 0. */
  planes(values: Uint32Array, count: number): void {
    let all = 0;
    for (let i = 0; i < count; i++) all |= values[i]!;
    const width = all === 0 ? 0 : all >>> 8 === 0 ? 1 : all >>> 16 === 0 ? 2 : 4;
    this.byte(width);
    for (let i = 0; i < width; i++) this.plane(values, count, 8 * i);
  }

  #grow(needed: number): void {
    const bytes = Buffer.alloc(Math.max(needed, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = bytes;
  }
}

export class ByteSource {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes[this.#advance(1)]!;
  }

  word(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
      if (scale > 2 ** 56) throw new Error('a varint without end');
    }
  }

  raw(count: number): Buffer {
    const at = this.#advance(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** Adds byte `shift / 8` to each of the first `count` values. */
  plane(values: Uint32Array, count: number, shift: number): void {
    const at = this.#advance(count);
    const bytes = this.#bytes;
    for (let i = 0; i < count; i++) values[i] = values[i]! | (bytes[at + i]! << shift);
  }

  planes(count: number): Uint32Array {
    const values = new Uint32Array(count);
    const width = this.byte();
    if (width > 4) throw new Error(`planes of width ${width}`);
    for (let i = 0; i < width; i++) this.plane(values, count, 8 * i);
    return values;
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  #advance(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new Error('the bytes end too soon');
    this.#at = at + count;
    return at;
  }
}
