// The distribution of waits with calls counted as often as a draw took them: what bounds by
// resampling need. Sorted once, walked once a draw.

import { VALUE_FLAG, type ValueColumn } from '../rollup/wait-codec.ts';

/** Values ascending; at one time answered ones before censored ones. */
export interface Ordered {
  readonly valueNs: Float64Array;
  readonly isCensored: Uint8Array;
  /** Index of the session of each. */
  readonly session: Int32Array;
  readonly sessions: number;
}

export function orderedOf(column: ValueColumn, rows: Int32Array, session: Int32Array): Ordered {
  const { valueNs, flags } = column;
  // Numbers as keys: the sort of typed arrays is ten times faster than one with a function.
  const keys = Float64Array.from(rows, row => valueNs[row]!).sort();
  const places = new Map<number, number>();
  keys.forEach((value, i) => places.has(value) || places.set(value, i));
  const ordered = {
    valueNs: keys,
    isCensored: new Uint8Array(rows.length),
    session: new Int32Array(rows.length),
    sessions: 0,
  };
  const index = new Map<number, number>();
  for (const wantsCensored of [0, 1])
    for (const row of rows) {
      const isCensored = (flags[row]! & VALUE_FLAG.censored) !== 0 ? 1 : 0;
      if (isCensored !== wantsCensored) continue;
      const at = places.get(valueNs[row]!)!;
      places.set(valueNs[row]!, at + 1);
      let its = index.get(session[row]!);
      if (its === undefined) index.set(session[row]!, (its = index.size));
      ordered.isCensored[at] = isCensored;
      ordered.session[at] = its;
    }
  return { ...ordered, sessions: index.size };
}

/** Kaplan–Meier quantiles with weights of sessions; NaN where the curve does not get there. */
export function weightedQuantiles(
  { valueNs, isCensored, session }: Ordered,
  weights: Uint16Array,
  quantiles: readonly number[],
): number[] {
  let atRisk = 0;
  for (const its of session) atRisk += weights[its]!;
  const found = quantiles.map(() => Number.NaN);
  let surviving = 1;
  let next = 0;
  for (let i = 0; i < valueNs.length && next < quantiles.length; i++) {
    const weight = weights[session[i]!]!;
    if (weight === 0) continue;
    if (isCensored[i] === 0) surviving *= 1 - weight / atRisk;
    atRisk -= weight;
    while (next < quantiles.length && surviving <= 1 - quantiles[next]! + 1e-12)
      found[next++] = valueNs[i]!;
  }
  return found;
}

export interface Gap {
  readonly gap: number;
  readonly atNs: number | null;
}

/** Largest distance between two curves of survival; both ascending. */
export function largestGap(a: Ordered, b: Ordered): Gap {
  return gapBetween(new Curve(a), new Curve(b));
}

/** The same for the two halves of one set that `isFirst` tells apart by session. */
export function gapOfHalves(all: Ordered, isFirst: Uint8Array): number {
  return gapBetween(new Curve(all, isFirst, 1), new Curve(all, isFirst, 0)).gap;
}

function gapBetween(a: Curve, b: Curve): Gap {
  let gap = 0;
  let atNs: number | null = null;
  for (;;) {
    const nextNs = Math.min(a.nextNs, b.nextNs);
    if (nextNs === Infinity) return { gap, atNs };
    a.passTo(nextNs);
    b.passTo(nextNs);
    const distance = Math.abs(a.surviving - b.surviving);
    if (distance > gap) {
      gap = distance;
      atNs = nextNs;
    }
  }
}

/** Walks up one curve; of all sessions, or of those marked. */
class Curve {
  surviving = 1;
  nextNs = 0;
  readonly #rows: Ordered;
  readonly #mark: Uint8Array | undefined;
  readonly #wanted: number;
  #atRisk = 0;
  #next = -1;

  constructor(rows: Ordered, mark?: Uint8Array, wanted = 1) {
    this.#rows = rows;
    this.#mark = mark;
    this.#wanted = wanted;
    for (let i = 0; i < rows.valueNs.length; i++) if (this.#has(i)) this.#atRisk++;
    this.#step();
  }

  #has(i: number): boolean {
    return this.#mark === undefined || this.#mark[this.#rows.session[i]!] === this.#wanted;
  }

  #step(): void {
    const { valueNs } = this.#rows;
    do this.#next++;
    while (this.#next < valueNs.length && !this.#has(this.#next));
    this.nextNs = valueNs[this.#next] ?? Infinity;
  }

  passTo(valueNs: number): void {
    while (this.nextNs <= valueNs) {
      if (this.#rows.isCensored[this.#next] === 0) this.surviving *= 1 - 1 / this.#atRisk;
      this.#atRisk--;
      this.#step();
    }
  }
}
