// Two distributions over each other: counts by exponential bucket as outlines on a
// log axis, each scaled to its own sum, so that a day lies over an hour.

export interface Distribution {
  readonly scale: number;
  readonly rowMin: number;
  readonly a: readonly number[];
  readonly b: readonly number[];
}

export interface DistributionBox {
  readonly widthPx: number;
  readonly heightPx: number;
}

export interface Outlines {
  readonly a: string;
  readonly b: string;
  readonly minNs: number;
  readonly maxNs: number;
  xOf(ns: number): number;
}

const boundNs = (index: number, scale: number): number => 2 ** (index / 2 ** scale) * 1e9;

/** SVG paths of both, over the rows in which either has anything and one more on each side. */
export function layoutDistribution(from: Distribution, box: DistributionBox): Outlines {
  const rows = Math.max(from.a.length, from.b.length);
  const isFilled = (row: number): boolean => (from.a[row] ?? 0) + (from.b[row] ?? 0) > 0;
  const filled = Array.from({ length: rows }, (_, row) => row).filter(isFilled);
  const first = (filled[0] ?? 0) - 1;
  const last = (filled.at(-1) ?? 0) + 1;
  const minNs = boundNs(from.rowMin + first, from.scale);
  const maxNs = boundNs(from.rowMin + last + 1, from.scale);
  const xOf = (ns: number): number =>
    (Math.log(ns / minNs) / Math.log(maxNs / minNs)) * box.widthPx;
  const shares = [from.a, from.b].map(counts => {
    const sum = counts.reduce((total, n) => total + n, 0) || 1;
    return counts.map(n => n / sum);
  });
  const top = Math.max(1e-9, ...shares.flat());
  const pathOf = (share: readonly number[]): string => {
    const points: string[] = [`M0,${box.heightPx}`];
    for (let row = first; row <= last; row++) {
      const y = box.heightPx - ((share[row] ?? 0) / top) * (box.heightPx - 2);
      const left = xOf(boundNs(from.rowMin + row, from.scale));
      const right = xOf(boundNs(from.rowMin + row + 1, from.scale));
      points.push(`L${left.toFixed(1)},${y.toFixed(1)}H${right.toFixed(1)}`);
    }
    return `${points.join('')}V${box.heightPx}Z`;
  };
  return { a: pathOf(shares[0]!), b: pathOf(shares[1]!), minNs, maxNs, xOf };
}
