// A small call as the store hands it over: flushes of a client and an agent on
// this host, a second each, made with the real record encoder.

import {
  decodeTraceId,
  domainNs,
  durationNs,
  encodeRecord,
  tick,
  unixNs,
  type ClockSample,
  type FrameBlock,
  type SessionState,
  type SetupName,
  type StateMessage,
  type TurnState,
  type WaitState,
} from '@framescope/protocol';
import { ClockBook } from '../../src/assemble/clock/clock-book.ts';
import type { CommittedBatch, StoredFlush, SpanTally, StoredSpan } from '../../src/store/store.ts';

export const MS = 1_000_000;
export const SECOND = 1_000 * MS;
export const NOON = 1_800_000_000_000_000_000n;
export const HERE = { domain: 'c'.repeat(16), epoch: 0, zeroUnixNs: NOON };
export const BOOK = new ClockBook([{ ...HERE, sinceCommit: 0 }], HERE);
export const KEY = '0000000000000';
const RATE = 16_000;
const TICKS_PER_MS = 16;

const trace = decodeTraceId('1'.repeat(32), 'trace');
if (!trace.ok) throw new Error(trace.problem);
const TRACE_ID = trace.value;

/** When the client's frames leave each hop, in ms after their end; and how many ms of it there are. */
export interface FlushSpec {
  /** `successor`: another agent, which took over. */
  readonly producer: 'client' | 'agent' | 'successor';
  readonly seq: number;
  /** Seconds of audio in it: [from, to). */
  readonly fromS: number;
  readonly toS: number;
  readonly commit?: number;
  readonly arrivalS?: number;
  readonly session?: Partial<SessionState>;
  readonly turns?: readonly TurnState[];
  /** ms of the producer's clock. */
  readonly setup?: readonly (readonly [SetupName, number])[];
  readonly clock?: typeof HERE;
  readonly samples?: readonly ClockSample[];
  /** Mic frames (by number since the start, 20 ms each) that the agent never got. */
  readonly lost?: readonly number[];
  /** The agent stream's first tick is sent so many ms after the call's start, if it is. */
  readonly speaksAtMs?: number;
}

const PRODUCERS = {
  client: 'a1'.repeat(8),
  agent: 'b2'.repeat(8),
  successor: 'c3'.repeat(8),
} as const;

export function flush(spec: FlushSpec): StoredFlush {
  const { producer, seq, fromS, toS, clock = HERE } = spec;
  const record = encodeRecord({
    producer: PRODUCERS[producer],
    seq,
    domain: clock.domain,
    epoch: clock.epoch,
    zeroUnixNs: unixNs(clock.zeroUnixNs),
    quantumNs: 10_000,
    blocks: blocksOf(spec),
    clockSamples: spec.samples ?? [],
  })[0];
  const state = stateOf(spec);
  return {
    sessionId: 'call',
    sessionKey: KEY,
    traceId: TRACE_ID,
    spanId: (`${seq}`.padStart(15, '0') +
      { client: '1', agent: '2', successor: '3' }[producer]) as StoredFlush['spanId'],
    producer: PRODUCERS[producer],
    seq,
    part: 0,
    clock,
    startUnixNs: clock.zeroUnixNs + BigInt(fromS * SECOND),
    endUnixNs: clock.zeroUnixNs + BigInt(toS * SECOND),
    ...(record === undefined ? {} : { record }),
    ...(state === undefined ? {} : { state }),
    frameCount: 0,
    lostCount: 0,
    resource: { attributes: { 'service.name': producer, 'cloud.region': 'eu' } },
    commit: spec.commit ?? seq + 1,
    arrivalUnixNs: NOON + BigInt(Math.round((spec.arrivalS ?? toS) * SECOND)),
  };
}

function stateOf({ session, turns, setup }: FlushSpec): StateMessage | undefined {
  if (session === undefined && turns === undefined && setup === undefined) return undefined;
  return {
    v: 1,
    ...(session === undefined
      ? {}
      : {
          session: {
            attributes: {},
            authority: false,
            startedAt: domainNs(0),
            flushNs: durationNs(SECOND),
            streams: [],
            ...session,
          },
        }),
    ...(turns === undefined ? {} : { turns }),
    ...(setup === undefined
      ? {}
      : { setup: setup.map(([name, ms]) => ({ name, at: domainNs(ms * MS), source: 'test' })) }),
  };
}

/** Capture on time, received 30 ms later; sent by the agent, audible 90 ms later. */
function blocksOf({ producer, fromS, toS, lost = [], speaksAtMs }: FlushSpec): FrameBlock[] {
  const frames = Array.from({ length: Math.round((toS - fromS) * 50) }, (_, i) => fromS * 50 + i);
  const mic =
    producer === 'client'
      ? [column('client', 'capture', frames, end => end)]
      : [
          column(
            'agent',
            'receive',
            frames.filter(i => !lost.includes(i)),
            end => end + 30,
          ),
        ];
  const blocks: FrameBlock[] = [block('mic', 'up', mic)];
  if (speaksAtMs === undefined) return blocks;
  const spoken = Array.from({ length: 25 }, (_, i) => i);
  const voice = (delayMs: number) => (end: number) => speaksAtMs + end - 20 + delayMs;
  const agent =
    producer === 'client'
      ? [
          column('client', 'receive', spoken, voice(20)),
          column('client', 'jitter_buffer', spoken, voice(80)),
          column('client', 'playout', spoken, voice(90)),
        ]
      : [column('agent', 'send', spoken, voice(0))];
  return [...blocks, block('agent', 'down', agent)];
}

const block = (
  stream: string,
  direction: 'up' | 'down',
  columns: FrameBlock['columns'],
): FrameBlock => ({
  stream,
  sampleRate: RATE,
  direction,
  columns,
  ranges: [],
});

function column(
  role: string,
  name: string,
  frames: readonly number[],
  atMs: (endMs: number) => number,
): FrameBlock['columns'][number] {
  return {
    hop: { role, name, nth: 0 },
    length: frames.length,
    startTick: Float64Array.from(frames, i => i * 20 * TICKS_PER_MS),
    endTick: Float64Array.from(frames, i => (i + 1) * 20 * TICKS_PER_MS),
    atNs: Float64Array.from(frames, i => atMs((i + 1) * 20) * MS),
    late: [],
  };
}

export interface TurnSpec {
  readonly rev?: number;
  /** ms: when the user fell silent, on the mic's axis. */
  readonly endsAtMs: number;
  readonly closes?: WaitState['closes'];
  readonly endedAtMs?: number;
  readonly outcome?: TurnState['outcome'];
  readonly moments?: Readonly<Record<string, number>>;
  readonly more?: readonly WaitState[];
}

export const voiced = (tickAt: number, filler = false): NonNullable<WaitState['closes']> => ({
  stream: 'agent',
  tick: tick(tickAt),
  source: 'test',
  errorNs: durationNs(0),
  filler,
});

export function turn({
  rev = 1,
  endsAtMs,
  closes,
  endedAtMs,
  outcome,
  moments = {},
  more = [],
}: TurnSpec): TurnState {
  return {
    tick: tick(0),
    stream: 'mic',
    traceId: '2'.repeat(32),
    spanId: '3'.repeat(16),
    rev,
    startedAt: domainNs(100 * MS),
    ...(endedAtMs === undefined ? {} : { endedAt: domainNs(endedAtMs * MS) }),
    ...(outcome === undefined ? {} : { outcome }),
    waits: [
      {
        kind: 'response',
        opens: {
          stream: 'mic',
          tick: tick(endsAtMs * TICKS_PER_MS),
          source: 'vad',
          errorNs: durationNs(0),
        },
        ...(closes === undefined ? {} : { closes }),
        moments: Object.entries(moments).map(([name, ms]) => ({ name, at: domainNs(ms * MS) })),
      },
      ...more,
    ],
    stages: [],
    words: [],
  };
}

export const batch = (
  flushes: readonly StoredFlush[],
  spans: readonly StoredSpan[] = [],
): CommittedBatch => ({
  commit: Math.max(0, ...flushes.map(one => one.commit), ...spans.map(one => one.commit)),
  arrivalUnixNs: NOON,
  sessions: [{ key: KEY, id: 'call', incarnation: 0, isNew: false }],
  spanCount: spans.length,
  tallies: spans.map(tallyOf),
  spans,
  flushes,
});

/** A span, counted. */
const tallyOf = (span: StoredSpan): SpanTally => ({
  sessionKey: KEY,
  traceIds: [span.traceId],
  resource: span.resource.attributes,
  count: 1,
  errorCount: 0,
  startUnixNs: span.startUnixNs,
  endUnixNs: span.endUnixNs,
  commit: span.commit,
  arrivalUnixNs: span.arrivalUnixNs,
});
