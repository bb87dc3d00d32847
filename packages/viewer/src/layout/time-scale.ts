// Time to pixels across, and latency to pixels up. Pure arithmetic.

export interface TimeScale {
  readonly fromNs: number;
  readonly toNs: number;
  readonly leftPx: number;
  readonly widthPx: number;
}

export const toX = (scale: TimeScale, atNs: number): number =>
  scale.leftPx + ((atNs - scale.fromNs) / (scale.toNs - scale.fromNs)) * scale.widthPx;

export const toNs = (scale: TimeScale, x: number): number =>
  scale.fromNs + ((x - scale.leftPx) / scale.widthPx) * (scale.toNs - scale.fromNs);

export const nsPerPx = (scale: TimeScale): number => (scale.toNs - scale.fromNs) / scale.widthPx;

/** Index of the first value not below `at` in a sorted column. */
export function lowerBound(column: ArrayLike<number>, length: number, at: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle]! < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface LogScale {
  readonly minNs: number;
  readonly maxNs: number;
  readonly topPx: number;
  readonly heightPx: number;
}

/** Log scale, larger is higher. */
export const toY = (scale: LogScale, ns: number): number =>
  scale.topPx +
  (1 - Math.log(ns / scale.minNs) / Math.log(scale.maxNs / scale.minNs)) * scale.heightPx;

export const fromY = (scale: LogScale, y: number): number =>
  scale.minNs * (scale.maxNs / scale.minNs) ** (1 - (y - scale.topPx) / scale.heightPx);

/** 1, 2, 5 in each decade that the scale covers. */
export function logTicks(scale: LogScale): number[] {
  const ticks: number[] = [];
  for (let decade = 10 ** Math.floor(Math.log10(scale.minNs)); decade <= scale.maxNs; decade *= 10)
    for (const step of [1, 2, 5]) {
      const value = decade * step;
      if (value >= scale.minNs * 0.999 && value <= scale.maxNs * 1.001) ticks.push(value);
    }
  return ticks;
}

const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5,
  36e5,
];

/** Round session times at least `gapPx` apart. */
export function timeTicks(scale: TimeScale, gapPx: number): { stepNs: number; ticks: number[] } {
  const needNs = nsPerPx(scale) * gapPx;
  const stepNs = (STEPS_MS.find(step => step * 1e6 >= needNs) ?? 72e5) * 1e6;
  const ticks: number[] = [];
  for (let at = Math.ceil(scale.fromNs / stepNs) * stepNs; at <= scale.toNs; at += stepNs)
    ticks.push(at);
  return { stepNs, ticks };
}
