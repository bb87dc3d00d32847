// Percentiles of waits of which some never ended.
//
// A caller who hung up after 4 s waited at least 4 s. Leaving the wait out
// would hide the incident, counting it as 4 s would understate it. The
// Kaplan–Meier estimator (1958) takes it as "at least": a censored value
// leaves the set at risk without ending the curve.
//
//   S(t) = Π over answered values v ≤ t of (1 − answered at v / at risk at v)
//
// With nothing censored the quantile is the value of rank ceil(q·n).

import { rankOf, type Quantiles } from '@framescope/protocol';

/** Fewest values for which a quantile may be quoted: below, it is the maximum by another name. */
const leastCountFor = (q: number): number => (q === 0.999 ? 10_000 : 1 / (1 - q));

/** Rounding of 1 − q in doubles must not ask for one value more than stated. */
const COUNT_TOLERANCE = 1e-6;

/** True when `n` values carry quantile `q`; p99.9 is quoted from 10,000 on. */
export const isQuotable = (q: number, n: number): boolean =>
  n >= leastCountFor(q) - COUNT_TOLERANCE;

/** Values ascending; at one time answered ones come before censored ones. */
export interface Survival {
  readonly values: Float64Array;
  /** 1 where the value is censored. */
  readonly isCensored: Uint8Array;
}

/** Sorts values into the order the estimator needs. O(n log n). */
export function survivalOf(
  rows: readonly { readonly valueNs: number; readonly isCensored: boolean }[],
): Survival {
  const sorted = rows
    .filter(row => Number.isFinite(row.valueNs))
    .sort((a, b) => a.valueNs - b.valueNs || Number(a.isCensored) - Number(b.isCensored));
  return {
    values: Float64Array.from(sorted, row => row.valueNs),
    isCensored: Uint8Array.from(sorted, row => (row.isCensored ? 1 : 0)),
  };
}

/**
 * Smallest answered value at which at least `q` of the waits have ended; `undefined` when the
 * curve never gets there (too many were never answered). O(n).
 */
export function survivalQuantile(survival: Survival, q: number): number | undefined {
  const { values, isCensored } = survival;
  const n = values.length;
  if (n === 0) return undefined;
  if (!isCensored.includes(1)) return values[rankOf(q, n) - 1];
  const reach = 1 - q;
  let surviving = 1;
  for (let i = 0; i < n; i++) {
    if (isCensored[i] === 1) continue;
    const atRisk = n - i;
    surviving *= (atRisk - 1) / atRisk;
    if (surviving <= reach + 1e-12) return values[i];
  }
  return undefined;
}

/** The quantiles of a set of waits, null where they may not be quoted. */
export function quantilesOf(
  rows: readonly { readonly valueNs: number; readonly isCensored: boolean }[],
): Quantiles {
  const survival = survivalOf(rows);
  const n = survival.values.length;
  const at = (q: number): number | null =>
    isQuotable(q, n) ? (survivalQuantile(survival, q) ?? null) : null;
  return {
    n,
    censored: survival.isCensored.reduce((sum, flag) => sum + flag, 0),
    p50Ns: at(0.5),
    p95Ns: at(0.95),
    p99Ns: at(0.99),
    p999Ns: at(0.999),
    maxNs: n === 0 ? null : survival.values[n - 1]!,
  };
}
