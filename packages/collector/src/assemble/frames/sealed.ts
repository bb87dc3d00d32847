// The part of a stream that was counted for good: figures instead of marks.
//
//   media  ├────────── sealed ──────────┼─ context ─┼──── judged anew with each pass ────┤
//          figures only                             edge
//                                        a few marks, for those behind to be judged by
//
// A frame is sealed when every hop that is still at work is well past it: nothing that
// comes in order can change what became of it. What comes for it all the same, and what
// changes the way of reading it (clocks, the order of the hops), is made good by reading
// the session again, whole.

import type { Flow } from './flow.ts';
import { HopRows } from './hop-rows.ts';
import { ScheduleDraft } from './schedule.ts';
import type { HopFrames, StreamFrames } from './stream-frames.ts';
import { HopTotals, type HopFigures } from '../../rollup/hop-totals.ts';
import { Minutes } from '../../rollup/minutes.ts';

const NO_ROWS = new HopRows();
const NONE = new Float64Array(0);

/** What is left of one hop's frames. */
class SealedHop {
  readonly totals = new HopTotals();
  readonly minutes: Minutes;
  /** As it was last seen, without its marks. */
  last: HopFrames;
  firstTick: number;

  constructor(hop: HopFrames, zeroUnixNs: bigint) {
    this.minutes = new Minutes(zeroUnixNs);
    this.last = quiet(hop);
    this.firstTick = hop.rows.startTick[0]!;
  }
}

export class SealedStream {
  /** Frames that end before it are sealed; a whole second of media. */
  edgeTick = 0;
  /** Of an up stream, by the hop at `firstPath`. */
  readonly schedule: ScheduleDraft;
  firstPath: string | undefined;
  /** Session time of the last mark that was sealed. */
  sealedToNs: number = -Infinity;
  readonly #zeroUnixNs: bigint;
  readonly #hops = new Map<string, SealedHop>();
  /** By measure. */
  readonly #flows = new Map<string, Minutes>();
  #order: readonly string[] = [];

  constructor(sampleRate: number, zeroUnixNs: bigint) {
    this.schedule = new ScheduleDraft(sampleRate);
    this.#zeroUnixNs = zeroUnixNs;
  }

  firstTickOf(path: string): number | undefined {
    let first: number | undefined;
    for (const { last, firstTick } of this.#hops.values())
      if (last.path === path) first = Math.min(first ?? Infinity, firstTick);
    return first;
  }

  has(name: string): boolean {
    return [...this.#hops.values()].some(hop => hop.last.name === name);
  }

  /** These hops, and in their places those that have no marks left. */
  withQuiet(hops: readonly HopFrames[]): HopFrames[] {
    const all = [...hops];
    this.#order.forEach((id, i) => {
      if (all.some(hop => hop.id === id)) return;
      const before = this.#order.slice(0, i).toReversed();
      const behind = before.find(other => all.some(hop => hop.id === other));
      const at = behind === undefined ? 0 : all.findIndex(hop => hop.id === behind) + 1;
      all.splice(at, 0, this.#hops.get(id)!.last);
    });
    return all;
  }

  /** The hops stand in another order than when marks were sealed: what was counted counts no more. */
  isReordered(hops: readonly HopFrames[]): boolean {
    const known = hops.filter(hop => this.#hops.has(hop.id)).map(hop => hop.id);
    const order = this.#order.filter(id => known.includes(id));
    const isOther = known.some((id, i) => id !== order[i]);
    return isOther || (this.firstPath !== undefined && hops[0]?.path !== this.firstPath);
  }

  /** Counts what ends before `edgeTick` and was not counted yet; answers how many marks. */
  seal({ hops, direction }: StreamFrames, flows: readonly Flow[], edgeTick: number): number {
    const [first] = hops;
    if (direction === 'up' && first !== undefined) {
      this.firstPath ??= first.path;
      if (first.path === this.firstPath) this.#absorb(first, edgeTick);
    }
    let count = 0;
    for (const hop of hops) if (hop.rows.length > 0) count += this.#sealHop(hop, edgeTick);
    for (const flow of flows) {
      const minutes = this.#flows.get(flow.measure) ?? new Minutes(this.#zeroUnixNs);
      minutes.addFlow(flow, this.edgeTick, edgeTick);
      this.#flows.set(flow.measure, minutes);
    }
    this.#order = hops.map(hop => hop.id);
    this.edgeTick = edgeTick;
    return count;
  }

  #absorb({ rows, atNs }: HopFrames, edgeTick: number): void {
    const from = rows.countBefore(this.edgeTick);
    this.schedule.absorb({ cut: rows, atNs, from }, rows.countBefore(edgeTick));
  }

  #sealHop(hop: HopFrames, edgeTick: number): number {
    let sealed = this.#hops.get(hop.id);
    if (sealed === undefined) {
      sealed = new SealedHop(hop, this.#zeroUnixNs);
      this.#hops.set(hop.id, sealed);
    }
    const { sealedLength } = hop.rows;
    const to = Math.max(sealedLength, hop.rows.countBefore(edgeTick));
    const part = { from: sealedLength, to, edgeTick };
    sealed.totals.add(hop, part);
    sealed.minutes.addFrames(hop, part);
    sealed.last = quiet(hop);
    for (let row = sealedLength; row < to; row++)
      if (hop.atNs[row]! > this.sealedToNs) this.sealedToNs = hop.atNs[row]!;
    return to - sealedLength;
  }

  /** Minutes of a hop, sealed marks and others. */
  minutesOf(hop: HopFrames): Minutes {
    const minutes = new Minutes(this.#zeroUnixNs);
    const sealed = this.#hops.get(hop.id);
    if (sealed !== undefined) minutes.merge(sealed.minutes);
    minutes.addFrames(hop, restOf(hop));
    return minutes;
  }

  /** Minutes of a measure of the flow. */
  flowMinutesOf(flow: Flow): Minutes {
    const minutes = new Minutes(this.#zeroUnixNs);
    const sealed = this.#flows.get(flow.measure);
    if (sealed !== undefined) minutes.merge(sealed);
    minutes.addFlow(flow, this.edgeTick, Infinity);
    return minutes;
  }

  /** Figures of a hop over the whole session. `minutes`: as `minutesOf` answered them. */
  figuresOf(hop: HopFrames, minutes: Minutes): HopFigures {
    const sealed = this.#hops.get(hop.id);
    const totals = sealed === undefined ? new HopTotals() : sealed.totals.copy();
    totals.add(hop, restOf(hop));
    return totals.figures(minutes);
  }

  /** Forgets minutes that no mark is left of: they have been told. */
  forgetMinutes(beforeNs: number): void {
    for (const { minutes, totals } of this.#hops.values())
      for (const minute of minutes.takeBefore(beforeNs)) totals.addMinute(minute);
    for (const minutes of this.#flows.values()) minutes.takeBefore(beforeNs);
  }
}

/** What of a hop's window is not sealed. */
const restOf = (hop: HopFrames): { from: number; to: number; edgeTick: number } => ({
  from: hop.rows.sealedLength,
  to: hop.rows.length,
  edgeTick: Infinity,
});

const quiet = (hop: HopFrames): HopFrames => ({
  ...hop,
  rows: NO_ROWS,
  atNs: NONE,
  latencyNs: NONE,
  flags: new Uint8Array(0),
  lost: [],
  lateCount: 0,
  concealed: [],
  faultCount: 0,
  faultRows: [],
});
