// The limits that apply, for every page: read once, read again when they change here.
// A page that shows one asks `limitNs`; what it drew before they were known it draws anew.

import type { BudgetInput, BudgetList } from '@framescope/protocol';
import { api } from '../data/api.ts';

export class BudgetBook {
  #list: BudgetList | undefined;
  readonly #listeners = new Set<() => void>();

  get list(): BudgetList | undefined {
    return this.#list;
  }

  /** Own limit of the measure, else of its family; null: none applies, or not known yet. */
  limitNs(measure: string): number | null {
    return limitOf(this.#list?.items ?? [], measure);
  }

  /** Calls back when limits came or changed, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A failure leaves what was known; whoever needs to say so catches it. */
  async load(): Promise<void> {
    this.#take(await api.budgets());
  }

  /** @throws {ApiError} when refused, or changed by somebody else (412). */
  async save(input: BudgetInput): Promise<void> {
    this.#take(await api.setBudgets(input, this.#list?.revision ?? 0));
  }

  #take(list: BudgetList): void {
    const isSame = JSON.stringify(list) === JSON.stringify(this.#list);
    this.#list = list;
    if (!isSame) for (const listener of this.#listeners) listener();
  }
}

/** As the collector applies them: the measure's own, else its family's. */
export function limitOf(
  items: readonly { readonly measure: string; readonly limitNs: number | null }[],
  measure: string,
): number | null {
  const own = items.find(one => one.measure === measure && one.limitNs !== null);
  const family = items.find(one => one.measure === measure.split('.', 1)[0]);
  return own?.limitNs ?? family?.limitNs ?? null;
}

/** `650`, `650 ms`, `1.2 s`, `0,65s` → ns; undefined for what is no length of time. */
export function parseLimit(text: string): number | undefined {
  const match = /^(\d{1,6}(?:[.,]\d{1,6})?)\s*(ms|s|µs|us)?$/i.exec(text.trim());
  if (!match) return undefined;
  const factor = { ms: 1e6, s: 1e9, µs: 1e3, us: 1e3 }[(match[2] ?? 'ms').toLowerCase()]!;
  const ns = Math.round(Number(match[1]!.replace(',', '.')) * factor);
  return ns >= 1_000 && ns <= 600e9 ? ns : undefined;
}
