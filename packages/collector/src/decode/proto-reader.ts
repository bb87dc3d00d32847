// A reader of protobuf's wire format over one body: no schema, no reflection.
//
//   tag = field << 3 | wire type     0 varint · 1 fixed64 · 2 length-delimited · 5 fixed32
//
// Never reads past `end`; a message inside a message narrows `end` and puts it
// back. What does not fit throws a WireProblem with its byte offset.

/** The bytes are not protobuf, or not what the field should hold. */
export class WireProblem extends Error {
  override readonly name = 'WireProblem';
}

export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const VARINT_BYTES_MAX = 10;

export class ProtoReader {
  readonly #bytes: Buffer;
  #at: number;
  #end: number;
  /** Of the tag read last. */
  field = 0;
  wire = 0;
  /** Of the block read last. */
  blockLength = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.byteLength;
  }

  /** Where the next read starts. */
  offset(): number {
    return this.#at;
  }

  /** Reads the next tag; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    if (this.field < 1 || this.field > 0x1fffffff)
      throw this.#problem(`field number ${this.field}`);
    return true;
  }

  /** False at the end of the message. */
  hasMore(): boolean {
    return this.#at < this.#end;
  }

  /** Demands that the tag read last announced this wire type. */
  expect(wire: number): void {
    if (this.wire !== wire)
      throw this.#problem(`field ${this.field} has wire type ${this.wire}, expected ${wire}`);
  }

  /** Unsigned; exact below 2^53. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw this.#problem('a varint longer than 10 bytes');
  }

  /** Two's complement of 64 bits. */
  varint64(): bigint {
    let low = 0n;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.#byte();
      low |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asIntN(64, low);
    }
    throw this.#problem('a varint longer than 10 bytes');
  }

  fixed32(): number {
    this.#need(4);
    const value = this.#bytes.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  fixed64(): bigint {
    this.#need(8);
    const value = this.#bytes.readBigUInt64LE(this.#at);
    this.#at += 8;
    return value;
  }

  double(): number {
    this.#need(8);
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  /** Reads a length and moves past so many bytes; answers where they start. */
  #block(): number {
    const length = this.varint();
    this.#need(length);
    const start = this.#at;
    this.#at += length;
    return start;
  }

  /** Invalid UTF-8 becomes U+FFFD. */
  text(): string {
    const start = this.#block();
    return this.#bytes.toString('utf8', start, this.#at);
  }

  hex(): string {
    const start = this.#block();
    return this.#bytes.toString('hex', start, this.#at);
  }

  base64(): string {
    const start = this.#block();
    return this.#bytes.toString('base64', start, this.#at);
  }

  /** Reads a message in place: `read` runs with the end narrowed to it. */
  message(read: () => void): void {
    const start = this.#block();
    this.#within(start, this.#at, read);
  }

  /** Remembers where a message is, to read it later with `at`. */
  range(): readonly [start: number, end: number] {
    const start = this.#block();
    return [start, this.#at];
  }

  /** Passes over a length and so many bytes: answers where they end; `blockLength` says how many. */
  block(): number {
    const start = this.#block();
    this.blockLength = this.#at - start;
    return this.#at;
  }

  /** Runs `read` from here, and comes back. */
  again(read: () => void): void {
    this.#within(this.#at, this.#end, read);
  }

  at(range: readonly [start: number, end: number], read: () => void): void {
    this.#within(range[0], range[1], read);
  }

  skip(): void {
    if (this.wire === WIRE.varint) this.varint();
    else if (this.wire === WIRE.fixed64) this.#advance(8);
    else if (this.wire === WIRE.bytes) this.#block();
    else if (this.wire === WIRE.fixed32) this.#advance(4);
    else throw this.#problem(`wire type ${this.wire}`);
  }

  #within(start: number, end: number, read: () => void): void {
    const outerEnd = this.#end;
    const resumeAt = this.#at;
    this.#at = start;
    this.#end = end;
    read();
    this.#at = resumeAt;
    this.#end = outerEnd;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw this.#problem('the message ends inside a varint');
    return this.#bytes[this.#at++]!;
  }

  #advance(count: number): void {
    this.#need(count);
    this.#at += count;
  }

  #need(count: number): void {
    if (count > this.#end - this.#at)
      throw this.#problem(`${count} bytes announced, ${this.#end - this.#at} left`);
  }

  #problem(what: string): WireProblem {
    return new WireProblem(`${what} (at byte ${this.#at})`);
  }
}
