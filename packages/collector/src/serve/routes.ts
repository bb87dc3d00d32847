// The API, route by route.

import type { Asker } from '../query/answers.ts';
import { chartRoutes } from './chart-routes.ts';
import { placeRoutes } from './place-routes.ts';
import {
  cursor,
  defined,
  filter,
  fromUnix,
  given,
  key,
  limit,
  offset,
  toUnix,
} from './common-params.ts';
import { FRAMES_TYPE } from './frames-binary.ts';
import { OUTLINE_TYPE } from './outline-binary.ts';
import type { LiveHub } from './live.ts';
import { ApiError } from './problem.ts';
import { route, type Route } from './route.ts';

const window = {
  fromNs: offset("Start of the window, ns from the session's zero."),
  toNs: offset("End of the window, ns from the session's zero."),
};

export interface RoutePorts {
  readonly asker: Asker;
  readonly live: LiveHub;
}

export function apiRoutes({ asker, live }: RoutePorts): readonly Route[] {
  return [
    ...sessionRoutes(asker),
    ...windowRoutes(asker),
    ...chartRoutes(asker),
    ...placeRoutes(asker),
    exportRoute(asker),
    ...traceRoutes(asker),
    ...searchRoutes(asker),
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

function sessionRoutes(asker: Asker): readonly Route[] {
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
        params: { limit, cursor, state: status, from: fromUnix, to: toUnix, filter },
        schema: 'SessionPage',
      },
      ({ values }) =>
        asker.ask('sessions', {
          limit: values.limit,
          ...given('cursor', values.cursor),
          ...given('status', values.state as 'live' | undefined),
          ...given('fromUnixNs', values.from),
          ...given('toUnixNs', values.to),
          ...given('filter', values.filter),
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
      ({ id }) => asker.ask('session', { key: id }),
    ),
    route(
      {
        path: '/sessions/{key}/turns',
        summary: 'Turns of a session with their waits and ledgers, in order.',
        params: { limit, cursor },
        id: key,
        schema: 'TurnPage',
      },
      ({ id, values }) =>
        asker.ask('turns', { key: id, limit: values.limit, ...given('cursor', values.cursor) }),
    ),
  ];
}

const exportRoute = (asker: Asker): Route =>
  route(
    {
      path: '/export/{key}',
      summary:
        'A session as a file: OTLP JSON (import takes it back), Perfetto trace, or one HTML page.',
      params: {
        format: {
          kind: 'oneOf',
          values: ['otlp', 'perfetto', 'html'],
          description: 'Default: otlp.',
        },
      },
      id: key,
      schema: 'ExportedSession',
      alsoAs: { 'text/html': 'With format=html.' },
    },
    async ({ id, values, response }) => {
      const asked = { key: id };
      if (values.format === 'perfetto') return asker.ask('exportPerfetto', asked);
      if (values.format !== 'html') return asker.ask('exportOtlp', asked);
      const page = await asker.ask('exportHtml', asked);
      // A page of telemetry runs nothing and is shown apart from ours.
      if (page !== undefined)
        response.type('html').setHeader('Content-Disposition', `attachment; filename="${id}.html"`);
      return page;
    },
  );

function windowRoutes(asker: Asker): readonly Route[] {
  return [
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
      ({ id, values }) => asker.ask('timeline', { key: id, ...defined(values) }),
    ),
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
        const asked = { key: id, ...defined(values) };
        if (request.accepts(['application/json', FRAMES_TYPE]) !== FRAMES_TYPE)
          return asker.ask('frames', asked);
        const found = await asker.ask('framesBinary', asked);
        if (found !== undefined) response.type(FRAMES_TYPE);
        return found;
      },
    ),
  ];
}

function traceIdOf(id: string): string {
  if (!/^[0-9a-f]{32}$/i.test(id))
    throw new ApiError(400, 'bad_trace_id', 'a trace ID has 32 hex digits');
  return id.toLowerCase();
}

function searchRoutes(asker: Asker): readonly Route[] {
  return [
    route(
      {
        path: '/search',
        summary: 'Any ID or words: sessions, turns, traces.',
        params: {
          q: { kind: 'text', lengthMax: 1_000, isRequired: true, description: 'What to look for.' },
        },
        schema: 'SearchResult',
      },
      ({ values }) => asker.ask('search', { q: values.q }),
    ),
  ];
}

function traceRoutes(asker: Asker): readonly Route[] {
  return [
    route(
      {
        path: '/traces',
        summary: 'Traces, the latest to arrive first.',
        params: { limit, cursor, filter },
        schema: 'TracePage',
      },
      ({ values }) =>
        asker.ask('traces', {
          limit: values.limit,
          ...given('cursor', values.cursor),
          ...given('filter', values.filter),
        }),
    ),
    route(
      {
        path: '/traces/{traceId}',
        summary: 'Any trace, whole.',
        params: {},
        id: { name: 'traceId', description: '32 hex digits.' },
        schema: 'Trace',
      },
      ({ id }) => asker.ask('trace', { traceId: traceIdOf(id) }),
    ),
    route(
      {
        path: '/traces/{traceId}/outline',
        summary: 'A trace as columns without attributes, for a waterfall.',
        params: {},
        id: { name: 'traceId', description: '32 hex digits.' },
        schema: 'TraceOutline',
        alsoAs: { [OUTLINE_TYPE]: 'A JSON head and columns, little-endian.' },
      },
      async ({ id, request, response }) => {
        const asked = { traceId: traceIdOf(id) };
        if (request.accepts(['application/json', OUTLINE_TYPE]) !== OUTLINE_TYPE)
          return asker.ask('traceOutline', asked);
        const found = await asker.ask('traceOutlineBinary', asked);
        if (found !== undefined) response.type(OUTLINE_TYPE);
        return found;
      },
    ),
    route(
      {
        path: '/traces/{traceId}/span',
        summary: 'One span of a trace, whole.',
        params: {
          spanId: { kind: 'text', lengthMax: 16, isRequired: true, description: '16 hex digits.' },
        },
        id: { name: 'traceId', description: '32 hex digits.' },
        schema: 'Span',
      },
      ({ id, values }) =>
        asker.ask('traceSpan', {
          traceId: traceIdOf(id),
          spanId: String(values.spanId).toLowerCase(),
        }),
    ),
  ];
}
