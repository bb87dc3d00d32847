// Marks of one flush → one record in memory: rows sorted out by hop into
// columns, late and repeated ones into the exception list of their hop.
//
//   ring rows   hop 0 1 0 1 0      columns   hop 0: a b c   late: –
//               tick a a b b c               hop 1: a b

import {
  domainNs,
  tick,
  type FrameBlock,
  type HopColumn,
  type HopName,
  type LateMark,
  type MediaRange,
} from '@framescope/protocol';
import type { MarkRows } from '../hot/mark-ring.ts';

/** The stream part of a record's block. */
export interface StreamFacts {
  readonly name: string;
  readonly sampleRate: number;
  readonly direction: 'up' | 'down';
}

interface Slot {
  readonly stream: StreamFacts;
  readonly hop: HopName;
  /** Every row of an earlier flush began before this tick. */
  watermark: number;
  count: number;
}

export class RecordBuilder {
  readonly #slots: Slot[] = [];

  /** A new hop's code, counted from 0 in the order of enrolment. */
  enrol(stream: StreamFacts, hop: HopName): number {
    return this.#slots.push({ stream, hop, watermark: 0, count: 0 }) - 1;
  }

  get hopCount(): number {
    return this.#slots.length;
  }

  /** Blocks of the first `count` rows and of the ranges declared; a block for each stream that has any. */
  blocks(
    rows: MarkRows,
    count: number,
    rangesOf: (stream: StreamFacts) => readonly MediaRange[],
  ): FrameBlock[] {
    for (const slot of this.#slots) slot.count = 0;
    for (let row = 0; row < count; row++) this.#slots[rows.hop[row]!]!.count += 1;
    const columns = this.#slots.map(slot => new ColumnBuilder(slot));
    for (let row = 0; row < count; row++) columns[rows.hop[row]!]!.add(rows, row);
    const streams = [...new Set(this.#slots.map(slot => slot.stream))];
    return streams
      .map(stream => ({
        stream: stream.name,
        sampleRate: stream.sampleRate,
        direction: stream.direction,
        columns: columns
          .filter(one => one.slot.stream === stream && one.slot.count > 0)
          .map(one => one.finish()),
        ranges: rangesOf(stream),
      }))
      .filter(block => block.columns.length > 0 || block.ranges.length > 0);
  }
}

/** The rows of one hop; sized by a first pass, so that nothing grows. */
class ColumnBuilder {
  readonly slot: Slot;
  readonly #start: Float64Array;
  readonly #end: Float64Array;
  readonly #at: Float64Array;
  readonly #late: LateMark[] = [];
  #length = 0;

  constructor(slot: Slot) {
    this.slot = slot;
    this.#start = new Float64Array(slot.count);
    this.#end = new Float64Array(slot.count);
    this.#at = new Float64Array(slot.count);
  }

  add(rows: MarkRows, row: number): void {
    const start = rows.startTick[row]!;
    const end = start + rows.samples[row]!;
    if (start < this.slot.watermark) {
      const atNs = domainNs(rows.atNs[row]!);
      this.#late.push({ startTick: tick(start), endTick: tick(end), atNs });
      return;
    }
    this.slot.watermark = end;
    this.#start[this.#length] = start;
    this.#end[this.#length] = end;
    this.#at[this.#length] = rows.atNs[row]!;
    this.#length += 1;
  }

  finish(): HopColumn & { readonly late: readonly LateMark[] } {
    return {
      hop: this.slot.hop,
      length: this.#length,
      startTick: this.#start,
      endTick: this.#end,
      atNs: this.#at,
      late: this.#late,
    };
  }
}
