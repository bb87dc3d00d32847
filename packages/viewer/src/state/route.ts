// Every view is a URL: which page, and what it shows. Pure; history is in router.ts.

export type Route =
  | { readonly page: 'find'; readonly q: string }
  | { readonly page: 'sessions'; readonly filter: string }
  | { readonly page: 'session'; readonly key: string; readonly view: SessionView }
  | { readonly page: 'tail'; readonly view: TailView }
  | { readonly page: 'compare'; readonly view: CompareView }
  | { readonly page: 'places'; readonly view: PlacesView }
  | { readonly page: 'collector' }
  | { readonly page: 'traces' }
  | { readonly page: 'trace'; readonly id: string; readonly span: string | undefined }
  | { readonly page: 'missing'; readonly path: string };

export interface SessionView {
  /** Shown window; undefined follows the call or shows all of it. */
  readonly fromNs: number | undefined;
  readonly toNs: number | undefined;
  /** Tick of the selected turn. */
  readonly turn: number | undefined;
  /** `stream:tick` of the chosen frame. */
  readonly frame: string | undefined;
  readonly isRaw: boolean;
  /** A moment to show when no window is given. */
  readonly atUnixNs: string | undefined;
}

export interface TailView {
  readonly measure: string | undefined;
  readonly fromUnixNs: string | undefined;
  readonly toUnixNs: string | undefined;
  /** Length of the range when it ends now, for example `6h`. */
  readonly range: string | undefined;
  /** In the language of the API's filters. */
  readonly filter: string | undefined;
  /** Small multiples by this attribute. */
  readonly group: string | undefined;
  /** What the panel asks about: `slow` (the slowest twentieth) or a box, see state/picked.ts. */
  readonly pick: string | undefined;
}

/** Two sides, each a range and a filter. */
export interface CompareView {
  readonly measure: string | undefined;
  readonly a: CompareSide;
  readonly b: CompareSide;
}

export interface PlacesView {
  readonly fromUnixNs: string | undefined;
  readonly toUnixNs: string | undefined;
  readonly filter: string | undefined;
  /** What if: agents of the one region in the other. */
  readonly moveFrom: string | undefined;
  readonly moveTo: string | undefined;
  /** What the advisor tries. */
  readonly advise: string | undefined;
}

export interface CompareSide {
  readonly fromUnixNs: string | undefined;
  readonly toUnixNs: string | undefined;
  readonly filter: string | undefined;
}

const numberOf = (text: string | null): number | undefined => {
  if (text === null || text.trim() === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
};
const digitsOf = (text: string | null): string | undefined =>
  text !== null && /^\d{1,20}$/.test(text) ? text : undefined;

/** Reads a path with its query. An unknown path is a page of its own, never an exception. */
export function parseRoute(path: string, search: string): Route {
  const query = new URLSearchParams(search);
  const [page = '', id = '', ...rest] = path.split('/').slice(1).map(decode);
  if (rest.length > 0) return { page: 'missing', path };
  if (page === '' && id === '') return { page: 'find', q: query.get('q') ?? '' };
  if (page === 'sessions')
    return id === ''
      ? { page: 'sessions', filter: textOf(query.get('filter')) ?? '' }
      : { page: 'session', key: id, view: sessionView(query) };
  if (page === 'tail' && id === '') return { page: 'tail', view: tailView(query) };
  if (page === 'collector' && id === '') return { page: 'collector' };
  if (page === 'compare' && id === '') return { page: 'compare', view: compareView(query) };
  if (page === 'places' && id === '') return { page: 'places', view: placesView(query) };
  if (page === 'traces')
    return id === ''
      ? { page: 'traces' }
      : { page: 'trace', id, span: query.get('span') ?? undefined };
  return { page: 'missing', path };
}

/** Nothing for an empty one; a filter of the length that the API takes. */
const textOf = (text: string | null): string | undefined =>
  text === null || text.trim() === '' ? undefined : text.slice(0, 2_000);

function compareView(query: URLSearchParams): CompareView {
  const side = (name: 'a' | 'b'): CompareSide => ({
    fromUnixNs: digitsOf(query.get(`${name}From`)),
    toUnixNs: digitsOf(query.get(`${name}To`)),
    filter: textOf(query.get(`${name}Filter`)),
  });
  return { measure: textOf(query.get('measure')), a: side('a'), b: side('b') };
}

const ADVICE = /^(jitter_buffer|frame|chunk|sentence)$/;

function placesView(query: URLSearchParams): PlacesView {
  const advise = query.get('advise') ?? '';
  return {
    fromUnixNs: digitsOf(query.get('from')),
    toUnixNs: digitsOf(query.get('to')),
    filter: textOf(query.get('filter')),
    moveFrom: textOf(query.get('moveFrom'))?.slice(0, 200),
    moveTo: textOf(query.get('moveTo'))?.slice(0, 200),
    advise: ADVICE.test(advise) ? advise : undefined,
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function sessionView(query: URLSearchParams): SessionView {
  const fromNs = numberOf(query.get('from'));
  const toNs = numberOf(query.get('to'));
  const isWindow = fromNs !== undefined && toNs !== undefined && toNs > fromNs;
  return {
    fromNs: isWindow ? fromNs : undefined,
    toNs: isWindow ? toNs : undefined,
    turn: numberOf(query.get('turn')),
    frame: /^.{1,200}:\d{1,16}$/.test(query.get('frame') ?? '') ? query.get('frame')! : undefined,
    isRaw: query.get('clock') === 'raw',
    atUnixNs: digitsOf(query.get('at')),
  };
}

function tailView(query: URLSearchParams): TailView {
  return {
    measure: query.get('measure') ?? undefined,
    fromUnixNs: digitsOf(query.get('from')),
    toUnixNs: digitsOf(query.get('to')),
    range: /^\d{1,3}[mhd]$/.test(query.get('range') ?? '') ? query.get('range')! : undefined,
    filter: textOf(query.get('filter')),
    group: textOf(query.get('group')),
    pick: /^(slow|never|[\d.~e+]{3,120})$/.test(query.get('pick') ?? '')
      ? query.get('pick')!
      : undefined,
  };
}

/** The path and query of a route: parseRoute of it gives the route back. */
export function formatRoute(route: Route): string {
  switch (route.page) {
    case 'find':
      return withQuery('/', { q: route.q || undefined });
    case 'sessions':
      return withQuery('/sessions', { filter: route.filter || undefined });
    case 'session':
      return withQuery(`/sessions/${encodeURIComponent(route.key)}`, {
        from: rounded(route.view.fromNs),
        to: rounded(route.view.toNs),
        turn: rounded(route.view.turn),
        frame: route.view.frame,
        clock: route.view.isRaw ? 'raw' : undefined,
        at: route.view.atUnixNs,
      });
    case 'tail': {
      const { measure, fromUnixNs, toUnixNs, range, filter, group, pick } = route.view;
      const window = { from: fromUnixNs, to: toUnixNs, range };
      return withQuery('/tail', { measure, ...window, filter, group, pick });
    }
    case 'compare': {
      const { measure, a, b } = route.view;
      return withQuery('/compare', {
        measure,
        aFrom: a.fromUnixNs,
        aTo: a.toUnixNs,
        aFilter: a.filter,
        bFrom: b.fromUnixNs,
        bTo: b.toUnixNs,
        bFilter: b.filter,
      });
    }
    case 'places': {
      const { fromUnixNs, toUnixNs, filter, moveFrom, moveTo, advise } = route.view;
      const window = { from: fromUnixNs, to: toUnixNs, filter };
      return withQuery('/places', { ...window, moveFrom, moveTo, advise });
    }
    case 'collector':
      return '/collector';
    case 'traces':
      return '/traces';
    case 'trace':
      return withQuery(`/traces/${encodeURIComponent(route.id)}`, { span: route.span });
    case 'missing':
      return route.path;
  }
}

const rounded = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : String(Math.round(value));

function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(query).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`;
}

export const WHOLE_SESSION: SessionView = {
  fromNs: undefined,
  toNs: undefined,
  turn: undefined,
  frame: undefined,
  isRaw: false,
  atUnixNs: undefined,
};

/** The place of a turn or frame in its session. */
export function sessionRoute(key: string, view: Partial<SessionView> = {}): Route {
  return { page: 'session', key, view: { ...WHOLE_SESSION, ...view } };
}
