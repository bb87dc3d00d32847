// One piece of a column → bytes: its hop, its cut of the media axis, its times.
// Layout: docs/wire.md, "Record", items 2, 5 and 6.
//
//   rows ─ residuals by three predictors ─ the cheapest ─┬ near each other → item 6, Rice
//                                                        └ else → item 2, packed by width

import { pack, PACKED_MAX } from './bit-packing.ts';
import type { ByteWriter } from './bytes.ts';
import type { HopName } from './frame-block.types.ts';
import { hopCode, roleCode } from './hops.ts';
import {
  COLUMN_FLAG,
  COLUMN_ROWS_MAX,
  COMPACT_CUT,
  HOP_FLAG,
  ITEM,
  NAME_BYTES_MAX,
  NEAR_BIAS,
  PREDICTOR,
  PREDICTOR_SHIFT,
} from './record-format.ts';
import {
  predictByMediaClock,
  predictByPreviousHop,
  type QuantaColumn,
} from './record-prediction.ts';
import type { LateRows } from './record-rows.ts';
import { writeRice } from './rice.ts';
import { encodeUtf8 } from './utf8.ts';

/** What a piece is told against. */
export interface ColumnContext {
  readonly hop: HopName;
  /** The column written just before in this block of this part, if there is one. */
  readonly previous: QuantaColumn | undefined;
  /** Ticks of each frame of that column, if it is cut evenly; else 0. */
  readonly previousSize: number;
  /** The role last spelled out in this part. */
  readonly role: string | undefined;
  readonly baseQuanta: number;
  readonly sampleRate: number;
  readonly quantaPerTick: number;
}

/** Scratch for one column at a time: encoding is synchronous and runs once a flush. */
const candidates = [0, 1, 2].map(() => new Float64Array(COLUMN_ROWS_MAX));
const cutScratch = new Float64Array(COLUMN_ROWS_MAX);
const residuals = new Int32Array(COLUMN_ROWS_MAX);
/** Beyond this apart, residuals are told by width. */
const NEAR_RESIDUAL = 2 ** 30;

/** True when each time is near enough to the one before it that no predictor loses a bit. */
export function isPredictable(at: Float64Array, baseQuanta: number): boolean {
  let before = baseQuanta;
  for (let i = 0; i < at.length; i++) {
    const quanta = at[i]!;
    if (Math.abs(quanta - before) > PACKED_MAX) return false;
    before = quanta;
  }
  return true;
}

/** Writes 1 to COLUMN_ROWS_MAX rows for which `isPredictable` holds; answers their even size, or 0. */
export function writeColumn(out: ByteWriter, rows: QuantaColumn, context: ColumnContext): number {
  const { previous } = context;
  const size = evenSize(rows);
  const isSame = previous !== undefined && hasSameCut(rows, previous);
  const predictor = choosePredictor(rows, context, isSame);
  const before = out.length;
  if (isNear(candidates[predictor]!, rows.at.length)) {
    writeCompactHead(out, rows, context, { size, isSame, predictor });
    if (writeRice(out, residuals, rows.at.length)) return size;
    out.length = before;
  }
  const cut = isSame ? COLUMN_FLAG.sameCut : size > 0 ? COLUMN_FLAG.evenCut : 0;
  out.u8(ITEM.column | cut | (predictor << PREDICTOR_SHIFT));
  writeHop(out, context.hop);
  if (!isSame) writeCut(out, rows, previous?.start[0] ?? 0, size > 0);
  pack(out, candidates[predictor]!, 0, rows.at.length);
  return size;
}

/** Residuals as 32-bit numbers; false when one is not, or when all are equal and cost nothing packed. */
function isNear(values: Float64Array, count: number): boolean {
  const first = values[0]!;
  let isOne = true;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value > NEAR_RESIDUAL || value < -NEAR_RESIDUAL) return false;
    if (value !== first) isOne = false;
    residuals[i] = value;
  }
  return !isOne;
}

/** What was found out about a column. Not spread into its context: that would cost more than packing it. */
interface Found {
  readonly size: number;
  readonly isSame: boolean;
  readonly predictor: number;
}

function writeCompactHead(
  out: ByteWriter,
  rows: QuantaColumn,
  context: ColumnContext,
  { size, isSame, predictor }: Found,
): void {
  const { previous, previousSize, hop } = context;
  const near = isSame || size !== previousSize ? -1 : nearByte(rows, previous, size);
  const even = size > 0 ? COMPACT_CUT.even : COMPACT_CUT.uneven;
  const cut = isSame ? COMPACT_CUT.same : near >= 0 ? COMPACT_CUT.near : even;
  out.u8(ITEM.compactColumn | cut | (predictor << PREDICTOR_SHIFT));
  writeShortHop(out, hop, context.role);
  if (isSame) return;
  if (near >= 0) return out.u8(near);
  const from = previous?.start[0] ?? 0;
  if (size > 0) writeEvenCut(out, rows, { from, size, sampleRate: context.sampleRate });
  else writeCut(out, rows, from, false);
}

/** Frames of whole milliseconds that begin at a multiple of their size, as nearly all do; or any. */
function writeEvenCut(
  out: ByteWriter,
  { start }: QuantaColumn,
  { from, size, sampleRate }: { from: number; size: number; sampleRate: number },
): void {
  out.varint(start.length);
  const ms = (size * 1_000) / sampleRate;
  const frames = (start[0]! - from) / size;
  if (Number.isInteger(ms) && ms < 256 && Number.isSafeInteger(frames)) {
    out.u8(ms);
    return out.svarint(frames);
  }
  out.u8(0);
  out.svarint(start[0]! - from);
  out.varint(size);
}

/** Rows and start as differences from an even column before, in frames; −1 when they are too large. */
function nearByte(rows: QuantaColumn, previous: QuantaColumn | undefined, size: number): number {
  if (previous === undefined || size === 0) return -1;
  const shift = (rows.start[0]! - previous.start[0]!) / size + NEAR_BIAS;
  const more = rows.start.length - previous.start.length + NEAR_BIAS;
  const isInReach = shift >= 0 && shift < 16 && more >= 0 && more < 16;
  return isInReach && Number.isInteger(shift) ? shift * 16 + more : -1;
}

/** One byte for a standard hop of the role last spelled out; else 0 and the long form. */
function writeShortHop(out: ByteWriter, hop: HopName, role: string | undefined): void {
  const code = hopCode(hop.name);
  if (code > 0 && hop.role === role && hop.nth === 0 && hop.after === undefined)
    return out.u8(code);
  out.u8(0);
  writeHop(out, hop);
}

/** Late rows `[from, to)`, each told alone. */
export function writeLate(
  out: ByteWriter,
  late: LateRows,
  [from, to]: readonly [number, number],
  { hop, baseQuanta }: Pick<ColumnContext, 'hop' | 'baseQuanta'>,
): void {
  out.u8(ITEM.late);
  writeHop(out, hop);
  out.varint(to - from);
  for (let i = from; i < to; i++) {
    out.varint(late.start[i]!);
    out.varint(late.end[i]! - late.start[i]!);
    out.svarint(late.at[i]! - baseQuanta);
  }
}

export function writeHop(out: ByteWriter, { role, name, nth, after }: HopName): void {
  const [roleByte, nameByte] = [roleCode(role), hopCode(name)];
  out.u8(roleByte | (nth > 0 ? HOP_FLAG.nth : 0) | (after === undefined ? 0 : HOP_FLAG.after));
  out.u8(nameByte);
  if (roleByte === 0) out.string(role);
  if (nameByte === 0) out.string(name);
  if (nth > 0) out.varint(nth);
  if (after !== undefined) out.string(after);
}

/** Names that fit, and a count that is one. */
export const isHopName = ({ role, name, nth, after }: HopName): boolean =>
  isName(role) && isName(name) && Number.isSafeInteger(nth) && nth >= 0 && isName(after ?? '');

/** Of at most 85 characters any text fits: a character takes at most three bytes. */
export const isName = (text: string): boolean =>
  text.length * 3 <= NAME_BYTES_MAX ||
  (text.length <= NAME_BYTES_MAX && encodeUtf8(text).length <= NAME_BYTES_MAX);

function hasSameCut(rows: QuantaColumn, other: QuantaColumn): boolean {
  const count = rows.start.length;
  if (other.start.length !== count) return false;
  for (let i = 0; i < count; i++)
    if (rows.start[i] !== other.start[i] || rows.end[i] !== other.end[i]) return false;
  return true;
}

/** Ticks of each frame where all are of one size with no hole between; else 0. */
function evenSize({ start, end }: QuantaColumn): number {
  const size = end[0]! - start[0]!;
  for (let i = 1; i < start.length; i++)
    if (start[i] !== end[i - 1] || end[i]! - start[i]! !== size) return 0;
  return size;
}

function writeCut(out: ByteWriter, rows: QuantaColumn, from: number, isEven: boolean): void {
  const { start, end } = rows;
  const count = start.length;
  out.varint(count);
  out.svarint(start[0]! - from);
  if (isEven) return out.varint(end[0]! - start[0]!);
  const unit = commonUnit(rows);
  out.varint(unit);
  for (let i = 0; i < count; i++) cutScratch[i] = (end[i]! - start[i]!) / unit;
  pack(out, cutScratch, 0, count);
  for (let i = 1; i < count; i++) cutScratch[i - 1] = (start[i]! - end[i - 1]!) / unit;
  pack(out, cutScratch, 0, count - 1);
}

/** Greatest number of ticks that divides every length and every gap. */
function commonUnit({ start, end }: QuantaColumn): number {
  let unit = end[0]! - start[0]!;
  for (let i = 1; i < start.length && unit > 1; i++) {
    unit = greatestDivisor(unit, end[i]! - start[i]!);
    unit = greatestDivisor(unit, start[i]! - end[i - 1]!);
  }
  return unit;
}

function greatestDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y > 0) [x, y] = [y, x % y];
  return x;
}

/** Beyond so many bits a mark the row before may tell more than clock and hop: a burst. */
const BURST_BITS = 10;

/** The cheapest predictor, roughly; its residuals are left in `candidates`. */
function choosePredictor(rows: QuantaColumn, context: ColumnContext, isSame: boolean): number {
  const { previous, baseQuanta, quantaPerTick } = context;
  const { at, end } = rows;
  const [byClock, byHop, byRow] = candidates as [Float64Array, Float64Array, Float64Array];
  predictByMediaClock(byClock, end, baseQuanta, quantaPerTick);
  let best: number = PREDICTOR.mediaClock;
  let bestBits = residualBits(byClock, byClock, at);
  if (previous !== undefined) {
    if (!isSame) predictByPreviousHop(byHop, end, previous, quantaPerTick);
    const bits = residualBits(byHop, isSame ? previous.at : byHop, at);
    if (bits < bestBits) best = PREDICTOR.previousHop;
    bestBits = Math.min(bits, bestBits);
  }
  if (bestBits <= BURST_BITS * at.length) return best;
  byRow[0] = baseQuanta;
  for (let i = 1; i < at.length; i++) byRow[i] = at[i - 1]!;
  return residualBits(byRow, byRow, at) < bestBits ? PREDICTOR.previousRow : best;
}

/**
 * Residuals of what was told, into `out`; what they cost, roughly: the widths of the steps between
 * neighbours. Infinity where one would not be exact.
 */
function residualBits(out: Float64Array, told: Float64Array, at: Float64Array): number {
  let bits = 0;
  let before = at[0]! - told[0]!;
  let isExact = true;
  for (let i = 0; i < at.length; i++) {
    const from = told[i]!;
    const residual = at[i]! - from;
    // Not a number fails both.
    isExact &&=
      residual <= PACKED_MAX && residual >= -PACKED_MAX && from <= TOLD_MAX && from >= -TOLD_MAX;
    const step = residual > before ? residual - before : before - residual;
    bits += step < 0x80000000 ? 32 - Math.clz32(step) : 52;
    before = residual;
    out[i] = residual;
  }
  return isExact ? bits : Infinity;
}

const TOLD_MAX = Number.MAX_SAFE_INTEGER;
