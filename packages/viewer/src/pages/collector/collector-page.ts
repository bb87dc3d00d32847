// Collector: what people set (budgets, kept calls, marks) and how the collector itself fares:
// what it hands on and how far behind that is, what it refused. Looked at anew every few seconds
// while it is open.

import type { Annotation, MeasureInfo } from '@framescope/protocol';
import { api } from '../../data/api.ts';
import { healthOf } from '../../data/health.ts';
import { beforeAndAfter } from '../../state/annotations.ts';
import type { Route } from '../../state/route.ts';
import { fill, h } from '../../ui/dom.ts';
import { askForMark, showMark } from '../annotate.ts';
import { failed, loading, type App, type Page } from '../page.ts';
import { BudgetsSection } from './budgets-section.ts';
import { forwardSection, healthSection, keptSection, marksSection } from './sections.ts';

const AGAIN_MS = 4_000;

export class CollectorPage implements Page {
  readonly title = 'Collector';
  readonly element: HTMLElement = h('div', { class: 'page collector' });
  readonly #app: App;
  readonly #budgets: BudgetsSection;
  readonly #set = h('div', { class: 'column' });
  readonly #state = h('div', { class: 'column' });
  readonly #off: (() => void)[];
  readonly #timer: ReturnType<typeof setInterval>;
  #measures: readonly MeasureInfo[] = [];
  #isClosed = false;

  constructor(app: App) {
    this.#app = app;
    this.#budgets = new BudgetsSection(app.budgets);
    this.element.append(
      h('div', { class: 'page-head' }, h('h1', {}, 'Collector')),
      loading('Asking the collector'),
    );
    this.#off = [app.budgets.onChange(() => this.#budgets.show(this.#measures))];
    this.#timer = setInterval(() => {
      if (!document.hidden) void this.#look().catch(() => undefined);
    }, AGAIN_MS);
    void this.#start();
  }

  update(route: Route): boolean {
    return route.page === 'collector';
  }

  key(): boolean {
    return false;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const off of this.#off) off();
  }

  async #start(): Promise<void> {
    try {
      const [measures] = await Promise.all([api.measures(), this.#app.budgets.load()]);
      this.#measures = measures.items;
      await Promise.all([this.#look(), this.#lookAtSet()]);
      this.#budgets.show(this.#measures);
      fill(
        this.element,
        h('div', { class: 'page-head' }, h('h1', {}, 'Collector')),
        h('div', { class: 'columns' }, this.#set, this.#state),
      );
    } catch (error) {
      fill(
        this.element,
        failed(error, () => void this.#start(), 'h1'),
      );
    }
  }

  /** What changes by itself. */
  async #look(): Promise<void> {
    const [forward, metrics] = await Promise.all([api.forward(), api.metrics()]);
    if (this.#isClosed) return;
    fill(this.#state, forwardSection(forward.items), healthSection(healthOf(metrics)));
  }

  /** What people set. */
  async #lookAtSet(): Promise<void> {
    const [pins, marks] = await Promise.all([api.pins(), api.annotations({})]);
    if (this.#isClosed) return;
    const again = (): void => void this.#lookAtSet().catch(() => undefined);
    fill(
      this.#set,
      this.#budgets.element,
      keptSection(pins.items, pin => void api.unpin(pin.sessionKey).then(again, again)),
      marksSection(marks.items, {
        add: () => askForMark(Date.now(), again),
        open: mark => this.#open(mark, again),
      }),
    );
  }

  #open(mark: Annotation, again: () => void): void {
    showMark(mark, {
      removed: again,
      compare: one =>
        this.#app.go({
          page: 'compare',
          view: beforeAndAfter(one, BigInt(Date.now()) * 1_000_000n, {
            measure: undefined,
            filter: undefined,
          }),
        }),
    });
  }
}
