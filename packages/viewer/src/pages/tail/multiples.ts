// Small multiples: the same heatmap for each value of an attribute, rows and
// columns in line, so that the one that differs is seen.

import type { Heatmap, HeatmapGroup } from '@framescope/protocol';
import { cut, fill, h } from '../../ui/dom.ts';
import { count, duration, plural, share } from '../../ui/format.ts';
import type { Named } from '../../ui/save.ts';
import type { Picked } from '../../state/picked.ts';
import { HeatView } from './heat-view.ts';

export class Multiples {
  readonly element: HTMLElement = h('div', { class: 'multiples' });
  readonly #picked: (value: string | null, picked: Picked) => void;
  #views: { readonly name: string; readonly view: HeatView }[] = [];

  constructor(picked: (value: string | null, picked: Picked) => void) {
    this.#picked = picked;
  }

  show(map: Heatmap): void {
    this.close();
    const cards = map.groups.map(group => this.#card(group));
    const left = map.omittedGroupCount;
    fill(
      this.element,
      ...cards,
      left > 0
        ? h('p', { class: 'quiet' }, `${plural(left, 'smaller group')} not shown`)
        : undefined,
    );
  }

  /** For exports: each group's heatmap as it is drawn. */
  get pictures(): Named[] {
    return this.#views.map(({ name, view }) => ({ name, of: view.layers }));
  }

  redraw(): void {
    for (const { view } of this.#views) view.redraw();
  }

  close(): void {
    for (const { view } of this.#views) view.close();
    this.#views = [];
  }

  #card({ value, heatmap }: HeatmapGroup): HTMLElement {
    const view = new HeatView(picked => this.#picked(value, picked));
    view.show(heatmap);
    const name = value === null ? 'without it' : cut(value, 60);
    this.#views.push({ name, view });
    const { total } = heatmap;
    const over = heatmap.overBudget.reduce((sum, n) => sum + n, 0);
    const budget =
      heatmap.measure.budgetNs === null ? '' : ` · ${share(over, total.n)} over budget`;
    return h(
      'section',
      { class: 'multiple' },
      h('h2', {}, name),
      h(
        'p',
        { class: 'quiet' },
        `${count(total.n)} · p50 ${duration(total.p50Ns)} · p95 ${duration(total.p95Ns)}${budget}`,
      ),
      view.element,
    );
  }
}
