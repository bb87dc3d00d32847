// Sessions: live and past calls, newest first; live ones move as they go.

import type { Annotation, LiveEvent, SessionSummary } from '@framescope/protocol';
import { api } from '../data/api.ts';
import { formatRoute, sessionRoute, type Route } from '../state/route.ts';
import { cut, fill, h } from '../ui/dom.ts';
import { filterField, type FilterField } from '../ui/filter-field.ts';
import { clock, count, duration, share, unixMs, wallTime } from '../ui/format.ts';
import { FindingsStrip } from './findings.ts';
import { empty, failed, loading, throttled, type App, type Page } from './page.ts';
import { beforeAndAfter } from '../state/annotations.ts';
import { labelOf, markMs, showMark } from './annotate.ts';
import { pinMark, statusBadge, strip } from './session-bits.ts';
import { sessionsExports } from './sessions-exports.ts';

const PAGE = 60;

const HINTS: Readonly<Record<string, string>> = {
  'V2V p50': 'Voice to voice: end of the caller’s speech to the first sound of the answer, median',
  p95: 'Voice to voice, 95th percentile; – where the call is too short to quote it',
  p99: 'Voice to voice, 99th percentile; – where the call is too short to quote it',
  Worst: 'The slowest turn; opens it on the timeline',
  Over: 'Turns over budget',
  Lost: 'Frames lost on the way',
};

export class SessionsPage implements Page {
  readonly title = 'Sessions';
  readonly element: HTMLElement = h('div', { class: 'page' });
  readonly #app: App;
  readonly #body = h('div');
  readonly #tools = h('div', { class: 'tools' });
  readonly #findings = new FindingsStrip();
  readonly #sessions = new Map<string, SessionSummary>();
  #marks: readonly Annotation[] = [];
  readonly #rows = new Map<string, { session: SessionSummary; element: HTMLElement }>();
  readonly #render = throttled(1_000, () => this.#draw());
  readonly #again = throttled(3_000, () => void this.#load());
  readonly #off: (() => void)[];
  #cursor: string | null = null;
  #isLiveOnly = false;
  #filter: string;
  readonly #field: FilterField;

  constructor(app: App, filter: string) {
    this.#app = app;
    this.#filter = filter;
    this.#field = filterField(
      filter,
      () => api.vocabulary('sessions'),
      text => this.#app.go({ page: 'sessions', filter: text }),
    );
    this.element.append(
      h('div', { class: 'page-head' }, h('h1', {}, 'Sessions'), this.#field.element, this.#tools),
      this.#findings.element,
      this.#body,
    );
    this.#findings.ask({});
    fill(this.#body, loading('Loading sessions'));
    this.#off = [
      app.live.onEvent(event => this.#take(event)),
      app.budgets.onChange(() => {
        this.#rows.clear();
        this.#draw();
      }),
    ];
    void this.#load();
    void this.#loadMarks();
  }

  update(route: Route): boolean {
    if (route.page !== 'sessions') return false;
    if (route.filter === this.#filter) return true;
    this.#filter = route.filter;
    this.#field.set(route.filter);
    this.#sessions.clear();
    void this.#load();
    return true;
  }

  key(): boolean {
    return false;
  }

  close(): void {
    for (const off of this.#off) off();
    this.#render.cancel();
    this.#findings.close();
    this.#again.cancel();
  }

  /** Marks between the sessions; a list without them is a list all the same. */
  async #loadMarks(): Promise<void> {
    try {
      const before = this.#marks.length;
      this.#marks = (await api.annotations({})).items;
      if (before + this.#marks.length > 0) this.#draw();
    } catch {
      return;
    }
  }

  async #load(cursor?: string): Promise<void> {
    try {
      const page = await api.sessions({ limit: PAGE, cursor, filter: this.#filter || undefined });
      for (const session of page.items) this.#sessions.set(session.key, session);
      this.#cursor = page.nextCursor;
      this.#draw();
    } catch (error) {
      if (this.#sessions.size === 0)
        fill(
          this.#body,
          failed(error, () => void this.#load()),
        );
    }
  }

  #take(event: LiveEvent): void {
    if (event.type === 'session') this.#findings.again();
    // What is told as it changes is not filtered: the filtered list is read again.
    if (this.#filter !== '') return void (event.type === 'session' && this.#again());
    if (event.type === 'snapshot')
      for (const session of event.sessions) this.#sessions.set(session.key, session);
    else if (event.type === 'session') this.#sessions.set(event.session.key, event.session);
    else return;
    this.#render();
  }

  #draw(): void {
    const all = [...this.#sessions.values()].toSorted(newestFirst);
    const live = all.filter(session => session.status === 'live');
    const shown = this.#isLiveOnly ? live : all;
    const toggle = h(
      'button',
      {
        class: 'button',
        type: 'button',
        'aria-pressed': String(this.#isLiveOnly),
        onclick: () => this.#toggle(),
      },
      `Live only (${live.length})`,
    );
    const isKept = /(^|\s)pinned:true(\s|$)/.test(this.#filter);
    const kept = h(
      'button',
      {
        class: 'button',
        type: 'button',
        'aria-pressed': String(isKept),
        title: 'Calls that were pinned',
        onclick: () =>
          this.#app.go({
            page: 'sessions',
            filter: isKept
              ? this.#filter.replace(/\s*pinned:true\s*/, ' ').trim()
              : `${this.#filter} pinned:true`.trim(),
          }),
      },
      'Kept',
    );
    fill(this.#tools, toggle, kept, sessionsExports(shown));
    if (all.length === 0 && this.#filter !== '')
      return fill(
        this.#body,
        empty('No call passes the filter', 'Take a word out of it, or look for another value.'),
      );
    if (all.length === 0) {
      fill(
        this.#body,
        empty(
          'No calls yet',
          'Send spans with a session.id, or watch a call of ours:',
          'npm start -- --demo',
        ),
      );
      return;
    }
    const focused = document.activeElement?.closest('tr')?.dataset['key'];
    fill(
      this.#body,
      this.#table(shown),
      this.#cursor !== null && !this.#isLiveOnly ? this.#more() : undefined,
    );
    if (focused !== undefined)
      this.#body.querySelector<HTMLElement>(`tr[data-key="${CSS.escape(focused)}"] a`)?.focus();
  }

  #toggle(): void {
    this.#isLiveOnly = !this.#isLiveOnly;
    this.#draw();
  }

  #more(): HTMLElement {
    return h(
      'p',
      { class: 'page-head' },
      h(
        'button',
        {
          class: 'button',
          type: 'button',
          onclick: () => void this.#load(this.#cursor ?? undefined),
        },
        'Older sessions',
      ),
    );
  }

  #table(sessions: readonly SessionSummary[]): HTMLElement {
    const heads = [
      'Session',
      'Status',
      'Started',
      'Length',
      'Turns',
      'Waits, turn by turn',
      'V2V p50',
      'p95',
      'p99',
      'Worst',
      'Over',
      'Barge-ins',
      'Lost',
    ];
    return h(
      'div',
      { class: 'card scroll-x' },
      h(
        'table',
        { class: 'sessions' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...heads.map((head, i) =>
              h(
                'th',
                {
                  scope: 'col',
                  title: HINTS[head],
                  class: i >= 3 && i !== 5 ? 'right' : undefined,
                },
                head,
              ),
            ),
          ),
        ),
        h('tbody', {}, ...this.#withMarks(sessions)),
      ),
    );
  }

  /** Newest first, each mark between the session that began after it and the one before. */
  #withMarks(sessions: readonly SessionSummary[]): HTMLElement[] {
    const oldestMs = Math.min(...sessions.map(one => unixMs(one.startUnixNs)));
    const marks = this.#marks.filter(mark => markMs(mark) >= oldestMs).toReversed();
    const rows: HTMLElement[] = [];
    for (const session of sessions) {
      while (marks.length > 0 && markMs(marks[0]!) > unixMs(session.startUnixNs))
        rows.push(this.#markRow(marks.shift()!));
      rows.push(this.#rowOf(session));
    }
    return rows;
  }

  #markRow(mark: Annotation): HTMLElement {
    const open = (): void =>
      showMark(mark, {
        removed: () => void this.#loadMarks(),
        compare: one => {
          const rest = { measure: undefined, filter: this.#filter || undefined };
          const view = beforeAndAfter(one, BigInt(Date.now()) * 1_000_000n, rest);
          this.#app.go({ page: 'compare', view });
        },
      });
    return h(
      'tr',
      { class: `mark-row ${mark.kind === 'incident' ? 'incident' : ''}` },
      h(
        'td',
        { colspan: 13 },
        h('button', { class: 'as-link', type: 'button', onclick: open }, labelOf(mark, 80)),
        h(
          'span',
          { class: 'quiet' },
          ` ${cut(mark.kind, 20)}, ${wallTime(mark.atUnixNs, Date.now())}`,
        ),
      ),
    );
  }

  /** A session that did not change keeps its row: only what moves costs. */
  #rowOf(session: SessionSummary): HTMLElement {
    const held = this.#rows.get(session.key);
    if (held?.session === session) return held.element;
    const element = this.#row(session);
    this.#rows.set(session.key, { session, element });
    return element;
  }

  #row(session: SessionSummary): HTMLElement {
    const v2v = session.voiceToVoice;
    const lengthNs = (unixMs(session.endUnixNs) - unixMs(session.startUnixNs)) * 1e6;
    const cell = (label: string, text: string, look = ''): HTMLElement =>
      h('td', { class: `right ${look}`, 'data-label': label }, text);
    const worst = session.worstTurn;
    return h(
      'tr',
      { class: 'row', 'data-key': session.key, onclick: event => this.#open(event, session.key) },
      h(
        'td',
        { class: 'cell-name' },
        h(
          'a',
          { href: formatRoute(sessionRoute(session.key)) },
          pinMark(session),
          cut(session.id, 80),
        ),
        h('div', { class: 'sub' }, subtitle(session)),
      ),
      h('td', {}, statusBadge(session.status)),
      h(
        'td',
        { class: 'quiet', 'data-label': 'Started' },
        wallTime(session.startUnixNs, Date.now()),
      ),
      cell('Length', clock(lengthNs)),
      cell('Turns', count(session.turnCount)),
      h(
        'td',
        { class: 'cell-strip' },
        session.strip.length > 0 && strip(session.strip, this.#limitOf(session)),
      ),
      cell('p50', duration(v2v?.p50Ns)),
      cell('p95', duration(v2v?.p95Ns)),
      cell('p99', duration(v2v?.p99Ns)),
      h(
        'td',
        { class: 'right', 'data-label': 'Worst' },
        worst
          ? h(
              'a',
              { class: 'link', href: formatRoute(sessionRoute(session.key, { turn: worst.tick })) },
              duration(worst.waitNs),
            )
          : '–',
      ),
      cell(
        'Over budget',
        session.turnCount === 0 ? '–' : count(session.overBudgetCount),
        session.overBudgetCount > 0 ? 'warn strong' : 'quiet',
      ),
      cell('Barge-ins', count(session.bargeInCount), session.bargeInCount > 0 ? '' : 'quiet'),
      h(
        'td',
        {
          class: session.frames.lost > 0 ? 'right' : 'right quiet',
          'data-label': 'Lost',
          title: `${count(session.frames.lost)} of ${count(session.frames.expected)} frames`,
        },
        session.frames.expected === 0
          ? '–'
          : `${count(session.frames.lost)} (${share(session.frames.lost, session.frames.expected)})`,
      ),
    );
  }

  #limitOf({ voiceToVoice }: SessionSummary): number | null {
    return this.#app.budgets.limitNs(
      voiceToVoice ? `voice_to_voice.${voiceToVoice.definition}` : 'voice_to_voice',
    );
  }

  #open(event: MouseEvent, key: string): void {
    if (!(event.target as Element).closest('a, button')) this.#app.go(sessionRoute(key));
  }
}

function newestFirst(a: SessionSummary, b: SessionSummary): number {
  return unixMs(b.startUnixNs) - unixMs(a.startUnixNs) || (a.key < b.key ? -1 : 1);
}

function subtitle(session: SessionSummary): string {
  const region = session.attributes['region'] ?? session.attributes['cloud.region'];
  const parts = [session.synthetic, region, session.services.join(' · ')].filter(
    part => typeof part === 'string' && part !== '',
  );
  return cut(parts.join('  —  '), 90);
}
