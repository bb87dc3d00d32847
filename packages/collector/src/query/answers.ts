// Every question that is asked of stored data, by name: a route names one and gives its arguments,
// and does not know in which thread it is answered.
//
//   lists     small and many: sessions, turns, words           a thread of their own, so that
//   windows   frames of a call, traces: some tens of ms         none waits behind the other,
//   charts    whole days: up to a second                        and ingest behind none

import type { SessionDetail } from '@framescope/protocol';
import { sessionHtml } from '../files/html.ts';
import { sessionPerfetto } from '../files/perfetto.ts';
import { sessionOtlp } from '../files/session-otlp.ts';
import {
  jaegerDependencies,
  jaegerOperations,
  jaegerSearch,
  jaegerServices,
  jaegerTraces,
} from '../jaeger/jaeger-answers.ts';
import { encodeFrames, framesAsJson } from '../serve/frames-binary.ts';
import { encodeOutline } from '../serve/outline-binary.ts';
import type { PageRequest, UnixRange } from '../store/store.ts';
import { compare } from './compare.ts';
import { cutOffs } from './cut-offs.ts';
import { frames } from './frames.ts';
import { heatmap } from './heatmap.ts';
import { measures } from './measures.ts';
import { advisor } from './places/advisor.ts';
import { findings } from './places/findings.ts';
import { load } from './places/load.ts';
import { places } from './places/places.ts';
import type { QueryContext, SessionWindow } from './queries.types.ts';
import { search } from './search.ts';
import { sessions, type SessionsAsked } from './sessions.ts';
import { tail } from './tail.ts';
import { tailWhy } from './tail-why.ts';
import { timeline } from './timeline.ts';
import { traceJson } from './trace-json.ts';
import { outlineColumns, traceOutline, traceSpan } from './trace-outline.ts';
import { traces } from './traces.ts';
import { vocabulary } from './vocabulary.ts';
import { whatIf } from './what-if.ts';

type OfSession<T> = T & { readonly key: string };

/** What each question takes: plain data, since it crosses threads. */
export interface Questions {
  readonly sessions: SessionsAsked;
  readonly session: OfSession<object>;
  readonly pins: object;
  readonly turns: OfSession<PageRequest>;
  readonly search: { readonly q: string };
  readonly annotations: UnixRange;
  readonly vocabulary: Parameters<typeof vocabulary>[1];
  readonly timeline: OfSession<SessionWindow & { readonly buckets: number }>;
  readonly frames: OfSession<SessionWindow>;
  readonly framesBinary: OfSession<SessionWindow>;
  readonly trace: { readonly traceId: string };
  readonly traceOutline: { readonly traceId: string };
  readonly traceOutlineBinary: { readonly traceId: string };
  readonly traceSpan: { readonly traceId: string; readonly spanId: string };
  readonly traces: Parameters<typeof traces>[1];
  readonly exportOtlp: OfSession<object>;
  readonly exportPerfetto: OfSession<object>;
  readonly exportHtml: OfSession<object>;
  readonly jaegerServices: Parameters<typeof jaegerServices>[1];
  readonly jaegerOperations: Parameters<typeof jaegerOperations>[1];
  readonly jaegerSearch: Parameters<typeof jaegerSearch>[1];
  readonly jaegerTraces: Parameters<typeof jaegerTraces>[1];
  readonly jaegerDependencies: Parameters<typeof jaegerDependencies>[1];
  readonly measures: object;
  readonly heatmap: Parameters<typeof heatmap>[1];
  readonly tail: Parameters<typeof tail>[1];
  readonly tailWhy: Parameters<typeof tailWhy>[1];
  readonly whatIf: Parameters<typeof whatIf>[1];
  readonly cutOffs: Parameters<typeof cutOffs>[1];
  readonly compare: Parameters<typeof compare>[1];
  readonly places: Parameters<typeof places>[1];
  readonly load: Parameters<typeof load>[1];
  readonly findings: Parameters<typeof findings>[1];
  readonly advisor: Parameters<typeof advisor>[1];
}

export type AnswerName = keyof Questions;
export type ArgumentsOf<N extends AnswerName> = Questions[N];

type Answers = {
  readonly [N in AnswerName]: (context: QueryContext, args: Questions[N]) => Promise<unknown>;
};

const budgetList = (budgets: QueryContext['budgets']): SessionDetail['budgets'] =>
  Object.entries(budgets).map(([measure, limitNs]) => ({ measure, limitNs }));

/** `undefined`: there is no such thing. */
export const ANSWERS: Answers = {
  sessions,
  session: async ({ reader, budgets }, { key }) => {
    const detail = await reader.session(key);
    // By the limits of now, not of when it was last assembled.
    return detail && { ...detail, budgets: budgetList(budgets) };
  },
  pins: async ({ reader }) => ({ items: await reader.pins() }),
  turns: async ({ reader }, { key, ...page }) =>
    (await reader.session(key)) === undefined ? undefined : reader.turns(key, page),
  search: ({ reader }, { q }) => search(reader, q),
  annotations: async ({ reader }, range) => ({ items: await reader.annotations(range) }),
  vocabulary,
  timeline: (context, { key, ...window }) => timeline(context, key, window),
  frames: async (context, { key, ...window }) => {
    const found = await frames(context, key, window);
    return found && framesAsJson(found);
  },
  framesBinary: async (context, { key, ...window }) => {
    const found = await frames(context, key, window);
    return found && encodeFrames(found);
  },
  trace: ({ reader }, { traceId }) => traceJson(reader, traceId),
  traceOutline: ({ reader }, { traceId }) => traceOutline(reader, traceId),
  traceOutlineBinary: async ({ reader }, { traceId }) => {
    const found = await outlineColumns(reader, traceId);
    return found && encodeOutline(found);
  },
  traceSpan: ({ reader }, { traceId, spanId }) => traceSpan(reader, traceId, spanId),
  traces,
  exportOtlp: ({ reader }, { key }) => sessionOtlp(reader, key),
  exportPerfetto: (context, { key }) => sessionPerfetto(context, key),
  exportHtml: async ({ reader }, { key }) => {
    const html = await sessionHtml(reader, key);
    return html === undefined ? undefined : Buffer.from(html);
  },
  jaegerServices,
  jaegerOperations,
  jaegerSearch,
  jaegerTraces,
  jaegerDependencies,
  measures,
  heatmap,
  tail,
  tailWhy,
  whatIf,
  cutOffs,
  compare,
  places,
  load,
  findings,
  advisor,
};

/** JSON, or other bytes, ready to be sent. */
export class ReadyBytes {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/** Asks one of them; answers a plain value, or bytes made in the thread that answered. */
export interface Asker {
  ask<N extends AnswerName>(name: N, args: ArgumentsOf<N>): Promise<unknown>;
  /** Volumes came or went. */
  refresh(): void;
  /** Other limits apply, by measure. */
  limit(limits: Readonly<Record<string, number>>): void;
  close(): Promise<void>;
}

export const LANES: readonly (readonly AnswerName[])[] = [
  ['sessions', 'session', 'pins', 'turns', 'search', 'annotations', 'vocabulary'],
  [
    'timeline',
    'frames',
    'framesBinary',
    'trace',
    'traceOutline',
    'traceOutlineBinary',
    'traceSpan',
    'traces',
    'advisor',
    'exportOtlp',
    'exportPerfetto',
    'exportHtml',
    'jaegerServices',
    'jaegerOperations',
    'jaegerSearch',
    'jaegerTraces',
    'jaegerDependencies',
  ],
  [
    'measures',
    'heatmap',
    'tail',
    'tailWhy',
    'whatIf',
    'cutOffs',
    'compare',
    'places',
    'load',
    'findings',
  ],
];

/** Answers in the calling thread: for tests that run from source. */
export const inlineAsker = (context: QueryContext): Asker => {
  let now = context;
  return {
    ask: async (name, args) =>
      (ANSWERS[name] as (context: QueryContext, args: unknown) => Promise<unknown>)(now, args),
    refresh: () => undefined,
    limit: limits => {
      now = { ...now, budgets: limits };
    },
    close: () => Promise.resolve(),
  };
};
