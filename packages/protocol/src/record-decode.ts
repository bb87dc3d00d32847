// Bytes → record in memory. Layout: docs/wire.md, "Record".
//
// Input is foreign: every number is checked before it is used, the CRC comes
// first, and what is allocated is bounded by the length of the input (at most
// 32 rows a byte, 16 KiB of input). Never throws; a record is read whole or
// refused with the byte at which it stopped making sense.

import { toHex } from './hex.ts';
import { unpack } from './bit-packing.ts';
import { ByteReader } from './bytes.ts';
import { crc32 } from './crc32.ts';
import type {
  ClockSample,
  FrameBlock,
  FrameRecord,
  HopColumn,
  HopName,
  LateMark,
  MediaRange,
} from './frame-block.types.ts';
import { hopOfCode, roleOfCode } from './hops.ts';
import {
  BLOCK_FLAG,
  COLUMN_FLAG,
  COLUMN_ROWS_MAX,
  COMPACT_CUT,
  CRC_BYTES,
  HOP_FLAG,
  ITEM,
  NAME_BYTES_MAX,
  PREDICTOR,
  PREDICTOR_SHIFT,
  QUANTUM_NS_MAX,
  RANGE_KINDS,
  RECORD_DECODE_MAX,
  RECORD_MAGIC,
  RICE_K_TOLD,
  SAME_PEER,
  SAMPLE_RATE_MAX,
  SAMPLE_RATES,
  STREAM_NAMES,
  TICK_MAX,
  TWO_SIDED,
} from './record-format.ts';
import { CutReader, type Cut } from './record-cuts.ts';
import { RowArena } from './row-arena.ts';
import { predictByMediaClock, predictByPreviousHop } from './record-prediction.ts';
import { decoded, rejected, type Decoded } from './result.ts';
import { readRice, referenceShift, RICE_K_MAX, type RiceCode } from './rice.ts';
import { domainNs, NS_PER_S, tick, unixNs } from './units.ts';
import { RECORD_VERSION, RECORD_VERSION_MIN } from './version.ts';

/** One part of a record, as it was sent. */
export type RecordPart = FrameRecord & {
  /** 0, 1, … where the record needed several. Each part is whole in itself. */
  readonly part: number;
};

type MutableBlock = Omit<FrameBlock, 'columns' | 'ranges'> & {
  readonly columns: (HopColumn & { readonly late: LateMark[] })[];
  readonly ranges: MediaRange[];
};

interface ToldColumn {
  readonly hop: HopName;
  readonly cut: Cut;
  readonly flags: number;
  /** Absent: numbers are packed by width. */
  readonly code?: RiceCode;
}

/** Smallest header and CRC. */
const RECORD_BYTES_MIN = 43;

/** Reads one part; never throws. The problem names the byte offset. */
export const decodeRecord = (bytes: Uint8Array): Decoded<RecordPart> => decode(bytes, undefined);

/**
 * The same for whoever copies what is wanted at once: the columns hold until the next call, and
 * those of one cut share its ticks. Half the time, and nothing left to collect.
 */
export function decodeRecordShared(bytes: Uint8Array): Decoded<RecordPart> {
  SHARED.clear();
  return decode(bytes, SHARED);
}

const SHARED = new RowArena();

function decode(bytes: Uint8Array, arena: RowArena | undefined): Decoded<RecordPart> {
  const problem = envelopeProblem(bytes);
  if (problem !== undefined) return rejected('record', problem);
  const input = new ByteReader(bytes, 8, bytes.length - CRC_BYTES);
  const reader = new RecordReader(input, arena);
  const record = reader.read();
  return input.problem === undefined ? decoded(record) : rejected('record', input.problem);
}

function envelopeProblem(bytes: Uint8Array): string | undefined {
  if (bytes.length > RECORD_DECODE_MAX)
    return `${bytes.length} bytes, limit is ${RECORD_DECODE_MAX}`;
  if (bytes[0] !== RECORD_MAGIC[0] || bytes[1] !== RECORD_MAGIC[1])
    return 'does not begin with "FR"';
  const version = bytes[2] ?? 0;
  if (version < RECORD_VERSION_MIN || version > RECORD_VERSION)
    return `version ${version}, known is ${RECORD_VERSION}: upgrade the reader`;
  const length = new ByteReader(bytes, 4).u32();
  if (length !== bytes.length || length < RECORD_BYTES_MIN)
    return `${bytes.length} bytes, header says ${length}: truncated on its way`;
  const expected = new ByteReader(bytes, length - CRC_BYTES).u32();
  const actual = crc32(bytes, 0, length - CRC_BYTES);
  if (expected !== actual)
    return `CRC is ${actual.toString(16)}, record says ${expected.toString(16)}`;
  const isKnown = bytes[3] === 0 || (version >= 3 && roleOfCode(bytes[3]!) !== undefined);
  return isKnown ? undefined : `flags ${bytes[3]} at byte 3 are unknown`;
}

class RecordReader {
  readonly #input: ByteReader;
  readonly #cuts: CutReader;
  readonly #blocks: MutableBlock[] = [];
  readonly #clockSamples: ClockSample[] = [];
  #baseQuanta = 0;
  #quantumNs = 1;
  /** The role last spelled out, for the short form of a hop. */
  #role: string | undefined = undefined;

  /** Of version 3 or later. */
  readonly #isShort: boolean;

  readonly #arena: RowArena | undefined;

  constructor(input: ByteReader, arena: RowArena | undefined) {
    this.#input = input;
    this.#arena = arena;
    this.#isShort = input.bytes[2]! >= 3;
    if (this.#isShort) this.#role = roleOfCode(input.bytes[3]!);
    this.#cuts = new CutReader(input, arena);
  }

  read(): RecordPart {
    const input = this.#input;
    const producer = toHex(input.raw(8));
    const domain = toHex(input.raw(8));
    const zeroLow = BigInt(input.u32());
    const zeroUnixNs = unixNs(BigInt.asIntN(64, (BigInt(input.u32()) << 32n) | zeroLow));
    this.#baseQuanta = this.#isShort ? this.#readBase() : input.i64();
    const seq = input.varint();
    const part = input.varint();
    const epoch = input.varint();
    const quantumNs = input.varint();
    if (quantumNs < 1 || quantumNs > QUANTUM_NS_MAX) input.fail(`quantum of ${quantumNs} ns`);
    this.#quantumNs = quantumNs;
    while (input.remaining > 0) this.#readItem(input.u8());
    const blocks: readonly FrameBlock[] = this.#blocks;
    const clockSamples = this.#clockSamples;
    return { producer, seq, part, domain, epoch, zeroUnixNs, quantumNs, blocks, clockSamples };
  }

  #readBase(): number {
    const high = this.#input.svarint();
    const base = high * 65_536 + this.#input.u16();
    return Number.isSafeInteger(base) ? base : this.#input.fail('base time out of range');
  }

  #readItem(head: number): void {
    const kind = head & 7;
    const flags = head & ~7;
    if (kind === ITEM.clockSample && flags === 0) return this.#readClockSample();
    if (kind === ITEM.clockSample && flags === SAME_PEER && this.#isShort)
      return this.#readNextClockSample();
    if (kind === ITEM.block && (flags & ~(BLOCK_FLAG.down | BLOCK_FLAG.coded)) === 0)
      return this.#readBlock(flags);
    if (kind === ITEM.usualBlock && this.#isShort) return this.#readUsualBlock(flags);
    const block = this.#blocks[this.#blocks.length - 1];
    if (block === undefined) this.#input.fail(`item ${head} before any block`);
    else if (kind === ITEM.column && (flags & 128) === 0) this.#readColumn(block, flags);
    else if (kind === ITEM.compactColumn && (flags & 128) === 0)
      this.#readCompactColumn(block, flags);
    else if (kind === ITEM.shortColumn && this.#isShort) this.#readShortColumn(block, flags);
    else if (kind === ITEM.late && flags === 0) this.#readLate(block);
    else if (kind === ITEM.range) this.#readRange(block, flags >> 3);
    else this.#input.fail(`unknown item ${head}`);
  }

  #readBlock(flags: number): void {
    const input = this.#input;
    const code = (flags & BLOCK_FLAG.coded) === 0 ? 0 : input.u8();
    const stream = code === 0 ? input.string(NAME_BYTES_MAX) : STREAM_NAMES[(code & 15) - 1];
    const sampleRate = code === 0 ? input.varint() : (SAMPLE_RATES[(code >> 4) - 1] ?? 0);
    if (stream === undefined) return void input.fail(`stream code ${code & 15} is unknown`);
    if (sampleRate < 1 || sampleRate > SAMPLE_RATE_MAX) input.fail(`sample rate ${sampleRate}`);
    const direction = (flags & BLOCK_FLAG.down) === 0 ? 'up' : 'down';
    this.#blocks.push({ stream, sampleRate, direction, columns: [], ranges: [] });
    this.#cuts.previous = undefined;
  }

  #readUsualBlock(flags: number): void {
    const isDown = (flags & BLOCK_FLAG.down) !== 0;
    const sampleRate = SAMPLE_RATES[(flags >> 4) - 1];
    if (sampleRate === undefined) return void this.#input.fail(`sample rate code ${flags >> 4}`);
    const stream = STREAM_NAMES[isDown ? 1 : 0]!;
    const direction = isDown ? 'down' : 'up';
    this.#blocks.push({ stream, sampleRate, direction, columns: [], ranges: [] });
    this.#cuts.previous = undefined;
  }

  #readColumn(block: MutableBlock, flags: number): void {
    const input = this.#input;
    const hop = this.#readHop();
    const kind = flags & (COLUMN_FLAG.sameCut | COLUMN_FLAG.evenCut);
    if (kind === (COLUMN_FLAG.sameCut | COLUMN_FLAG.evenCut)) return void input.fail(`cut ${kind}`);
    const isSame = kind === COLUMN_FLAG.sameCut;
    const cut = isSame ? this.#cuts.same() : this.#cuts.any(kind === COLUMN_FLAG.evenCut);
    if (cut !== undefined) this.#addColumn(block, { hop, cut, flags });
  }

  #readCompactColumn(block: MutableBlock, flags: number): void {
    const input = this.#input;
    const nameCode = input.u8();
    const hop = nameCode === 0 ? this.#readHop() : this.#shortHop(nameCode);
    const cut = this.#cuts.compact(block.sampleRate, flags & COMPACT_CUT.uneven);
    const head = input.u8();
    const [k, isTwoSided] = [head & 31, (head & 32) !== 0];
    if (k > RICE_K_MAX || (head & 192) !== 0) return void input.fail(`rice code ${head} is none`);
    const reference = input.svarint();
    if (cut !== undefined)
      this.#addColumn(block, { hop, cut, flags, code: { k, reference, isTwoSided } });
  }

  #readShortColumn(block: MutableBlock, flags: number): void {
    const input = this.#input;
    const byte = input.u8();
    const nameCode = byte & 15;
    const hop = nameCode === 0 ? this.#readHop() : this.#shortHop(nameCode);
    const k = byte >> 4 === RICE_K_TOLD ? input.u8() : byte >> 4;
    if (k > RICE_K_MAX) return void input.fail(`rice code ${k} is none`);
    const reference = input.svarint() * 2 ** referenceShift(k);
    const cut = this.#cuts.short(block.sampleRate, flags & COMPACT_CUT.uneven);
    const isTwoSided = (flags & TWO_SIDED) !== 0;
    if (cut !== undefined)
      this.#addColumn(block, { hop, cut, flags, code: { k, reference, isTwoSided } });
  }

  #shortHop(code: number): HopName {
    const name = hopOfCode(code);
    if (name === undefined || this.#role === undefined)
      this.#input.fail(`hop code ${code} of role ${this.#role ?? 'none'}`);
    return { role: this.#role ?? '', name: name ?? '', nth: 0 };
  }

  #addColumn(block: MutableBlock, { hop, cut, flags, code }: ToldColumn): void {
    const input = this.#input;
    this.#role = hop.role;
    const { length } = cut;
    const at = this.#arena?.take(length) ?? new Float64Array(length);
    const isRead =
      code === undefined ? unpack(input, at, 0, length) : readRice(input, at, length, code);
    if (!isRead) return;
    const quantaPerTick = NS_PER_S / (block.sampleRate * this.#quantumNs);
    if (!this.#addPrediction(at, cut, (flags >> PREDICTOR_SHIFT) & 3, quantaPerTick)) return;
    const atNs = this.#arena?.take(length) ?? new Float64Array(length);
    const quantumNs = this.#quantumNs;
    let most = 0;
    for (let i = 0; i < length; i++) {
      const ns = at[i]! * quantumNs;
      atNs[i] = ns;
      most = Math.max(most, Math.abs(ns));
    }
    // A time that is not a number makes it one that is not, too.
    if (!(most <= Number.MAX_SAFE_INTEGER)) return void input.fail('time out of range');
    // Copies of a shared cut: a column's arrays are its own, so that a reader may keep or move them.
    const isShared = this.#arena !== undefined;
    const startTick = isShared ? cut.start : cut.start.slice();
    const endTick = isShared ? cut.end : cut.end.slice();
    block.columns.push({ hop, length, startTick, endTick, atNs, late: [] });
    this.#cuts.previous = { start: cut.start, end: cut.end, at, length };
  }

  #readHop(): HopName {
    const input = this.#input;
    const roleByte = input.u8();
    const nameByte = input.u8();
    const code = roleByte & 63;
    const role = code === 0 ? input.string(NAME_BYTES_MAX) : roleOfCode(code);
    const name = nameByte === 0 ? input.string(NAME_BYTES_MAX) : hopOfCode(nameByte);
    const nth = roleByte & HOP_FLAG.nth ? input.varint() : 0;
    if (role === undefined || name === undefined)
      input.fail(`role code ${code} or hop code ${nameByte} is unknown`);
    const hop = { role: role ?? '', name: name ?? '', nth };
    return roleByte & HOP_FLAG.after ? { ...hop, after: input.string(NAME_BYTES_MAX) } : hop;
  }

  /** Residuals become times in quanta, in place; false when there is nothing to tell them against. */
  #addPrediction(at: Float64Array, cut: Cut, predictor: number, quantaPerTick: number): boolean {
    const base = this.#baseQuanta;
    const previous = this.#cuts.previous;
    if (predictor === PREDICTOR.mediaClock) predictByMediaClock(told, cut, base, quantaPerTick);
    else if (predictor === PREDICTOR.previousHop) {
      if (previous === undefined) {
        this.#input.fail(`predictor ${predictor} with no column to tell against`);
        return false;
      }
      if (previous.start === cut.start) told.set(previous.at);
      else predictByPreviousHop(told, cut, previous, quantaPerTick);
    } else {
      if (predictor === PREDICTOR.previousRow) addRowBefore(at, base);
      else addRowBeforeLast(at, cut.end, base, quantaPerTick);
      return true;
    }
    for (let i = 0; i < at.length; i++) at[i]! += told[i]!;
    return true;
  }

  #readLate(block: MutableBlock): void {
    const hop = this.#readHop();
    const count = this.#input.varint();
    if (!this.#cuts.claimRows(count)) return;
    const late = columnOf(block, hop).late;
    for (let i = 0; i < count && this.#input.problem === undefined; i++)
      late.push(this.#readTicksAndTime());
  }

  /** Ticks and time, each told alone. */
  #readTicksAndTime(): LateMark {
    const input = this.#input;
    const start = input.varint();
    const end = start + input.varint();
    const atNs = (input.svarint() + this.#baseQuanta) * this.#quantumNs;
    if (!(end > start && end <= TICK_MAX)) input.fail(`ticks ${start} to ${end}`);
    if (!Number.isSafeInteger(atNs)) input.fail('time out of range');
    return { startTick: tick(start), endTick: tick(end), atNs: domainNs(atNs) };
  }

  #readRange(block: MutableBlock, code: number): void {
    const kind = RANGE_KINDS[code];
    if (kind === undefined) return void this.#input.fail(`range kind ${code}`);
    const hop = this.#readHop();
    block.ranges.push({ kind, hop, ...this.#readTicksAndTime() });
  }

  #readClockSample(): void {
    const input = this.#input;
    const peer = toHex(input.raw(8));
    const peerEpoch = input.varint();
    const t1 = this.#isShort ? input.svarint() + this.#baseQuanta * this.#quantumNs : input.i64();
    const t4 = t1 + input.svarint();
    const t2 = input.i64();
    const t3 = t2 + input.svarint();
    this.#addClockSample(peer, peerEpoch, [t1, t2, t3, t4]);
  }

  /** Told against the one before. */
  #readNextClockSample(): void {
    const input = this.#input;
    const before = this.#clockSamples.at(-1);
    if (before === undefined) return void input.fail('a clock sample like none before');
    const since = input.svarint();
    const t1 = before.t1 + since;
    const t4 = t1 + input.svarint();
    const t2 = before.t2 + since + input.svarint();
    this.#addClockSample(before.peer, before.peerEpoch, [t1, t2, t2 + input.svarint(), t4]);
  }

  #addClockSample(
    peer: string,
    peerEpoch: number,
    stamps: readonly [t1: number, t2: number, t3: number, t4: number],
  ): void {
    if (!stamps.every(Number.isSafeInteger)) this.#input.fail('clock sample too large');
    const [t1, t2, t3, t4] = stamps;
    this.#clockSamples.push({
      peer,
      peerEpoch,
      t1: domainNs(t1),
      t2: domainNs(t2),
      t3: domainNs(t3),
      t4: domainNs(t4),
    });
  }
}

/** Predictions of one column at a time: decoding is synchronous. */
const told = new Float64Array(COLUMN_ROWS_MAX);

/** `previousRow`, undone in place: each row is told against the one that was just made whole. */
function addRowBefore(at: Float64Array, base: number): void {
  let before = base;
  for (let i = 0; i < at.length; i++) {
    before += at[i]!;
    at[i] = before;
  }
}

/** `rowBeforeLast` of record-prediction.ts, undone in place. */
function addRowBeforeLast(
  at: Float64Array,
  end: Float64Array,
  base: number,
  quantaPerTick: number,
): void {
  at[0]! += base;
  for (let i = 1; i < at.length; i++) {
    const from = i < 2 ? 0 : i - 2;
    at[i]! += at[from]! + Math.floor((end[i]! - end[from]!) * quantaPerTick);
  }
}

/** The last column of that hop, or a new one with no rows. */
function columnOf(block: MutableBlock, hop: HopName): MutableBlock['columns'][number] {
  const found = block.columns.findLast(
    column =>
      column.hop.role === hop.role && column.hop.name === hop.name && column.hop.nth === hop.nth,
  );
  if (found !== undefined) return found;
  const none = new Float64Array(0);
  const column = { hop, length: 0, startTick: none, endTick: none, atNs: none, late: [] };
  block.columns.push(column);
  return column;
}
