// What is told of one hop over a whole session, added up piece by piece.

import { FRAME_FLAG, type FrameCounts, type Quantiles } from '@framescope/protocol';
import type { HopFrames } from '../assemble/frames/stream-frames.ts';
import { FrameSum, type FramePart, type Minutes } from './minutes.ts';

export interface HopFigures {
  readonly markCount: number;
  readonly frames: FrameCounts;
  readonly faultCount: number;
  /** Over the whole session. */
  readonly quantiles: Quantiles;
  readonly overBudgetCount: number;
  /** The size of nearly all frames, in ticks; null where they vary. */
  readonly frameTicks: number | null;
  /** Session time of the first and last mark. */
  readonly firstAtNs: number;
  readonly lastAtNs: number;
  /** DomainNs of the last mark. */
  readonly lastRawNs: number;
}

export class HopTotals {
  /** Of minutes that are told and gone. */
  readonly #gone = new FrameSum();
  #markCount = 0;
  #lost = 0;
  #late = 0;
  #concealed = 0;
  #faultCount = 0;
  /** 0: not known yet; −1: they vary. */
  #frameTicks = 0;
  #firstAtNs = Number.NaN;
  #lastAtNs = Number.NaN;
  #lastRawNs = Number.NaN;

  add(hop: HopFrames, { from, to, edgeTick }: FramePart): void {
    const isIn = (one: { readonly endTick: number }): boolean => one.endTick < edgeTick;
    this.#lost += hop.lost.filter(isIn).length;
    this.#concealed += hop.concealed.filter(isIn).length;
    if (to <= from) return;
    this.#markCount += to - from;
    this.#late += lateIn(hop, from, to);
    this.#faultCount += hop.faultRows.filter(row => row < to).length;
    this.#noteSizes(hop, from, to);
    if (Number.isNaN(this.#firstAtNs)) this.#firstAtNs = hop.atNs[from]!;
    this.#lastAtNs = hop.atNs[to - 1]!;
    this.#lastRawNs = hop.rows.rawNs[to - 1]!;
  }

  #noteSizes({ rows }: HopFrames, from: number, to: number): void {
    const step = Math.max(1, (to - from) >> 5);
    for (let row = from; row < to; row += step) {
      const size = rows.endTick[row]! - rows.startTick[row]!;
      if (this.#frameTicks === 0) this.#frameTicks = size;
      else if (this.#frameTicks !== size) this.#frameTicks = -1;
    }
  }

  addMinute(minute: FrameSum): void {
    this.#gone.merge(minute);
  }

  copy(): HopTotals {
    const copy = new HopTotals();
    copy.#gone.merge(this.#gone);
    copy.#markCount = this.#markCount;
    copy.#lost = this.#lost;
    copy.#late = this.#late;
    copy.#concealed = this.#concealed;
    copy.#faultCount = this.#faultCount;
    copy.#frameTicks = this.#frameTicks;
    copy.#firstAtNs = this.#firstAtNs;
    copy.#lastAtNs = this.#lastAtNs;
    copy.#lastRawNs = this.#lastRawNs;
    return copy;
  }

  /** `minutes`: those that are not gone. */
  figures(minutes: Minutes): HopFigures {
    const all = new FrameSum();
    all.merge(this.#gone);
    for (const minute of minutes.sums()) all.merge(minute);
    return {
      markCount: this.#markCount,
      frames: {
        expected: this.#markCount + this.#lost,
        lost: this.#lost,
        late: this.#late,
        concealed: this.#concealed,
      },
      faultCount: this.#faultCount,
      quantiles: all.quantiles(),
      overBudgetCount: all.overBudget,
      frameTicks: this.#frameTicks > 0 ? this.#frameTicks : null,
      firstAtNs: this.#firstAtNs,
      lastAtNs: this.#lastAtNs,
      lastRawNs: this.#lastRawNs,
    };
  }
}

function lateIn({ countsLate, flags }: HopFrames, from: number, to: number): number {
  if (!countsLate) return 0;
  let late = 0;
  for (let row = from; row < to; row++) if ((flags[row]! & FRAME_FLAG.late) !== 0) late++;
  return late;
}
