// Over budget, over windows: the last quarter of an hour beside the last hour, six and day, so that
// what burns now stands out from what always does. A window is one column of a heatmap.

import type { Heatmap } from '@framescope/protocol';
import { api, type Query } from '../../data/api.ts';
import { fill, h } from '../../ui/dom.ts';
import { count, duration, share } from '../../ui/format.ts';

const WINDOWS = [
  ['15 min', 900],
  ['1 h', 3_600],
  ['6 h', 21_600],
  ['24 h', 86_400],
] as const;

/** A window whose share is so many times that of the longest burns. */
const BURNS = 1.5;
/** Of fewer values a share says nothing. */
const N_MIN = 20;

interface Window {
  readonly name: string;
  readonly n: number;
  readonly over: number;
}

export class Burn {
  readonly element: HTMLElement = h('div', { class: 'burn', hidden: true });
  #asked = 0;
  #shownOf = '';

  /** Of the measure and filter of a map, ending where it ends. */
  async show(map: Heatmap, filter: string | undefined): Promise<void> {
    const limitNs = map.measure.budgetNs;
    this.element.hidden = limitNs === null;
    if (limitNs === null) return;
    const of = `${map.measure.name} ${filter ?? ''} ${limitNs} ${map.total.n} ${map.toUnixNs.slice(0, -10)}`;
    if (of === this.#shownOf) return;
    this.#shownOf = of;
    const mine = ++this.#asked;
    try {
      const windows = await windowsOf(map, filter);
      if (mine === this.#asked) fill(this.element, ...burnLine(windows, limitNs));
    } catch {
      // The heatmap says what is wrong; without it there is no burn to speak of.
      if (mine === this.#asked) this.element.hidden = true;
    }
  }
}

async function windowsOf(map: Heatmap, filter: string | undefined): Promise<Window[]> {
  const to = BigInt(map.toUnixNs);
  return Promise.all(
    WINDOWS.map(async ([name, seconds]) => {
      const query: Query = {
        measure: map.measure.name,
        from: String(to - BigInt(seconds) * 1_000_000_000n),
        to: map.toUnixNs,
        columns: 1,
        filter,
      };
      const one = await api.heatmap(query);
      return { name, n: one.total.n, over: one.overBudget.reduce((sum, n) => sum + n, 0) };
    }),
  );
}

export function burnLine(windows: readonly Window[], limitNs: number): HTMLElement[] {
  const last = windows.at(-1);
  const usual = last && last.n >= N_MIN ? last.over / last.n : undefined;
  const facts = windows.map(({ name, n, over }) => {
    const isBurning = usual !== undefined && n >= N_MIN && usual > 0 && over / n > usual * BURNS;
    return h(
      'div',
      { title: `${count(over)} of ${count(n)}` },
      h('dt', {}, name),
      h(
        'dd',
        { class: isBurning ? 'warn' : n < N_MIN ? 'quiet' : '' },
        n === 0 ? '–' : share(over, n),
        isBurning && h('span', { class: 'unseen' }, ' more than usual'),
        isBurning && h('span', { 'aria-hidden': 'true' }, ' ▲'),
      ),
    );
  });
  return [
    h(
      'a',
      { class: 'link', href: '/collector#budgets', title: 'Change the budget' },
      `Over the budget of ${duration(limitNs)}`,
    ),
    h('dl', { class: 'facts' }, ...facts),
  ];
}
