// One piece of a column → bytes: its hop, its cut of the media axis, its times.
// Layout: docs/wire.md, "Record", items 2 and 5.

import { pack, PACKED_MAX, roughBits } from './bit-packing.ts';
import type { ByteWriter } from './bytes.ts';
import type { HopName } from './frame-block.types.ts';
import { hopCode, roleCode } from './hops.ts';
import {
  COLUMN_FLAG,
  COLUMN_ROWS_MAX,
  HOP_FLAG,
  ITEM,
  NAME_BYTES_MAX,
  PREDICTOR,
  PREDICTOR_SHIFT,
} from './record-format.ts';
import {
  predictByMediaClock,
  predictByPreviousHop,
  type QuantaColumn,
} from './record-prediction.ts';
import type { LateRows } from './record-rows.ts';
import { encodeUtf8 } from './utf8.ts';

/** What a piece is told against. */
export interface ColumnContext {
  readonly hop: HopName;
  /** The column written just before in this block of this part, if there is one. */
  readonly previous: QuantaColumn | undefined;
  readonly baseQuanta: number;
  readonly quantaPerTick: number;
}

/** Scratch for one column at a time: encoding is synchronous and runs once a flush. */
const candidates = [0, 1, 2].map(() => new Float64Array(COLUMN_ROWS_MAX));
const cutScratch = new Float64Array(COLUMN_ROWS_MAX);

/** True when each time is near enough to the one before it that no predictor loses a bit. */
export function isPredictable(at: Float64Array, baseQuanta: number): boolean {
  let before = baseQuanta;
  for (const quanta of at) {
    if (Math.abs(quanta - before) > PACKED_MAX) return false;
    before = quanta;
  }
  return true;
}

/** Writes 1 to COLUMN_ROWS_MAX rows for which `isPredictable` holds. */
export function writeColumn(out: ByteWriter, rows: QuantaColumn, context: ColumnContext): void {
  const { previous } = context;
  const isSame = previous !== undefined && hasSameCut(rows, previous);
  const isEven = !isSame && hasEvenCut(rows);
  const cut = isSame ? COLUMN_FLAG.sameCut : isEven ? COLUMN_FLAG.evenCut : 0;
  const predictor = choosePredictor(rows, context);
  out.u8(ITEM.column | cut | (predictor << PREDICTOR_SHIFT));
  writeHop(out, context.hop);
  if (!isSame) writeCut(out, rows, previous?.start[0] ?? 0, isEven);
  pack(out, candidates[predictor]!, 0, rows.at.length);
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

export const isName = (text: string): boolean =>
  text.length <= NAME_BYTES_MAX && encodeUtf8(text).length <= NAME_BYTES_MAX;

function hasSameCut(rows: QuantaColumn, other: QuantaColumn): boolean {
  const count = rows.start.length;
  if (other.start.length !== count) return false;
  for (let i = 0; i < count; i++)
    if (rows.start[i] !== other.start[i] || rows.end[i] !== other.end[i]) return false;
  return true;
}

function hasEvenCut({ start, end }: QuantaColumn): boolean {
  const size = end[0]! - start[0]!;
  for (let i = 1; i < start.length; i++)
    if (start[i] !== end[i - 1] || end[i]! - start[i]! !== size) return false;
  return true;
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

/** The cheapest predictor, roughly; its residuals are left in `candidates`. */
function choosePredictor(rows: QuantaColumn, context: ColumnContext): number {
  const { previous, baseQuanta, quantaPerTick } = context;
  const { at, end } = rows;
  const count = at.length;
  const [byClock, byHop, byRow] = candidates as [Float64Array, Float64Array, Float64Array];
  predictByMediaClock(byClock.subarray(0, count), end, baseQuanta, quantaPerTick);
  if (previous !== undefined)
    predictByPreviousHop(byHop.subarray(0, count), end, previous, quantaPerTick);
  byRow[0] = baseQuanta;
  byRow.set(at.subarray(0, count - 1), 1);
  let best: number = PREDICTOR.previousRow;
  let bestBits = residualBits(byRow, at);
  for (const predictor of [PREDICTOR.previousHop, PREDICTOR.mediaClock]) {
    if (predictor === PREDICTOR.previousHop && previous === undefined) continue;
    const bits = residualBits(candidates[predictor]!, at);
    if (bits > bestBits) continue;
    best = predictor;
    bestBits = bits;
  }
  return best;
}

/** Turns predictions into residuals in place; their cost, or Infinity where one would not be exact. */
function residualBits(predicted: Float64Array, at: Float64Array): number {
  for (let i = 0; i < at.length; i++) {
    const residual = at[i]! - predicted[i]!;
    if (!(Math.abs(residual) <= PACKED_MAX && Number.isSafeInteger(predicted[i]!))) return Infinity;
    predicted[i] = residual;
  }
  return roughBits(predicted, at.length);
}
