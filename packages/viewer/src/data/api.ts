// The collector's HTTP API as typed functions: one place that knows paths,
// and one error whose fields say what to show.

import type {
  Advice,
  Annotation,
  AnnotationInput,
  BudgetInput,
  BudgetList,
  Comparison,
  Findings,
  Load,
  Places,
  FilterVocabulary,
  Heatmap,
  MeasureInfo,
  Page,
  Pin,
  Problem,
  RecordingList,
  SearchHit,
  SessionDetail,
  SessionSummary,
  Span,
  Tail,
  TailWhy,
  Timeline,
  TraceSummary,
  Turn,
  FramesWindow,
  WhatIf,
} from '@framescope/protocol';
import { decodeFrames, FRAMES_TYPE } from './frames-decode.ts';
import { decodeOutline, OUTLINE_TYPE } from './outline-decode.ts';
import type { TraceColumns } from './trace-columns.ts';
import type { TimeWindow } from './whole-frames.ts';

/** What went wrong with a request. `kind` decides which state the page shows. */
export class ApiError extends Error {
  readonly kind: 'away' | 'missing' | 'refused';
  readonly status: number;

  constructor(kind: 'away' | 'missing' | 'refused', status: number, message: string) {
    super(message);
    this.name = 'ApiError';
    this.kind = kind;
    this.status = status;
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Writes a path with its query, leaving out what is undefined. */
export function urlOf(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return `/api/v1${path}`;
  const search = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]));
  return `/api/v1${path}?${search}`;
}

const segment = (value: string): string => encodeURIComponent(value);

async function request(url: string, accept: string, signal?: AbortSignal): Promise<Response> {
  return answered(url, { headers: { accept }, ...(signal ? { signal } : {}) }, signal);
}

/** A response that is good, or an ApiError that says what to show. */
async function answered(url: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('away', 0, 'The collector does not answer.');
  }
  if (response.ok) return response;
  const kind = response.status === 404 ? 'missing' : response.status >= 502 ? 'away' : 'refused';
  throw new ApiError(kind, response.status, await reasonOf(response));
}

async function reasonOf(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as Partial<Problem>;
    return problem.detail ?? problem.title ?? `HTTP ${response.status}`;
  } catch {
    return `The collector answered ${response.status}.`;
  }
}

async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  const response = await request(urlOf(path, query), 'application/json', signal);
  return (await response.json()) as T;
}

/** Changes something; answers what came back, undefined for an empty answer. */
async function send<T>(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  ifMatch?: string,
): Promise<T> {
  const response = await answered(urlOf(path), {
    method,
    headers: {
      accept: 'application/json',
      'content-type': 'application/json',
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** A target of `--forward`, as `GET /api/v1/forward` tells it. */
export interface ForwardTarget {
  readonly target: string;
  readonly send: readonly string[];
  readonly state: 'idle' | 'sending' | 'retrying' | 'stopped';
  readonly lagNs: number;
  readonly waitingBytes: number;
  readonly unreadCommits: number;
  readonly sentSpans: number;
  readonly sentBodies: number;
  readonly retries: number;
  readonly rejectedSpans: number;
  readonly droppedCommits: number;
  readonly lastError: string | null;
}

/** 200 turns a page: an hour of one-second turns, and then some. */
const TURN_PAGES_MAX = 25;

async function allTurns(key: string, signal?: AbortSignal): Promise<readonly Turn[]> {
  const path = `/sessions/${segment(key)}/turns`;
  const follow = async (cursor: string | undefined, pagesLeft: number): Promise<Turn[]> => {
    const page = await get<Page<Turn>>(path, { limit: 200, cursor }, signal);
    if (page.nextCursor === null || pagesLeft === 0) return [...page.items];
    return [...page.items, ...(await follow(page.nextCursor, pagesLeft - 1))];
  };
  return follow(undefined, TURN_PAGES_MAX);
}

async function frames(
  key: string,
  window: TimeWindow,
  signal?: AbortSignal,
): Promise<FramesWindow> {
  const query = { fromNs: Math.floor(window.fromNs), toNs: Math.ceil(window.toNs) };
  const url = urlOf(`/sessions/${segment(key)}/frames`, query);
  const response = await request(url, `${FRAMES_TYPE}, application/json;q=0.5`, signal);
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith(FRAMES_TYPE)) return (await response.json()) as FramesWindow;
  return decodeFrames(await response.arrayBuffer());
}

async function traceOutline(id: string, signal?: AbortSignal): Promise<TraceColumns> {
  const response = await request(urlOf(`/traces/${segment(id)}/outline`), OUTLINE_TYPE, signal);
  return decodeOutline(await response.arrayBuffer());
}

export const api = {
  sessions: (query: Query, signal?: AbortSignal): Promise<Page<SessionSummary>> =>
    get('/sessions', query, signal),
  session: (key: string, signal?: AbortSignal): Promise<SessionDetail> =>
    get(`/sessions/${segment(key)}`, {}, signal),
  turns: (key: string, signal?: AbortSignal): Promise<readonly Turn[]> => allTurns(key, signal),
  frames: (key: string, window: TimeWindow, signal?: AbortSignal): Promise<FramesWindow> =>
    frames(key, window, signal),
  timeline: (key: string, query: Query, signal?: AbortSignal): Promise<Timeline> =>
    get(`/sessions/${segment(key)}/timeline`, query, signal),
  measures: (signal?: AbortSignal): Promise<{ readonly items: readonly MeasureInfo[] }> =>
    get('/measures', {}, signal),
  heatmap: (query: Query, signal?: AbortSignal): Promise<Heatmap> => get('/heatmap', query, signal),
  tail: (query: Query, signal?: AbortSignal): Promise<Tail> => get('/tail', query, signal),
  tailWhy: (query: Query, signal?: AbortSignal): Promise<TailWhy> =>
    get('/tail/why', query, signal),
  whatIf: (query: Query, signal?: AbortSignal): Promise<WhatIf> =>
    get('/tail/whatif', query, signal),
  places: (query: Query, signal?: AbortSignal): Promise<Places> => get('/places', query, signal),
  load: (query: Query, signal?: AbortSignal): Promise<Load> => get('/load', query, signal),
  findings: (query: Query, signal?: AbortSignal): Promise<Findings> =>
    get('/findings', query, signal),
  advisor: (query: Query, signal?: AbortSignal): Promise<Advice> => get('/advisor', query, signal),
  compare: (query: Query, signal?: AbortSignal): Promise<Comparison> =>
    get('/compare', query, signal),
  vocabulary: (
    of: 'sessions' | 'turns' | 'traces',
    signal?: AbortSignal,
  ): Promise<FilterVocabulary> => get('/filter/vocabulary', { for: of }, signal),
  traces: (query: Query, signal?: AbortSignal): Promise<Page<TraceSummary>> =>
    get('/traces', query, signal),
  traceOutline: (id: string, signal?: AbortSignal): Promise<TraceColumns> =>
    traceOutline(id, signal),
  span: (id: string, spanId: string, signal?: AbortSignal): Promise<Span> =>
    get(`/traces/${segment(id)}/span`, { spanId }, signal),
  pins: (signal?: AbortSignal): Promise<{ readonly items: readonly Pin[] }> =>
    get('/pins', {}, signal),
  pin: (key: string, note: string): Promise<Pin> =>
    send('POST', `/sessions/${segment(key)}/pin`, { note }),
  unpin: (key: string): Promise<void> => send('DELETE', `/sessions/${segment(key)}/pin`),
  budgets: (signal?: AbortSignal): Promise<BudgetList> => get('/budgets', {}, signal),
  /** @throws {ApiError} of status 412 when somebody changed them since `revision`. */
  setBudgets: (input: BudgetInput, revision: number): Promise<BudgetList> =>
    send('PUT', '/budgets', input, `"${revision}"`),
  annotations: (
    query: Query,
    signal?: AbortSignal,
  ): Promise<{ readonly items: readonly Annotation[] }> => get('/annotations', query, signal),
  annotate: (input: AnnotationInput): Promise<Annotation> => send('POST', '/annotations', input),
  removeAnnotation: (id: string): Promise<void> => send('DELETE', `/annotations/${segment(id)}`),
  /** Recordings that the collector keeps of a call. */
  recordings: (key: string): Promise<RecordingList> => get(`/sessions/${segment(key)}/recordings`),
  forward: (signal?: AbortSignal): Promise<{ readonly items: readonly ForwardTarget[] }> =>
    get('/forward', {}, signal),
  /** The collector's own counts, in Prometheus' text format. */
  metrics: async (signal?: AbortSignal): Promise<string> =>
    (await request('/metrics', 'text/plain', signal)).text(),
  search: (q: string, signal?: AbortSignal): Promise<{ readonly items: readonly SearchHit[] }> =>
    get('/search', { q }, signal),
} as const;
