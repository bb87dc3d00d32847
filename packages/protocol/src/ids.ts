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

import { hexInto, toHex } from './base64.ts';
import { ByteWriter } from './bytes.ts';
import { murmur3x128 } from './murmur.ts';
import { decoded, rejected, type Decoded } from './result.ts';

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
  return traceIdOf(startOf(ID_KIND.sessionTrace, text => text.text(sessionId)));
}

/** The trace of one turn: start tick of the user's speech on `stream`. */
export function turnTraceId(sessionTraceId: string, stream: string, tick: number): TraceId {
  const hash = startOf(ID_KIND.turnTrace, input =>
    input.id(sessionTraceId, 16).text(stream).tick(tick),
  );
  const session = hexInto(new Uint8Array(16), sessionTraceId);
  hash.set(session.subarray(TURN_OWN_BYTES), TURN_OWN_BYTES);
  return traceIdOf(hash);
}

/** The root span of that turn. */
export function turnSpanId(sessionTraceId: string, stream: string, tick: number): SpanId {
  return spanIdOf(
    startOf(ID_KIND.turnSpan, input => input.id(sessionTraceId, 16).text(stream).tick(tick)),
  );
}

/** The zero-length `session.start` span that turns link to. */
export function sessionStartSpanId(sessionTraceId: string): SpanId {
  return spanIdOf(startOf(ID_KIND.sessionStartSpan, input => input.id(sessionTraceId, 16)));
}

/** One frame at one hop. `hopKey` without its instance: which process ran it is not identity. */
export function frameSpanId(
  sessionTraceId: string,
  stream: string,
  hopKey: string,
  tick: number,
): SpanId {
  return spanIdOf(
    startOf(ID_KIND.frameSpan, input =>
      input.id(sessionTraceId, 16).text(stream).text(hopKey).tick(tick),
    ),
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
    startOf(ID_KIND.recordSpan, input =>
      input.id(producer, 8).id(sessionTraceId, 16).tick(seq).number(part),
    ),
  );
}

/**
 * 13 characters of Crockford base32 (lower case) for URLs. `incarnation` counts sessions of one
 * `session.id`: seen again an hour after its last data, it is a new one.
 */
export function sessionKey(sessionId: string, incarnation = 0): string {
  const hash = startOf(ID_KIND.sessionKey, input => input.text(sessionId).number(incarnation));
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
  return toHex(
    notZero(startOf(ID_KIND.clockDomain, input => input.text(bootId.trim())).slice(0, 8)),
  );
}

/** A W3C `traceparent` header. */
export const traceparent = (traceId: string, spanId: string, sampled: boolean): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

/** Reads a trace ID from foreign JSON. Upper-case hex is accepted and folded. */
export function decodeTraceId(raw: unknown, path: string): Decoded<TraceId> {
  const hex = decodeHex(raw, path, 32);
  return hex.ok ? decoded(hex.value as TraceId) : hex;
}

/** Reads a span ID from foreign JSON. Upper-case hex is accepted and folded. */
export function decodeSpanId(raw: unknown, path: string): Decoded<SpanId> {
  const hex = decodeHex(raw, path, 16);
  return hex.ok ? decoded(hex.value as SpanId) : hex;
}

function decodeHex(raw: unknown, path: string, digits: number): Decoded<string> {
  if (typeof raw !== 'string')
    return rejected(path, `expected a string of ${digits} hex digits, got ${typeof raw}`);
  if (raw.length !== digits || !/^[0-9a-f]*$/i.test(raw))
    return rejected(path, `expected ${digits} hex digits, got ${raw.length} characters`);
  if (/^0*$/.test(raw)) return rejected(path, 'all-zero ID');
  return decoded(raw.toLowerCase());
}

/** Writes the fields of an ID in the documented layout. One at a time: nothing in between waits. */
class IdInput {
  readonly #out = new ByteWriter(128);

  begin(kind: number): this {
    this.#out.length = 0;
    for (const byte of MAGIC) this.#out.u8(byte);
    this.#out.u8(kind);
    return this;
  }

  /** Hex digits as raw bytes; what is no hex digit counts as 0. */
  id(hex: string, byteCount: number): this {
    this.#out.hex(hex, byteCount);
    return this;
  }

  text(text: string): this {
    const lengthAt = this.#out.length;
    this.#out.u32(0);
    this.#out.utf8(text);
    this.#out.setU32(lengthAt, this.#out.length - lengthAt - 4);
    return this;
  }

  number(value: number): this {
    this.#out.u32(value);
    return this;
  }

  /** Two's complement; a fraction is cut off, and what is no safe integer counts as 0. */
  tick(value: number): this {
    this.#out.i64(Number.isSafeInteger(Math.trunc(value)) ? Math.trunc(value) : 0);
    return this;
  }

  hash(): Uint8Array {
    return murmur3x128(this.#out.bytes, 0, this.#out.length);
  }
}

const startOf = (kind: number, write: (input: IdInput) => unknown): Uint8Array => {
  write(idInput.begin(kind));
  return idInput.hash();
};

const idInput = new IdInput();

const traceIdOf = (hash: Uint8Array): TraceId => toHex(notZero(hash)) as TraceId;
const spanIdOf = (hash: Uint8Array): SpanId => toHex(notZero(hash.slice(0, 8))) as SpanId;

function notZero(bytes: Uint8Array): Uint8Array {
  if (bytes.every(byte => byte === 0)) bytes[bytes.length - 1] = 1;
  return bytes;
}

/** One frame in so many is promoted to tell what is usual; its span carries this as its weight. */
export const BASELINE_WEIGHT = 1_000;

/**
 * Whether the frame that begins at `tick` is one of them: the same in every process. By the high
 * bits of a multiplicative hash: frames stand at multiples of their size, which the low bits keep.
 */
export const isBaselineTick = (tick: number): boolean =>
  Math.imul(tick, 0x9e3779b1) >>> 0 < BASELINE_HASH_END;

const BASELINE_HASH_END = 2 ** 32 / BASELINE_WEIGHT;
