// Find: paste any ID, or words; it lands on the call, the turn or the trace.
// With nothing asked it shows what is going on: live calls, the slowest turns.

import type { LiveEvent, SearchHit, SessionSummary, TailItem } from '@framescope/protocol';
import { api } from '../data/api.ts';
import { bestMeasure } from '../state/best-measure.ts';
import { formatRoute, sessionRoute, type Route } from '../state/route.ts';
import { cut, fill, h } from '../ui/dom.ts';
import { ago, clock, duration, plural, unixMs, words } from '../ui/format.ts';
import { empty, failed, loading, throttled, type App, type Page } from './page.ts';
import { hitExports, tileExports, type FindShown } from './find-exports.ts';
import { pinMark, statusBadge } from './session-bits.ts';

const TILE_ROWS = 6;

export class FindPage implements Page {
  readonly element: HTMLElement = h('div', { class: 'finder' });
  readonly #app: App;
  readonly #field = h('input', {
    class: 'search',
    type: 'search',
    placeholder: 'Session, CallSid, room, trace, or words that were said',
    'aria-label': 'Find by ID or words',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  readonly #results = h('div', { class: 'hits', 'aria-live': 'polite' });
  readonly #live = h('div', { class: 'card tile' });
  readonly #slow = h('div', { class: 'card tile' });
  readonly #tools = h(
    'div',
    { class: 'tile-tools', hidden: true },
    tileExports(() => this.#shown()),
  );
  readonly #tiles = h('div', { class: 'tiles' }, this.#live, this.#slow);
  readonly #start = h('div', {}, this.#tools, this.#tiles);
  readonly #sessions = new Map<string, SessionSummary>();
  #slowest: readonly TailItem[] = [];
  /** Whether it is known which calls there are. */
  #isKnown = false;
  #hasFailed = false;
  readonly #redraw = throttled(700, () => this.#drawLive());
  readonly #off: () => void;
  #q: string;
  #asked: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(app: App, q: string) {
    this.#app = app;
    this.#q = q;
    this.#field.value = q;
    this.#field.addEventListener('input', () => this.#type());
    const form = h(
      'form',
      { class: 'find', role: 'search' },
      this.#field,
      h('kbd', { 'aria-hidden': 'true' }, '/'),
    );
    form.addEventListener('submit', event => {
      event.preventDefault();
      this.#openFirst();
    });
    this.element.append(
      h(
        'div',
        { class: 'hero' },
        h('h1', {}, 'Find a call'),
        h(
          'p',
          { class: 'quiet' },
          'Every frame from mouth to ear, every wait with its ledger. Paste any ID, or type words that were said.',
        ),
        form,
        this.#results,
      ),
      this.#start,
    );
    this.#off = app.live.onEvent(event => this.#take(event));
    void this.#loadTiles();
    if (q !== '') void this.#search();
  }

  get title(): string {
    return this.#q === '' ? 'Find' : `Find ${cut(this.#q, 30)}`;
  }

  update(route: Route): boolean {
    if (route.page !== 'find') return false;
    if (route.q === this.#q) return true;
    this.#q = route.q;
    this.#field.value = route.q;
    void this.#search();
    return true;
  }

  key(): boolean {
    return false;
  }

  close(): void {
    this.#off();
    this.#asked?.abort();
    clearTimeout(this.#timer);
    this.#redraw.cancel();
  }

  #type(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#q = this.#field.value.trim();
      this.#app.note({ page: 'find', q: this.#q });
      void this.#search();
    }, 180);
  }

  #openFirst(): void {
    const first = this.#results.querySelector<HTMLAnchorElement>('a.hit');
    if (first && this.#field.value.trim() === this.#q) first.click();
    else this.#type();
  }

  async #search(): Promise<void> {
    this.#asked?.abort();
    this.#start.hidden = this.#q !== '';
    if (this.#q === '') return fill(this.#results);
    const asked = new AbortController();
    this.#asked = asked;
    try {
      const { items } = await api.search(this.#q, asked.signal);
      const nothing = empty(
        'Nothing found',
        `No call, turn or trace has “${cut(this.#q, 60)}” in its ID or words.`,
      );
      fill(
        this.#results,
        ...(items.length === 0
          ? [nothing]
          : [
              h('div', { class: 'tile-tools' }, hitExports(this.#q, items)),
              h('div', { class: 'card' }, ...items.map(hitLine)),
            ]),
      );
    } catch (error) {
      if (!asked.signal.aborted)
        fill(
          this.#results,
          failed(error, () => void this.#search()),
        );
    }
  }

  async #loadTiles(): Promise<void> {
    fill(
      this.#slow,
      tileHead('Slowest turns', '/tail', 'Tail'),
      loading('Looking for the slowest turns'),
    );
    this.#hasFailed = false;
    this.#drawLive();
    try {
      const [sessions, measures] = await Promise.all([api.sessions({ limit: 20 }), api.measures()]);
      for (const session of sessions.items) this.#sessions.set(session.key, session);
      this.#isKnown = true;
      this.#drawLive();
      const measure = bestMeasure(measures.items);
      const tail =
        measure === undefined ? { items: [] } : await api.tail({ measure, limit: TILE_ROWS });
      this.#drawSlow(tail.items);
    } catch (error) {
      this.#hasFailed = true;
      const problem = (): HTMLElement => failed(error, () => void this.#loadTiles());
      fill(this.#slow, tileHead('Slowest turns', '/tail', 'Tail'), problem());
      if (!this.#isKnown)
        fill(this.#live, tileHead('Calls', '/sessions', 'All sessions'), problem());
    }
  }

  #take(event: LiveEvent): void {
    // The collector is back: the page goes on by itself.
    if (event.type === 'snapshot' && this.#hasFailed) void this.#loadTiles();
    if (event.type === 'snapshot')
      for (const one of event.sessions) this.#sessions.set(one.key, one);
    else if (event.type === 'session') this.#sessions.set(event.session.key, event.session);
    else return;
    this.#redraw();
  }

  /** What the tiles have now, in their order. */
  #shown(): FindShown {
    const calls = [...this.#sessions.values()].toSorted(
      (a, b) =>
        Number(b.status === 'live') - Number(a.status === 'live') ||
        unixMs(b.startUnixNs) - unixMs(a.startUnixNs),
    );
    return { calls: calls.slice(0, TILE_ROWS), slowest: this.#slowest };
  }

  #drawLive(): void {
    const { calls } = this.#shown();
    this.#tools.hidden = calls.length === 0;
    const rows = calls.map(sessionLine);
    const none = this.#isKnown
      ? empty('No calls yet', 'Start the demo to watch one:', 'npm start -- --demo')
      : loading('Looking for calls');
    fill(
      this.#live,
      tileHead('Calls', '/sessions', 'All sessions'),
      ...(rows.length > 0 ? rows : [none]),
    );
  }

  #drawSlow(items: readonly TailItem[]): void {
    this.#slowest = items.slice(0, TILE_ROWS);
    const rows = this.#slowest.map(slowLine);
    fill(
      this.#slow,
      tileHead('Slowest turns', '/tail', 'Tail'),
      ...(rows.length > 0
        ? rows
        : [empty('No turns yet', 'Turns with their waits show up here as calls go on.')]),
    );
  }
}

function tileHead(title: string, href: string, link: string): HTMLElement {
  return h('h2', {}, title, h('a', { href }, link));
}

function sessionLine(session: SessionSummary): HTMLElement {
  const lengthNs = (unixMs(session.endUnixNs) - unixMs(session.startUnixNs)) * 1e6;
  const p95 = session.voiceToVoice?.p95Ns ?? session.voiceToVoice?.maxNs;
  return h(
    'a',
    { class: 'line', href: formatRoute(sessionRoute(session.key)) },
    h(
      'span',
      { class: 'grow' },
      h('div', { class: 'strong' }, pinMark(session), cut(session.id, 60)),
      h(
        'div',
        { class: 'sub' },
        `${ago(session.startUnixNs, Date.now())} · ${clock(lengthNs)} · ${plural(session.turnCount, 'turn')}${session.synthetic === null ? '' : ` · ${cut(session.synthetic, 30)}`}`,
      ),
    ),
    h('span', { class: 'right' }, duration(p95)),
    statusBadge(session.status),
  );
}

/** Of a wait that nothing ended there may be no part that took any of it. */
const mostOf = ({ worstPart }: TailItem): string | false =>
  worstPart !== null &&
  worstPart.exposedNs > 0 &&
  `most of it ${words(cut(worstPart.name, 40))}, ${duration(worstPart.exposedNs)}`;

function slowLine(item: TailItem): HTMLElement {
  return h(
    'a',
    { class: 'line', href: formatRoute(sessionRoute(item.sessionKey, { turn: item.tick })) },
    h('span', { class: 'strong' }, `${item.censored ? '≥ ' : ''}${duration(item.valueNs)}`),
    h(
      'span',
      { class: 'grow' },
      h('div', {}, cut(item.sessionId, 60)),
      h(
        'div',
        { class: 'sub' },
        [ago(item.atUnixNs, Date.now()), item.censored && 'never answered', mostOf(item)]
          .filter(Boolean)
          .join(' · '),
      ),
    ),
  );
}

function hitLine(hit: SearchHit): HTMLElement {
  const route: Route =
    hit.traceId !== null && hit.kind === 'trace'
      ? { page: 'trace', id: hit.traceId, span: undefined }
      : sessionRoute(hit.sessionKey ?? '', hit.tick === null ? {} : { turn: hit.tick });
  return h(
    'a',
    { class: 'hit', href: formatRoute(route) },
    h('span', { class: 'kind' }, hit.kind),
    h('span', { class: 'title strong' }, cut(hit.title, 120)),
    h('span', { class: 'sub' }, cut(hit.detail, 160)),
  );
}
