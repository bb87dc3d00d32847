// What stands around every page: bar, search, connection, help, and the keys
// that work everywhere.

import { api } from '../data/api.ts';
import type { LiveClient } from '../data/live.ts';
import { BudgetBook } from '../state/budgets.ts';
import type { Route } from '../state/route.ts';
import { Router } from '../state/router.ts';
import { toggleTheme } from '../state/theme.ts';
import { fill, h, s } from '../ui/dom.ts';
import { duration } from '../ui/format.ts';
import { CollectorPage } from './collector/collector-page.ts';
import { isBehind } from './collector/sections.ts';
import { ComparePage } from './compare/compare-page.ts';
import { FindPage } from './find.ts';
import { makeHelp } from './help.ts';
import { empty, type App, type Page } from './page.ts';
import { PlacesPage } from './places/places-page.ts';
import { SessionPage } from './session/session-page.ts';
import { SessionsPage } from './sessions.ts';
import { TailPage } from './tail/tail-page.ts';
import { TracePage } from './trace/trace-page.ts';
import { TracesPage } from './traces.ts';

const LINKS: readonly (readonly [string, string, readonly Route['page'][]])[] = [
  ['/', 'Find', ['find']],
  ['/sessions', 'Sessions', ['sessions', 'session']],
  ['/tail', 'Tail', ['tail']],
  ['/places', 'Places', ['places']],
  ['/compare', 'Compare', ['compare']],
  ['/traces', 'Traces', ['traces', 'trace']],
  ['/collector', 'Collector', ['collector']],
];

const FORWARD_EVERY_MS = 30_000;

const STATUS = { connecting: 'Connecting', open: 'Live', away: 'Collector away' } as const;

export class Shell {
  readonly #root: Element;
  readonly #live: LiveClient;
  readonly #main = h('main', { id: 'main', tabindex: '-1' });
  readonly #nav = h('nav', { class: 'nav', 'aria-label': 'Pages' });
  readonly #search = h('input', {
    class: 'search',
    type: 'search',
    placeholder: 'Find a call, turn or trace',
    'aria-label': 'Find a call, turn or trace by ID or words',
  });
  readonly #status = h('span', { class: 'status', role: 'status' });
  readonly #banner = h('div', { class: 'banner', role: 'alert', hidden: true });
  readonly #help = makeHelp();
  readonly #router: Router;
  readonly #budgets = new BudgetBook();
  #forwardNote = '';
  #route: Route | undefined;
  #page: Page | undefined;

  constructor(root: Element, live: LiveClient) {
    this.#root = root;
    this.#live = live;
    this.#router = new Router(route => this.#show(route));
  }

  start(): void {
    this.#root.append(this.#bar(), this.#banner, this.#main, this.#help);
    this.#live.onStatus(status => {
      this.#showStatus();
      if (status === 'open') void this.#budgets.load().catch(() => undefined);
      // A page that failed while the collector was away tries again by itself.
      if (status === 'open')
        this.#main.querySelector<HTMLElement>('.state[role=alert] button')?.click();
    });
    this.#showStatus();
    document.addEventListener('keydown', event => this.#key(event));
    this.#router.start();
    this.#watchForwarding();
  }

  /** Where spans are handed on: said on every page when that falls behind or something is lost. */
  #watchForwarding(): void {
    const look = async (): Promise<void> => {
      const { items } = await api.forward();
      const behind = items.filter(isBehind);
      this.#forwardNote = behind
        .map(
          one =>
            `${one.target} is ${duration(one.lagNs)} behind${one.droppedCommits > 0 ? `, ${one.droppedCommits} commits dropped` : ''}`,
        )
        .join('; ');
      if (this.#route) this.#showNav(this.#route);
    };
    const lookQuietly = (): void => void look().catch(() => undefined);
    lookQuietly();
    setInterval(() => {
      if (!document.hidden) lookQuietly();
    }, FORWARD_EVERY_MS);
  }

  #bar(): HTMLElement {
    const form = h(
      'form',
      { class: 'find', role: 'search', 'aria-label': 'From any page' },
      this.#search,
      h('kbd', { 'aria-hidden': 'true' }, '/'),
    );
    form.addEventListener('submit', event => {
      event.preventDefault();
      this.#router.go({ page: 'find', q: this.#search.value.trim() });
    });
    return h(
      'header',
      { class: 'bar' },
      h(
        'a',
        { class: 'brand', href: '/', 'aria-label': 'Framescope, find' },
        logo(),
        h('span', {}, 'Framescope'),
      ),
      this.#nav,
      form,
      this.#status,
      h(
        'button',
        {
          class: 'button bare icon',
          type: 'button',
          'aria-label': 'Switch between light and dark',
          title: 'Light or dark',
          onclick: toggleTheme,
        },
        '◐',
      ),
      h(
        'button',
        {
          class: 'button bare icon help-button',
          type: 'button',
          'aria-label': 'Keys and help',
          title: 'Keys and help (?)',
          onclick: () => this.#help.showModal(),
        },
        '?',
      ),
    );
  }

  #showStatus(): void {
    const { status } = this.#live;
    this.#status.dataset['status'] = status;
    fill(this.#status, h('span', {}, STATUS[status]));
    this.#banner.hidden = status !== 'away';
    this.#banner.textContent =
      'The collector went away. What you see stays; this page goes on by itself, without a gap, when it is back.';
  }

  #show(route: Route): void {
    this.#showNav(route);
    if (!this.#page?.update(route)) {
      this.#page?.close();
      this.#page = this.#pageOf(route);
      fill(this.#main, this.#page.element);
      this.#main.scrollTop = 0;
    }
    document.title = `${this.#page.title} · Framescope`;
    this.#search.value = route.page === 'find' ? route.q : '';
  }

  #showNav(route: Route): void {
    this.#route = route;
    const note = this.#forwardNote;
    fill(
      this.#nav,
      ...LINKS.map(([href, text, pages]) => {
        const isNoted = href === '/collector' && note !== '';
        return h(
          'a',
          {
            href,
            'aria-current': pages.includes(route.page) ? 'page' : undefined,
            class: isNoted ? 'noted' : undefined,
            title: isNoted ? note : undefined,
          },
          text,
          isNoted && h('span', { class: 'unseen' }, ` (${note})`),
        );
      }),
    );
    // On a narrow screen the bar scrolls: where one is must be seen. Not by scrollIntoView, which
    // would move the page as well.
    const here = this.#nav.querySelector<HTMLElement>('[aria-current]');
    if (here)
      this.#nav.scrollLeft = here.offsetLeft - (this.#nav.clientWidth - here.offsetWidth) / 2;
  }

  #pageOf(route: Route): Page {
    const app: App = {
      live: this.#live,
      budgets: this.#budgets,
      go: to => this.#router.go(to),
      note: to => this.#router.note(to),
    };
    switch (route.page) {
      case 'find':
        return new FindPage(app, route.q);
      case 'sessions':
        return new SessionsPage(app, route.filter);
      case 'session':
        return new SessionPage(app, route.key, route.view);
      case 'tail':
        return new TailPage(app, route.view);
      case 'compare':
        return new ComparePage(app, route.view);
      case 'places':
        return new PlacesPage(app, route.view);
      case 'collector':
        return new CollectorPage(app);
      case 'traces':
        return new TracesPage(app);
      case 'trace':
        return new TracePage(app, route.id, route.span);
      case 'missing':
        return {
          title: 'Not here',
          element: empty(
            'There is no such page',
            'Look for a call, a turn or a trace with the search above.',
            undefined,
            'h1',
          ),
          update: () => false,
          key: () => false,
          close: () => undefined,
        };
    }
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || this.#help.open) return;
    const target = event.target as HTMLElement;
    // A press of the space bar is the button's that has the focus.
    if (event.key === ' ' && target.closest('button, a, summary') !== null) return;
    if (document.querySelector('dialog[open]') !== null) return;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) {
      if (event.key === 'Escape') target.blur();
      return;
    }
    if (event.key === '/') this.#focusSearch();
    else if (event.key === '?') this.#help.showModal();
    else if (!this.#page?.key(event)) return;
    event.preventDefault();
  }

  #focusSearch(): void {
    const own = this.#main.querySelector<HTMLInputElement>('.search');
    const field = own ?? this.#search;
    if (field.offsetParent === null) this.#router.go({ page: 'find', q: '' });
    (this.#main.querySelector<HTMLInputElement>('.search') ?? field).focus();
    field.select();
  }
}

function logo(): SVGElement {
  return s(
    'svg',
    { viewBox: '0 0 32 32', 'aria-hidden': 'true' },
    s('rect', { width: 32, height: 32, rx: 7, fill: '#2f5fd0' }),
    s('path', {
      d: 'M7 7.5h18M7 24.5h18',
      stroke: '#fff',
      'stroke-opacity': 0.55,
      'stroke-width': 1.6,
      'stroke-linecap': 'round',
    }),
    s('path', {
      d: 'M9 8l5 16M15 8l3.500 16M21 8l3 16',
      stroke: '#fff',
      'stroke-width': 2,
      'stroke-linecap': 'round',
      fill: 'none',
    }),
  );
}
