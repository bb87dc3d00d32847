// What a bench suite answers: one row a figure.

/** `ok` is false when a limit is missed; a figure with `skipped` has none. */
export interface Row {
  readonly suite: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: number;
  readonly better?: 'lower' | 'higher';
  readonly ok: boolean;
  /** Why it was not measured, e.g. that it takes longer than --quick allows. */
  readonly skipped?: string;
}

/** A suite: `quick` ends within 45 seconds. */
export interface SuiteOptions {
  readonly quick: boolean;
  /** Also what takes ten minutes. */
  readonly long?: boolean;
}

/** A row with a limit that the value must not pass. */
export function limited(
  row: Pick<Row, 'suite' | 'name' | 'value' | 'unit'>,
  better: 'lower' | 'higher',
  limit: number,
): Row {
  const ok = better === 'lower' ? row.value <= limit : row.value >= limit;
  return { ...row, limit, better, ok };
}

/** Nanoseconds for one of `count` things: the best of `rounds`, because others share the machine. */
export function bestNsEach(rounds: number, count: number, work: () => void): number {
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    work();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / count);
  }
  return best;
}
