import { domainNs } from '@framescope/protocol';
import { expect, test } from 'vitest';
import type { DerivedRows, StoredFlush } from '../../src/store/store.ts';
import { batch, flush, MS, SECOND, turn, voiced } from './call.ts';
import { AGENT_SESSION, at, engine } from './engine-bench.ts';

/** A call of 40 s with a turn at its start, second by second, each process's flushes in order. */
function callOf(producer: 'client' | 'agent'): StoredFlush[] {
  const answered = turn({
    endsAtMs: 2_000,
    closes: voiced(0),
    endedAtMs: 4_000,
    outcome: 'completed',
    moments: { turn_decided: 2_530 },
  });
  return Array.from({ length: 40 }, (_, s) => {
    const isLast = producer === 'agent' && s === 39;
    const session = {
      ...(producer === 'agent' ? AGENT_SESSION : {}),
      ...(isLast ? { endedAt: domainNs(40 * SECOND) } : {}),
    };
    const more = { ...(s === 3 ? { speaksAtMs: 2_900 } : {}), session };
    const turns = producer === 'agent' && s === 4 ? { turns: [answered] } : {};
    return flush({ producer, seq: s, fromS: s, toS: s + 1, commit: s + 1, ...more, ...turns });
  });
}

/** What stands in the store in the end: each row as it was told last. */
function shownOf(flushes: readonly StoredFlush[]): unknown {
  const one = engine();
  const shown = new Map<string, unknown>();
  const take = (rows: DerivedRows): void => {
    if (rows.replace === 'all') shown.clear();
    for (const value of rows.values)
      shown.set(`${value.measure} ${value.tick} ${value.waitIndex}`, value.valueNs);
    for (const row of rows.rollups)
      shown.set(`${row.measure} ${row.minute}`, [row.count, Math.round(row.sumNs / MS), row.maxNs]);
  };
  flushes.forEach((each, i) => {
    one.ingest(batch([{ ...each, arrivalUnixNs: at(41 + i) }]));
    one.tick(at(41 + i)).derived.forEach(take);
  });
  one.tick(at(43 + flushes.length)).derived.forEach(take);
  return [...shown].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

test('a call is shown the same in whatever order its processes are heard', () => {
  const [client, agent] = [callOf('client'), callOf('agent')];
  const live = shownOf(client.flatMap((one, s) => [one, agent[s]!]));
  expect(live).toContainEqual(['voice_to_voice.client 0 0', 990 * MS]);
  expect(shownOf([...agent, ...client])).toEqual(live);
  expect(shownOf([...client, ...agent])).toEqual(live);
});

test('a process that was cut off and catches up while the call goes on is in the turns of that time', () => {
  const [client, agent] = [callOf('client'), callOf('agent')];
  const running = agent.slice(0, 30);
  const late = shownOf([...running, ...client.slice(0, 30)]) as [string, unknown][];
  expect(late).toContainEqual(['voice_to_voice.client 0 0', 990 * MS]);
  expect(late).toContainEqual(['frame.mic.agent/receive 30000000', [1_500, 45_000, 30 * MS]]);
});
