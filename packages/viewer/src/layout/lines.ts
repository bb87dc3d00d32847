// Small line charts: values in columns of time, or points of two figures, in
// CSS pixels. Pure; who draws decides colours.

export interface Frame {
  readonly widthPx: number;
  readonly heightPx: number;
  /** Value at the top; the bottom is 0. */
  readonly max: number;
}

const shift = (value: number): string => value.toFixed(1);

/**
 * A path through the known values, broken where there is none; a lone value is a short dash, so that
 * it is seen.
 */
export function linePath(
  values: readonly (number | null)[],
  { widthPx, heightPx, max }: Frame,
): string {
  const step = widthPx / Math.max(1, values.length);
  const top = max > 0 ? max : 1;
  const y = (value: number): string => shift(heightPx - (Math.min(value, top) / top) * heightPx);
  let path = '';
  for (const [at, value] of values.entries()) {
    if (value === null) continue;
    const isFirst = at === 0 || values[at - 1] === null;
    const isLone = isFirst && (values[at + 1] ?? null) === null;
    const x = (at + 0.5) * step;
    if (isLone) path += `M${shift(x - 1.5)} ${y(value)}H${shift(x + 1.5)}`;
    else path += `${isFirst ? 'M' : 'L'}${shift(x)} ${y(value)}`;
  }
  return path;
}

/** Values that stand in some columns, as one for each column. */
export function spread(
  column: readonly number[],
  values: readonly (number | null)[],
  columns: number,
): (number | null)[] {
  const all: (number | null)[] = Array.from({ length: columns }, () => null);
  for (const [i, at] of column.entries()) if (at < columns) all[at] = values[i] ?? null;
  return all;
}

/** A few round numbers from 0 to at least `max`. */
export function roundTicks(max: number, wanted = 4): number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(one => one * power).find(one => one >= rough)!;
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

/** 1, 2 or 5 times a power of ten, at least as large. */
export function roundAbove(value: number): number {
  if (value <= 0) return 0;
  const decade = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find(one => one * decade >= value * 0.999999)! * decade;
}
