// Marks of one flush → one record in memory: rows sorted out by hop into
// columns, late and repeated ones into the exception list of their hop.
//
//   ring rows   hop 0 1 0 1 0      columns   hop 0: a b c   late: –
//               tick a a b b c               hop 1: a b
//
// Columns lie in arrays that all sessions of a scope share, three for the n-th
// hop of each: they are good until the next flush, and are encoded before it.
// Arrays of their own, or views, would cost more than all the rest of a flush.

import {
  domainNs,
  tick,
  type FrameBlock,
  type HopName,
  type LateMark,
  type MediaRange,
} from '@framescope/protocol';
import type { MarkRows } from '../hot/mark-rows.ts';

/** The stream part of a record's block. */
export interface StreamFacts {
  readonly name: string;
  readonly sampleRate: number;
  readonly direction: 'up' | 'down';
}

/** Rows of one hop; arrays of one length. */
export interface HopRows {
  startTick: Float64Array;
  endTick: Float64Array;
  atNs: Float64Array;
}

/** Where rows are laid out by hop; one for all sessions of a scope. */
export class SortedRows {
  readonly #hops: HopRows[] = [];

  /** Rows of the `index`-th hop of whichever session flushes. */
  of(index: number): HopRows {
    return (this.#hops[index] ??= {
      startTick: new Float64Array(ROWS_FIRST),
      endTick: new Float64Array(ROWS_FIRST),
      atNs: new Float64Array(ROWS_FIRST),
    });
  }

  /** Room for twice as many, with what is there. */
  grow(rows: HopRows): void {
    rows.startTick = doubled(rows.startTick);
    rows.endTick = doubled(rows.endTick);
    rows.atNs = doubled(rows.atNs);
  }
}

/** A second of 20 ms frames and some. */
const ROWS_FIRST = 64;

function doubled(values: Float64Array): Float64Array {
  const out = new Float64Array(values.length * 2);
  out.set(values);
  return out;
}

/** What came of one hop with a flush. */
export interface FlushedHop {
  /** Arrays may be longer than `count`. */
  readonly rows: Readonly<HopRows>;
  /** Rows that are not late, in the order in which they were marked. */
  readonly count: number;
  readonly late: readonly LateMark[];
}

interface Slot extends FlushedHop {
  readonly stream: StreamFacts;
  readonly hop: HopName;
  readonly rows: HopRows;
  /** Every row of an earlier flush began before this tick. */
  watermark: number;
  /** Rows of this flush that are not late. */
  count: number;
  late: LateMark[];
}

/** Never written to. */
const NONE: LateMark[] = [];

export class RecordBuilder {
  readonly #slots: Slot[] = [];
  readonly #streams: StreamFacts[] = [];
  readonly #sorted: SortedRows;
  /** Of what was sorted last; infinite if that was nothing. */
  firstNs: number = Infinity;
  lastNs: number = -Infinity;

  constructor(sorted: SortedRows) {
    this.#sorted = sorted;
  }

  /** A new hop's code, counted from 0 in the order of enrolment. */
  enrol(stream: StreamFacts, hop: HopName): number {
    if (!this.#streams.includes(stream)) this.#streams.push(stream);
    const code = this.#slots.length;
    const rows = this.#sorted.of(code);
    this.#slots.push({ stream, hop, rows, watermark: 0, count: 0, late: NONE });
    return code;
  }

  get hopCount(): number {
    return this.#slots.length;
  }

  /** What was sorted last, by the codes of the hops. */
  get hops(): readonly FlushedHop[] {
    return this.#slots;
  }

  /** Blocks of what was sorted last, and of the ranges declared; a block for each stream that has any. */
  blocks(rangesOf: (stream: StreamFacts) => readonly MediaRange[]): FrameBlock[] {
    const blocks: FrameBlock[] = [];
    for (const stream of this.#streams) {
      const columns: FrameBlock['columns'][number][] = [];
      for (const slot of this.#slots)
        if (slot.stream === stream && slot.count + slot.late.length > 0)
          columns.push(columnOf(slot));
      const ranges = rangesOf(stream);
      if (columns.length === 0 && ranges.length === 0) continue;
      const { name, sampleRate, direction } = stream;
      blocks.push({ stream: name, sampleRate, direction, columns, ranges });
    }
    return blocks;
  }

  /** Lays the first `count` rows out by hop; finds the first and the last time. */
  sort(rows: MarkRows, count: number): void {
    const slots = this.#slots;
    const { hop: hops, startTick, samples, atNs } = rows;
    let firstNs = Infinity;
    let lastNs = -Infinity;
    for (const slot of slots) {
      slot.count = 0;
      slot.late = NONE;
    }
    for (let row = 0; row < count; row++) {
      const slot = slots[hops[row]!]!;
      const start = startTick[row]!;
      const end = start + samples[row]!;
      const at = atNs[row]!;
      if (at < firstNs) firstNs = at;
      if (at > lastNs) lastNs = at;
      if (start < slot.watermark) {
        if (slot.late === NONE) slot.late = [];
        slot.late.push({ startTick: tick(start), endTick: tick(end), atNs: domainNs(at) });
        continue;
      }
      slot.watermark = end;
      const to = slot.count++;
      const own = slot.rows;
      if (to === own.atNs.length) this.#sorted.grow(own);
      own.startTick[to] = start;
      own.endTick[to] = end;
      own.atNs[to] = at;
    }
    this.firstNs = firstNs;
    this.lastNs = lastNs;
  }
}

const columnOf = ({ hop, rows, count, late }: Slot): FrameBlock['columns'][number] => ({
  hop,
  length: count,
  startTick: rows.startTick,
  endTick: rows.endTick,
  atNs: rows.atNs,
  late,
});
