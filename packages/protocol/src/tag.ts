// The tag: 8 bytes on each packet of a transport that loses or reorders (a
// one-byte RTP header extension holds it). An anchor says the rest.
//
//   byte 0      version in bits 6–7, flags in bits 0–5
//   byte 1      stream number, as agreed when the stream was opened
//   bytes 2–3   session check: the last two bytes of the session's trace ID
//   bytes 4–7   tick mod 2^32, little-endian

import { hexInto } from './hex.ts';
import { decoded, rejected, type Decoded } from './result.ts';
import { tick, type Tick } from './units.ts';
import { TAG_VERSION } from './version.ts';

export const TAG_BYTES = 8;
const WRAP = 2 ** 32;

export interface Tag {
  /** 0–63, for the transport's own use. */
  readonly flags: number;
  /** 0–255. */
  readonly streamNumber: number;
  /** 0–65,535; see `sessionCheck`. */
  readonly check: number;
  /** Tick mod 2^32; see `unwrapTick`. */
  readonly tickLow: number;
}

/** Tells a packet of another call; not a secret. */
export function sessionCheck(traceId: string): number {
  const bytes = hexInto(new Uint8Array(16), traceId);
  return bytes[14]! | (bytes[15]! << 8);
}

export function encodeTag(tag: Tag): Uint8Array {
  const out = new Uint8Array(TAG_BYTES);
  out[0] = (TAG_VERSION << 6) | (tag.flags & 63);
  out[1] = tag.streamNumber;
  out[2] = tag.check;
  out[3] = tag.check >>> 8;
  const low = ((tag.tickLow % WRAP) + WRAP) % WRAP;
  for (let i = 0; i < 4; i++) out[4 + i] = low >>> (8 * i);
  return out;
}

export function decodeTag(bytes: Uint8Array): Decoded<Tag> {
  if (bytes.length !== TAG_BYTES) return rejected('tag', `${bytes.length} bytes, a tag has 8`);
  const version = bytes[0]! >> 6;
  if (version !== TAG_VERSION)
    return rejected('tag', `version ${version}, known is ${TAG_VERSION}: upgrade the reader`);
  const low = bytes[4]! | (bytes[5]! << 8) | (bytes[6]! << 16) | (bytes[7]! << 24);
  return decoded({
    flags: bytes[0]! & 63,
    streamNumber: bytes[1]!,
    check: bytes[2]! | (bytes[3]! << 8),
    tickLow: low >>> 0,
  });
}

/** The tick nearest to `near` that ends in these 32 bits; never below 0. */
export function unwrapTick(tickLow: number, near: number): Tick {
  const turns = Math.round((near - tickLow) / WRAP);
  return tick(tickLow + Math.max(0, turns) * WRAP);
}
