// What the encoder and the decoder of records share: constants, codes, limits.
// The bytes are described in docs/wire.md, "Record".

import { PACKED_MAX } from './bit-packing.ts';
import type { MediaRange } from './frame-block.types.ts';

/** `FR` */
export const RECORD_MAGIC = [0x46, 0x52] as const;
/** 10 µs: 6.8 bits a mark where 1 µs takes 10.1, and finer than any browser's clock. */
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
  block: 1,
  column: 2,
  range: 3,
  clockSample: 4,
  late: 5,
  compactColumn: 6,
} as const;

/** Bit 3 of a block's first byte: toward the user. Bit 4: stream and rate are codes in one byte. */
export const BLOCK_FLAG = { down: 8, coded: 16 } as const;
/** Low half of a coded block's second byte, counted from 1; append-only. */
export const STREAM_NAMES: readonly string[] = ['mic', 'agent'];
/** High half of it, counted from 1; append-only. */
export const SAMPLE_RATES: readonly number[] = [
  8_000, 16_000, 24_000, 48_000, 11_025, 12_000, 22_050, 32_000, 44_100, 96_000,
];

/** Bits 3–7 of a range's first byte count from 0 in this list; append-only. */
export const RANGE_KINDS: readonly MediaRange['kind'][] = ['conceal', 'drop', 'silence'];

/** Bits 3–4 of a column's first byte; bit 7 is 0. */
export const COLUMN_FLAG = { sameCut: 8, evenCut: 16 } as const;
/** Bits 3–4 of a compact column's first byte: how its cut is told. */
export const COMPACT_CUT = { even: 0, near: 8, same: 16, uneven: 24 } as const;
/** A near cut has the frame size of the column before; its start and its rows differ by −8 … 7. */
export const NEAR_BIAS = 8;
/** Bits 5–6 of a column's first byte. */
export const PREDICTOR_SHIFT = 5;
/** What the time of a frame is told against; see docs/wire.md. */
export const PREDICTOR = { mediaClock: 0, previousHop: 1, previousRow: 2 } as const;

/** Bits 6–7 of a hop's role byte. */
export const HOP_FLAG = { nth: 64, after: 128 } as const;
