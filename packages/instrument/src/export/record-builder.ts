// Marks of one flush → one record in memory: rows sorted out by hop into
// columns, late and repeated ones into the exception list of their hop.
//
//   ring rows   hop 0 1 0 1 0      columns   hop 0: a b c   late: –
//               tick a a b b c               hop 1: a b
//
// Columns are views of arrays that all sessions of a scope share: they are good
// until the next flush, and are encoded before it. Arrays of their own would
// cost more than all the rest of a flush.

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

/** Where rows are laid out by hop; one for all sessions of a scope. */
export class SortedRows {
  startTick: Float64Array;
  endTick: Float64Array;
  atNs: Float64Array;

  constructor(capacity: number) {
    this.startTick = new Float64Array(capacity);
    this.endTick = new Float64Array(capacity);
    this.atNs = new Float64Array(capacity);
  }

  /** Room for `count` rows; what was in it is gone. */
  reserve(count: number): void {
    if (count <= this.atNs.length) return;
    this.startTick = new Float64Array(count);
    this.endTick = new Float64Array(count);
    this.atNs = new Float64Array(count);
  }
}

interface Slot {
  readonly stream: StreamFacts;
  readonly hop: HopName;
  /** Every row of an earlier flush began before this tick. */
  watermark: number;
  /** Rows of this flush, late ones included; then where the slot begins and ends in the sorted rows. */
  count: number;
  from: number;
  to: number;
  late: LateMark[];
}

const NONE: readonly LateMark[] = [];

export class RecordBuilder {
  readonly #slots: Slot[] = [];
  readonly #sorted: SortedRows;

  constructor(sorted: SortedRows) {
    this.#sorted = sorted;
  }

  /** A new hop's code, counted from 0 in the order of enrolment. */
  enrol(stream: StreamFacts, hop: HopName): number {
    const slot = { stream, hop, watermark: 0, count: 0, from: 0, to: 0, late: [] };
    return this.#slots.push(slot) - 1;
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
    this.#sort(rows, count);
    const blocks: FrameBlock[] = [];
    for (const stream of new Set(this.#slots.map(slot => slot.stream))) {
      const columns: FrameBlock['columns'][number][] = [];
      for (const slot of this.#slots)
        if (slot.stream === stream && slot.count > 0) columns.push(this.#columnOf(slot));
      const ranges = rangesOf(stream);
      if (columns.length === 0 && ranges.length === 0) continue;
      const { name, sampleRate, direction } = stream;
      blocks.push({ stream: name, sampleRate, direction, columns, ranges });
    }
    return blocks;
  }

  /** Counts rows by hop, gives each hop its stretch, lays the rows out. */
  #sort(rows: MarkRows, count: number): void {
    const slots = this.#slots;
    for (const slot of slots) slot.count = 0;
    for (let row = 0; row < count; row++) slots[rows.hop[row]!]!.count += 1;
    let from = 0;
    for (const slot of slots) {
      slot.from = from;
      slot.to = from;
      if (slot.late.length > 0) slot.late = [];
      from += slot.count;
    }
    const sorted = this.#sorted;
    sorted.reserve(count);
    const { startTick, endTick, atNs } = sorted;
    for (let row = 0; row < count; row++) {
      const slot = slots[rows.hop[row]!]!;
      const start = rows.startTick[row]!;
      const end = start + rows.samples[row]!;
      if (start < slot.watermark) {
        const at = domainNs(rows.atNs[row]!);
        slot.late.push({ startTick: tick(start), endTick: tick(end), atNs: at });
        continue;
      }
      slot.watermark = end;
      startTick[slot.to] = start;
      endTick[slot.to] = end;
      atNs[slot.to] = rows.atNs[row]!;
      slot.to += 1;
    }
  }

  #columnOf(slot: Slot): HopColumn & { readonly late: readonly LateMark[] } {
    const { from, to, hop, late } = slot;
    const { startTick, endTick, atNs } = this.#sorted;
    return {
      hop,
      length: to - from,
      startTick: startTick.subarray(from, to),
      endTick: endTick.subarray(from, to),
      atNs: atNs.subarray(from, to),
      late: late.length === 0 ? NONE : late,
    };
  }
}
