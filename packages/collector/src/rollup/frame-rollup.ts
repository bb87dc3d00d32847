// Frames of one hop, counted by minute: a sketch, the worst exactly, and how
// many were lost, late or concealed beside those expected.
//
// Merging two rollups of one minute is adding, whichever order they come in.

import { FRAME_FLAG, Sketch, WorstList } from '@framescope/protocol';
import type { JoinedHop } from '../assemble/frames/types.ts';
import type { RollupRow } from '../store/store.ts';

const MINUTE_NS = 60_000_000_000n;

export interface FrameRollupInput {
  readonly sessionKey: string;
  /** Unix time of the session's zero. */
  readonly zeroUnixNs: bigint;
  readonly hop: JoinedHop;
  /** Rows from here on only: those before were counted already. */
  readonly fromRow: number;
  readonly budgetNs: number | null;
}

/** Rows of one hop by minute of their time there, oldest first. O(rows). */
export function rollUpFrames(input: FrameRollupInput): readonly RollupRow[] {
  const minutes = new Map<number, MinuteTally>();
  const { hop } = input;
  const tallyAt = (atNs: number): MinuteTally => {
    const minute = Number((input.zeroUnixNs + BigInt(Math.round(atNs))) / MINUTE_NS);
    let tally = minutes.get(minute);
    if (tally === undefined) minutes.set(minute, (tally = new MinuteTally()));
    return tally;
  };
  for (let row = input.fromRow; row < hop.length; row++)
    tallyAt(hop.atNs[row]!).add({
      valueNs: hop.latencyNs[row]!,
      tick: hop.startTick[row]!,
      flags: hop.flags[row]!,
      budgetNs: input.budgetNs,
    });
  for (let i = 0; i < hop.missing.length; i++) tallyAt(hop.missing.atNs[i]!).addMissing();
  return [...minutes]
    .sort(([a], [b]) => a - b)
    .map(([minute, tally]) => tally.toRow(input.sessionKey, hop.measure, minute));
}

interface Frame {
  readonly valueNs: number;
  readonly tick: number;
  readonly flags: number;
  readonly budgetNs: number | null;
}

class MinuteTally {
  readonly #sketch = new Sketch();
  readonly #worst = new WorstList();
  #missingCount = 0;
  #lateCount = 0;
  #concealedCount = 0;
  #overBudgetCount = 0;

  add({ valueNs, tick, flags, budgetNs }: Frame): void {
    this.#sketch.add(valueNs);
    this.#worst.add(valueNs, String(tick));
    if ((flags & FRAME_FLAG.late) !== 0) this.#lateCount++;
    else if ((flags & FRAME_FLAG.concealed) !== 0) this.#concealedCount++;
    if (budgetNs !== null && valueNs > budgetNs) this.#overBudgetCount++;
  }

  addMissing(): void {
    this.#missingCount++;
  }

  toRow(sessionKey: string, measure: string, minute: number): RollupRow {
    const isEmpty = this.#sketch.count === 0;
    return {
      sessionKey,
      measure,
      minute,
      count: this.#sketch.count,
      expectedCount: this.#sketch.count + this.#missingCount,
      lostCount: this.#missingCount,
      lateCount: this.#lateCount,
      concealedCount: this.#concealedCount,
      overBudgetCount: this.#overBudgetCount,
      sumNs: this.#sketch.sumNs,
      minNs: isEmpty ? 0 : this.#sketch.minNs,
      maxNs: isEmpty ? 0 : this.#sketch.maxNs,
      sketch: this.#sketch.toBytes(),
      worst: this.#worst.items().map(({ valueNs, ref }) => ({ valueNs, ref: Number(ref) })),
    };
  }
}
