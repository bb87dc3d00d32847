// Identity by hash: two processes that know the same facts make the same ID
// with no channel between them, and exporting a thing twice is harmless.
//
// Every ID is MurmurHash3 x86_128 (seed 0) over one byte layout:
//
//   66 73 69 31   kind   field …
//   "fsi1"        u8     trace or span ID: its raw bytes (16 or 8)
//                        text: u32 length in bytes, then UTF-8
//                        tick: i64    number: u32        all little-endian
//
// A trace ID is all 16 bytes of the hash, a span ID or a clock domain the
// first 8. The turn's trace ID keeps the last 7 bytes of its session's: W3C
// and OpenTelemetry samplers take their randomness from there, so that all
// turns of a call are kept or dropped together.
// All-zero results are forbidden by W3C; their last byte becomes 1.

import { hexDigit, hexInto, toHex } from './hex.ts';
import { murmur3x128 } from './murmur.ts';
import { encodeUtf8 } from './utf8.ts';

declare const idKind: unique symbol;
/** 32 lower-case hex digits, not all zero. */
export type TraceId = string & { readonly [idKind]: 'TraceId' };
/** 16 lower-case hex digits, not all zero. */
export type SpanId = string & { readonly [idKind]: 'SpanId' };

/** The `kind` byte: what is named. Append-only. */
export const ID_KIND = {
  sessionTrace: 1,
  turnTrace: 2,
  turnSpan: 3,
  sessionStartSpan: 4,
  frameSpan: 5,
  recordSpan: 6,
  sessionKey: 7,
  clockDomain: 8,
} as const;

const MAGIC = [0x66, 0x73, 0x69, 0x31] as const;
const TURN_OWN_BYTES = 9;
const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
const SESSION_KEY_LENGTH = 13;

/** The trace of a session, from `session.id`: any characters, any length. */
export function sessionTraceId(sessionId: string): TraceId {
  return traceIdOf(hashOf(ID_KIND.sessionTrace, () => text(sessionId)));
}

/** The trace of one turn: start tick of the user's speech on `stream`. */
export function turnTraceId(sessionTraceId: string, stream: string, at: number): TraceId {
  const hash = hashOf(ID_KIND.turnTrace, () => place(sessionTraceId, stream, at));
  const session = hexInto(new Uint8Array(16), sessionTraceId);
  hash.set(session.subarray(TURN_OWN_BYTES), TURN_OWN_BYTES);
  return traceIdOf(hash);
}

/** The root span of that turn. */
export function turnSpanId(sessionTraceId: string, stream: string, at: number): SpanId {
  return spanIdOf(hashOf(ID_KIND.turnSpan, () => place(sessionTraceId, stream, at)));
}

function place(sessionTraceId: string, stream: string, at: number): void {
  id(sessionTraceId, 16);
  text(stream);
  tick(at);
}

/** The zero-length `session.start` span that turns link to. */
export function sessionStartSpanId(sessionTraceId: string): SpanId {
  return spanIdOf(hashOf(ID_KIND.sessionStartSpan, () => id(sessionTraceId, 16)));
}

/** One frame at one hop. `hopKey` without its instance: which process ran it is not identity. */
export function frameSpanId(
  sessionTraceId: string,
  stream: string,
  hopKey: string,
  at: number,
): SpanId {
  return spanIdOf(
    hashOf(ID_KIND.frameSpan, () => {
      id(sessionTraceId, 16);
      text(stream);
      text(hopKey);
      tick(at);
    }),
  );
}

/** The `audio.frames` span of one part of a record. `producer`: 16 hex digits. */
export function recordSpanId(
  producer: string,
  sessionTraceId: string,
  seq: number,
  part: number,
): SpanId {
  return spanIdOf(
    hashOf(ID_KIND.recordSpan, () => {
      id(producer, 8);
      id(sessionTraceId, 16);
      tick(seq);
      number(part);
    }),
  );
}

/**
 * 13 characters of Crockford base32 (lower case) for URLs. `incarnation` counts sessions of one
 * `session.id`: seen again an hour after its last data, it is a new one.
 */
export function sessionKey(sessionId: string, incarnation = 0): string {
  const hash = hashOf(ID_KIND.sessionKey, () => {
    text(sessionId);
    number(incarnation);
  });
  let key = '';
  let bits = 0;
  let bitCount = 1; // 64 bits fill 13 characters of 5 with one zero bit in front
  for (let i = 0; i < 8; i++) {
    bits = ((bits << 8) | hash[i]!) & 0xfff;
    bitCount += 8;
    for (; bitCount >= 5; bitCount -= 5) key += CROCKFORD[(bits >> (bitCount - 5)) & 31]!;
  }
  return key.slice(0, SESSION_KEY_LENGTH);
}

/** 16 hex digits for a host's monotonic clock; on Linux from `/proc/sys/kernel/random/boot_id`. */
export function clockDomainOf(bootId: string): string {
  return toHex(notZero(hashOf(ID_KIND.clockDomain, () => text(bootId.trim())).slice(0, 8)));
}

/** A W3C `traceparent` header. */
export const traceparent = (traceId: string, spanId: string, sampled: boolean): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

/** Where the fields of an ID are laid out; one at a time: nothing in between waits. */
let input = new Uint8Array(128);
let length = 0;

/** Room for `count` bytes more; answers where they begin. */
function room(count: number): number {
  const at = length;
  length += count;
  if (length > input.length) {
    const grown = new Uint8Array(length * 2);
    grown.set(input);
    input = grown;
  }
  return at;
}

/** The hash of a kind and its fields, which `write` lays out. */
function hashOf(kind: number, write: () => void): Uint8Array {
  length = MAGIC.length + 1;
  input.set(MAGIC);
  input[MAGIC.length] = kind;
  write();
  return murmur3x128(input, 0, length);
}

/** Hex digits as raw bytes; what is no hex digit counts as 0. */
function id(hex: string, byteCount: number): void {
  const at = room(byteCount);
  for (let i = 0; i < byteCount; i++)
    input[at + i] = (hexDigit(hex.charCodeAt(2 * i)) << 4) | hexDigit(hex.charCodeAt(2 * i + 1));
}

function text(value: string): void {
  const bytes = encodeUtf8(value);
  number(bytes.length);
  // First the room: `input` may be another one after it.
  const at = room(bytes.length);
  input.set(bytes, at);
}

function number(value: number): void {
  const at = room(4);
  for (let i = 0; i < 4; i++) input[at + i] = value >>> (8 * i);
}

/** Two's complement; a fraction is cut off, and what is no safe integer counts as 0. */
function tick(value: number): void {
  const whole = Math.trunc(value);
  const safe = Number.isSafeInteger(whole) ? whole : 0;
  number(safe % 0x100000000);
  number(Math.floor(safe / 0x100000000));
}

const traceIdOf = (hash: Uint8Array): TraceId => toHex(notZero(hash)) as TraceId;
const spanIdOf = (hash: Uint8Array): SpanId => toHex(notZero(hash.slice(0, 8))) as SpanId;

function notZero(bytes: Uint8Array): Uint8Array {
  if (bytes.every(byte => byte === 0)) bytes[bytes.length - 1] = 1;
  return bytes;
}
