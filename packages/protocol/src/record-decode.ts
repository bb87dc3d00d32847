// Bytes → record in memory. Layout: docs/wire.md, "Record".
//
// Input is foreign: every number is checked before it is used, the CRC comes
// first, and what is allocated is bounded by the length of the input (at most
// 32 rows a byte, 16 KiB of input). Never throws; a record is read whole or
// refused with the byte at which it stopped making sense.

import { toHex } from './base64.ts';
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
  NEAR_BIAS,
  PREDICTOR,
  PREDICTOR_SHIFT,
  QUANTUM_NS_MAX,
  RANGE_KINDS,
  RECORD_DECODE_MAX,
  RECORD_MAGIC,
  ROWS_PER_BYTE_MAX,
  SAMPLE_RATE_MAX,
  SAMPLE_RATES,
  STREAM_NAMES,
  TICK_MAX,
} from './record-format.ts';
import {
  predictByMediaClock,
  predictByPreviousHop,
  type QuantaColumn,
} from './record-prediction.ts';
import { decoded, rejected, type Decoded } from './result.ts';
import { readRice } from './rice.ts';
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

type Cut = Pick<QuantaColumn, 'start' | 'end'>;
type ReadNumbers = typeof unpack;

interface ToldColumn {
  readonly hop: HopName;
  readonly cut: Cut;
  readonly flags: number;
  readonly read: ReadNumbers;
}

interface TimesBy {
  readonly predictor: number;
  readonly read: ReadNumbers;
  readonly quantaPerTick: number;
}

/** Smallest header and CRC. */
const RECORD_BYTES_MIN = 48;

/** Reads one part; never throws. The problem names the byte offset. */
export function decodeRecord(bytes: Uint8Array): Decoded<RecordPart> {
  const problem = envelopeProblem(bytes);
  if (problem !== undefined) return rejected('record', problem);
  const input = new ByteReader(bytes, 8, bytes.length - CRC_BYTES);
  const reader = new RecordReader(input);
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
  return bytes[3] === 0 ? undefined : `flags ${bytes[3]} at byte 3 are unknown`;
}

class RecordReader {
  readonly #input: ByteReader;
  readonly #rowsMax: number;
  readonly #blocks: MutableBlock[] = [];
  readonly #clockSamples: ClockSample[] = [];
  #rowCount = 0;
  #baseQuanta = 0;
  #quantumNs = 1;
  #previous: QuantaColumn | undefined = undefined;
  /** The role last spelled out, for the short form of a hop. */
  #role: string | undefined = undefined;

  constructor(input: ByteReader) {
    this.#input = input;
    this.#rowsMax = input.bytes.length * ROWS_PER_BYTE_MAX;
  }

  read(): RecordPart {
    const input = this.#input;
    const producer = toHex(input.raw(8));
    const domain = toHex(input.raw(8));
    const zeroLow = BigInt(input.u32());
    const zeroUnixNs = unixNs(BigInt.asIntN(64, (BigInt(input.u32()) << 32n) | zeroLow));
    this.#baseQuanta = input.i64();
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

  #readItem(head: number): void {
    const kind = head & 7;
    const flags = head & ~7;
    if (kind === ITEM.clockSample && flags === 0) return this.#readClockSample();
    if (kind === ITEM.block && (flags & ~(BLOCK_FLAG.down | BLOCK_FLAG.coded)) === 0)
      return this.#readBlock(flags);
    const block = this.#blocks[this.#blocks.length - 1];
    if (block === undefined) this.#input.fail(`item ${head} before any block`);
    else if (kind === ITEM.column && (flags & 128) === 0) this.#readColumn(block, flags);
    else if (kind === ITEM.compactColumn && (flags & 128) === 0)
      this.#readCompactColumn(block, flags);
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
    this.#previous = undefined;
  }

  #readColumn(block: MutableBlock, flags: number): void {
    const input = this.#input;
    const hop = this.#readHop();
    const kind = flags & (COLUMN_FLAG.sameCut | COLUMN_FLAG.evenCut);
    if (kind === (COLUMN_FLAG.sameCut | COLUMN_FLAG.evenCut)) return void input.fail(`cut ${kind}`);
    const isSame = kind === COLUMN_FLAG.sameCut;
    const cut = isSame ? this.#sameCut() : this.#readCut(kind === COLUMN_FLAG.evenCut);
    if (cut !== undefined) this.#addColumn(block, { hop, cut, flags, read: unpack });
  }

  #readCompactColumn(block: MutableBlock, flags: number): void {
    const input = this.#input;
    const code = input.u8();
    const hop = code === 0 ? this.#readHop() : this.#shortHop(code);
    const kind = flags & COMPACT_CUT.uneven;
    const cut =
      kind === COMPACT_CUT.same
        ? this.#sameCut()
        : kind === COMPACT_CUT.near
          ? this.#nearCut()
          : kind === COMPACT_CUT.even
            ? this.#evenCut(block.sampleRate)
            : this.#readCut(false);
    const read: ReadNumbers = (from, out, _at, count) => readRice(from, out, count);
    if (cut !== undefined) this.#addColumn(block, { hop, cut, flags, read });
  }

  #shortHop(code: number): HopName {
    const name = hopOfCode(code);
    if (name === undefined || this.#role === undefined)
      this.#input.fail(`hop code ${code} of role ${this.#role ?? 'none'}`);
    return { role: this.#role ?? '', name: name ?? '', nth: 0 };
  }

  #addColumn(block: MutableBlock, told: ToldColumn): void {
    const input = this.#input;
    const { hop, cut, flags } = told;
    this.#role = hop.role;
    const predictor = (flags >> PREDICTOR_SHIFT) & 3;
    const quantaPerTick = NS_PER_S / (block.sampleRate * this.#quantumNs);
    const at = this.#readTimes({ predictor, read: told.read, quantaPerTick }, cut);
    if (at === undefined) return;
    const length = at.length;
    const atNs = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      atNs[i] = at[i]! * this.#quantumNs;
      if (!Number.isSafeInteger(atNs[i])) return void input.fail('time out of range');
    }
    // Copies of a shared cut: a column's arrays are its own, so that a reader may keep or move them.
    const startTick = cut.start.slice();
    const endTick = cut.end.slice();
    block.columns.push({ hop, length, startTick, endTick, atNs, late: [] });
    this.#previous = { start: cut.start, end: cut.end, at };
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

  /** Counts rows before anything is allocated for them. */
  #claimRows(count: number): boolean {
    this.#rowCount += count;
    if (this.#rowCount <= this.#rowsMax && count >= 1 && count <= COLUMN_ROWS_MAX)
      return this.#input.problem === undefined;
    this.#input.fail(`${count} rows in a column`);
    return false;
  }

  #sameCut(): Cut | undefined {
    const previous = this.#previous;
    if (previous === undefined) return void this.#input.fail('the cut of no column');
    return this.#claimRows(previous.at.length) ? previous : undefined;
  }

  /** The frame size of the column before, its start and rows differing by some frames. */
  #nearCut(): Cut | undefined {
    const byte = this.#input.u8();
    const previous = this.#previous;
    if (previous === undefined) return void this.#input.fail('near the cut of no column');
    const size = previous.end[0]! - previous.start[0]!;
    const count = previous.start.length + (byte & 15) - NEAR_BIAS;
    const first = previous.start[0]! + ((byte >> 4) - NEAR_BIAS) * size;
    if (!this.#claimRows(count)) return undefined;
    const cut = { start: new Float64Array(count), end: new Float64Array(count).fill(1) };
    return this.#layOut(cut, first, size);
  }

  /** Frames of one size with no hole, counted in ms and in themselves, or in ticks. */
  #evenCut(sampleRate: number): Cut | undefined {
    const input = this.#input;
    const count = input.varint();
    const ms = input.u8();
    const told = input.svarint();
    const size = ms === 0 ? input.varint() : (ms * sampleRate) / 1_000;
    const first = (this.#previous?.start[0] ?? 0) + (ms === 0 ? told : told * size);
    if (!Number.isInteger(size)) return void input.fail(`frames of ${ms} ms at ${sampleRate} Hz`);
    if (!this.#claimRows(count)) return undefined;
    const cut = { start: new Float64Array(count), end: new Float64Array(count).fill(1) };
    return this.#layOut(cut, first, size);
  }

  #readCut(isEven: boolean): Cut | undefined {
    const input = this.#input;
    const count = input.varint();
    const first = input.svarint() + (this.#previous?.start[0] ?? 0);
    const unit = input.varint();
    if (!this.#claimRows(count)) return undefined;
    const [start, end] = [new Float64Array(count), new Float64Array(count)];
    if (isEven) end.fill(1);
    else if (!unpack(input, end, 0, count) || !unpack(input, start, 1, count - 1)) return undefined;
    return this.#layOut({ start, end }, first, unit);
  }

  /** Gaps (in `start`) and lengths (in `end`), in units, become ticks in place. */
  #layOut({ start, end }: Cut, first: number, unit: number): Cut | undefined {
    const input = this.#input;
    const count = start.length;
    let passed = first;
    for (let i = 0; i < count; i++) {
      const gap = i === 0 ? 0 : start[i]! * unit;
      const size = end[i]! * unit;
      start[i] = passed + gap;
      end[i] = passed + gap + size;
      if (!(gap >= 0 && size > 0 && start[i]! >= 0 && end[i]! <= TICK_MAX))
        return void input.fail('tick out of range');
      passed = end[i]!;
    }
    return { start, end };
  }

  /** Times in quanta. */
  #readTimes(by: TimesBy, { start, end }: Cut): Float64Array | undefined {
    const { predictor, quantaPerTick } = by;
    const count = start.length;
    const residuals = new Float64Array(count);
    if (!by.read(this.#input, residuals, 0, count)) return undefined;
    const at = new Float64Array(count);
    if (predictor === PREDICTOR.mediaClock)
      predictByMediaClock(at, end, this.#baseQuanta, quantaPerTick);
    else if (predictor === PREDICTOR.previousHop && this.#previous !== undefined)
      predictByPreviousHop(at, end, this.#previous, quantaPerTick);
    else if (predictor !== PREDICTOR.previousRow)
      return void this.#input.fail(`predictor ${predictor} with no column to tell against`);
    let before = this.#baseQuanta;
    for (let i = 0; i < count; i++) {
      before = residuals[i]! + (predictor === PREDICTOR.previousRow ? before : at[i]!);
      at[i] = before;
    }
    return at;
  }

  #readLate(block: MutableBlock): void {
    const hop = this.#readHop();
    const count = this.#input.varint();
    if (!this.#claimRows(count)) return;
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
    const t1 = input.i64();
    const t4 = t1 + input.svarint();
    const t2 = input.i64();
    const t3 = t2 + input.svarint();
    if (!Number.isSafeInteger(t4) || !Number.isSafeInteger(t3))
      input.fail('clock sample too large');
    const stamps = { t1: domainNs(t1), t2: domainNs(t2), t3: domainNs(t3), t4: domainNs(t4) };
    this.#clockSamples.push({ peer, peerEpoch, ...stamps });
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
