// A hop seen from far: per pixel how many frames, the worst of them, how many
// were over budget, how many lost. Never the mean: one late frame must stay visible.

import { toX, type TimeScale } from './time-scale.ts';

export interface Buckets {
  readonly fromNs: number;
  readonly bucketNs: number;
  readonly count: ArrayLike<number>;
  readonly worstNs: ArrayLike<number>;
  readonly overBudget: ArrayLike<number>;
  readonly lost: ArrayLike<number>;
}

/** One entry a pixel, reused; `heightShare` is the worst on a root scale up to `capNs`. */
export interface DensityColumns {
  width: number;
  readonly count: Float32Array;
  readonly worstNs: Float64Array;
  readonly over: Float32Array;
  readonly lost: Float32Array;
}

export const DENSITY_WIDTH_MAX = 4096;

export function makeDensity(): DensityColumns {
  return {
    width: 0,
    count: new Float32Array(DENSITY_WIDTH_MAX),
    worstNs: new Float64Array(DENSITY_WIDTH_MAX),
    over: new Float32Array(DENSITY_WIDTH_MAX),
    lost: new Float32Array(DENSITY_WIDTH_MAX),
  };
}

/** Gathers buckets into pixels. A bucket wider than a pixel fills all that it covers. */
export function layoutDensity(buckets: Buckets, scale: TimeScale, out: DensityColumns): void {
  out.width = Math.min(Math.ceil(scale.widthPx), DENSITY_WIDTH_MAX);
  for (const column of [out.count, out.worstNs, out.over, out.lost]) column.fill(0, 0, out.width);
  const n = buckets.count.length;
  for (let i = 0; i < n; i++) {
    if (buckets.count[i] === 0 && buckets.lost[i] === 0) continue;
    const startNs = buckets.fromNs + i * buckets.bucketNs;
    const left = Math.floor(toX(scale, startNs) - scale.leftPx);
    const right = Math.max(
      left + 1,
      Math.floor(toX(scale, startNs + buckets.bucketNs) - scale.leftPx),
    );
    for (let px = Math.max(0, left); px < Math.min(out.width, right); px++) {
      out.count[px]! += buckets.count[i]!;
      out.over[px]! += buckets.overBudget[i]!;
      out.lost[px]! += buckets.lost[i]!;
      if (buckets.worstNs[i]! > out.worstNs[px]!) out.worstNs[px] = buckets.worstNs[i]!;
    }
  }
}

/** Share over budget → colour: begins late, so that the eye finds events and not noise. */
export function heatOf(over: number, count: number): 0 | 1 | 2 | 3 | 4 {
  const share = count === 0 ? 0 : over / count;
  if (share === 0) return 0;
  if (share < 0.02) return 1;
  if (share < 0.1) return 2;
  return share < 0.4 ? 3 : 4;
}

/** Height of a latency in a lane: the budget stands at the middle, four times it at the top. */
export function latencyShare(ns: number, budgetNs: number): number {
  return Math.min(1, Math.sqrt(ns / (budgetNs * 4)));
}
