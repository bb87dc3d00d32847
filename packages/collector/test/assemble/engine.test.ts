import { domainNs, durationNs, tick } from '@framescope/protocol';
import { expect, test } from 'vitest';
import type { DerivedRows, StoredFlush } from '../../src/store/store.ts';
import { batch, flush, HERE, KEY, MS, NOON, SECOND, turn, voiced } from './call.ts';
import { AGENT_SESSION, at, call, engine, measures, only } from './engine-bench.ts';

test('frames become hops in path order, with latencies, counts and rollups by minute', () => {
  const one = engine();
  one.ingest(batch(call(5)));
  const { session, rollups } = only(one.tick(at(5)).derived);
  expect(
    session.streams.flatMap(stream =>
      stream.hops.map(hop => [hop.key, hop.markCount, hop.latency.p50Ns]),
    ),
  ).toEqual([
    ['mic.client/capture', 250, 0],
    ['mic.agent/receive', 250, expect.closeTo(30 * MS, -6)],
  ]);
  expect(session).toMatchObject({
    status: 'live',
    services: ['client', 'agent'],
    synthetic: 'test day',
    attributes: { region: 'eu' },
  });
  expect(
    rollups.map(row => [row.measure, row.minute - Number(NOON / 60_000_000_000n), row.count]),
  ).toEqual([
    ['frame.mic.client/capture', 0, 250],
    ['frame.mic.agent/receive', 0, 250],
  ]);
});

test('an answered turn has its ledger, and a number for each definition and part', () => {
  const one = engine();
  const answered = turn({
    endsAtMs: 2_000,
    closes: voiced(0),
    endedAtMs: 4_000,
    outcome: 'completed',
    moments: { turn_decided: 2_530 },
  });
  one.ingest(
    batch([
      ...call(4),
      flush({ producer: 'client', seq: 9, fromS: 4, toS: 5, speaksAtMs: 2_900 }),
      flush({ producer: 'agent', seq: 9, fromS: 4, toS: 5, speaksAtMs: 2_900, turns: [answered] }),
    ]),
  );
  const rows = only(one.tick(at(5)).derived);
  expect(rows.turns[0]!.waits[0]).toMatchObject({
    definition: 'client',
    outcome: 'answered',
    waitNs: 990 * MS,
  });
  expect(measures(rows).slice(0, 4)).toEqual([
    'voice_to_voice.client 990',
    'voice_to_voice.server 870',
    'time_to_answer.client 990',
    'time_to_answer.server 870',
  ]);
  expect(
    rows.values
      .filter(value => value.measure.startsWith('voice_to_voice'))
      .every(value => value.isOverBudget),
  ).toBe(true);
  const parts = rows.values.filter(value => value.measure.startsWith('part.'));
  expect(parts.reduce((sum, part) => sum + part.valueNs, 0)).toBe(990 * MS);
  expect(rows.session).toMatchObject({
    turnCount: 1,
    overBudgetCount: 1,
    worstTurn: { tick: 0, waitNs: 990 * MS },
    voiceToVoice: { definition: 'client', n: 1 },
  });
});

test('a filler ends voice to voice; the time to the answer goes on to the first sample that is none', () => {
  const resume = {
    kind: 'resume' as const,
    opens: { at: domainNs(3_200 * MS), source: 'filler end', errorNs: durationNs(0) },
    closes: { ...voiced(4_800), tick: tick(4_800) },
    moments: [],
  };
  const state = turn({
    endsAtMs: 2_000,
    closes: voiced(0, true),
    endedAtMs: 4_000,
    outcome: 'completed',
    more: [resume],
  });
  const one = engine();
  one.ingest(
    batch([
      ...call(4),
      flush({ producer: 'agent', seq: 9, fromS: 4, toS: 5, speaksAtMs: 2_900, turns: [state] }),
    ]),
  );
  const rows = only(one.tick(at(5)).derived);
  expect(rows.turns[0]!.waits.map(wait => wait.outcome)).toEqual(['filler_only', 'answered']);
  expect(measures(rows).filter(line => /server/.test(line))).toEqual([
    'voice_to_voice.server 870',
    'time_to_answer.server 1170',
    'resume.server 0',
  ]);
});

test('a tool that outlives its filler is a part of the wait behind it, and charted as one', () => {
  const moments = { tool_started: 2_950, tool_ended: 3_250, model_requested: 3_260 };
  const resume = {
    kind: 'resume' as const,
    opens: { at: domainNs(3_000 * MS), source: 'filler end', errorNs: durationNs(0) },
    // 480 ms into the stream: sent at 3,400.
    closes: { ...voiced(0), tick: tick(7_680) },
    moments: Object.entries(moments).map(([name, ms]) => ({ name, at: domainNs(ms * MS) })),
  };
  const state = turn({
    endsAtMs: 2_000,
    closes: voiced(0, true),
    endedAtMs: 4_000,
    outcome: 'completed',
    more: [resume],
  });
  const one = engine();
  one.ingest(
    batch([
      ...call(4),
      flush({ producer: 'agent', seq: 9, fromS: 4, toS: 5, speaksAtMs: 2_900, turns: [state] }),
    ]),
  );
  const rows = only(one.tick(at(5)).derived);
  const tools = rows.values.filter(value => value.measure === 'part.tool');
  expect(tools.map(value => [value.waitIndex, value.valueNs])).toEqual([[1, 250 * MS]]);
});

test('a wait is open, then at least so long when the call ends without an answer', () => {
  const one = engine();
  const waiting = turn({ endsAtMs: 2_000 });
  one.ingest(
    batch([
      ...call(6),
      flush({
        producer: 'agent',
        seq: 9,
        fromS: 6,
        toS: 7,
        turns: [waiting],
        session: AGENT_SESSION,
      }),
    ]),
  );
  const open = only(one.tick(at(7)).derived);
  expect(open.turns[0]!.waits[0]).toMatchObject({ outcome: 'open', endNs: null });
  expect(open.values).toEqual([]);
  one.ingest(
    batch([
      flush({
        producer: 'agent',
        seq: 10,
        fromS: 7,
        toS: 8,
        session: { ...AGENT_SESSION, endedAt: domainNs(8 * SECOND) },
      }),
    ]),
  );
  const ended = only(one.tick(at(8)).derived);
  expect(ended.session.status).toBe('ended');
  expect(measures(ended)).toEqual([
    'voice_to_voice.client 6000 or more',
    'voice_to_voice.server 5970 or more',
    'time_to_answer.client 6000 or more',
    'time_to_answer.server 5970 or more',
  ]);
});

test('of two revisions of a turn the higher one wins, in whatever order they come', () => {
  const one = engine();
  const done = turn({ rev: 5, endsAtMs: 2_000, outcome: 'completed' });
  one.ingest(
    batch([
      ...call(4, {}),
      flush({
        producer: 'agent',
        seq: 9,
        fromS: 4,
        toS: 5,
        turns: [done, turn({ rev: 3, endsAtMs: 2_000 })],
      }),
    ]),
  );
  expect(only(one.tick(at(5)).derived).turns[0]!.outcome).toBe('completed');
});

test('a session of plain spans goes idle after 60 s and ends after an hour, and is never broken off', () => {
  const one = engine();
  const facts = flush({ producer: 'client', seq: 1, fromS: 0, toS: 1 });
  one.ingest(
    batch(
      [],
      [
        {
          traceId: facts.traceId,
          spanId: facts.spanId,
          name: 'llm',
          kind: 1,
          startUnixNs: at(0),
          endUnixNs: at(1),
          statusCode: 0,
          statusMessage: '',
          attributes: {},
          events: [],
          links: [],
          scope: 'x',
          resource: { attributes: { 'service.name': 'bot' } },
          sessionId: 'call',
          sessionKey: KEY,
          commit: 1,
          arrivalUnixNs: at(1),
        },
      ],
    ),
  );
  const status = (s: number): string | undefined => one.tick(at(s)).derived[0]?.session.status;
  expect([2, 61, 61.1, 3_601, 3_601.1].map(status)).toEqual([
    'live',
    undefined,
    'idle',
    undefined,
    'ended',
  ]);
});

test('what was told is not told again; what changed is told by itself', () => {
  const one = engine();
  one.ingest(batch(call(4)));
  expect(only(one.tick(at(4)).derived).replace).toBe('all');
  expect(one.tick(at(6)).derived).toEqual([]);
  one.ingest(
    batch([
      flush({
        producer: 'agent',
        seq: 9,
        fromS: 4,
        toS: 5,
        arrivalS: 6,
        turns: [turn({ endsAtMs: 2_000 })],
      }),
    ]),
  );
  const next = only(one.tick(at(7)).derived);
  expect([next.replace, next.turns.length, next.rollups.map(row => row.measure)]).toEqual([
    'given',
    1,
    ['frame.mic.agent/receive'],
  ]);
});

test('read again from the store a session comes out the same', () => {
  const flushes = [
    ...call(4),
    flush({
      producer: 'agent',
      seq: 9,
      fromS: 4,
      toS: 5,
      commit: 9,
      speaksAtMs: 2_900,
      turns: [turn({ endsAtMs: 2_000, closes: voiced(0), endedAtMs: 4_500, outcome: 'completed' })],
    }),
  ];
  const live = engine();
  for (const one of flushes) live.ingest(batch([one]));
  const again = engine();
  again.restore({ key: KEY, id: 'call', lastCommit: 9, tallies: [], spans: [], flushes });
  const [a, b] = [only(live.tick(at(5)).derived), only(again.tick(at(5)).derived)];
  expect(b).toEqual(a);
  expect(b.coveredCommit).toBe(9);
});

test('when an offset turns out to be beyond its bound all is told anew, under a new revision', () => {
  const skewed = { domain: 'd'.repeat(16), epoch: 0, zeroUnixNs: NOON + BigInt(3_700 * MS) };
  const clientFlush = (
    seq: number,
    samples: Parameters<typeof flush>[0]['samples'] = [],
  ): StoredFlush =>
    flush({
      producer: 'client',
      seq,
      fromS: seq,
      toS: seq + 1,
      clock: skewed,
      samples,
      session: {},
    });
  const one = engine();
  one.ingest(
    batch([
      flush({ producer: 'agent', seq: 0, fromS: 0, toS: 1, session: AGENT_SESSION }),
      clientFlush(0),
    ]),
  );
  const before = only(one.tick(at(1)).derived);
  // The client's DomainNs is the true one; its wall clock is 3.7 s ahead.
  const sample = {
    peer: HERE.domain,
    peerEpoch: 0,
    t1: domainNs(SECOND),
    t2: domainNs(SECOND + 2 * MS),
    t3: domainNs(SECOND + 2 * MS),
    t4: domainNs(SECOND + 4 * MS),
  };
  one.ingest(batch([clientFlush(1, [sample])]));
  const after = only(one.tick(at(2)).derived);
  expect([before.replace, after.replace, after.revision > before.revision]).toEqual([
    'all',
    'all',
    true,
  ]);
  const clock = (rows: DerivedRows): unknown[] =>
    rows.session.processes
      .filter(one_ => one_.service === 'client')
      .map(({ clock: { source, offsetNs } }) => [
        source,
        offsetNs === null ? null : Math.round(offsetNs / MS),
      ]);
  expect([clock(before), clock(after)]).toEqual([[['wall clock', null]], [['probe', 3_700]]]);
});

test('an ended session is let go, and read back when it speaks again', () => {
  const one = engine();
  one.ingest(batch(call(3, { session: { ...AGENT_SESSION, endedAt: domainNs(3 * SECOND) } })));
  one.tick(at(3));
  expect(one.has(KEY)).toBe(true);
  one.tick(at(9));
  expect(one.has(KEY)).toBe(false);
});

test('lost frames are counted in the session, in the hop and in the minute', () => {
  const one = engine();
  one.ingest(batch(call(6, { lost: [10, 11, 60] })));
  const { session, rollups } = only(one.tick(at(6)).derived);
  expect(session.frames).toEqual({ expected: 300, lost: 3, late: 0, concealed: 0 });
  expect(session.streams[0]!.hops[1]!.frames).toEqual({
    expected: 300,
    lost: 3,
    late: 0,
    concealed: 0,
  });
  expect(rollups.map(row => [row.count, row.expectedCount, row.lostCount])).toEqual([
    [300, 300, 0],
    [297, 300, 3],
  ]);
});
