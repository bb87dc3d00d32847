// The worst values of a measure, exactly, each with what it belongs to: where
// the sketch is within a per cent, the far tail is exact, and every entry of
// it can be opened. Merging keeps the worst of the union, so p99.9 is exact up
// to 32,000 values.

import { rankOf } from './sketch.ts';

/** 32: p99.9 of a session-hour's minutes stays exact; six bytes each on disk. */
export const WORST_COUNT = 32;

/** `ref` names what the value belongs to, e.g. a turn or a tick, in the caller's own form. */
export interface Worst {
  readonly valueNs: number;
  readonly ref: string;
}

export class WorstList {
  /** Worst first; equal values by `ref`, so that the order of merging does not show. */
  readonly #items: Worst[] = [];

  constructor(items: Iterable<Worst> = []) {
    for (const { valueNs, ref } of items) this.add(valueNs, ref);
  }

  /** Keeps the value if it is among the worst; what is no finite number is left out. */
  add(valueNs: number, ref: string): void {
    if (!Number.isFinite(valueNs)) return;
    const items = this.#items;
    const last = items[items.length - 1];
    const isFull = items.length === WORST_COUNT;
    if (isFull && last !== undefined && !isWorse(valueNs, ref, last)) return;
    let at = items.length;
    while (at > 0 && isWorse(valueNs, ref, items[at - 1]!)) at--;
    items.splice(at, 0, { valueNs, ref });
    if (items.length > WORST_COUNT) items.pop();
  }

  merge(other: WorstList): void {
    // A copy: merging a list with itself must end.
    for (const { valueNs, ref } of other.items()) this.add(valueNs, ref);
  }

  /** A copy, worst first. */
  items(): Worst[] {
    return [...this.#items];
  }

  /** The value of rank ceil(q·n) among all `n` values, if it is in the list. */
  quantile(q: number, n: number): number | undefined {
    if (!(q >= 0 && q <= 1) || !(n >= 1)) return undefined;
    return this.#items[n - rankOf(q, n)]?.valueNs;
  }
}

function isWorse(valueNs: number, ref: string, than: Worst): boolean {
  return valueNs === than.valueNs ? ref < than.ref : valueNs > than.valueNs;
}
