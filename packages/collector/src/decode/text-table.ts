// Texts seen once: UTF-8 bytes → a small number, without making a string.
//
// Telemetry says the same few words again and again. A body's bytes are looked
// up where they stand; a JavaScript string is made only when somebody reads it.
//
//   slots (open addressing)      starts  ends      arena
//   [ . 3 . . 1 2 . ]    ───▶    0       4         "POST/calls/{id}agent…"
//                                4      15
//
// Text 0 is the empty text. Numbers hold until `clear`.

const EMPTY = 0;
const TEXTS_AT_START = 1 << 10;
const BYTES_AT_START = 1 << 16;

export class TextTable {
  #arena = Buffer.alloc(BYTES_AT_START);
  #starts = new Uint32Array(TEXTS_AT_START);
  #ends = new Uint32Array(TEXTS_AT_START);
  #hashes = new Uint32Array(TEXTS_AT_START);
  #slots = new Uint32Array(TEXTS_AT_START * 4);
  #strings: (string | undefined)[] = [''];
  #count = 1;
  #byteCount = 0;
  /** Rises when numbers lose their meaning. */
  clearedCount = 0;

  /** Texts so far, the empty one included. */
  get count(): number {
    return this.#count;
  }

  get byteCount(): number {
    return this.#byteCount;
  }

  /** The number of the text at `source[from, to)`: an old one, or the next. */
  intern(source: Uint8Array, from: number, to: number): number {
    if (from === to) return EMPTY;
    const hash = hashOf(source, from, to);
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const id = this.#slots[slot]!;
      if (id === EMPTY) break;
      if (this.#hashes[id] === hash && this.equals(id, source, from, to)) return id;
      slot = (slot + 1) & mask;
    }
    return this.#add(source, from, to, hash);
  }

  internText(text: string): number {
    if (text === '') return EMPTY;
    const bytes = Buffer.from(text);
    return this.intern(bytes, 0, bytes.length);
  }

  /** True when text `id` is `source[from, to)`. */
  equals(id: number, source: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[id]!;
    const length = to - from;
    if (this.#ends[id]! - start !== length) return false;
    const arena = this.#arena;
    for (let i = 0; i < length; i++) if (arena[start + i] !== source[from + i]) return false;
    return true;
  }

  /** Invalid UTF-8 reads as U+FFFD. */
  text(id: number): string {
    return (this.#strings[id] ??= this.#arena.toString('utf8', this.#starts[id], this.#ends[id]));
  }

  byteLength(id: number): number {
    return this.#ends[id]! - this.#starts[id]!;
  }

  /** A view, good until the next text is added. */
  bytesOf(id: number): Buffer {
    return this.#arena.subarray(this.#starts[id], this.#ends[id]);
  }

  /** Copies text `id` into `target` at `at`; answers where it ends. */
  copyTo(id: number, target: Uint8Array, at: number): number {
    const start = this.#starts[id]!;
    const end = this.#ends[id]!;
    const arena = this.#arena;
    let to = at;
    for (let i = start; i < end; i++) target[to++] = arena[i]!;
    return to;
  }

  /** Forgets all texts but the empty one. */
  clear(): void {
    this.#slots.fill(EMPTY);
    this.#strings = [''];
    this.#count = 1;
    this.#byteCount = 0;
    this.clearedCount++;
  }

  #add(source: Uint8Array, from: number, to: number, hash: number): number {
    const id = this.#count++;
    if (id === this.#starts.length) this.#growTexts();
    const start = this.#byteCount;
    const length = to - from;
    if (start + length > this.#arena.length) this.#growBytes(start + length);
    for (let i = 0; i < length; i++) this.#arena[start + i] = source[from + i]!;
    this.#byteCount = start + length;
    this.#starts[id] = start;
    this.#ends[id] = start + length;
    this.#hashes[id] = hash;
    this.#place(id);
    return id;
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[id]! & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = id;
  }

  #growTexts(): void {
    const size = this.#starts.length * 2;
    this.#starts = grown(this.#starts, size);
    this.#ends = grown(this.#ends, size);
    this.#hashes = grown(this.#hashes, size);
    this.#slots = new Uint32Array(size * 4);
    for (let id = 1; id < this.#count - 1; id++) this.#place(id);
  }

  #growBytes(needed: number): void {
    const arena = Buffer.alloc(Math.max(needed, this.#arena.length * 2));
    arena.set(this.#arena.subarray(0, this.#byteCount));
    this.#arena = arena;
  }
}

function grown(old: Uint32Array, size: number): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(size);
  next.set(old);
  return next;
}

/** Four bytes a step: a byte a step took a third of the time of decoding. */
function hashOf(source: Uint8Array, from: number, to: number): number {
  let hash = (to - from) | 0;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    const word =
      source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24);
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < to; at++) hash = Math.imul(hash ^ source[at]!, 0x85ebca6b);
  hash ^= hash >>> 13;
  return Math.imul(hash, 0xc2b2ae35) >>> 0;
}
