// MurmurHash3 x86_128 (Austin Appleby, public domain): our IDs are hashes, and
// this one needs only 32-bit multiplies, so no BigInt. Not a cryptographic
// hash: an ID says which thing, it does not prove who made it.
//
// The 16 result bytes are h1, h2, h3, h4, each little-endian, as the reference
// C code leaves them in memory.

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

const rotl = (x: number, r: number): number => (x << r) | (x >>> (32 - r));
const mixK = (k: number, first: number, r: number, second: number): number =>
  Math.imul(rotl(Math.imul(k, first), r), second);

/** 16 bytes of the first `length`; same input and seed, same bytes in every language. */
export function murmur3x128(
  bytes: Uint8Array,
  seed = 0,
  length: number = bytes.length,
): Uint8Array {
  const h = state.fill(seed);
  const blockEnd = length & ~15;
  for (let at = 0; at < blockEnd; at += 16) mixBlock(h, bytes, at);
  const tail = last.fill(0);
  for (let i = blockEnd; i < length; i++) tail[i - blockEnd] = bytes[i]!;
  mixTail(h, tail, 0);
  finish(h, length);
  const out = new Uint8Array(16);
  for (let i = 0; i < 16; i++) out[i] = h[i >> 2]! >>> (8 * (i & 3));
  return out;
}

/** Scratch: a hash is made at one go. */
const state = new Int32Array(4);
/** What is left behind the last whole block, zeros after it. */
const last = new Uint8Array(16);

/** Little-endian word. */
const word = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

function mixBlock(h: Int32Array, bytes: Uint8Array, at: number): void {
  let h1 = h[0]! ^ mixK(word(bytes, at), C1, 15, C2);
  h1 = (Math.imul(rotl(h1, 19) + h[1]!, 5) + 0x561ccd1b) | 0;
  let h2 = h[1]! ^ mixK(word(bytes, at + 4), C2, 16, C3);
  h2 = (Math.imul(rotl(h2, 17) + h[2]!, 5) + 0x0bcaa747) | 0;
  let h3 = h[2]! ^ mixK(word(bytes, at + 8), C3, 17, C4);
  h3 = (Math.imul(rotl(h3, 15) + h[3]!, 5) + 0x96cd1c35) | 0;
  let h4 = h[3]! ^ mixK(word(bytes, at + 12), C4, 18, C1);
  h4 = (Math.imul(rotl(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  h[0] = h1;
  h[1] = h2;
  h[2] = h3;
  h[3] = h4;
}

function mixTail(h: Int32Array, bytes: Uint8Array, at: number): void {
  h[3] = h[3]! ^ mixK(word(bytes, at + 12), C4, 18, C1);
  h[2] = h[2]! ^ mixK(word(bytes, at + 8), C3, 17, C4);
  h[1] = h[1]! ^ mixK(word(bytes, at + 4), C2, 16, C3);
  h[0] = h[0]! ^ mixK(word(bytes, at), C1, 15, C2);
}

function finish(h: Int32Array, length: number): void {
  for (let i = 0; i < 4; i++) h[i] = h[i]! ^ length;
  addAll(h);
  for (let i = 0; i < 4; i++) h[i] = avalanche(h[i]!);
  addAll(h);
}

function addAll(h: Int32Array): void {
  h[0] = h[0]! + h[1]! + h[2]! + h[3]!;
  for (let i = 1; i < 4; i++) h[i] = h[i]! + h[0]!;
}

function avalanche(value: number): number {
  let x = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
