// Places: where calls run. Ways between regions, who is answered where, load of
// instances, hand-overs, and what other places, cuts and buffers would do.

import type { Advice, AdviceKind, Findings, Places } from '@framescope/protocol';
import { api, type Query } from '../../data/api.ts';
import type { PlacesView, Route } from '../../state/route.ts';
import { fill, h } from '../../ui/dom.ts';
import { filterField, type FilterField } from '../../ui/filter-field.ts';
import { count, plural } from '../../ui/format.ts';
import { findingList } from '../findings.ts';
import { empty, failed, loading, throttled, type App, type Page } from '../page.ts';
import { adviceSection } from './advice-section.ts';
import { placesExports, type PlacesShown } from './exports.ts';
import { loadSection } from './load-section.ts';
import { moveSection } from './move-section.ts';
import { handoverSection, legTable, linkTable, servedTable, vendorTable } from './tables.ts';

/** New calls change advice slowly. */
const ADVICE_MS = 120_000;

type Shown = Omit<PlacesShown, 'advice'>;

/** An answer or why there is none, so that nobody has to wait for it at once. */
const settledOf = async <T>(asked: Promise<T>): Promise<T | Error> =>
  asked.catch((cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause))));

export class PlacesPage implements Page {
  readonly title = 'Places';
  readonly element: HTMLElement = h('div', { class: 'page places' });
  readonly #app: App;
  readonly #body = h('div', { class: 'stack' });
  /** What it holds stays until there is newer advice. */
  readonly #advice = h('div', {}, loading('Replaying calls through other buffers'));
  readonly #tools = h('div', { class: 'tools' });
  readonly #filter: FilterField;
  readonly #again = throttled(15_000, () => void this.#load());
  readonly #off: () => void;
  #view: PlacesView;
  #advised = { query: '', atMs: 0 };
  /** What is known by now, the last of each. */
  #known: Partial<Shown> = {};
  /** All of it, once it is all there: what can be taken away. */
  #shown: PlacesShown | undefined;
  #asked = 0;

  constructor(app: App, view: PlacesView) {
    this.#app = app;
    this.#view = view;
    this.#filter = filterField(
      view.filter ?? '',
      () => api.vocabulary('sessions'),
      text => this.#go({ filter: text || undefined }),
    );
    this.element.append(
      h('div', { class: 'page-head' }, h('h1', {}, 'Places'), this.#filter.element, this.#tools),
      this.#body,
    );
    fill(this.#body, loading('Looking where calls run'));
    this.#off = app.live.onEvent(event => {
      if (event.type === 'rollup') this.#again();
    });
    void this.#load();
  }

  update(route: Route): boolean {
    if (route.page !== 'places') return false;
    this.#view = route.view;
    this.#filter.set(route.view.filter ?? '');
    void this.#load();
    return true;
  }

  key(): boolean {
    return false;
  }

  close(): void {
    this.#asked = -1;
    this.#again.cancel();
    this.#off();
  }

  async #load(): Promise<void> {
    const mine = ++this.#asked;
    const { fromUnixNs: from, toUnixNs: to, filter, moveFrom, moveTo, advise } = this.#view;
    const range: Query = { from, to };
    /** Each is shown as soon as it is there: load reads all waits of the range, places do not wait for it. */
    const got = async (part: Promise<Partial<Shown>>): Promise<void> => {
      const answer = await part;
      if (mine !== this.#asked) return;
      this.#known = { ...this.#known, ...answer };
      this.#show(this.#known);
    };
    const asked = api.places({ ...range, filter, moveFrom, moveTo });
    try {
      await Promise.all([
        got(asked.then(places => ({ places }))),
        got(api.load({ ...range, columns: 120 }).then(load => ({ load }))),
        got(api.findings(range).then(findings => ({ findings }))),
      ]);
      if (mine === this.#asked) await this.#askAdvice({ ...range, filter, what: advise });
    } catch (error) {
      if (mine === this.#asked)
        fill(
          this.#body,
          failed(error, () => void this.#load()),
        );
    }
  }

  /** Replaying calls takes seconds: it comes behind the rest, and not with every news of a call. */
  async #askAdvice(query: Query): Promise<void> {
    const asked = JSON.stringify(query);
    if (asked === this.#advised.query && Date.now() - this.#advised.atMs < ADVICE_MS) return;
    this.#advised = { query: asked, atMs: Date.now() };
    const advice = await settledOf(api.advisor(query));
    if (asked !== this.#advised.query || this.#asked <= 0) return;
    if (this.#shown)
      this.#shown = { ...this.#shown, advice: advice instanceof Error ? null : advice };
    this.#showAdvice(advice);
  }

  #showAdvice(advice: Advice | Error): void {
    const again = (): void => {
      this.#advised = { query: '', atMs: 0 };
      void this.#load();
    };
    fill(
      this.#advice,
      advice instanceof Error
        ? failed(advice, again)
        : adviceSection(advice, (kind: AdviceKind) => this.#go({ advise: kind })),
    );
  }

  #show({ places, load, findings }: Partial<Shown>): void {
    if (places === undefined && findings === undefined) return;
    const isEmpty = places?.sessions === 0 && load?.instances.length === 0;
    if (isEmpty) this.#keep(undefined);
    else if (places && load && findings) this.#keep({ places, load, findings });
    if (isEmpty)
      return fill(
        this.#body,
        empty(
          'No frames yet',
          'Places are known from frames that pass from one process to the next. To see some:',
          'npm start -- --demo',
        ),
      );
    fill(
      this.#body,
      findings ? this.#standsOut(findings) : loading('Looking for what stands out'),
      places ? this.#legs(places) : loading('Looking where calls run'),
      load ? loadSection(load) : loading('Reading load and waits'),
      places && handoverSection(places),
      places && moveSection(places, move => this.#go({ moveFrom: move?.from, moveTo: move?.to })),
      this.#advice,
      places && this.#unknown(places),
    );
  }

  /** What can be taken away; a menu that is open stays so when newer figures come. */
  #keep(shown: Shown | undefined): void {
    const had = this.#shown;
    this.#shown = shown && { ...shown, advice: had?.advice ?? null };
    if ((had === undefined) === (shown === undefined)) return;
    fill(
      this.#tools,
      shown &&
        placesExports(
          () => this.#shown!,
          () => this.#body,
        ),
    );
  }

  #standsOut({ items }: Findings): HTMLElement {
    return h(
      'section',
      { class: 'block card', 'aria-label': 'What stands out' },
      h('h2', {}, 'What stands out'),
      items.length === 0
        ? h('p', { class: 'quiet' }, 'Nothing about places, load, cuts and buffers in this range.')
        : findingList(items, true),
    );
  }

  #legs({ legs, links, vendors, served, sessions, sessionsOf }: Places): HTMLElement {
    return h(
      'section',
      { class: 'block card' },
      h('h2', {}, 'Ways between places'),
      h(
        'p',
        { class: 'quiet' },
        `${plural(sessions, 'call')} with frames${sessions < sessionsOf ? `, of ${count(sessionsOf)} in the range` : ''}; slowest first. One-way delays are as good as the clocks at both ends.`,
      ),
      h(
        'div',
        { class: 'stack' },
        legTable(legs),
        links.length > 0 && linkTable(links),
        vendors.length > 0 && vendorTable(vendors),
        servedTable(served),
      ),
    );
  }

  #unknown({ unknowns }: Places): HTMLElement | undefined {
    if (unknowns.length === 0) return undefined;
    return h(
      'section',
      { class: 'block card', 'aria-label': 'What is not known' },
      h('h2', {}, 'What is not known'),
      h('ul', {}, ...unknowns.map(text => h('li', {}, text))),
    );
  }

  #go(patch: Partial<PlacesView>): void {
    this.#app.go({ page: 'places', view: { ...this.#view, ...patch } });
  }
}
