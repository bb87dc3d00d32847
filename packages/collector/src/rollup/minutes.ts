// Frames of one hop (of one instance or of all), minute by minute: a sketch, the 32 worst, and the counts of
// what never got a latency.

import {
  FRAME_FLAG,
  NS_PER_S,
  Sketch,
  WORST_COUNT,
  WorstList,
  type Quantiles,
} from '@framescope/protocol';
import type { Flow } from '../assemble/frames/flow.ts';
import type { HopFrames } from '../assemble/frames/stream-frames.ts';
import { isQuotable } from '../query/kaplan-meier.ts';
import { isLowWorse } from '../query/measure-info.ts';
import type { RollupRow } from '../store/store.ts';

const MINUTE_NS: number = 60 * NS_PER_S;

interface Minute {
  readonly sketch: Sketch;
  readonly worst: WorstList;
  lost: number;
  late: number;
  concealed: number;
  overBudget: number;
}

export interface HopRollup {
  readonly rows: readonly RollupRow[];
  /** Over the whole session. */
  readonly quantiles: Quantiles;
  readonly overBudgetCount: number;
}

export interface RollupContext {
  readonly sessionKey: string;
  readonly zeroUnixNs: bigint;
}

/** Of one hop, or of several instances of one as one measure. */
export function rollupOf(
  hops: readonly HopFrames[],
  { sessionKey, zeroUnixNs }: RollupContext,
): HopRollup {
  const minutes = new Minutes(zeroUnixNs);
  for (const hop of hops) addHop(minutes, hop);
  const facts = { sessionKey, measure: `frame.${hops[0]!.bareKey}` };
  return {
    rows: minutes.entries().map(([minute, one]) => rollupRow(minute, one, facts)),
    quantiles: minutes.quantiles(),
    overBudgetCount: minutes.entries().reduce((sum, [, one]) => sum + one.overBudget, 0),
  };
}

/** Of the flow of a stream: few values a frame, so nothing is spared. */
export function flowRows(flow: Flow, { sessionKey, zeroUnixNs }: RollupContext): RollupRow[] {
  const { measure, atNs, valueNs, tick, isLate } = flow;
  const minutes = new Minutes(zeroUnixNs);
  for (const [i, value] of valueNs.entries()) {
    const minute = minutes.at(atNs[i]!);
    minute.sketch.add(value);
    // Of what is better when it is more there is no worst frame here: underruns are told apart.
    if (!isLowWorse(measure) && value > minutes.leastWorst(minute))
      minute.worst.add(value, String(tick[i]!));
    if (isLate?.(value) === true) minute.overBudget++;
  }
  return minutes.entries().map(([minute, one]) => rollupRow(minute, one, { sessionKey, measure }));
}

/** Down streams have no budget on age: there a late frame is the one over budget. */
function addHop(minutes: Minutes, hop: HopFrames): void {
  const { rows, atNs, latencyNs, flags } = hop;
  for (let row = 0; row < rows.length; row++) {
    const valueNs = latencyNs[row]!;
    // The stream's first hop never saw it: nobody knows how old it is.
    if (Number.isNaN(valueNs)) continue;
    const minute = minutes.at(atNs[row]!);
    minute.sketch.add(valueNs);
    // Most frames are not among the worst: the list is asked only when they may be.
    if (valueNs > minutes.leastWorst(minute))
      minute.worst.add(valueNs, String(rows.startTick[row]!));
    const isLate = (flags[row]! & FRAME_FLAG.late) !== 0;
    if (isLate) minute.late++;
    if ((flags[row]! & FRAME_FLAG.overBudget) !== 0 || (hop.budgetNs === null && isLate))
      minute.overBudget++;
  }
  for (const lostNs of hop.lostAtNs) minutes.at(lostNs).lost++;
  for (const concealedNs of hop.concealedAtNs) minutes.at(concealedNs).concealed++;
}

class Minutes {
  readonly #minutes = new Map<number, Minute>();
  readonly #zeroNs: number;
  readonly #zeroMinute: number;
  #last: Minute | undefined;
  #lastMinute = Number.NaN;

  constructor(zeroUnixNs: bigint) {
    this.#zeroMinute = Number(zeroUnixNs / BigInt(MINUTE_NS));
    this.#zeroNs = Number(zeroUnixNs % BigInt(MINUTE_NS));
  }

  at(sessionNs: number): Minute {
    const its = this.#zeroMinute + Math.floor((this.#zeroNs + sessionNs) / MINUTE_NS);
    if (its === this.#lastMinute) return this.#last!;
    let minute = this.#minutes.get(its);
    if (minute === undefined) {
      minute = {
        sketch: new Sketch(),
        worst: new WorstList(),
        lost: 0,
        late: 0,
        concealed: 0,
        overBudget: 0,
      };
      this.#minutes.set(its, minute);
    }
    this.#last = minute;
    this.#lastMinute = its;
    return minute;
  }

  /** No value up to this one can get on the list. */
  leastWorst(minute: Minute): number {
    const n = minute.sketch.count;
    return n <= WORST_COUNT ? -1 : (minute.worst.quantile((n - WORST_COUNT + 1) / n, n) ?? -1);
  }

  entries(): [number, Minute][] {
    return [...this.#minutes].toSorted((a, b) => a[0] - b[0]);
  }

  quantiles(): Quantiles {
    const all = new Sketch();
    const worst = new WorstList();
    for (const { sketch, worst: its } of this.#minutes.values()) {
      all.merge(sketch);
      worst.merge(its);
    }
    const n = all.count;
    const at = (q: number): number | null =>
      n === 0 || !isQuotable(q, n)
        ? null
        : Math.round(worst.quantile(q, n) ?? all.quantile(q, 'middle')!);
    return {
      n,
      censored: 0,
      p50Ns: at(0.5),
      p95Ns: at(0.95),
      p99Ns: at(0.99),
      p999Ns: at(0.999),
      maxNs: n === 0 ? null : all.maxNs,
    };
  }
}

function rollupRow(
  minute: number,
  { sketch, worst, lost, late, concealed, overBudget }: Minute,
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
    worst: worst.items().map(({ valueNs, ref }) => ({ valueNs, ref: Number(ref) })),
  };
}
