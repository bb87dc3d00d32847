// The ledger as a table: one row a part, beside what the session usually spends on it.

import type { PartSplit, Turn, Wait } from '@framescope/protocol';

export interface LedgerRow {
  readonly name: string;
  readonly owner: string;
  readonly exposedNs: number;
  readonly fullNs: number;
  readonly savesNs: number | null;
  readonly errorNs: number;
  readonly share: number;
  /** Of the same part over the session's waits of this kind and definition; undefined below 5. */
  readonly p50Ns: number | undefined;
  readonly p95Ns: number | undefined;
  /** Of a service's part: what it was spent on, as far as anybody knows. */
  readonly split?: PartSplit;
}

/** Value of rank ceil(q·n). */
export function quantile(sorted: readonly number[], q: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];
}

/** Sum of exposed time by part name over each wait of one kind and definition. */
export function partSums(turns: readonly Turn[], like: Wait): Map<string, number[]> {
  const sums = new Map<string, number[]>();
  for (const wait of turns.flatMap(turn => turn.waits)) {
    if (wait.kind !== like.kind || wait.definition !== like.definition) continue;
    const own = new Map<string, number>();
    for (const part of wait.parts) own.set(part.name, (own.get(part.name) ?? 0) + part.exposedNs);
    for (const [name, ns] of own) sums.set(name, [...(sums.get(name) ?? []), ns]);
  }
  for (const values of sums.values()) values.sort((a, b) => a - b);
  return sums;
}

const VALUES_MIN = 5;

export function ledgerRows(wait: Wait, turns: readonly Turn[]): LedgerRow[] {
  const sums = partSums(turns, wait);
  return wait.parts.map(part => {
    const values = sums.get(part.name) ?? [];
    const isQuotable = values.length >= VALUES_MIN;
    return {
      ...part,
      share: wait.waitNs > 0 ? part.exposedNs / wait.waitNs : 0,
      p50Ns: isQuotable ? quantile(values, 0.5) : undefined,
      p95Ns: isQuotable ? quantile(values, 0.95) : undefined,
    };
  });
}

/** True when the parts add up to the wait, to the nanosecond. */
export const addsUp = (wait: Wait): boolean =>
  wait.parts.reduce((sum, part) => sum + part.exposedNs, 0) === wait.waitNs;
