// All marks of one stream as they came in: raw, by hop. Nothing is corrected or
// judged here, so that better clocks repair the past by reading it again.

import { hopPath, type FrameBlock, type HopName } from '@framescope/protocol';
import { HopRows } from './hop-rows.ts';

/** One hop, as one instance ran it. */
export interface HopMarks {
  /** `path@instance` */
  readonly id: string;
  readonly path: string;
  /** Of the service that ran it: `service.instance.id`, else its producer. */
  readonly instance: string;
  readonly role: string;
  readonly name: string;
  readonly nth: number;
  after: string | undefined;
  readonly rows: HopRows;
  /** Where its last frame ended, whether or not its mark is still here. */
  frontTick: number;
  /** Who wrote the last block: shown as the process of this hop. */
  producer: string;
}

/** A declared discontinuity, raw. */
export interface RawRange {
  readonly kind: 'conceal' | 'drop' | 'silence';
  readonly path: string;
  readonly startTick: number;
  readonly endTick: number;
  readonly rawNs: number;
  readonly clock: number;
}

/** A process may invent hop names: this many are kept, the rest is counted. */
const HOPS_MAX = 64;
const RANGES_MAX = 20_000;

export class StreamMarks {
  readonly name: string;
  readonly sampleRate: number;
  readonly direction: 'up' | 'down';
  /** By path and instance. */
  readonly hops: Map<string, HopMarks> = new Map();
  readonly ranges: RawRange[] = [];
  /** The hop of each column of the last block. */
  readonly #usual: (HopMarks | undefined)[] = [];
  /** Marks and ranges that found no room. */
  refusedCount = 0;
  markCount = 0;
  /** Frames that end before it were counted for good; their marks are mostly gone. */
  edgeTick = 0;
  /** Marks from here on are still here. */
  contextTick = 0;
  /** Marks that came for that part since then: they are in the store, not here. */
  missedCount = 0;

  constructor(facts: Pick<FrameBlock, 'sampleRate' | 'direction'> & { readonly name: string }) {
    this.name = facts.name;
    this.sampleRate = facts.sampleRate;
    this.direction = facts.direction;
  }

  /** Adds a block. `clock` is the session's number of the clock that read it. */
  add(block: FrameBlock, clock: number, producer: string, instance: string = producer): void {
    for (let i = 0; i < block.columns.length; i++) {
      const column = block.columns[i]!;
      const usual = this.#usual[i];
      // A process writes its hops in one order, record after record.
      const isUsual = usual !== undefined && isHop(usual, column.hop, instance);
      const marks = isUsual ? usual : this.#hop(column.hop, producer, instance);
      this.#usual[i] = marks;
      if (marks === undefined) {
        this.refusedCount += column.length + column.late.length;
        continue;
      }
      const before = marks.rows.length;
      this.missedCount += marks.rows.add(column, clock, this.edgeTick);
      if (column.late.length > 0)
        this.missedCount += marks.rows.add(sortedLate(column.late), clock, this.edgeTick);
      this.markCount += marks.rows.length - before;
      const { rows } = marks;
      if (rows.length > 0)
        marks.frontTick = Math.max(marks.frontTick, rows.endTick[rows.length - 1]!);
      marks.producer = producer;
      marks.after ??= column.hop.after;
    }
    for (const range of block.ranges) {
      if (range.endTick < this.edgeTick) this.missedCount++;
      if (this.ranges.length >= RANGES_MAX) this.refusedCount++;
      else
        this.ranges.push({
          kind: range.kind,
          path: hopPath(range.hop),
          startTick: range.startTick,
          endTick: range.endTick,
          rawNs: range.atNs,
          clock,
        });
    }
  }

  /** What ends before `edgeTick` was counted for good; marks from `contextTick` on stay. */
  seal(edgeTick: number, contextTick: number): void {
    this.edgeTick = edgeTick;
    this.contextTick = contextTick;
    for (const { rows } of this.hops.values()) {
      const before = rows.length;
      rows.seal(rows.countBefore(edgeTick), contextTick);
      this.markCount -= before - rows.length;
    }
  }

  #hop(hop: HopName, producer: string, instance: string): HopMarks | undefined {
    const path = hopPath(hop);
    const id = `${path}@${instance}`;
    const known = this.hops.get(id);
    if (known !== undefined || this.hops.size >= HOPS_MAX) return known;
    const { role, name, nth, after } = hop;
    const marks = {
      id,
      path,
      instance,
      role,
      name,
      nth,
      after,
      rows: new HopRows(),
      frontTick: 0,
      producer,
    };
    this.hops.set(id, marks);
    return marks;
  }
}

const isHop = (marks: HopMarks, { role, name, nth }: HopName, instance: string): boolean =>
  marks.name === name && marks.role === role && marks.nth === nth && marks.instance === instance;

function sortedLate(late: FrameBlock['columns'][number]['late']): Parameters<HopRows['add']>[0] {
  const sorted = late.toSorted((a, b) => a.startTick - b.startTick);
  return {
    length: sorted.length,
    startTick: sorted.map(mark => mark.startTick),
    endTick: sorted.map(mark => mark.endTick),
    atNs: sorted.map(mark => mark.atNs),
  };
}
