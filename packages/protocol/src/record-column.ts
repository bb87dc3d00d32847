// One piece of a column → bytes: its hop, its cut of the media axis, its times.
// Layout: docs/wire.md, "Record", items 2, 5 and 7.
//
//   rows ─ residuals by four predictors ─ the cheapest ─┬ near each other → item 7, Rice
//                                                       └ else → item 2, packed by width

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
  RICE_K_TOLD,
  TWO_SIDED,
  USUAL_MS,
} from './record-format.ts';
import {
  predictByMediaClock,
  predictByPreviousHop,
  predictByRowBeforeLast,
  type QuantaColumn,
} from './record-prediction.ts';
import type { LateRows } from './record-rows.ts';
import { chooseRice, middleOf, referenceShift, writeRice, type RiceCode } from './rice.ts';
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
const told = new Float64Array(COLUMN_ROWS_MAX);
const residuals = new Float64Array(COLUMN_ROWS_MAX);
const nearResiduals = new Int32Array(COLUMN_ROWS_MAX);
const cutScratch = new Float64Array(COLUMN_ROWS_MAX);
/** Rows that are looked at to choose a predictor. */
const SAMPLE = 64;
const sample = new Float64Array(SAMPLE);
/** And of these, to find their middle. */
const ROUGH_SAMPLE = 12;
/** Beyond this apart, residuals are told by width. */
const NEAR_RESIDUAL = 2 ** 30;

/** True when each time is near enough to the one before it that no predictor loses a bit. */
export function isPredictable({ at, length }: QuantaColumn, baseQuanta: number): boolean {
  let before = baseQuanta;
  for (let i = 0; i < length; i++) {
    const quanta = at[i]!;
    if (Math.abs(quanta - before) > PACKED_MAX) return false;
    before = quanta;
  }
  return true;
}

/** Writes 1 to COLUMN_ROWS_MAX rows for which `isPredictable` holds; answers their even size, or 0. */
export function writeColumn(out: ByteWriter, rows: QuantaColumn, context: ColumnContext): number {
  const { previous } = context;
  const isSame = previous !== undefined && hasSameCut(rows, previous);
  const size = isSame ? context.previousSize : evenSize(rows);
  const count = rows.length;
  // What nearly all columns are: the frames of the hop before, a moment later.
  const isClose = isSame && followsClosely(rows, previous);
  const predictor = isClose ? PREDICTOR.previousHop : choosePredictor(rows, context, isSame);
  const isTold = isClose ? hasTwo(nearResiduals, count) : isNear(residuals, count);
  const code = isTold ? chooseRice(nearResiduals, count) : undefined;
  if (isClose && code === undefined) residuals.set(nearResiduals.subarray(0, count));
  if (code !== undefined) {
    writeShortHead(out, rows, context, { size, isSame, predictor, code });
    writeRice(out, nearResiduals, count, code);
    return size;
  }
  const cut = isSame ? COLUMN_FLAG.sameCut : size > 0 ? COLUMN_FLAG.evenCut : 0;
  out.u8(ITEM.column | cut | (predictor << PREDICTOR_SHIFT));
  writeHop(out, context.hop);
  if (!isSame) writeCut(out, rows, previous?.start[0] ?? 0, size > 0);
  pack(out, residuals, 0, count);
  return size;
}

/**
 * Told by the hop before, row by row, into `nearResiduals`: false where they are not near each other, and
 * other predictions may be better.
 */
function followsClosely({ at, length }: QuantaColumn, { at: before }: QuantaColumn): boolean {
  for (let i = 0; i < length; i++) {
    const residual = at[i]! - before[i]!;
    if (!(residual <= NEAR_RESIDUAL && residual >= -NEAR_RESIDUAL)) return false;
    nearResiduals[i] = residual;
  }
  const middle = middleOf(nearResiduals, length, ROUGH_SAMPLE);
  let spread = 0;
  for (let i = 0; i < length; i++) {
    const distance = nearResiduals[i]! - middle;
    spread += distance < 0 ? -distance : distance;
  }
  return spread <= CLOSE * length;
}

function hasTwo(values: Int32Array, count: number): boolean {
  for (let i = 1; i < count; i++) if (values[i] !== values[0]) return true;
  return false;
}

/** Residuals as 32-bit numbers; false when one is not, or when all are equal and cost nothing packed. */
function isNear(values: Float64Array, count: number): boolean {
  const first = values[0]!;
  let isOne = true;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    if (value > NEAR_RESIDUAL || value < -NEAR_RESIDUAL) return false;
    if (value !== first) isOne = false;
    nearResiduals[i] = value;
  }
  return !isOne;
}

/** What was found out about a column. Not spread into its context: that would cost more than packing it. */
interface Found {
  readonly size: number;
  readonly isSame: boolean;
  readonly predictor: number;
  readonly code: RiceCode;
}

function writeShortHead(
  out: ByteWriter,
  rows: QuantaColumn,
  context: ColumnContext,
  { size, isSame, predictor, code }: Found,
): void {
  const { previous, previousSize, hop } = context;
  const near = isSame || size !== previousSize ? -1 : nearByte(rows, previous, size);
  const even = size > 0 ? COMPACT_CUT.even : COMPACT_CUT.uneven;
  const cut = isSame ? COMPACT_CUT.same : near >= 0 ? COMPACT_CUT.near : even;
  const sides = code.isTwoSided ? TWO_SIDED : 0;
  out.u8(ITEM.shortColumn | cut | (predictor << PREDICTOR_SHIFT) | sides);
  const hopBits = shortHopCode(hop, context.role);
  out.u8(hopBits | (Math.min(code.k, RICE_K_TOLD) << 4));
  if (hopBits === 0) writeHop(out, hop);
  if (code.k >= RICE_K_TOLD) out.u8(code.k);
  out.svarint(code.reference / 2 ** referenceShift(code.k));
  if (isSame) return;
  if (near >= 0) return out.u8(near);
  const from = previous?.start[0] ?? 0;
  writeFrames(out, rows, { from, size, sampleRate: context.sampleRate });
}

interface FrameFacts {
  /** First start of the column before, or 0. */
  readonly from: number;
  /** Ticks of each frame if no hole lies between them; else 0. */
  readonly size: number;
  readonly sampleRate: number;
}

/** Frames of whole milliseconds, counted in themselves, as nearly all are; or any. */
function writeFrames(
  out: ByteWriter,
  rows: QuantaColumn,
  { from, size, sampleRate }: FrameFacts,
): void {
  const { start } = rows;
  const ms = wholeMs(rows, from, sampleRate);
  const isUsual = ms === USUAL_MS;
  out.varint(rows.length * 2 + (isUsual ? 0 : 1));
  if (!isUsual) out.u8(ms);
  if (ms > 0) {
    out.svarint((start[0]! - from) / (rows.end[0]! - start[0]!));
    if (size === 0) writeHoles(out, rows);
    return;
  }
  out.svarint(start[0]! - from);
  if (size > 0) out.varint(size);
  else writeUneven(out, rows);
}

/** Milliseconds of each frame where all are of one size and at most whole ones are missing; else 0. */
function wholeMs({ start, end, length }: QuantaColumn, from: number, sampleRate: number): number {
  const size = end[0]! - start[0]!;
  const ms = (size * 1_000) / sampleRate;
  if (!Number.isInteger(ms) || ms > 255 || !Number.isSafeInteger((start[0]! - from) / size))
    return 0;
  for (let i = 1; i < length; i++)
    if (end[i]! - start[i]! !== size || (start[i]! - end[i - 1]!) % size !== 0) return 0;
  return ms;
}

/** Rows since the hole before, and how many frames are missing. */
function writeHoles(out: ByteWriter, { start, end, length: count }: QuantaColumn): void {
  const size = end[0]! - start[0]!;
  let holes = 0;
  for (let i = 1; i < count; i++) if (start[i] !== end[i - 1]) holes++;
  out.varint(holes);
  let rowOfHole = 0;
  for (let i = 1; i < count; i++) {
    if (start[i] === end[i - 1]) continue;
    const missing = (start[i]! - end[i - 1]!) / size;
    out.varint((i - rowOfHole) * 4 + Math.min(missing - 1, 3));
    if (missing > 3) out.varint(missing - 4);
    rowOfHole = i;
  }
}

/** Rows and start as differences from an even column before, in frames; −1 when they are too large. */
function nearByte(rows: QuantaColumn, previous: QuantaColumn | undefined, size: number): number {
  if (previous === undefined || size === 0) return -1;
  const shift = (rows.start[0]! - previous.start[0]!) / size + NEAR_BIAS;
  const more = rows.length - previous.length + NEAR_BIAS;
  const isInReach = shift >= 0 && shift < 16 && more >= 0 && more < 16;
  return isInReach && Number.isInteger(shift) ? shift * 16 + more : -1;
}

/** Four bits for a standard hop of the role last spelled out; else 0, and the long form follows. */
function shortHopCode(hop: HopName, role: string | undefined): number {
  const code = hopCode(hop.name);
  const isShort = code < 16 && hop.role === role && hop.nth === 0 && hop.after === undefined;
  return isShort ? code : 0;
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
  const count = rows.length;
  if (other.length !== count) return false;
  for (let i = 0; i < count; i++)
    if (rows.start[i] !== other.start[i] || rows.end[i] !== other.end[i]) return false;
  return true;
}

/** Ticks of each frame where all are of one size with no hole between; else 0. */
function evenSize({ start, end, length }: QuantaColumn): number {
  const size = end[0]! - start[0]!;
  for (let i = 1; i < length; i++)
    if (start[i] !== end[i - 1] || end[i]! - start[i]! !== size) return 0;
  return size;
}

function writeCut(out: ByteWriter, rows: QuantaColumn, from: number, isEven: boolean): void {
  const { start, end } = rows;
  out.varint(rows.length);
  out.svarint(start[0]! - from);
  if (isEven) out.varint(end[0]! - start[0]!);
  else writeUneven(out, rows);
}

/** Lengths and gaps in the greatest unit that divides them all. */
function writeUneven(out: ByteWriter, rows: QuantaColumn): void {
  const { start, end, length: count } = rows;
  const unit = commonUnit(rows);
  out.varint(unit);
  for (let i = 0; i < count; i++) cutScratch[i] = (end[i]! - start[i]!) / unit;
  pack(out, cutScratch, 0, count);
  for (let i = 1; i < count; i++) cutScratch[i - 1] = (start[i]! - end[i - 1]!) / unit;
  pack(out, cutScratch, 0, count - 1);
}

/** Greatest number of ticks that divides every length and every gap. */
function commonUnit({ start, end, length }: QuantaColumn): number {
  let unit = end[0]! - start[0]!;
  for (let i = 1; i < length && unit > 1; i++) {
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

/** Within so many quanta of each other, on the mean, a column is told by the hop before it: no need to look on. */
const CLOSE = 16;
/** Beyond so many, rows before may tell more than clock and hop: a burst, or frames cut in turns. */
const APART = 32;
/** What lies further out than this counts as this: a pause costs bits once, however long it was. */
const FAR = 32_768;

/** The cheapest predictor, as some of the rows show; its residuals are left in `residuals`. */
function choosePredictor(rows: QuantaColumn, context: ColumnContext, isSame: boolean): number {
  const best = likelyPredictor(rows, context, isSame);
  if (tell(best, rows, context)) return best;
  // Not exact so far out. Told by the row before every row is: `isPredictable` holds.
  tell(PREDICTOR.previousRow, rows, context);
  return PREDICTOR.previousRow;
}

function likelyPredictor(rows: QuantaColumn, context: ColumnContext, isSame: boolean): number {
  const { previous, baseQuanta, quantaPerTick } = context;
  const { at, end, length } = rows;
  const stride = Math.ceil(length / SAMPLE);
  let count = 0;
  let best: number = PREDICTOR.mediaClock;
  let least = Infinity;
  if (previous !== undefined) {
    if (!isSame) predictByPreviousHop(told, rows, previous, quantaPerTick);
    const byHop = isSame ? previous.at : told;
    for (let i = 0; i < length; i += stride) sample[count++] = at[i]! - byHop[i]!;
    least = spreadOf(count);
    best = PREDICTOR.previousHop;
    if (least <= CLOSE * count) return best;
  }
  count = 0;
  for (let i = 0; i < length; i += stride)
    sample[count++] = at[i]! - baseQuanta - (end[i]! - end[0]!) * quantaPerTick;
  const byClock = spreadOf(count);
  if (byClock <= least) [best, least] = [PREDICTOR.mediaClock, byClock];
  if (length < 3 || least <= APART * count) return best;
  count = 0;
  for (let i = 1; i < length; i += stride) sample[count++] = at[i]! - at[i - 1]!;
  const byRow = spreadOf(count);
  if (byRow < least) [best, least] = [PREDICTOR.previousRow, byRow];
  count = 0;
  for (let i = 2; i < length; i += stride)
    sample[count++] = at[i]! - at[i - 2]! - (end[i]! - end[i - 2]!) * quantaPerTick;
  return spreadOf(count) < least ? PREDICTOR.rowBeforeLast : best;
}

/** How far the first `count` of `sample` lie from their middle, all together. */
function spreadOf(count: number): number {
  const middle = middleOf(sample, count, ROUGH_SAMPLE);
  let spread = 0;
  for (let i = 0; i < count; i++) {
    const distance = Math.abs(sample[i]! - middle);
    spread += distance < FAR ? distance : FAR;
  }
  return spread;
}

/** Fills `residuals`; false when one of them would not be exact. */
function tell(predictor: number, rows: QuantaColumn, context: ColumnContext): boolean {
  const { previous, baseQuanta, quantaPerTick } = context;
  const { at, length } = rows;
  if (predictor === PREDICTOR.previousHop && previous !== undefined)
    predictByPreviousHop(told, rows, previous, quantaPerTick);
  else if (predictor === PREDICTOR.rowBeforeLast)
    predictByRowBeforeLast(told, rows, baseQuanta, quantaPerTick);
  else if (predictor === PREDICTOR.previousRow) {
    told[0] = baseQuanta;
    for (let i = 1; i < length; i++) told[i] = at[i - 1]!;
  } else predictByMediaClock(told, rows, baseQuanta, quantaPerTick);
  for (let i = 0; i < length; i++) {
    const from = told[i]!;
    const residual = at[i]! - from;
    // Not a number fails both.
    const isExact =
      residual <= PACKED_MAX && residual >= -PACKED_MAX && from <= TOLD_MAX && from >= -TOLD_MAX;
    if (!isExact) return false;
    residuals[i] = residual;
  }
  return true;
}

const TOLD_MAX = Number.MAX_SAFE_INTEGER;
