// Tail: where the slow ones are, and why. The heatmap fills the page; a click on a
// cell or a box drawn over some opens what is different about them.

import type {
  Annotation,
  Heatmap,
  LiveEvent,
  MeasureInfo,
  QuantileInterval,
  Tail,
} from '@framescope/protocol';
import { api, ApiError, type Query } from '../../data/api.ts';
import { bestMeasure } from '../../state/best-measure.ts';
import { formatPicked, parsePicked, SLOW } from '../../state/picked.ts';
import type { Route, TailView } from '../../state/route.ts';
import { onTheme } from '../../state/theme.ts';
import { filterField, type FilterField } from '../../ui/filter-field.ts';
import { cut, fill, h } from '../../ui/dom.ts';
import { count, duration, plural, share } from '../../ui/format.ts';
import { FindingsStrip } from '../findings.ts';
import { empty, failed, loading, throttled, type App, type Page } from '../page.ts';
import { beforeAndAfter } from '../../state/annotations.ts';
import { askForMark, showMark } from '../annotate.ts';
import { Burn } from './burn.ts';
import { tailExports } from './exports.ts';
import { HeatView, nounOf } from './heat-view.ts';
import { Multiples } from './multiples.ts';
import { SelectionPanel } from './selection-panel.ts';
import { groupPicker, measurePicker, rangePicker } from './tools.ts';

/** Below this many values each is a dot of its own. */
const DOTS_MAX = 200;
/** Stretches of time in which load is told, over the whole width. */
const LOAD_COLUMNS = 400;

export class TailPage implements Page {
  readonly title = 'Tail';
  readonly element: HTMLElement = h('div', { class: 'tail' });
  readonly #app: App;
  readonly #head = h('header', { class: 'session-head' });
  readonly #tools = h('div', { class: 'toolbar' });
  readonly #heat: HeatView;
  readonly #multiples: Multiples;
  readonly #panel: SelectionPanel;
  readonly #filter: FilterField;
  readonly #burn = new Burn();
  readonly #covered = h('output', { class: 'quiet' });
  readonly #line = h('div', { class: 'tail-line' }, this.#burn.element, this.#covered);
  readonly #body = h('div', { class: 'tail-body' });
  readonly #findings = new FindingsStrip();
  readonly #refresh = throttled(3_000, () => void this.#load(true));
  readonly #off: (() => void)[];
  #view: TailView;
  #measures: readonly MeasureInfo[] = [];
  #map: Heatmap | undefined;
  #shownPick: string | undefined;

  constructor(app: App, view: TailView) {
    this.#app = app;
    this.#view = view;
    this.#heat = new HeatView(picked => this.#go({ pick: formatPicked(picked) }));
    this.#multiples = new Multiples((value, picked) =>
      this.#go({ ...this.#narrowed(view.group ?? '', value), pick: formatPicked(picked) }),
    );
    this.#panel = new SelectionPanel({
      close: () => this.#go({ pick: undefined }),
      narrow: (name, value) => this.#go(this.#narrowed(name, value)),
    });
    this.#filter = filterField(
      view.filter ?? '',
      () => api.vocabulary('turns'),
      text => this.#go({ filter: text || undefined }),
    );
    fill(this.element, this.#head, this.#tools, loading('Loading the tail'));
    this.#off = [
      onTheme(() => this.#redraw()),
      app.live.onEvent(event => this.#take(event)),
      app.budgets.onChange(() => this.#refresh()),
    ];
    void this.#start();
  }

  update(route: Route): boolean {
    if (route.page !== 'tail') return false;
    const isSameMap = this.#map !== undefined && mapOf(route.view) === mapOf(this.#view);
    this.#view = route.view;
    this.#filter.set(route.view.filter ?? '');
    if (isSameMap) this.#showPanel();
    else void this.#load();
    return true;
  }

  key(event: KeyboardEvent): boolean {
    if (event.key === 'Escape' && this.#view.pick !== undefined) this.#go({ pick: undefined });
    else if (event.key === 'e') this.#go({ pick: SLOW });
    else return false;
    return true;
  }

  close(): void {
    this.#heat.close();
    this.#multiples.close();
    this.#refresh.cancel();
    this.#findings.close();
    for (const off of this.#off) off();
  }

  async #start(): Promise<void> {
    try {
      this.#measures = (await api.measures()).items;
      await this.#load();
    } catch (error) {
      this.#fail(error, () => void this.#start());
    }
  }

  #fail(error: unknown, again: () => void): void {
    fill(this.element, failed(error, again, 'h1'));
  }

  #take(event: LiveEvent): void {
    if (event.type === 'rollup' || event.type === 'snapshot') this.#refresh();
  }

  #query(): Query {
    const { range, fromUnixNs, toUnixNs, filter, group } = this.#view;
    const measure = this.#measure();
    const n = this.#measures.find(one => one.name === measure)?.n ?? 0;
    // Ten values a column, so that its median means something; no column narrower than 5 px.
    const most = Math.round((this.#heat.widthPx || innerWidth) / 5);
    const wanted = Math.min(most, 400, Math.max(48, Math.round(n / 10)));
    const columns = group === undefined ? wanted : Math.min(wanted, 80);
    const asked = { measure, columns, filter, group };
    if (range === undefined) return { ...asked, from: fromUnixNs, to: toUnixNs };
    const unit = { m: 60, h: 3600, d: 86_400 }[range.at(-1)!]!;
    const toMs = Date.now();
    const fromMs = toMs - Number(range.slice(0, -1)) * unit * 1000;
    return { ...asked, from: `${fromMs}000000`, to: `${toMs}000000` };
  }

  /** The one asked for, else the best covered definition of voice to voice. */
  #measure(): string | undefined {
    return this.#view.measure ?? bestMeasure(this.#measures);
  }

  /** `isRefresh`: of what is shown already, which stays when the collector is away. */
  async #load(isRefresh = false): Promise<void> {
    try {
      if (this.#measures.length === 0) this.#measures = (await api.measures()).items;
      if (this.#measure() === undefined) return this.#showEmpty();
      const map = await api.heatmap(this.#query());
      this.#map = map;
      this.#findings.ask({ from: map.fromUnixNs, to: map.toUnixNs });
      this.#show(map, await this.#fewOf(map));
      void this.#showMarks();
      void this.#showLoad(map);
      void this.#burn.show(map, this.#view.filter);
    } catch (error) {
      const isAway = error instanceof ApiError && error.kind === 'away';
      if (isRefresh && isAway && this.#body.isConnected) return;
      this.#fail(error, () => void this.#load());
    }
  }

  /** Deploys and incidents; a heatmap without them is one all the same. */
  async #showMarks(): Promise<void> {
    const map = this.#map;
    if (!map) return;
    try {
      const { items } = await api.annotations({ from: map.fromUnixNs, to: map.toUnixNs });
      this.#heat.mark(items, mark => this.#openMark(mark));
    } catch {
      return;
    }
  }

  /** How busy the instances were; a heatmap without it is one all the same. */
  async #showLoad(map: Heatmap): Promise<void> {
    try {
      const range = { from: map.fromUnixNs, to: map.toUnixNs };
      this.#heat.underlay(await api.load({ ...range, columns: LOAD_COLUMNS, curves: 'no' }));
    } catch {
      return;
    }
  }

  #openMark(mark: Annotation): void {
    showMark(mark, {
      removed: () => void this.#showMarks(),
      compare: one => {
        const rest = { measure: this.#measure(), filter: this.#view.filter };
        const view = beforeAndAfter(one, BigInt(Date.now()) * 1_000_000n, rest);
        this.#app.go({ page: 'compare', view });
      },
    });
  }

  async #fewOf(map: Heatmap): Promise<Tail | undefined> {
    if (map.measure.kind !== 'wait' || map.total.n === 0 || map.total.n >= DOTS_MAX)
      return undefined;
    const window = { measure: map.measure.name, from: map.fromUnixNs, to: map.toUnixNs };
    return api.tail({ ...window, filter: this.#view.filter, limit: DOTS_MAX });
  }

  #showEmpty(): void {
    fill(
      this.element,
      empty(
        'No waits yet',
        'The tail fills as turns end. To see a day of them:',
        'npm start -- --demo',
        'h1',
      ),
    );
  }

  #show(map: Heatmap, few: Tail | undefined): void {
    this.#showHead(map);
    this.#showTools(map);
    const isMany = isGrouped(map, this.#view);
    if (isMany) this.#multiples.show(map);
    else this.#heat.show(map, few);
    const main = isMany ? this.#multiples.element : this.#heat.element;
    if (main.parentElement !== this.#body) fill(this.#body, main);
    this.#shownPick = undefined;
    this.#showPanel();
    if (!this.#body.isConnected)
      fill(this.element, this.#head, this.#line, this.#tools, this.#findings.element, this.#body);
  }

  #showHead(map: Heatmap): void {
    const { total, coverage } = map;
    const covered = `${count(coverage.covered)} of ${plural(coverage.of, nounOf(map))} in ${plural(coverage.sessions, 'call')}`;
    this.#covered.textContent = covered;
    const fact = (name: string, value: string, interval = ''): HTMLElement =>
      h(
        'div',
        { title: interval === '' ? undefined : `95 of 100 times between ${interval}` },
        h('dt', {}, name),
        h('dd', {}, value, interval !== '' && h('span', { class: 'interval' }, interval)),
      );
    const over = map.overBudget.reduce((sum, n) => sum + n, 0);
    const facts = [
      fact('p50', duration(total.p50Ns)),
      fact('p95', duration(total.p95Ns), intervalText(map.intervals.p95)),
      fact('p99', duration(total.p99Ns), intervalText(map.intervals.p99)),
      fact('p99.9', duration(total.p999Ns), intervalText(map.intervals.p999)),
      fact('slowest', duration(total.maxNs)),
    ];
    if (map.measure.budgetNs !== null) facts.push(fact('over budget', share(over, total.n)));
    if (map.measure.kind === 'wait') facts.push(fact('never answered', count(total.censored)));
    fill(
      this.#head,
      h('div', { class: 'title' }, h('h1', { title: map.measure.definition }, map.measure.title)),
      h('dl', { class: 'facts' }, ...facts),
    );
  }

  #showTools(map: Heatmap): void {
    // Someone types or chooses: what has the focus stays as it is.
    if (this.#tools.contains(document.activeElement) && this.#tools.childElementCount > 0) return;
    fill(
      this.#tools,
      measurePicker(this.#measures, map.measure.name, measure => this.#go({ measure })),
      rangePicker(this.#view, map, patch => this.#go(patch)),
      groupPicker(this.#view.group, group => this.#go({ group, pick: undefined })),
      this.#filter.element,
      h(
        'button',
        {
          class: 'button primary',
          type: 'button',
          title: 'What is different about the slowest (E)',
          onclick: () => this.#go({ pick: SLOW }),
        },
        'Why slow?',
      ),
      h(
        'button',
        {
          class: 'button',
          type: 'button',
          title: 'A deploy, an incident or a note on the time axis',
          onclick: () => askForMark(Date.now(), () => void this.#showMarks()),
        },
        'Mark',
      ),
      h('span', { class: 'spring' }),
      tailExports(
        map,
        () => this.#heat.layers,
        isGrouped(map, this.#view) ? () => this.#multiples.pictures : undefined,
      ),
    );
  }

  /** Opens, changes or closes the panel, as the address says. */
  #showPanel(): void {
    const { pick, filter } = this.#view;
    const map = this.#map;
    if (pick === this.#shownPick || !map) return;
    this.#shownPick = pick;
    const picked = parsePicked(pick);
    const isOpen = pick === SLOW || picked !== undefined;
    this.#body.classList.toggle('open', isOpen);
    this.#heat.choose(picked);
    if (!isOpen) return this.#panel.element.remove();
    this.#body.append(this.#panel.element);
    void this.#panel.show({ map, filter, picked });
  }

  /** The view with one value kept and the rest left out. */
  #narrowed(name: string, value: string | null): Partial<TailView> {
    const term = value === null ? `-${name}:*` : `${name}:"${value.replaceAll(/["\\]/g, '\\$&')}"`;
    const { filter, group } = this.#view;
    return {
      filter: cut(filter === undefined ? term : `${filter} ${term}`, 2_000),
      group: group === name ? undefined : group,
    };
  }

  #redraw(): void {
    this.#heat.redraw();
    this.#multiples.redraw();
  }

  #go(patch: Partial<TailView>): void {
    this.#app.go({ page: 'tail', view: { ...this.#view, ...patch } });
  }
}

/** `1.21 … 1.34 s`; empty where it is not known. */
const intervalText = (interval: QuantileInterval | null): string =>
  interval === null
    ? ''
    : `${duration(interval.lowNs)} … ${interval.highNs === null ? 'not reached' : duration(interval.highNs)}`;

/** All that decides which heatmap is shown. */
/** A heatmap for each group instead of one. */
const isGrouped = (map: Heatmap, view: TailView): boolean =>
  view.group !== undefined && map.groups.length > 0;

const mapOf = (view: TailView): string => JSON.stringify({ ...view, pick: undefined });
