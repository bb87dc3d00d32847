// Trace: any OTLP trace as a waterfall, with its critical path; one span opened.

import { api } from '../../data/api.ts';
import { nameAt, rowOfSpan, type TraceColumns } from '../../data/trace-columns.ts';
import { criticalPath, type CriticalPath } from '../../layout/critical-path.ts';
import { treeOf, type Tree } from '../../layout/waterfall.ts';
import { sessionRoute, formatRoute, type Route } from '../../state/route.ts';
import { cut, fill, h } from '../../ui/dom.ts';
import { count, duration, plural, share, wallTime } from '../../ui/format.ts';
import { failed, loading, type App, type Page } from '../page.ts';
import { spanPanel } from '../span-panel.ts';
import { traceExports } from './exports.ts';
import { idOfRow, WaterfallView } from './waterfall-view.ts';

const PATH_NAMES_SHOWN = 3;

export class TracePage implements Page {
  readonly title = 'Trace';
  readonly element: HTMLElement = h('div', { class: 'trace' });
  readonly #app: App;
  readonly #id: string;
  readonly #side = h('aside', { class: 'panel', 'aria-label': 'Span' });
  readonly #body = h('div', { class: 'trace-body' });
  #trace: TraceColumns | undefined;
  #view: WaterfallView | undefined;
  #selected: string | undefined;
  #asked = 0;

  constructor(app: App, id: string, span: string | undefined) {
    this.#app = app;
    this.#id = id;
    this.#selected = span;
    fill(this.element, loading('Loading the trace'));
    void this.#load();
  }

  update(route: Route): boolean {
    if (route.page !== 'trace' || route.id !== this.#id) return false;
    this.#select(route.span);
    return true;
  }

  key(event: KeyboardEvent): boolean {
    const view = this.#view;
    if (!view) return false;
    const actions: Readonly<Record<string, () => unknown>> = {
      Escape: () => this.#choose(-1),
      ArrowDown: () => this.#choose(view.step(1)),
      ArrowUp: () => this.#choose(view.step(-1)),
      ArrowLeft: () => view.fold(true),
      ArrowRight: () => view.fold(false),
      w: () => view.zoom(0.6),
      s: () => view.zoom(1 / 0.6),
      a: () => view.pan(-0.2),
      d: () => view.pan(0.2),
      f: () => view.fit(),
    };
    const action = actions[event.key];
    action?.();
    return action !== undefined;
  }

  close(): void {
    this.#asked = -1;
    this.#view?.close();
  }

  async #load(): Promise<void> {
    try {
      this.#trace = await api.traceOutline(this.#id);
    } catch (error) {
      return fill(
        this.element,
        failed(error, () => void this.#load(), 'h1'),
      );
    }
    if (this.#asked < 0) return; // The page was left meanwhile.
    const trace = this.#trace;
    const tree = treeOf(trace);
    const path = criticalPath(trace, tree.order[0] ?? -1);
    this.#view = new WaterfallView(trace, tree, path, { choose: row => this.#choose(row) });
    fill(this.#body, this.#view.element);
    fill(this.element, this.#head(trace, tree, path), this.#body);
    this.#select(this.#selected);
  }

  #head(trace: TraceColumns, tree: Tree, path: CriticalPath): HTMLElement {
    const errors = trace.status.reduce((sum, code) => sum + Number(code === 2), 0);
    const fact = (name: string, value: string): HTMLElement =>
      h('div', {}, h('dt', {}, name), h('dd', {}, value));
    const to =
      trace.sessionKey === null
        ? undefined
        : sessionRoute(trace.sessionKey, trace.turnTick === null ? {} : { turn: trace.turnTick });
    return h(
      'header',
      { class: 'session-head' },
      h(
        'div',
        { class: 'title' },
        h('h1', {}, cut(nameAt(trace, tree.order[0] ?? 0) || 'Trace', 60)),
        h('span', { class: 'quiet mono' }, trace.traceId),
      ),
      h(
        'dl',
        { class: 'facts' },
        fact('started', wallTime(trace.startUnixNs, Date.now())),
        fact('length', duration(trace.durationNs)),
        fact('spans', count(trace.count)),
        fact('errors', count(errors)),
        fact('critical path', pathText(trace, path)),
      ),
      trace.omittedCount > 0 &&
        h(
          'span',
          { class: 'badge warn' },
          `${plural(trace.omittedCount, 'span')} more than one answer holds`,
        ),
      to && h('a', { class: 'button', href: formatRoute(to) }, 'On the timeline'),
      traceExports(trace, tree),
    );
  }

  #choose(row: number): void {
    const span = this.#trace && idOfRow(this.#trace, row);
    this.#app.note({ page: 'trace', id: this.#id, span });
    this.#select(span);
  }

  #select(spanId: string | undefined): void {
    this.#selected = spanId;
    const trace = this.#trace;
    if (!trace || !this.#view) return;
    const row = rowOfSpan(trace, spanId);
    this.#body.classList.toggle('open', row >= 0);
    this.#view.show(row, row >= 0);
    if (row < 0) return this.#side.remove();
    this.#body.append(this.#side);
    void this.#showSpan(spanId!);
  }

  async #showSpan(spanId: string): Promise<void> {
    const mine = ++this.#asked;
    try {
      const span = await api.span(this.#id, spanId);
      if (mine !== this.#asked) return;
      fill(this.#side, ...spanPanel(span, this.#id, () => this.#choose(-1)));
    } catch (error) {
      if (mine !== this.#asked) return;
      fill(
        this.#side,
        failed(error, () => void this.#showSpan(spanId)),
      );
    }
  }
}

/** `inference 62 %, tool 20 %`: the names that the end of the trace waited for longest. */
function pathText(trace: TraceColumns, path: CriticalPath): string {
  const byName = new Map<string, number>();
  let sumNs = 0;
  path.ownNs.forEach((ns, row) => {
    if (ns === 0) return;
    sumNs += ns;
    const name = nameAt(trace, row);
    byName.set(name, (byName.get(name) ?? 0) + ns);
  });
  const top = [...byName].toSorted((a, b) => b[1] - a[1]).slice(0, PATH_NAMES_SHOWN);
  return top.map(([name, ns]) => `${cut(name, 24)} ${share(ns, sumNs)}`).join(', ') || '–';
}
