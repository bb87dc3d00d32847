// Compare: two ranges, releases or groups. Distributions over each other, the
// change of each percentile with its interval, the parts that moved.

import type { Annotation, Comparison, FilterVocabulary, MeasureInfo } from '@framescope/protocol';
import { api, type Query } from '../../data/api.ts';
import { bestMeasure } from '../../state/best-measure.ts';
import type { CompareSide, CompareView, Route } from '../../state/route.ts';
import { filterField, type FilterField } from '../../ui/filter-field.ts';
import { fill, h } from '../../ui/dom.ts';
import { empty, failed, loading, type App, type Page } from '../page.ts';
import { beforeAndAfter } from '../../state/annotations.ts';
import { wallTime } from '../../ui/format.ts';
import { labelOf } from '../annotate.ts';
import { measurePicker } from '../tail/tools.ts';
import { compareExports } from './exports.ts';
import { comparisonSections } from './sections.ts';

const DAY_MS = 86_400_000;
type SideName = 'a' | 'b';

export class ComparePage implements Page {
  readonly title = 'Compare';
  readonly element: HTMLElement = h('div', { class: 'page compare' });
  readonly #app: App;
  readonly #tools = h('div', { class: 'tools' });
  readonly #sides = h('div', { class: 'sides' });
  readonly #body = h('div');
  readonly #fields: Record<SideName, FilterField>;
  #view: CompareView;
  #measures: readonly MeasureInfo[] = [];
  #marks: readonly Annotation[] = [];
  #vocabulary: Promise<FilterVocabulary> | undefined;
  #asked = 0;

  constructor(app: App, view: CompareView) {
    this.#app = app;
    this.#view = view;
    const field = (side: SideName): FilterField =>
      filterField(
        view[side].filter ?? '',
        () => this.#learn(),
        text => this.#go({ [side]: { ...this.#view[side], filter: text || undefined } }),
      );
    this.#fields = { a: field('a'), b: field('b') };
    this.element.append(
      h('div', { class: 'page-head' }, h('h1', {}, 'Compare'), this.#tools),
      this.#sides,
      this.#body,
    );
    fill(this.#body, loading('Comparing'));
    void this.#start();
  }

  update(route: Route): boolean {
    if (route.page !== 'compare') return false;
    this.#view = route.view;
    void this.#load();
    return true;
  }

  key(): boolean {
    return false;
  }

  close(): void {
    this.#asked = -1;
  }

  #learn(): Promise<FilterVocabulary> {
    this.#vocabulary ??= api.vocabulary('turns');
    return this.#vocabulary;
  }

  async #start(): Promise<void> {
    try {
      this.#measures = (await api.measures()).items.filter(one => one.kind === 'wait');
      if (this.#measures.length === 0)
        return fill(
          this.#body,
          empty(
            'No waits yet',
            'There is nothing to compare. To see a day:',
            'npm start -- --demo',
          ),
        );
      this.#marks = (await api.annotations({}).catch(() => ({ items: [] }))).items;
      if (!this.#isAsked()) this.#view = await this.#firstView();
      await this.#load();
    } catch (error) {
      this.#fail(error, () => void this.#start());
    }
  }

  #fail(error: unknown, again: () => void): void {
    fill(this.#body, failed(error, again));
  }

  #isAsked(): boolean {
    const { a, b } = this.#view;
    return [a, b].some(one => one.filter !== undefined || one.fromUnixNs !== undefined);
  }

  /** The two newest releases where there are two; else the halves of the last day. */
  async #firstView(): Promise<CompareView> {
    const { keys } = await this.#learn();
    const releases = keys.find(key => key.name === 'release')?.values.slice(0, 2) ?? [];
    const [older, newer] = releases.map(one => one.value).toSorted();
    const side = (filter?: string): CompareSide => ({
      fromUnixNs: undefined,
      toUnixNs: undefined,
      filter,
    });
    if (older !== undefined && newer !== undefined)
      return { ...this.#view, a: side(`release:"${older}"`), b: side(`release:"${newer}"`) };
    const nowMs = Date.now();
    const at = (ms: number): string => `${ms}000000`;
    return {
      ...this.#view,
      a: { ...side(), fromUnixNs: at(nowMs - DAY_MS), toUnixNs: at(nowMs - DAY_MS / 2) },
      b: { ...side(), fromUnixNs: at(nowMs - DAY_MS / 2), toUnixNs: at(nowMs) },
    };
  }

  #measure(): string | undefined {
    return this.#view.measure ?? bestMeasure(this.#measures);
  }

  /** A side without a range looks at the last day. */
  #query(): Query {
    const { a, b } = this.#view;
    const [from, to] = [`${Date.now() - DAY_MS}000000`, `${Date.now()}000000`];
    return {
      measure: this.#measure(),
      aFrom: a.fromUnixNs ?? from,
      aTo: a.toUnixNs ?? to,
      aFilter: a.filter,
      bFrom: b.fromUnixNs ?? from,
      bTo: b.toUnixNs ?? to,
      bFilter: b.filter,
    };
  }

  async #load(): Promise<void> {
    const mine = ++this.#asked;
    try {
      const found = await api.compare(this.#query());
      if (mine === this.#asked) this.#show(found);
    } catch (error) {
      if (mine === this.#asked) this.#fail(error, () => void this.#load());
    }
  }

  #show(found: Comparison): void {
    const picker = measurePicker(this.#measures, found.measure.name, measure =>
      this.#go({ measure }),
    );
    const swap = h(
      'button',
      { class: 'button', type: 'button', onclick: () => this.#swap() },
      'Swap A and B',
    );
    fill(
      this.#tools,
      picker,
      this.#markPicker(),
      swap,
      compareExports(found, () => this.#body),
    );
    for (const side of ['a', 'b'] as const) this.#fields[side].set(this.#view[side].filter ?? '');
    if (!this.#sides.hasChildNodes()) fill(this.#sides, this.#side('a'), this.#side('b'));
    fill(this.#body, ...comparisonSections(found));
  }

  /** The two sides of a deploy or an incident. */
  #markPicker(): HTMLElement | undefined {
    if (this.#marks.length === 0) return undefined;
    const marks = this.#marks.toReversed().slice(0, 50);
    const select = h(
      'select',
      { class: 'select', 'aria-label': 'Before and after a mark' },
      h('option', { value: '' }, 'Before and after…'),
      ...marks.map(mark =>
        h(
          'option',
          { value: mark.id },
          `${labelOf(mark, 40)} (${wallTime(mark.atUnixNs, Date.now())})`,
        ),
      ),
    );
    select.addEventListener('change', () => {
      const mark = marks.find(one => one.id === select.value);
      if (!mark) return;
      const rest = { measure: this.#view.measure, filter: undefined };
      fill(this.#sides);
      this.#go(beforeAndAfter(mark, BigInt(Date.now()) * 1_000_000n, rest));
    });
    return select;
  }

  #side(name: SideName): HTMLElement {
    const { input } = this.#fields[name];
    input.setAttribute('aria-label', `Filter of ${name.toUpperCase()}`);
    return h(
      'section',
      { class: `side ${name}` },
      h('h2', {}, h('span', { class: 'mark-of', 'aria-hidden': 'true' }), name.toUpperCase()),
      this.#fields[name].element,
      this.#times(name),
    );
  }

  #times(name: SideName): HTMLElement {
    const at = (edge: 'fromUnixNs' | 'toUnixNs', label: string): HTMLElement => {
      const value = this.#view[name][edge];
      const input = h('input', {
        type: 'datetime-local',
        class: 'filter',
        value: value === undefined ? '' : localTime(Number(BigInt(value) / 1_000_000n)),
      });
      input.addEventListener('change', () => {
        const ms = Date.parse(input.value);
        const unixNs = Number.isFinite(ms) ? `${ms}000000` : undefined;
        this.#go({ [name]: { ...this.#view[name], [edge]: unixNs } });
      });
      return h('label', {}, h('span', { class: 'quiet' }, label), input);
    };
    return h('div', { class: 'times' }, at('fromUnixNs', 'from'), at('toUnixNs', 'to'));
  }

  #swap(): void {
    const { a, b } = this.#view;
    fill(this.#sides);
    this.#go({ a: b, b: a });
  }

  #go(patch: Partial<CompareView>): void {
    const view = { ...this.#view, ...patch };
    this.#app.go({ page: 'compare', view });
  }
}

/** As `datetime-local` writes it, to the minute. */
function localTime(unixMs: number): string {
  const at = new Date(unixMs);
  return new Date(unixMs - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
