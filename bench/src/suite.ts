// What a benchmark is: a suite that yields rows, each with a figure and, where one is promised, its limit.

/** One figure. `ok` is false only when a limit is missed. */
export interface Row {
  readonly suite: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  /** A figure of the design or of another tool, and value ÷ reference. */
  readonly reference?: number;
  readonly ratio?: number;
  readonly limit?: number;
  readonly ok: boolean;
}

export type Measured = Omit<Row, 'suite' | 'ok' | 'ratio'>;

export interface SuiteOptions {
  /** Ends within 45 s: fewer repetitions, the same figures. */
  readonly isQuick: boolean;
}

export interface Suite {
  readonly name: string;
  run(options: SuiteOptions): AsyncIterable<Measured> | Iterable<Measured>;
}

/** Judges a figure. A limit itself is still kept. */
export function rowOf(suite: string, measured: Measured): Row {
  const { value, limit, reference, better } = measured;
  const isKept = better === 'lower' ? value <= (limit ?? value) : value >= (limit ?? value);
  const ratio = reference === undefined ? {} : { ratio: round(value / reference) };
  return { suite, ...measured, value: round(value), ...ratio, ok: isKept };
}

const round = (value: number): number => Number(value.toPrecision(4));

/** The median of `times` runs of `once`, which returns its own figure. */
export function medianOf(times: number, once: () => number): number {
  const figures = Array.from({ length: times }, once).sort((a, b) => a - b);
  return figures[figures.length >> 1] ?? Number.NaN;
}
