// A hop seen from far: per pixel how many frames, the worst of them, how many
// were over budget, how many lost. Never the mean: one late frame must stay visible.

import type { TimeScale } from './time-scale.ts';

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

/** Gathers the buckets in view into pixels. A bucket wider than a pixel fills all that it covers. */
export function layoutDensity(buckets: Buckets, scale: TimeScale, out: DensityColumns): void {
  const { count, worstNs, overBudget, lost, fromNs, bucketNs } = buckets;
  const width = Math.min(Math.ceil(scale.widthPx), DENSITY_WIDTH_MAX);
  out.width = width;
  for (const column of [out.count, out.worstNs, out.over, out.lost]) column.fill(0, 0, width);
  const perNs = scale.widthPx / (scale.toNs - scale.fromNs);
  const zeroPx = (fromNs - scale.fromNs) * perNs;
  const stepPx = bucketNs * perNs;
  const first = Math.max(0, Math.floor(-zeroPx / stepPx) - 1);
  const end = Math.min(count.length, Math.ceil((width - zeroPx) / stepPx) + 1);
  for (let i = first; i < end; i++) {
    if (count[i] === 0 && lost[i] === 0) continue;
    const left = Math.floor(zeroPx + i * stepPx);
    const right = Math.min(width, Math.max(left + 1, Math.floor(zeroPx + (i + 1) * stepPx)));
    for (let px = Math.max(0, left); px < right; px++) {
      out.count[px]! += count[i]!;
      out.over[px]! += overBudget[i]!;
      out.lost[px]! += lost[i]!;
      if (worstNs[i]! > out.worstNs[px]!) out.worstNs[px] = worstNs[i]!;
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
