// Limits as somebody edits them: a text a measure, and what of it is to be saved. Pure.

import type { BudgetInput, BudgetItem } from '@framescope/protocol';
import { duration } from '../ui/format.ts';
import { parseLimit } from './budgets.ts';

export interface BudgetRow {
  readonly measure: string;
  /** As typed; empty: no limit. */
  readonly text: string;
  readonly source: BudgetItem['source'];
  /** What file or default say; null: nothing. */
  readonly otherwiseNs: number | null;
}

export const rowsOf = (items: readonly BudgetItem[]): BudgetRow[] =>
  items.map(({ measure, limitNs, source, otherwiseNs }) => ({
    measure,
    text: limitText(limitNs),
    source,
    otherwiseNs,
  }));

/** `800 ms`, `1.25 s`; exact, since it is read back. */
export function limitText(limitNs: number | null): string {
  if (limitNs === null) return '';
  return limitNs < 1e9 ? `${limitNs / 1e6} ms` : `${limitNs / 1e9} s`;
}

export type BudgetEdit =
  | { readonly ok: true; readonly input: BudgetInput }
  | { readonly ok: false; readonly measure: string; readonly problem: string };

/** All that the page sets: what differs from file and default. */
export function inputOf(rows: readonly BudgetRow[]): BudgetEdit {
  const items: { measure: string; limitNs: number | null }[] = [];
  for (const { measure, text, otherwiseNs } of rows) {
    const limitNs = text.trim() === '' ? null : parseLimit(text);
    if (limitNs === undefined)
      return {
        ok: false,
        measure,
        problem: `“${text}” is no length of time from 1 µs to 10 min, such as 650 ms or 1.2 s`,
      };
    if (limitNs !== otherwiseNs) items.push({ measure, limitNs });
  }
  return { ok: true, input: { items } };
}

/** Where a limit comes from, in words. */
export function sourceText({
  source,
  otherwiseNs,
}: Pick<BudgetRow, 'source' | 'otherwiseNs'>): string {
  if (source === 'default') return 'default';
  if (source === 'file') return '--budgets file';
  return otherwiseNs === null ? 'set here' : `set here; else ${duration(otherwiseNs)}`;
}
