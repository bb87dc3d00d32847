// The API, route by route.

import { QUERIES, type Queries } from '../query/plugged.ts';
import type { QueryContext } from '../query/queries.types.ts';
import { search } from '../query/search.ts';
import { trace } from '../query/trace.ts';
import { encodeFrames, framesAsJson, FRAMES_TYPE } from './frames-binary.ts';
import type { LiveHub } from './live.ts';
import { ApiError } from './problem.ts';
import { route, type Route } from './route.ts';

const OFFSET_MAX = Number.MAX_SAFE_INTEGER;

const key = { name: 'key', description: 'The 13-character key of a session.' };
const limit = {
  kind: 'integer',
  min: 1,
  max: 500,
  default: 100,
  description: 'Items in one page.',
} as const;
const cursor = {
  kind: 'text',
  lengthMax: 100,
  description: '`nextCursor` of the page before.',
} as const;
const fromUnix = { kind: 'unixNs', description: 'Start of the range, Unix ns.' } as const;
const toUnix = { kind: 'unixNs', description: 'End of the range, Unix ns.' } as const;
const offset = (description: string) =>
  ({ kind: 'integer', min: -OFFSET_MAX, max: OFFSET_MAX, description }) as const;
const window = {
  fromNs: offset("Start of the window, ns from the session's zero."),
  toNs: offset("End of the window, ns from the session's zero."),
};
const measure = {
  kind: 'text',
  lengthMax: 1_000,
  description: 'Name from /measures; default: the best covered voice-to-voice.',
} as const;
const filter = {
  kind: 'filter',
  description:
    'Only what passes, e.g. `region:eu-* v2v>800ms`; words are looked for in what was said.',
} as const;
const range = { measure, from: fromUnix, to: toUnix, filter };

export interface RoutePorts {
  readonly context: QueryContext;
  readonly live: LiveHub;
}

export function apiRoutes({ context, live }: RoutePorts): readonly Route[] {
  return [
    ...sessionRoutes(context),
    ...windowRoutes(context, QUERIES),
    ...measureRoutes(context, QUERIES),
    ...traceRoutes(context),
    route(
      {
        path: '/live',
        summary:
          'Server-sent events: a snapshot, then changes. `Last-Event-ID` resumes where it broke off.',
        params: {},
        alsoAs: { 'text/event-stream': 'LiveEvent as JSON, one a `data:` line.' },
      },
      ({ request, response }) => live.listen(request, response),
    ),
  ];
}

function sessionRoutes({ reader }: QueryContext): readonly Route[] {
  const status = {
    kind: 'oneOf',
    values: ['live', 'idle', 'ended', 'broken_off'],
    description: 'Only sessions in this state.',
  } as const;
  return [
    route(
      {
        path: '/sessions',
        summary: 'Sessions, newest first.',
        params: { limit, cursor, state: status, from: fromUnix, to: toUnix },
        schema: 'SessionPage',
      },
      ({ values }) =>
        reader.sessions({
          limit: values.limit,
          ...given('cursor', values.cursor),
          ...given('status', values.state as 'live' | undefined),
          ...given('fromUnixNs', values.from),
          ...given('toUnixNs', values.to),
        }),
    ),
    route(
      {
        path: '/sessions/{key}',
        summary: 'One session: streams, hops, processes and their clocks.',
        params: {},
        id: key,
        schema: 'SessionDetail',
      },
      ({ id }) => reader.session(id),
    ),
    route(
      {
        path: '/sessions/{key}/turns',
        summary: 'Turns of a session with their waits and ledgers, in order.',
        params: { limit, cursor },
        id: key,
        schema: 'TurnPage',
      },
      async ({ id, values }) => {
        if (!(await reader.session(id))) return undefined;
        return reader.turns(id, { limit: values.limit, ...given('cursor', values.cursor) });
      },
    ),
  ];
}

function windowRoutes(context: QueryContext, { timeline, frames }: Queries): readonly Route[] {
  const routes: Route[] = [];
  if (timeline)
    routes.push(
      route(
        {
          path: '/sessions/{key}/timeline',
          summary: 'Counts and worst latencies by hop and bucket of time.',
          params: {
            ...window,
            buckets: {
              kind: 'integer',
              min: 1,
              max: 8_192,
              default: 1_024,
              description: 'At most so many buckets; their width is a power of two times 1 ms.',
            },
          },
          id: key,
          schema: 'Timeline',
        },
        ({ id, values }) => timeline(context, id, defined(values)),
      ),
    );
  if (frames)
    routes.push(
      route(
        {
          path: '/sessions/{key}/frames',
          summary: 'Every frame at every hop in a window.',
          params: window,
          id: key,
          schema: 'FramesWindow',
          alsoAs: { [FRAMES_TYPE]: 'A JSON head and columns, little-endian.' },
        },
        async ({ id, values, request, response }) => {
          const found = await frames(context, id, defined(values));
          if (!found || request.accepts(['application/json', FRAMES_TYPE]) !== FRAMES_TYPE)
            return found && framesAsJson(found);
          response.type(FRAMES_TYPE).end(encodeFrames(found));
          return undefined;
        },
      ),
    );
  return routes;
}

function measureRoutes(
  context: QueryContext,
  { measures, heatmap, tail }: Queries,
): readonly Route[] {
  const routes: Route[] = [];
  if (measures)
    routes.push(
      route(
        { path: '/measures', summary: 'What is measured.', params: {}, schema: 'MeasureList' },
        () => measures(context),
      ),
    );
  if (heatmap)
    routes.push(
      route(
        {
          path: '/heatmap',
          summary: 'Time across, latency up: counts, percentiles, exemplars.',
          params: {
            ...range,
            columns: {
              kind: 'integer',
              min: 1,
              max: 2_000,
              default: 240,
              description: 'Columns of time.',
            },
            scale: {
              kind: 'integer',
              min: 0,
              max: 5,
              description: 'Rows an octave, as a power of two.',
            },
            group: {
              kind: 'text',
              lengthMax: 200,
              description:
                'A session attribute, or service, instance, host, zone, region: one heatmap a value.',
            },
          },
          schema: 'Heatmap',
        },
        ({ values }) => {
          const { from, to, ...rest } = values;
          return heatmap(context, { ...defined(rest), ...rangeOf(from, to) });
        },
      ),
    );
  if (tail) routes.push(tailRoute(context, tail));
  return routes;
}

const tailRoute = (context: QueryContext, tail: NonNullable<Queries['tail']>): Route =>
  route(
    {
      path: '/tail',
      summary: 'What is in a cell or a box of the heatmap, slowest first.',
      params: {
        ...range,
        minNs: offset('Least value, ns.'),
        maxNs: offset('Largest value, ns.'),
        outcome: { kind: 'text', lengthMax: 40, description: 'Only waits with this outcome.' },
        limit,
      },
      schema: 'Tail',
    },
    ({ values }) => {
      const { from, to, ...rest } = values;
      return tail(context, { ...defined(rest), ...rangeOf(from, to) });
    },
  );

function traceRoutes({ reader }: QueryContext): readonly Route[] {
  return [
    route(
      {
        path: '/traces',
        summary: 'Traces, the latest to arrive first.',
        params: { limit, cursor },
        schema: 'TracePage',
      },
      ({ values }) => reader.traces({ limit: values.limit, ...given('cursor', values.cursor) }),
    ),
    route(
      {
        path: '/traces/{traceId}',
        summary: 'Any trace, whole.',
        params: {},
        id: { name: 'traceId', description: '32 hex digits.' },
        schema: 'Trace',
      },
      ({ id }) => {
        if (!/^[0-9a-f]{32}$/i.test(id))
          throw new ApiError(400, 'bad_trace_id', 'a trace ID has 32 hex digits');
        return trace(reader, id.toLowerCase());
      },
    ),
    route(
      {
        path: '/search',
        summary: 'Any ID or words: sessions, turns, traces.',
        params: {
          q: { kind: 'text', lengthMax: 1_000, isRequired: true, description: 'What to look for.' },
        },
        schema: 'SearchResult',
      },
      ({ values }) => search(reader, values.q),
    ),
  ];
}

/** A property that is left out when its value is undefined. */
const given = <K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V };

type Defined<T> = {
  readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

const defined = <T extends object>(values: T): Defined<T> =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as unknown as Defined<T>;

const rangeOf = (
  from: bigint | undefined,
  to: bigint | undefined,
): { readonly fromUnixNs?: bigint; readonly toUnixNs?: bigint } => ({
  ...given('fromUnixNs', from),
  ...given('toUnixNs', to),
});
