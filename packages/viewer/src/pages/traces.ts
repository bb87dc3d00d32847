// Traces: the newest ones, of any OpenTelemetry user.

import type { TraceSummary } from '@framescope/protocol';
import { api } from '../data/api.ts';
import { formatRoute, sessionRoute, type Route } from '../state/route.ts';
import { cut, fill, h } from '../ui/dom.ts';
import { count, duration, wallTime } from '../ui/format.ts';
import { tracesExports } from './traces-exports.ts';
import { empty, failed, loading, throttled, type App, type Page } from './page.ts';

const PAGE = 100;

export class TracesPage implements Page {
  readonly title = 'Traces';
  readonly element: HTMLElement = h('div', { class: 'page' });
  readonly #body = h('div');
  readonly #app: App;
  readonly #refresh = throttled(3_000, () => void this.#load());
  readonly #off: () => void;
  #traces: TraceSummary[] = [];
  readonly #tools = h(
    'div',
    { class: 'tools', hidden: true },
    tracesExports(() => this.#traces),
  );
  #cursor: string | null = null;

  constructor(app: App) {
    this.#app = app;
    this.element.append(
      h(
        'div',
        { class: 'page-head' },
        h('h1', {}, 'Traces'),
        h('span', { class: 'quiet' }, 'newest first'),
        this.#tools,
      ),
      this.#body,
    );
    fill(this.#body, loading('Loading traces'));
    this.#off = app.live.onEvent(event => {
      if (event.type === 'session' && this.#traces.length <= PAGE) this.#refresh();
    });
    void this.#load();
  }

  update(route: Route): boolean {
    return route.page === 'traces';
  }

  key(): boolean {
    return false;
  }

  close(): void {
    this.#off();
    this.#refresh.cancel();
  }

  async #load(cursor?: string): Promise<void> {
    try {
      const page = await api.traces({ limit: PAGE, cursor });
      this.#traces = cursor === undefined ? [...page.items] : [...this.#traces, ...page.items];
      this.#cursor = page.nextCursor;
      this.#draw();
    } catch (error) {
      if (this.#traces.length === 0)
        fill(
          this.#body,
          failed(error, () => void this.#load()),
        );
    }
  }

  #draw(): void {
    this.#tools.hidden = this.#traces.length === 0;
    if (this.#traces.length === 0)
      return fill(
        this.#body,
        empty(
          'No traces yet',
          'Point any OpenTelemetry exporter here:',
          'OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318',
        ),
      );
    const heads = ['Trace', 'Service', 'Started', 'Length', 'Spans', 'Errors', 'Session'];
    const table = h(
      'table',
      { class: 'sessions' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...heads.map((head, i) =>
            h('th', { scope: 'col', class: i >= 3 && i <= 5 ? 'right' : undefined }, head),
          ),
        ),
      ),
      h('tbody', {}, ...this.#traces.map(trace => this.#row(trace))),
    );
    const more = h(
      'p',
      { class: 'page-head' },
      h(
        'button',
        {
          class: 'button',
          type: 'button',
          onclick: () => void this.#load(this.#cursor ?? undefined),
        },
        'Older traces',
      ),
    );
    fill(
      this.#body,
      h('div', { class: 'card scroll-x' }, table),
      this.#cursor === null ? undefined : more,
    );
  }

  #row(trace: TraceSummary): HTMLElement {
    const to: Route = { page: 'trace', id: trace.traceId, span: undefined };
    const open = (event: MouseEvent): void => {
      if (!(event.target as Element).closest('a')) this.#app.go(to);
    };
    return h(
      'tr',
      { class: 'row', onclick: open },
      h(
        'td',
        { class: 'cell-name' },
        h('a', { href: formatRoute(to) }, cut(trace.rootName, 60)),
        h('div', { class: 'sub mono' }, trace.traceId),
      ),
      h('td', {}, cut(trace.service, 40)),
      h('td', { class: 'quiet', 'data-label': 'Started' }, wallTime(trace.startUnixNs, Date.now())),
      h('td', { class: 'right', 'data-label': 'Length' }, duration(trace.durationNs)),
      h('td', { class: 'right', 'data-label': 'Spans' }, count(trace.spanCount)),
      h(
        'td',
        {
          class: trace.errorCount > 0 ? 'right bad strong' : 'right quiet',
          'data-label': 'Errors',
        },
        count(trace.errorCount),
      ),
      h(
        'td',
        { 'data-label': 'Session' },
        trace.sessionKey === null
          ? h('span', { class: 'quiet' }, '–')
          : h(
              'a',
              { class: 'link', href: formatRoute(sessionRoute(trace.sessionKey)) },
              'Timeline',
            ),
      ),
    );
  }
}
