import { domainNs } from '@framescope/protocol';
import { expect, test } from 'vitest';
import type { StoredFlush } from '../../src/store/store.ts';
import { flush, MS, SECOND, turn, voiced } from './call.ts';
import { AGENT_SESSION, Assembled, at } from './engine-bench.ts';

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

/** What stands in the store in the end. */
function shownOf(flushes: readonly StoredFlush[]): Assembled {
  const one = new Assembled();
  flushes.forEach((each, i) => {
    one.take({ ...each, arrivalUnixNs: at(41 + i) });
    one.tick(at(41 + i));
  });
  one.tick(at(43 + flushes.length));
  return one;
}

/** Without the order of processes, which is that of their arrival, and when that was. */
const factsOf = (one: Assembled): unknown => {
  const { turns, values, rollups } = one.shown() as Record<string, unknown>;
  return { turns, values, rollups };
};

test('a call is shown the same in whatever order its processes are heard', () => {
  const [client, agent] = [callOf('client'), callOf('agent')];
  const live = shownOf(client.flatMap((one, s) => [one, agent[s]!]));
  expect(live.value('voice_to_voice.client')).toBe(990 * MS);
  expect(factsOf(shownOf([...agent, ...client]))).toEqual(factsOf(live));
  expect(factsOf(shownOf([...client, ...agent]))).toEqual(factsOf(live));
});

test('a process that was cut off and catches up while the call goes on is in the turns of that time', () => {
  const [client, agent] = [callOf('client'), callOf('agent')];
  const late = shownOf([...agent.slice(0, 30), ...client.slice(0, 30)]);
  expect(late.value('voice_to_voice.client')).toBe(990 * MS);
  const received = late.rollups().find(row => row.measure === 'frame.mic.agent/receive')!;
  expect([received.count, received.sumNs, received.maxNs]).toEqual([1_500, 45_000 * MS, 30 * MS]);
  // Half a minute of it had been counted without the client.
  expect(late.rereads).toBe(1);
});
