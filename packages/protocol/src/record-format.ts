// What the encoder and the decoder of records share: constants, codes, limits.
// The bytes are described in docs/wire.md, "Record".

import { PACKED_MAX } from './bit-packing.ts';
import type { MediaRange } from './frame-block.types.ts';

/** `FR` */
export const RECORD_MAGIC = [0x46, 0x52] as const;
/** 10 µs: three bits a mark less than 1 µs, and finer than any browser's clock. */
export const DEFAULT_QUANTUM_NS = 10_000;
/** Largest quantum: one second. */
export const QUANTUM_NS_MAX = 1_000_000_000;
/** Some stores cut attributes at 2,048 bytes: 2,000 characters of base64 are 1,500 bytes. */
export const RECORD_BASE64_LIMIT = 2_000;
export const RECORD_BYTES_MAX: number = (RECORD_BASE64_LIMIT / 4) * 3;
/** Of stream, role, hop and predecessor names, in UTF-8 bytes. */
export const NAME_BYTES_MAX = 255;
/**
 * A frame whose time is exactly as predicted costs no bits at all, so the length of a column needs
 * a limit of its own: rows in a record are at most this many times its bytes.
 */
export const ROWS_PER_BYTE_MAX = 32;
export const COLUMN_ROWS_MAX = 4_096;
export const SAMPLE_RATE_MAX = 4_294_967_295;
/** 1,487 years at 48 kHz: every difference of two ticks stays exact. */
export const TICK_MAX: number = PACKED_MAX;
/** A decoder refuses longer ones unread: with ROWS_PER_BYTE_MAX it bounds what it allocates to 13 MB. */
export const RECORD_DECODE_MAX = 16_384;
export const CRC_BYTES = 4;

/** Low three bits of an item's first byte. */
export const ITEM = {
  usualBlock: 0,
  block: 1,
  column: 2,
  range: 3,
  clockSample: 4,
  late: 5,
  /** Written by version 2 only. */
  compactColumn: 6,
  shortColumn: 7,
} as const;

/**
 * Bit 3 of a block's first byte: toward the user. Bit 4: stream and rate are codes in one byte
 * (version 2). A usual block is one byte: bit 3 says `agent` down, else `mic` up; bits 4–7 the rate.
 */
export const BLOCK_FLAG = { down: 8, coded: 16 } as const;
/** Low half of a coded block's second byte, counted from 1; the first is the usual one up, the second down. */
export const STREAM_NAMES: readonly string[] = ['mic', 'agent'];
/** High half of a coded or usual block's last byte, counted from 1; append-only. */
export const SAMPLE_RATES: readonly number[] = [
  8_000, 16_000, 24_000, 48_000, 11_025, 12_000, 22_050, 32_000, 44_100, 96_000,
];

/** Bits 3–7 of a range's first byte count from 0 in this list; append-only. */
export const RANGE_KINDS: readonly MediaRange['kind'][] = ['conceal', 'drop', 'silence'];

/** Bit 3 of a clock sample's first byte: told against the one before in this part, of the same peer. */
export const SAME_PEER = 8;

/** Bits 3–4 of a column's first byte; bit 7 is 0. */
export const COLUMN_FLAG = { sameCut: 8, evenCut: 16 } as const;
/** Bits 3–4 of a compact or short column's first byte: how its cut is told. */
export const COMPACT_CUT = { even: 0, near: 8, same: 16, uneven: 24 } as const;
/** A near cut has the frame size of the column before; its start and its rows differ by −8 … 7. */
export const NEAR_BIAS = 8;
/** Bits 5–6 of a column's first byte. */
export const PREDICTOR_SHIFT = 5;
/** What the time of a frame is told against; see docs/wire.md. */
export const PREDICTOR = {
  mediaClock: 0,
  previousHop: 1,
  previousRow: 2,
  rowBeforeLast: 3,
} as const;

/** A short column says nothing of frames of so many milliseconds. */
export const USUAL_MS = 20;
/** Bit 7 of a short column's first byte. */
export const TWO_SIDED = 128;
/** High half of its second byte: k of the Rice code; this one says that a byte of its own follows. */
export const RICE_K_TOLD = 15;

/** Bits 6–7 of a hop's role byte. */
export const HOP_FLAG = { nth: 64, after: 128 } as const;
