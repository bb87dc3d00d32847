// A column made ready for the encoder: ticks checked, times in whole quanta,
// and rows that an earlier row already passed set aside as late.

import type { HopColumn, LateMark } from './frame-block.types.ts';
import { TICK_MAX } from './record-format.ts';
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

export function prepareColumn(
  column: HopColumn & { readonly late: readonly LateMark[] },
  quantumNs: number,
  tally: EncodeTally,
): PreparedColumn {
  const count = rowCount(column);
  const main = {
    start: new Float64Array(count),
    end: new Float64Array(count),
    at: new Float64Array(count),
  };
  const late: LateRows = { start: [], end: [], at: [] };
  let length = 0;
  let passed = -1;
  for (let i = 0; i < count; i++) {
    const start = column.startTick[i]!;
    const end = column.endTick[i]!;
    const at = toQuanta(column.atNs[i]!, quantumNs);
    if (!isRange(start, end) || Number.isNaN(at))
      tally.refuse(whyRefused(start, end, column.atNs[i]!));
    else if (start < passed) addLate(late, start, end, at);
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
      addLate(late, mark.startTick, mark.endTick, at);
    else tally.refuse(whyRefused(mark.startTick, mark.endTick, mark.atNs));
  }
  return { main: slice(main, 0, length), late };
}

/** A view of rows `[from, to)`. */
export const slice = (column: QuantaColumn, from: number, to: number): QuantaColumn => ({
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
