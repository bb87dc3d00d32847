// Rollups of frames added up: sketches merged, the worst kept exactly.

import { Sketch, type Quantiles } from '@framescope/protocol';
import type { RollupRow } from '../store/store.ts';
import { isQuotable } from './kaplan-meier.ts';

const WORST_COUNT = 32;

export class FrameTally {
  readonly sketch: Sketch = new Sketch();
  expectedCount = 0;
  lostCount = 0;
  overBudgetCount = 0;
  /** Rollups whose sketch could not be read: left out, and said so. */
  unreadableCount = 0;
  /** Slowest first. */
  #worst: number[] = [];

  add(row: RollupRow): void {
    this.expectedCount += row.expectedCount;
    this.lostCount += row.lostCount;
    this.overBudgetCount += row.overBudgetCount;
    const sketch = Sketch.fromBytes(row.sketch);
    if (!sketch.ok) {
      this.unreadableCount++;
      return;
    }
    this.sketch.merge(sketch.value);
    this.#worst = [...this.#worst, ...row.worst.map(worst => worst.valueNs)]
      .sort((a, b) => b - a)
      .slice(0, WORST_COUNT);
  }

  /** Exact where the rank is among the worst kept, else within the sketch's bound. */
  quantiles(): Quantiles {
    const n = this.sketch.count;
    return {
      n,
      censored: 0,
      p50Ns: this.#at(0.5),
      p95Ns: this.#at(0.95),
      p99Ns: this.#at(0.99),
      p999Ns: this.#at(0.999),
      maxNs: n === 0 ? null : this.sketch.maxNs,
    };
  }

  #at(q: number): number | null {
    const n = this.sketch.count;
    if (n === 0 || !isQuotable(q, n)) return null;
    const fromTop = n - Math.ceil(q * n);
    return this.#worst[fromTop] ?? this.sketch.quantile(q, 'middle') ?? null;
  }
}
