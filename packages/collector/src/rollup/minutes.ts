// Frames of one hop (of one instance or of all), minute by minute: a sketch, the 32 worst, and the counts of
// what never got a latency. Frames are added once; what minutes hold can be added up.

import {
  FRAME_FLAG,
  NS_PER_S,
  rankOf,
  Sketch,
  WORST_COUNT,
  type Quantiles,
} from '@framescope/protocol';
import type { Flow } from '../assemble/frames/flow.ts';
import type { HopFrames } from '../assemble/frames/stream-frames.ts';
import { isQuotable } from '../query/kaplan-meier.ts';
import { isLowWorse } from '../query/measure-info.ts';
import type { RollupRow } from '../store/store.ts';

const MINUTE_NS: number = 60 * NS_PER_S;

/** Rows [from, to) of a hop, and what it missed of frames that end before `edgeTick`. */
export interface FramePart {
  readonly from: number;
  readonly to: number;
  readonly edgeTick: number;
}

/** The worst values with their ticks, slowest first; of equal ones the lower tick, whatever came first. */
class WorstTicks {
  length = 0;
  readonly valueNs: Float64Array = new Float64Array(WORST_COUNT);
  readonly tick: Float64Array = new Float64Array(WORST_COUNT);
  /** Nothing below it gets on the list. */
  leastNs = -1;

  add(valueNs: number, tick: number): void {
    let at = this.length;
    if (at === WORST_COUNT) {
      if (!this.#isWorse(valueNs, tick, at - 1)) return;
      at--;
    } else this.length++;
    while (at > 0 && this.#isWorse(valueNs, tick, at - 1)) {
      this.valueNs[at] = this.valueNs[at - 1]!;
      this.tick[at] = this.tick[at - 1]!;
      at--;
    }
    this.valueNs[at] = valueNs;
    this.tick[at] = tick;
    if (this.length === WORST_COUNT) this.leastNs = this.valueNs[WORST_COUNT - 1]!;
  }

  #isWorse(valueNs: number, tick: number, than: number): boolean {
    const its = this.valueNs[than]!;
    return valueNs === its ? tick < this.tick[than]! : valueNs > its;
  }

  merge(other: WorstTicks): void {
    if (this.length === 0) {
      this.length = other.length;
      this.valueNs.set(other.valueNs);
      this.tick.set(other.tick);
      this.leastNs = other.leastNs;
      return;
    }
    for (let i = 0; i < other.length; i++) this.add(other.valueNs[i]!, other.tick[i]!);
  }
}

/** What is added up of some frames. */
export class FrameSum {
  readonly sketch: Sketch = new Sketch();
  readonly worst: WorstTicks = new WorstTicks();
  lost = 0;
  late = 0;
  concealed = 0;
  overBudget = 0;

  merge(other: FrameSum): void {
    this.sketch.merge(other.sketch);
    this.worst.merge(other.worst);
    this.lost += other.lost;
    this.late += other.late;
    this.concealed += other.concealed;
    this.overBudget += other.overBudget;
  }

  quantiles(): Quantiles {
    const { sketch, worst } = this;
    const n = sketch.count;
    const exact = (q: number): number | undefined => {
      const place = n - rankOf(q, n);
      return place < worst.length ? worst.valueNs[place] : undefined;
    };
    const at = (q: number): number | null =>
      n === 0 || !isQuotable(q, n) ? null : Math.round(exact(q) ?? sketch.quantile(q, 'middle')!);
    return {
      n,
      censored: 0,
      p50Ns: at(0.5),
      p95Ns: at(0.95),
      p99Ns: at(0.99),
      p999Ns: at(0.999),
      maxNs: n === 0 ? null : sketch.maxNs,
    };
  }
}

export class Minutes {
  readonly #minutes = new Map<number, FrameSum>();
  readonly #zeroNs: number;
  readonly #zeroMinute: number;
  #last: FrameSum | undefined;
  #lastFromNs = Infinity;
  #lastToNs = -Infinity;

  constructor(zeroUnixNs: bigint) {
    this.#zeroMinute = Number(zeroUnixNs / BigInt(MINUTE_NS));
    this.#zeroNs = Number(zeroUnixNs % BigInt(MINUTE_NS));
  }

  /** Down streams have no budget on age: there a late frame is the one over budget. */
  addFrames(hop: HopFrames, { from, to, edgeTick }: FramePart): void {
    const { rows, atNs, latencyNs, flags } = hop;
    const isLateOver = hop.budgetNs === null;
    for (let row = from; row < to; row++) {
      const valueNs = latencyNs[row]!;
      // The stream's first hop never saw it: nobody knows how old it is.
      if (valueNs !== valueNs) continue;
      const minute = this.#at(atNs[row]!);
      minute.sketch.add(valueNs);
      // Most frames are not among the worst.
      if (valueNs >= minute.worst.leastNs) minute.worst.add(valueNs, rows.startTick[row]!);
      const flag = flags[row]!;
      if (flag === 0) continue;
      const isLate = (flag & FRAME_FLAG.late) !== 0;
      if (isLate) minute.late++;
      if ((flag & FRAME_FLAG.overBudget) !== 0 || (isLateOver && isLate)) minute.overBudget++;
    }
    for (const one of hop.lost) if (one.endTick < edgeTick) this.#at(one.atNs).lost++;
    for (const one of hop.concealed) if (one.endTick < edgeTick) this.#at(one.atNs).concealed++;
  }

  /** Values of the flow whose ticks lie in [from, to). */
  addFlow({ measure, atNs, valueNs, tick, isLate }: Flow, fromTick: number, toTick: number): void {
    // Of what is better when it is more there is no worst frame here: underruns are told apart.
    const hasWorst = !isLowWorse(measure);
    for (let i = 0; i < valueNs.length; i++) {
      if (tick[i]! < fromTick || tick[i]! >= toTick) continue;
      const value = valueNs[i]!;
      const minute = this.#at(atNs[i]!);
      minute.sketch.add(value);
      if (hasWorst && value >= minute.worst.leastNs) minute.worst.add(value, tick[i]!);
      if (isLate?.(value) === true) minute.overBudget++;
    }
  }

  #at(sessionNs: number): FrameSum {
    if (sessionNs >= this.#lastFromNs && sessionNs < this.#lastToNs) return this.#last!;
    const offset = Math.floor((this.#zeroNs + sessionNs) / MINUTE_NS);
    const its = this.#zeroMinute + offset;
    let minute = this.#minutes.get(its);
    if (minute === undefined) this.#minutes.set(its, (minute = new FrameSum()));
    this.#last = minute;
    this.#lastFromNs = offset * MINUTE_NS - this.#zeroNs;
    this.#lastToNs = this.#lastFromNs + MINUTE_NS;
    return minute;
  }

  merge(other: Minutes): void {
    for (const [its, minute] of other.#minutes) {
      const own = this.#minutes.get(its) ?? new FrameSum();
      own.merge(minute);
      this.#minutes.set(its, own);
    }
  }

  /** Takes out the minutes that end before a session time. */
  takeBefore(sessionNs: number): FrameSum[] {
    const first = this.#zeroMinute + Math.floor((this.#zeroNs + sessionNs) / MINUTE_NS);
    const taken = [...this.#minutes].filter(([its]) => its < first);
    for (const [its] of taken) this.#minutes.delete(its);
    if (taken.length > 0) this.#lastFromNs = Infinity;
    return taken.map(([, minute]) => minute);
  }

  sums(): Iterable<FrameSum> {
    return this.#minutes.values();
  }

  /** As rows of a measure, by rising minute. */
  rows(facts: { readonly sessionKey: string; readonly measure: string }): RollupRow[] {
    return [...this.#minutes]
      .toSorted((a, b) => a[0] - b[0])
      .map(([minute, sum]) => rollupRow(minute, sum, facts));
  }
}

function rollupRow(
  minute: number,
  { sketch, worst, lost, late, concealed, overBudget }: FrameSum,
  facts: { readonly sessionKey: string; readonly measure: string },
): RollupRow {
  return {
    ...facts,
    minute,
    count: sketch.count,
    expectedCount: sketch.count + lost,
    lostCount: lost,
    lateCount: late,
    concealedCount: concealed,
    overBudgetCount: overBudget,
    sumNs: sketch.sumNs,
    minNs: sketch.count === 0 ? 0 : sketch.minNs,
    maxNs: sketch.count === 0 ? 0 : sketch.maxNs,
    sketch: sketch.toBytes(),
    worst: Array.from({ length: worst.length }, (_, i) => ({
      valueNs: worst.valueNs[i]!,
      ref: worst.tick[i]!,
    })),
  };
}
