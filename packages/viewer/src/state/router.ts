// History: the address bar and the page follow each other.

import { formatRoute, parseRoute, type Route } from './route.ts';

export class Router {
  readonly #show: (route: Route) => void;

  constructor(show: (route: Route) => void) {
    this.#show = show;
  }

  start(): void {
    addEventListener('popstate', () => this.#show(this.current()));
    document.addEventListener('click', event => this.#follow(event));
    this.#show(this.current());
  }

  current(): Route {
    return parseRoute(location.pathname, location.search);
  }

  /** Goes to a page: a new entry in the history. */
  go(route: Route): void {
    history.pushState(null, '', formatRoute(route));
    this.#show(route);
  }

  /** Writes where the present page now stands (a zoom, a selection); no new entry, no new page. */
  note(route: Route): void {
    history.replaceState(null, '', formatRoute(route));
  }

  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest('a[href]');
    const href = link?.getAttribute('href');
    if (!href?.startsWith('/') || href.startsWith('/api/')) return;
    event.preventDefault();
    const [path = '/', search = ''] = href.split('?');
    this.go(parseRoute(path, search));
  }
}
