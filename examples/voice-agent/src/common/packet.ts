// What one 20 ms frame looks like on the wire between our processes.
//
//   0      1       2             6               10
//   +------+-------+-------------+---------------+------------ - -
//   | 0xFA | flags | sequence    | sent, 0.1 ms  | one Opus packet
//   +------+-------+-------------+---------------+------------ - -
//
// The sequence number counts frames from the start of the stream, so a frame's
// place on the media axis is sequence × 320 whatever was lost before it. The
// time of sending is in the sender's clock and only ever compared with itself
// (it tells the jitter buffer what part of an arrival is jitter).

import { FRAME_SAMPLES } from './audio.ts';

const MAGIC = 0xfa;
const HEADER_BYTES = 10;
const FLAG_START = 1;
const FLAG_END = 2;
const SENT_UNITS_PER_MS = 10;
const UINT32 = 2 ** 32;

export interface Packet {
  readonly sequence: number;
  readonly sentMs: number;
  /** First frame after a silence in which nothing was sent. */
  readonly isSpurtStart: boolean;
  /** Nothing follows for a while: a gap after it is no loss. */
  readonly isSpurtEnd: boolean;
  readonly opus: Uint8Array;
}

/** First sample of the packet on the media axis of its stream. */
export function tickOf(packet: { readonly sequence: number }): number {
  return packet.sequence * FRAME_SAMPLES;
}

export function encodePacket(packet: Packet): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + packet.opus.length);
  bytes[0] = MAGIC;
  bytes[1] = (packet.isSpurtStart ? FLAG_START : 0) | (packet.isSpurtEnd ? FLAG_END : 0);
  bytes.writeUInt32BE(packet.sequence % UINT32, 2);
  bytes.writeUInt32BE(wrap(Math.round(packet.sentMs * SENT_UNITS_PER_MS)), 6);
  bytes.set(packet.opus, HEADER_BYTES);
  return bytes;
}

/** Undefined when `bytes` is not a frame of ours. */
export function decodePacket(bytes: Buffer): Packet | undefined {
  if (bytes.length <= HEADER_BYTES || bytes[0] !== MAGIC) return undefined;
  const flags = bytes[1] ?? 0;
  return {
    sequence: bytes.readUInt32BE(2),
    sentMs: bytes.readUInt32BE(6) / SENT_UNITS_PER_MS,
    isSpurtStart: (flags & FLAG_START) !== 0,
    isSpurtEnd: (flags & FLAG_END) !== 0,
    opus: bytes.subarray(HEADER_BYTES),
  };
}

function wrap(value: number): number {
  return ((value % UINT32) + UINT32) % UINT32;
}
