// What a caller waits for before the first word, from moments of several processes: a ledger that
// adds up, and names what nobody saw.

import { domainNs, durationNs, tick, type SetupName, type TurnState } from '@framescope/protocol';
import type { SessionDetail, Wait } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { batch, flush, MS, voiced } from '../call.ts';
import { AGENT_SESSION, at, engine, measures, only } from '../engine-bench.ts';

type Told = readonly (readonly [SetupName, number])[];

interface Call {
  readonly client?: Told;
  readonly agent?: Told;
  /** When the agent's session was open, ms. */
  readonly readyMs: number;
  /** When it owed its greeting; absent: it greets nobody. */
  readonly owedMs?: number;
  readonly moments?: Readonly<Record<string, number>>;
  /** The client's set-up comes with its third second. */
  readonly isLate?: boolean;
}

const SPEAKS_MS = 1_200;

const greeting = (owedMs: number, moments: Readonly<Record<string, number>>): TurnState => ({
  tick: tick(0),
  stream: 'agent',
  traceId: '2'.repeat(32),
  spanId: '3'.repeat(16),
  rev: 1,
  startedAt: domainNs(owedMs * MS),
  waits: [
    {
      kind: 'greeting',
      opens: { at: domainNs(owedMs * MS), source: 'answered', errorNs: durationNs(0) },
      closes: voiced(0),
      moments: Object.entries(moments).map(([name, ms]) => ({ name, at: domainNs(ms * MS) })),
    },
  ],
  stages: [],
  words: [],
});

/** Three seconds of a call whose agent is heard first at 1,290 ms. */
function assembled(call: Call): { detail: SessionDetail; turns: readonly Wait[]; told: string[] } {
  const { client = [], agent = [], readyMs, owedMs, moments = {}, isLate = false } = call;
  const session = { ...AGENT_SESSION, startedAt: domainNs(readyMs * MS) };
  const turns = owedMs === undefined ? [] : [greeting(owedMs, moments)];
  const speaks = owedMs === undefined ? {} : { speaksAtMs: SPEAKS_MS };
  const flushes = [0, 1, 2].flatMap(s => [
    flush({
      producer: 'client',
      seq: s,
      fromS: s,
      toS: s + 1,
      session: {},
      ...(s === (isLate ? 2 : 0) ? { setup: client } : {}),
      ...(s === 1 ? speaks : {}),
    }),
    flush({
      producer: 'agent',
      seq: s,
      fromS: s,
      toS: s + 1,
      session,
      ...(s === 0 ? { setup: agent, turns } : {}),
      ...(s === 1 ? speaks : {}),
    }),
  ]);
  const one = engine();
  for (const each of flushes) one.ingest(batch([{ ...each, commit: flushes.indexOf(each) + 1 }]));
  const rows = only(one.tick(at(3)).derived);
  return {
    detail: rows.session,
    turns: rows.turns.flatMap(turn => turn.waits),
    told: measures(rows).filter(text => text.startsWith('greeting')),
  };
}

const partsOf = (wait: Wait | undefined): string[] =>
  (wait?.parts ?? []).map(({ name, exposedNs }) => `${name} ${exposedNs / MS}`);

const sumOf = (wait: Wait): number => wait.parts.reduce((sum, part) => sum + part.exposedNs, 0);

const BROWSER: Told = [
  ['call_started', 0],
  ['signalled', 120],
  ['ice_connected', 210],
  ['dtls_connected', 260],
];

test('a greeting is waited for from where the call was asked for, and its parts add up exactly', () => {
  const { detail, turns, told } = assembled({
    client: BROWSER,
    agent: [
      ['agent_requested', 90],
      ['process_started', 300],
    ],
    readyMs: 900,
    owedMs: 910,
    moments: { speech_text_sent: 912, first_audio: 1_100, first_frame_sent: 1_190 },
  });
  const [wait] = turns;
  expect(partsOf(wait)).toEqual([
    'signalling 90',
    'dispatch 210',
    'cold_start 600',
    'preparation 10',
    'preparation 2',
    'synthesis 188',
    'delivery 90',
    'leading_silence 10',
    'downlink 20',
    'jitter_buffer 60',
    'playout 10',
  ]);
  expect(wait).toMatchObject({ kind: 'greeting', definition: 'setup', waitNs: 1_290 * MS });
  expect(sumOf(wait!)).toBe(wait!.waitNs);
  expect(wait!.resolved).toBe(1);
  expect(detail.setup).toEqual(wait);
  // Each definition is a figure of its own: the greeting as such is not mixed with the set-up.
  expect(told).toEqual(['greeting.setup 1290', 'greeting.client 380', 'greeting.server 290']);
});

test('an agent that was warm costs its dispatch alone, and the way for the media may cost more', () => {
  const dispatched = assembled({
    client: BROWSER,
    agent: [['process_started', -5_000]],
    readyMs: 400,
    owedMs: 400,
  });
  expect(partsOf(dispatched.turns[0]).slice(0, 2)).toEqual(['signalling 120', 'dispatch 280']);
  const media = assembled({ client: BROWSER, readyMs: 130, owedMs: 300 });
  expect(partsOf(media.turns[0]).slice(0, 4)).toEqual([
    'signalling 120',
    'ice 90',
    'dtls 50',
    'preparation 40',
  ]);
});

test('what nobody saw is merged under both names, and counts against what is resolved', () => {
  const { turns } = assembled({
    client: [
      ['call_started', 0],
      ['dtls_connected', 260],
    ],
    readyMs: 100,
    owedMs: 300,
  });
  expect(partsOf(turns[0])[0]).toBe('signalling+ice+dtls 260');
  expect(turns[0]!.resolved).toBeLessThan(0.85);
  expect(sumOf(turns[0]!)).toBe(turns[0]!.waitNs);
  const unasked = assembled({ client: [['call_started', 0]], readyMs: 500, owedMs: 500 });
  expect(partsOf(unasked.turns[0])[0]).toBe('signalling+dispatch 500');
});

test('a call that nobody greets has a set-up until it stands, by what came last', () => {
  const { detail, turns } = assembled({ client: BROWSER, readyMs: 130 });
  expect(turns).toEqual([]);
  expect(partsOf(detail.setup)).toEqual(['signalling 120', 'ice 90', 'dtls 50']);
  expect(detail.setup!.notSeen).toEqual(['first voice: nobody owed a greeting']);
  const slow = assembled({ client: BROWSER, readyMs: 700 });
  expect(partsOf(slow.detail.setup)).toEqual(['signalling 120', 'dispatch 580']);
});

test('where nobody says when the call was asked for, a greeting is what it was, and there is no set-up', () => {
  const { detail, turns, told } = assembled({
    client: BROWSER.slice(1),
    readyMs: 100,
    owedMs: 300,
  });
  expect(turns[0]).toMatchObject({ definition: 'client', startNs: 300 * MS });
  expect(detail.setup).toBeUndefined();
  expect(told).toEqual(['greeting.client 990', 'greeting.server 900']);
});

test('an agent that calls somebody waits for an answer, not for a set-up: the greeting begins where it is owed', () => {
  const { turns } = assembled({ client: [['call_started', 700]], readyMs: 10, owedMs: 300 });
  expect(turns[0]).toMatchObject({ definition: 'client', startNs: 300 * MS });
});

test('a client that tells of the set-up late has it in the ledger all the same', () => {
  const early = assembled({ client: BROWSER, readyMs: 400, owedMs: 400 });
  const late = assembled({ client: BROWSER, readyMs: 400, owedMs: 400, isLate: true });
  expect(late.turns).toEqual(early.turns);
});

test('a set-up that is told twice, or again after a reconnect, counts once: the first of each', () => {
  const again: Told = [...BROWSER, ...BROWSER.map(([name, ms]) => [name, ms + 900] as const)];
  const [once, twice] = [BROWSER, again].map(client =>
    assembled({ client, readyMs: 400, owedMs: 400 }),
  );
  expect(twice!.turns).toEqual(once!.turns);
});
