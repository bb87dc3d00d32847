// A column made ready for the encoder: ticks checked, times in whole quanta,
// and rows that an earlier row already passed set aside as late.

import type { HopColumn, LateMark } from './frame-block.types.ts';
import { COLUMN_ROWS_MAX, TICK_MAX } from './record-format.ts';
import type { QuantaColumn } from './record-prediction.ts';

/** What became of the rows given to an encoder; counts add up over calls. */
export class EncodeTally {
  /** Marks written in columns. */
  markCount = 0;
  /** Marks written one by one: late, repeated, or too far from any prediction. */
  lateCount = 0;
  /** Marks, ranges and clock samples that are not in the record. */
  refusedCount = 0;
  /** Why the first of them was refused. */
  firstProblem: string | undefined = undefined;

  refuse(problem: string, count = 1): void {
    if (count <= 0) return;
    this.refusedCount += count;
    this.firstProblem ??= problem;
  }
}

/** Late rows by the field; a builder, so plain arrays. */
export interface LateRows {
  readonly start: number[];
  readonly end: number[];
  readonly at: number[];
}

export interface PreparedColumn {
  readonly main: QuantaColumn;
  readonly late: LateRows;
}

/** The time in quanta, or NaN where no multiple of the quantum near it is a safe integer. */
export function toQuanta(atNs: number, quantumNs: number): number {
  const quanta = Math.floor(atNs / quantumNs + 0.5);
  return Number.isSafeInteger(quanta * quantumNs) && Number.isSafeInteger(quanta) ? quanta : NaN;
}

/** True for a frame that holds at least one tick and whose ticks are exact. */
export const isRange = (start: number, end: number): boolean =>
  Number.isSafeInteger(start) &&
  Number.isSafeInteger(end) &&
  start >= 0 &&
  end > start &&
  end <= TICK_MAX;

/** Rows that the arrays can really hold, whatever `length` says. */
export function rowCount(column: HopColumn): number {
  const { length, startTick, endTick, atNs } = column;
  const most = Math.min(startTick.length, endTick.length, atNs.length);
  return length > 0 ? Math.min(Math.trunc(length), most) : 0;
}

type Rows = { -readonly [Key in keyof QuantaColumn]: QuantaColumn[Key] };

/** Rows ready for the encoder; two of them, because a column is told against the one before it. */
const scratch: readonly Rows[] = [0, 1].map(() => rowsFor(COLUMN_ROWS_MAX));
const NO_LATE: LateRows = { start: [], end: [], at: [] };

function rowsFor(count: number): Rows {
  return {
    length: 0,
    start: new Float64Array(count),
    end: new Float64Array(count),
    at: new Float64Array(count),
  };
}

/** Arrays for `count` rows that `previous` does not lie in; scratch, if they fit. */
function roomFor(count: number, previous: QuantaColumn | undefined): Rows {
  if (count > COLUMN_ROWS_MAX) return rowsFor(count);
  const [one, other] = scratch as [Rows, Rows];
  return previous?.at.buffer === one.at.buffer ? other : one;
}

/** The rows lie in scratch that the next but one column uses again; `previous` is left alone. */
export function prepareColumn(
  column: HopColumn & { readonly late: readonly LateMark[] },
  quantumNs: number,
  { tally, previous }: { tally: EncodeTally; previous: QuantaColumn | undefined },
): PreparedColumn {
  const count = rowCount(column);
  const { startTick, endTick, atNs } = column;
  const main = roomFor(count, previous);
  let late = NO_LATE;
  const addToLate = (start: number, end: number, at: number): void => {
    if (late === NO_LATE) late = { start: [], end: [], at: [] };
    addLate(late, start, end, at);
  };
  let length = 0;
  let passed = -1;
  for (let i = 0; i < count; i++) {
    const start = startTick[i]!;
    const end = endTick[i]!;
    const at = toQuanta(atNs[i]!, quantumNs);
    if (!isRange(start, end) || Number.isNaN(at)) tally.refuse(whyRefused(start, end, atNs[i]!));
    else if (start < passed) addToLate(start, end, at);
    else {
      main.start[length] = start;
      main.end[length] = end;
      main.at[length++] = at;
      passed = end;
    }
  }
  for (const mark of column.late) {
    const at = toQuanta(mark.atNs, quantumNs);
    if (isRange(mark.startTick, mark.endTick) && !Number.isNaN(at))
      addToLate(mark.startTick, mark.endTick, at);
    else tally.refuse(whyRefused(mark.startTick, mark.endTick, mark.atNs));
  }
  main.length = length;
  return { main, late };
}

/** A view of rows `[from, to)`. */
export const slice = (column: QuantaColumn, from: number, to: number): QuantaColumn => ({
  length: to - from,
  start: column.start.subarray(from, to),
  end: column.end.subarray(from, to),
  at: column.at.subarray(from, to),
});

export function addLate(late: LateRows, start: number, end: number, at: number): void {
  late.start.push(start);
  late.end.push(end);
  late.at.push(at);
}

const whyRefused = (start: number, end: number, atNs: number): string =>
  `no frame of whole ticks with a finite time: ticks ${start} to ${end} at ${atNs} ns`;
