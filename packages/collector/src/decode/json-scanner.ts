// Walks JSON in UTF-8 where it stands, making nothing. Accepts what JSON.parse
// accepts and no more; -1 says no, and then somebody else finds out why.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NESTING_MAX = 64;

/** A hex digit's value by its character; 255: none. */
export const HEX: Uint8Array = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) {
  HEX[i.toString(16).charCodeAt(0)] = i;
  HEX[i.toString(16).toUpperCase().charCodeAt(0)] = i;
}

export class JsonScanner {
  #bytes: Buffer = Buffer.alloc(0);
  /** Set by `string`: the text needs unescaping. */
  hasEscapes = false;

  begin(bytes: Uint8Array): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Where the next byte that is no white space stands. */
  space(from: number): number {
    const bytes = this.#bytes;
    let at = from;
    for (;;) {
      const byte = bytes[at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
      at++;
    }
  }

  /** The byte at `at`; undefined at the end. */
  byte(at: number): number | undefined {
    return this.#bytes[at];
  }

  /** `at` stands on a quote: answers where the closing one stands, or -1. */
  string(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] !== QUOTE) return -1;
    this.hasEscapes = false;
    for (let i = at + 1; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte === QUOTE) return i;
      if (byte < 0x20) return -1;
      if (byte === BACKSLASH) {
        this.hasEscapes = true;
        i++;
      }
    }
    return -1;
  }

  /** The text between two quotes, unescaped; undefined when an escape is wrong. */
  unescaped(from: number, to: number): string | undefined {
    try {
      return JSON.parse(this.#bytes.toString('utf8', from - 1, to + 1)) as string;
    } catch {
      return undefined;
    }
  }

  /** The value at `[from, to)`; undefined when it is none. */
  parse(from: number, to: number): unknown {
    try {
      return JSON.parse(this.#bytes.toString('utf8', from, to));
    } catch {
      return undefined;
    }
  }

  /** True when the bytes between the quotes are these. */
  is(from: number, to: number, word: Uint8Array): boolean {
    if (to - from !== word.length) return false;
    const bytes = this.#bytes;
    for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word[i]) return false;
    return true;
  }

  /** Where the number that starts at `at` ends, or -1. */
  number(at: number): number {
    let i = this.#bytes[at] === 0x2d ? at + 1 : at;
    const first = this.#bytes[i];
    if (first === 0x30) i++;
    else if ((i = this.#digits(i)) < 0) return -1;
    if (this.#bytes[i] === 0x2e && (i = this.#digits(i + 1)) < 0) return -1;
    if (this.#bytes[i] === 0x65 || this.#bytes[i] === 0x45) {
      const sign = this.#bytes[i + 1];
      i = this.#digits(sign === 0x2b || sign === 0x2d ? i + 2 : i + 1);
    }
    return i;
  }

  /** At least one digit; where they end. */
  #digits(at: number): number {
    let i = at;
    for (; i < this.#bytes.length; i++) {
      const byte = this.#bytes[i]!;
      if (byte < 0x30 || byte > 0x39) break;
    }
    return i === at ? -1 : i;
  }

  /** Where the literal ends, or -1. */
  literal(at: number, word: string): number {
    for (let i = 0; i < word.length; i++) if (this.#bytes[at + i] !== word.charCodeAt(i)) return -1;
    return at + word.length;
  }

  /** Where the value that starts at `at` ends, or -1. Escapes within strings are not judged. */
  skip(at: number, depth = 0): number {
    switch (this.#bytes[at]) {
      case QUOTE: {
        const end = this.string(at);
        return end < 0 ? -1 : end + 1;
      }
      case 0x7b:
        return this.#skipList(at, 0x7d, depth);
      case 0x5b:
        return this.#skipList(at, 0x5d, depth);
      case 0x74:
        return this.literal(at, 'true');
      case 0x66:
        return this.literal(at, 'false');
      case 0x6e:
        return this.literal(at, 'null');
      default:
        return this.number(at);
    }
  }

  /** An object or an array. */
  #skipList(at: number, closing: number, depth: number): number {
    if (depth > NESTING_MAX) return -1;
    let i = this.space(at + 1);
    if (this.#bytes[i] === closing) return i + 1;
    for (;;) {
      if (closing === 0x7d) {
        const end = this.string(i);
        if (end < 0) return -1;
        i = this.space(end + 1);
        if (this.#bytes[i] !== 0x3a) return -1;
        i = this.space(i + 1);
      }
      const end = this.skip(i, depth + 1);
      if (end < 0) return -1;
      i = this.space(end);
      if (this.#bytes[i] === closing) return i + 1;
      if (this.#bytes[i] !== 0x2c) return -1;
      i = this.space(i + 1);
    }
  }
}
