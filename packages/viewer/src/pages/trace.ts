// Trace: any OTLP trace as a waterfall. Only the rows in view exist.

import type { Span, Trace } from '@framescope/protocol';
import { api } from '../data/api.ts';
import { treeOf, visibleRows, type Tree } from '../layout/waterfall.ts';
import { formatRoute, sessionRoute, type Route } from '../state/route.ts';
import { cut, fill, h } from '../ui/dom.ts';
import { count, duration, plural, wallTime } from '../ui/format.ts';
import { markWhole } from '../ui/marks.ts';
import { failed, loading, type App, type Page } from './page.ts';
import { spanPanel } from './span-panel.ts';

const ROW_PX = 26;
const SPARE_ROWS = 8;
/** Browsers stop laying out at about 33 million pixels; 100,000 rows need 2.6. */
const ROWS_MAX = 1_000_000;

export class TracePage implements Page {
  readonly title = 'Trace';
  readonly element: HTMLElement = h('div', { class: 'trace' });
  readonly #app: App;
  readonly #id: string;
  readonly #rows = h('div', {
    class: 'fall-rows',
    tabindex: '0',
    role: 'tree',
    'aria-label': 'Spans',
  });
  readonly #spacer = h('div', { class: 'fall-spacer' });
  readonly #side = h('aside', { class: 'panel', 'aria-label': 'Span' });
  readonly #body = h('div', { class: 'trace-body' });
  readonly #folded = new Set<number>();
  readonly #observer = new ResizeObserver(() => this.#draw());
  #trace: Trace | undefined;
  #tree: Tree | undefined;
  #visible: Int32Array = new Int32Array();
  #services: readonly string[] = [];
  #selected: string | undefined;

  constructor(app: App, id: string, span: string | undefined) {
    this.#app = app;
    this.#id = id;
    this.#selected = span;
    this.#rows.append(this.#spacer);
    this.#rows.addEventListener('scroll', () => this.#draw(), { passive: true });
    this.#observer.observe(this.#rows);
    fill(this.element, loading('Loading the trace'));
    void this.#load();
  }

  update(route: Route): boolean {
    if (route.page !== 'trace' || route.id !== this.#id) return false;
    this.#select(route.span);
    return true;
  }

  key(event: KeyboardEvent): boolean {
    if (event.key === 'Escape') return this.#select(undefined);
    if (event.key === 'ArrowDown') return this.#step(1);
    if (event.key === 'ArrowUp') return this.#step(-1);
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight')
      return this.#fold(event.key === 'ArrowLeft');
    return false;
  }

  close(): void {
    this.#observer.disconnect();
  }

  async #load(): Promise<void> {
    try {
      this.#trace = await api.trace(this.#id);
    } catch (error) {
      return fill(
        this.element,
        failed(error, () => void this.#load(), 'h1'),
      );
    }
    this.#tree = treeOf(this.#trace.spans);
    this.#services = [...new Set(this.#trace.spans.map(span => span.service))];
    this.#body.append(h('div', { class: 'fall' }, this.#axis(this.#trace.durationNs), this.#rows));
    fill(this.element, this.#head(this.#trace), this.#body);
    this.#relayout();
    this.#select(this.#selected);
    markWhole('trace');
  }

  #head(trace: Trace): HTMLElement {
    const root = this.#tree && trace.spans[this.#tree.order[0] ?? 0];
    const errors = trace.spans.filter(span => span.status.code === 2).length;
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
        h('h1', {}, cut(root?.name ?? 'Trace', 60)),
        h('span', { class: 'quiet mono' }, trace.traceId),
      ),
      h(
        'dl',
        { class: 'facts' },
        fact('started', wallTime(trace.startUnixNs, Date.now())),
        fact('length', duration(trace.durationNs)),
        fact('spans', count(trace.spans.length)),
        fact('errors', count(errors)),
      ),
      trace.omittedCount > 0 &&
        h(
          'span',
          { class: 'badge warn' },
          `${plural(trace.omittedCount, 'span')} more than one answer holds`,
        ),
      to && h('a', { class: 'button', href: formatRoute(to) }, 'On the timeline'),
    );
  }

  #axis(durationNs: number): HTMLElement {
    const marks = [0, 0.25, 0.5, 0.75, 1].map(share => {
      const mark = h('span', {}, duration(durationNs * share));
      mark.style.left = `${share * 100}%`;
      return mark;
    });
    return h('div', { class: 'fall-axis', 'aria-hidden': 'true' }, ...marks);
  }

  #relayout(): void {
    if (!this.#tree) return;
    this.#visible = visibleRows(this.#tree, this.#folded);
    this.#spacer.style.height = `${Math.min(this.#visible.length, ROWS_MAX) * ROW_PX}px`;
    this.#draw();
  }

  #draw(): void {
    const { scrollTop, clientHeight } = this.#rows;
    const first = Math.max(0, Math.floor(scrollTop / ROW_PX) - SPARE_ROWS);
    const last = Math.min(
      this.#visible.length,
      Math.ceil((scrollTop + clientHeight) / ROW_PX) + SPARE_ROWS,
    );
    fill(
      this.#spacer,
      ...Array.from(this.#visible.subarray(first, last), (at, i) => this.#row(at, first + i)),
    );
  }

  #row(at: number, position: number): HTMLElement {
    const span = this.#trace!.spans[this.#tree!.order[at]!]!;
    const beneath = this.#tree!.beneath[at]!;
    const isFolded = this.#folded.has(at);
    const twist = h(
      'button',
      {
        class: 'twist',
        type: 'button',
        tabindex: '-1',
        'aria-label': isFolded ? 'Unfold' : 'Fold',
        onclick: event => this.#toggle(event, at),
      },
      beneath === 0 ? '' : isFolded ? '▸' : '▾',
    );
    const name = h(
      'div',
      { class: 'name' },
      twist,
      span.status.code === 2 && h('span', { class: 'bad', title: 'Error' }, '✕'),
      h('span', { class: 'label' }, cut(span.name, 80)),
      h('span', { class: 'service' }, isFolded ? `+${count(beneath)}` : cut(span.service, 24)),
    );
    name.style.paddingLeft = `${8 + Math.min(this.#tree!.depth[at]!, 14) * 14}px`;
    const row = h(
      'div',
      {
        class: 'span',
        role: 'treeitem',
        'aria-level': this.#tree!.depth[at]! + 1,
        'aria-selected': String(span.spanId === this.#selected),
        'aria-expanded': beneath === 0 ? undefined : String(!isFolded),
        onclick: () => this.#choose(span.spanId),
      },
      name,
      this.#track(span),
    );
    row.style.top = `${position * ROW_PX}px`;
    return row;
  }

  #track(span: Span): HTMLElement {
    const whole = Math.max(1, this.#trace!.durationNs);
    const left = (span.startNs / whole) * 100;
    const width = Math.min(100 - left, (span.durationNs / whole) * 100);
    const piece = h('div', {
      class: `piece hue-${this.#services.indexOf(span.service) % 8}${span.status.code === 2 ? ' error' : ''}`,
    });
    piece.style.left = `${left}%`;
    piece.style.width = `${width}%`;
    const took = h('span', { class: 'took' }, duration(span.durationNs));
    if (left + width > 88) took.style.right = `${100 - left}%`;
    else took.style.left = `${left + width}%`;
    return h('div', { class: 'track' }, piece, took);
  }

  #toggle(event: MouseEvent, at: number): void {
    event.stopPropagation();
    if (!this.#folded.delete(at)) this.#folded.add(at);
    this.#relayout();
  }

  #fold(isFold: boolean): boolean {
    const at = this.#selectedAt();
    if (at < 0 || this.#tree!.beneath[at] === 0) return false;
    if (isFold) this.#folded.add(at);
    else this.#folded.delete(at);
    this.#relayout();
    return true;
  }

  #selectedAt(): number {
    return (
      this.#visible.find(
        at => this.#trace!.spans[this.#tree!.order[at]!]!.spanId === this.#selected,
      ) ?? -1
    );
  }

  #step(by: number): boolean {
    if (!this.#tree || this.#visible.length === 0) return false;
    const position = this.#visible.indexOf(this.#selectedAt());
    const next = Math.min(this.#visible.length - 1, Math.max(0, position + by));
    this.#choose(this.#trace!.spans[this.#tree.order[this.#visible[next]!]!]!.spanId);
    const top = next * ROW_PX;
    if (top < this.#rows.scrollTop) this.#rows.scrollTop = top;
    if (top + ROW_PX > this.#rows.scrollTop + this.#rows.clientHeight)
      this.#rows.scrollTop = top + ROW_PX - this.#rows.clientHeight;
    return true;
  }

  #choose(spanId: string): void {
    this.#app.note({ page: 'trace', id: this.#id, span: spanId });
    this.#select(spanId);
  }

  #select(spanId: string | undefined): boolean {
    this.#selected = spanId;
    const span = this.#trace?.spans.find(one => one.spanId === spanId);
    this.#body.classList.toggle('open', span !== undefined);
    if (span) {
      fill(this.#side, ...spanPanel(span, this.#trace!, () => void this.#select(undefined)));
      this.#body.append(this.#side);
    } else this.#side.remove();
    this.#draw();
    return true;
  }
}
