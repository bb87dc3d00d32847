// Record in memory → bytes. Layout: docs/wire.md, "Record".
//
//   FrameRecord ─ block ─ column ─ prepare ─ piece ─┬ fits → the open part
//                                                   ├ does not → a new part
//                                                   └ not even alone → two halves
//
// Works from the columns: no object and no BigInt per mark. Never throws on
// values: what cannot be told exactly is refused and counted in the tally.

import { ByteWriter, SVARINT_MAX } from './bytes.ts';
import { crc32 } from './crc32.ts';
import type {
  ClockSample,
  FrameBlock,
  FrameRecord,
  HopName,
  MediaRange,
} from './frame-block.types.ts';
import { roleCode, roleOfCode } from './hops.ts';
import {
  isHopName,
  isName,
  isPredictable,
  writeColumn,
  writeHop,
  writeLate,
} from './record-column.ts';
import {
  BLOCK_FLAG,
  COLUMN_ROWS_MAX,
  CRC_BYTES,
  DEFAULT_QUANTUM_NS,
  ITEM,
  QUANTUM_NS_MAX,
  RANGE_KINDS,
  RECORD_BYTES_MAX,
  RECORD_DECODE_MAX,
  RECORD_MAGIC,
  ROWS_PER_BYTE_MAX,
  SAME_PEER,
  SAMPLE_RATE_MAX,
  SAMPLE_RATES,
  STREAM_NAMES,
} from './record-format.ts';
import type { QuantaColumn } from './record-prediction.ts';
import {
  addLate,
  EncodeTally,
  isRange,
  prepareColumn,
  rowCount,
  slice,
  toQuanta,
  type LateRows,
} from './record-rows.ts';
import { domainNs, NS_PER_S } from './units.ts';
import { RECORD_VERSION } from './version.ts';

export interface EncodeOptions {
  /** Bytes of one part at most: 1,500 by default (2,000 characters of base64), at least 1,400. */
  readonly maxBytes?: number;
  /** Told what was written and what was refused. */
  readonly tally?: EncodeTally;
  /** The last part is lent, not copied: the next record that is encoded overwrites it. */
  readonly isLent?: boolean;
}

/** Late rows go out in items of at most this many, so that one always fits an empty part. */
const LATE_ROWS_PER_ITEM = 8;
/** Header, a block and a column with four names of the longest, and eight late rows: 1,290. */
const PART_BYTES_MIN = 1_400;

/** One record as one or more parts, each whole in itself; at least one, even when empty. */
export function encodeRecord(record: FrameRecord, options: EncodeOptions = {}): Uint8Array[] {
  const encoder = new RecordEncoder(record, options);
  for (const block of record.blocks) encoder.block(block);
  for (const sample of record.clockSamples) encoder.clockSample(sample);
  return encoder.finish(options.isLent === true);
}

/** Where parts are written: encoding is synchronous, and what leaves is a copy. */
const scratch = new ByteWriter(4_096);

/** Whole number in [0, max], else the fallback. */
const whole = (value: number, max: number, fallback: number): number =>
  Number.isSafeInteger(value) && value >= 0 && value <= max ? value : fallback;

class RecordEncoder {
  readonly #record: FrameRecord;
  readonly #tally: EncodeTally;
  readonly #maxBytes: number;
  readonly #quantumNs: number;
  readonly #baseQuanta: number;
  /** Code of the role of the first hop, which most hops of a process share; 0 for one without. */
  readonly #roleByte: number;
  readonly #parts: Uint8Array[] = [];
  #out: ByteWriter = scratch;
  #rowsInPart = 0;
  #itemsInPart = 0;
  /** The block whose items follow in this part, and the last column in it. */
  #openBlock: FrameBlock | undefined = undefined;
  #previous: QuantaColumn | undefined = undefined;
  #previousSize = 0;
  /** The clock sample written last in this part. */
  #sampleBefore: ClockSample | undefined = undefined;
  /** The role last spelled out in this part, as a reader of it knows it. */
  #role: string | undefined = undefined;

  constructor(record: FrameRecord, options: EncodeOptions) {
    this.#record = record;
    this.#tally = options.tally ?? new EncodeTally();
    const wanted = whole(options.maxBytes ?? RECORD_BYTES_MAX, RECORD_DECODE_MAX, RECORD_BYTES_MAX);
    this.#maxBytes = Math.max(PART_BYTES_MIN, wanted);
    this.#quantumNs = whole(record.quantumNs, QUANTUM_NS_MAX, 0) || DEFAULT_QUANTUM_NS;
    this.#baseQuanta = firstQuanta(record, this.#quantumNs);
    this.#roleByte = roleCode(firstRole(record));
    this.#startPart();
  }

  block(block: FrameBlock): void {
    const problem = blockProblem(block);
    if (problem !== undefined) return this.#tally.refuse(problem, rowsOf(block));
    for (const column of block.columns) {
      if (isHopName(column.hop)) this.#addColumn(block, column);
      else this.#tally.refuse('hop name over 255 bytes', rowCount(column) + column.late.length);
    }
    for (const range of block.ranges) this.#addRange(block, range);
  }

  clockSample(sample: ClockSample): void {
    const t1 = Math.round(sample.t1);
    const t2 = Math.round(sample.t2);
    const away = Math.round(sample.t4) - t1;
    const held = Math.round(sample.t3) - t2;
    const sinceBase = t1 - this.#baseQuanta * this.#quantumNs;
    const isExact =
      [t1, t2, t1 + away, t2 + held].every(Number.isSafeInteger) &&
      Math.abs(sinceBase) <= SVARINT_MAX &&
      Math.abs(away) <= SVARINT_MAX &&
      Math.abs(held) <= SVARINT_MAX;
    if (!isExact) return this.#tally.refuse('clock sample whose times are no safe integers');
    this.#addItem(out => {
      const before = this.#sampleBefore;
      // A new part knows of none: asked here, where it is known which part this is.
      const since = before === undefined ? Infinity : t2 - before.t2 - (t1 - before.t1);
      const isNear = [since, t1 - (before?.t1 ?? Infinity)].every(
        ns => Math.abs(ns) <= SVARINT_MAX,
      );
      if (isNear && isSamePeer(before, sample)) {
        out.u8(ITEM.clockSample | SAME_PEER);
        out.svarint(t1 - before!.t1);
        out.svarint(away);
        out.svarint(since);
      } else {
        out.u8(ITEM.clockSample);
        out.hex(sample.peer, 8);
        out.varint(whole(sample.peerEpoch, Number.MAX_SAFE_INTEGER, 0));
        out.svarint(sinceBase);
        out.svarint(away);
        out.i64(t2);
      }
      out.svarint(held);
    });
    this.#sampleBefore = { ...sample, t1: domainNs(t1), t2: domainNs(t2) };
  }

  finish(isLent: boolean): Uint8Array[] {
    this.#endPart(isLent);
    return this.#parts;
  }

  #startPart(): void {
    const { producer, domain, zeroUnixNs, seq, epoch } = this.#record;
    const out = scratch;
    out.length = 0;
    for (const byte of RECORD_MAGIC) out.u8(byte);
    out.u8(RECORD_VERSION);
    out.u8(this.#roleByte);
    out.u32(0); // length, known at the end
    out.hex(producer, 8);
    out.hex(domain, 8);
    const zero = BigInt.asUintN(64, zeroUnixNs);
    out.u32(Number(zero & 0xffffffffn));
    out.u32(Number(zero >> 32n));
    // Together any safe integer, which a varint alone does not hold.
    out.svarint(Math.floor(this.#baseQuanta / 65_536));
    out.u16(this.#baseQuanta & 0xffff);
    out.varint(whole(seq, Number.MAX_SAFE_INTEGER, 0));
    out.varint(this.#parts.length);
    out.varint(whole(epoch, Number.MAX_SAFE_INTEGER, 0));
    out.varint(this.#quantumNs);
    this.#out = out;
    this.#rowsInPart = 0;
    this.#itemsInPart = 0;
    this.#openBlock = undefined;
    this.#previous = undefined;
    this.#sampleBefore = undefined;
    this.#role = roleOfCode(this.#roleByte);
  }

  #endPart(isLent: boolean): void {
    const out = this.#out;
    out.setU32(4, out.length + CRC_BYTES);
    out.u32(crc32(out.bytes, 0, out.length));
    this.#parts.push(isLent ? out.bytes.subarray(0, out.length) : out.toBytes());
  }

  /** Writes what `write` writes, in the open part or a new one; false when it fits neither. */
  #addItem(write: (out: ByteWriter) => void, rows = 0, block?: FrameBlock): boolean {
    if (this.#tryItem(write, rows, block)) return true;
    if (this.#itemsInPart === 0) return false;
    this.#endPart(false);
    this.#startPart();
    return this.#tryItem(write, rows, block);
  }

  #tryItem(write: (out: ByteWriter) => void, rows: number, block?: FrameBlock): boolean {
    const out = this.#out;
    const before = out.length;
    const openBlock = this.#openBlock;
    if (block !== undefined) this.#openIfNeeded(block);
    write(out);
    const bytes = out.length + CRC_BYTES;
    if (bytes <= this.#maxBytes && this.#rowsInPart + rows <= bytes * ROWS_PER_BYTE_MAX) {
      this.#rowsInPart += rows;
      this.#itemsInPart++;
      return true;
    }
    out.length = before;
    // `#previous` needs no undoing: a new part, or an unopened block, forgets it.
    this.#openBlock = openBlock;
    return false;
  }

  #openIfNeeded(block: FrameBlock): void {
    if (this.#openBlock === block) return;
    const isDown = block.direction === 'down';
    const direction = isDown ? BLOCK_FLAG.down : 0;
    const rate = SAMPLE_RATES.indexOf(block.sampleRate) + 1;
    if (rate > 0 && block.stream === STREAM_NAMES[isDown ? 1 : 0])
      this.#out.u8(ITEM.usualBlock | direction | (rate << 4));
    else {
      this.#out.u8(ITEM.block | direction);
      this.#out.string(block.stream);
      this.#out.varint(block.sampleRate);
    }
    this.#openBlock = block;
    this.#previous = undefined;
  }

  #addColumn(block: FrameBlock, column: FrameBlock['columns'][number]): void {
    const { main, late } = prepareColumn(column, this.#quantumNs, {
      tally: this.#tally,
      previous: this.#previous,
    });
    for (let from = 0; from < main.length; from += COLUMN_ROWS_MAX) {
      const isWhole = main.length <= COLUMN_ROWS_MAX;
      const rows = isWhole
        ? main
        : slice(main, from, Math.min(main.length, from + COLUMN_ROWS_MAX));
      if (isPredictable(rows, this.#baseQuanta)) this.#addRows(block, column.hop, rows);
      else this.#addLateRows(block, column.hop, lateOf(rows));
    }
    if (late.start.length > 0) this.#addLateRows(block, column.hop, late);
  }

  #addRows(block: FrameBlock, hop: HopName, rows: QuantaColumn): void {
    const count = rows.length;
    const quantaPerTick = NS_PER_S / (block.sampleRate * this.#quantumNs);
    let size = 0;
    const write = (out: ByteWriter): void => {
      size = writeColumn(out, rows, {
        hop,
        previous: this.#previous,
        previousSize: this.#previousSize,
        role: this.#role,
        baseQuanta: this.#baseQuanta,
        sampleRate: block.sampleRate,
        quantaPerTick,
      });
    };
    if (this.#addItem(write, count, block)) {
      this.#previous = rows;
      this.#previousSize = size;
      this.#role = hop.role;
      this.#tally.markCount += count;
    } else if (count === 1) this.#tally.refuse('mark does not fit a record');
    else {
      const middle = count >> 1;
      this.#addRows(block, hop, slice(rows, 0, middle));
      this.#addRows(block, hop, slice(rows, middle, count));
    }
  }

  #addLateRows(block: FrameBlock, hop: HopName, all: LateRows): void {
    const late = this.#withinReach(all);
    const count = late.start.length;
    for (let from = 0; from < count; from += LATE_ROWS_PER_ITEM) {
      const to = Math.min(count, from + LATE_ROWS_PER_ITEM);
      const write = (out: ByteWriter): void =>
        writeLate(out, late, [from, to], { hop, baseQuanta: this.#baseQuanta });
      if (this.#addItem(write, to - from, block)) this.#tally.lateCount += to - from;
      else this.#tally.refuse('late marks do not fit a record', to - from);
    }
  }

  /** Late rows whose time can be told from the base. */
  #withinReach(late: LateRows): LateRows {
    const base = this.#baseQuanta;
    if (late.at.every(at => Math.abs(at - base) <= SVARINT_MAX)) return late;
    const kept: LateRows = { start: [], end: [], at: [] };
    for (let i = 0; i < late.at.length; i++) {
      const at = late.at[i]!;
      if (Math.abs(at - base) <= SVARINT_MAX) addLate(kept, late.start[i]!, late.end[i]!, at);
      else this.#tally.refuse('mark over 2^52 quanta from the first one');
    }
    return kept;
  }

  #addRange(block: FrameBlock, range: MediaRange): void {
    const kind = RANGE_KINDS.indexOf(range.kind);
    const at = toQuanta(range.atNs, this.#quantumNs) - this.#baseQuanta;
    const isExact = isRange(range.startTick, range.endTick) && Math.abs(at) <= SVARINT_MAX;
    if (kind < 0 || !isExact || !isHopName(range.hop))
      return this.#tally.refuse(
        `no ${range.kind} range: ticks ${range.startTick} to ${range.endTick} at ${range.atNs} ns`,
      );
    const write = (out: ByteWriter): void => {
      out.u8(ITEM.range | (kind << 3));
      writeHop(out, range.hop);
      out.varint(range.startTick);
      out.varint(range.endTick - range.startTick);
      out.svarint(at);
    };
    if (!this.#addItem(write, 0, block)) this.#tally.refuse('range does not fit a record');
  }
}

/** Rows of a column, each told alone. */
const lateOf = ({ start, end, at, length }: QuantaColumn): LateRows => ({
  start: [...start.subarray(0, length)],
  end: [...end.subarray(0, length)],
  at: [...at.subarray(0, length)],
});

function blockProblem(block: FrameBlock): string | undefined {
  if (whole(block.sampleRate, SAMPLE_RATE_MAX, 0) === 0)
    return `stream ${block.stream.slice(0, 40)}: sample rate ${block.sampleRate}`;
  return isName(block.stream) ? undefined : 'stream name over 255 bytes';
}

const rowsOf = (block: FrameBlock): number =>
  block.columns.reduce((sum, column) => sum + rowCount(column) + column.late.length, 0) +
  block.ranges.length;

const isSamePeer = (before: ClockSample | undefined, sample: ClockSample): boolean =>
  before?.peer === sample.peer && before.peerEpoch === sample.peerEpoch;

const firstRole = ({ blocks }: FrameRecord): string =>
  blocks.find(({ columns }) => columns.length > 0)?.columns[0]?.hop.role ?? '';

/** The first time that is one: all others are told from it. */
function firstQuanta(record: FrameRecord, quantumNs: number): number {
  for (const { columns, ranges } of record.blocks) {
    for (const column of columns) {
      const first = rowCount(column) > 0 ? column.atNs[0] : undefined;
      const times = [first, column.late[0]?.atNs];
      for (const time of times)
        if (time !== undefined && !Number.isNaN(toQuanta(time, quantumNs)))
          return toQuanta(time, quantumNs);
    }
    const at = ranges[0] === undefined ? NaN : toQuanta(ranges[0].atNs, quantumNs);
    if (!Number.isNaN(at)) return at;
  }
  // Clock samples are told from it too.
  const sampled = toQuanta(record.clockSamples[0]?.t1 ?? 0, quantumNs);
  return Number.isNaN(sampled) ? 0 : sampled;
}
