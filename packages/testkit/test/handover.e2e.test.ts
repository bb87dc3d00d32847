// A relay that dies in the middle of a simulated call: the collector's gap is the true one to the frame,
// and the call stays one session. The relay never says goodbye.

import type { Page, SessionDetail, SessionSummary } from '@framescope/protocol';
import { collectorTimeOf, deliver, scenarioOf, simulate, turnOf } from '@framescope/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testCollector, type TestCollector } from './collector.ts';

/** Told of until three flushes ago: what came after its last one is known from the others. */
const DIES_AT_MS = 3_450;

let collector: TestCollector;

beforeAll(async () => {
  collector = await testCollector();
});

afterAll(() => collector.close());

test.each([60, 240, 500])(
  'a relay that is gone for %i ms: frames lost are counted to the frame',
  async gapMs => {
    const { api } = collector;
    const scenario = scenarioOf({
      id: `relay-${gapMs}`,
      startUnixMs: Date.now() - 60_000,
      turns: [turnOf({ startMs: 2_000 }), turnOf()],
      relay: { diesAtMs: DIES_AT_MS, gapMs },
    });
    const time = await collectorTimeOf(api, scenario.startUnixMs);
    const { truth, bodies } = await simulate(scenario, { collector: time });
    await deliver(api, bodies);
    const sent = truth.hops.find(hop => hop.key === 'mic.client/send')!;
    const arrived = truth.hops.find(hop => hop.key === 'mic.agent/receive')!;
    const lost = sent.startTick.filter((_, row) => Number.isNaN(arrived.atNs[row]!));
    expect(lost.length).toBeGreaterThan(0);
    // What the other processes tell is joined after the agent has said that the call is over.
    const told = async (): Promise<unknown> => {
      const detail = await detailOf(scenario.id);
      return {
        status: detail?.status,
        handovers: detail?.handovers?.map(({ role, wasTold, from, to, gapFrames }) => ({
          role,
          wasTold,
          between: [from, to].map(at => detail.processes[at]!.instance),
          isTrue: Math.abs(gapFrames - lost.length) <= 1 || `${gapFrames}, not ${lost.length}`,
        })),
      };
    };
    await expect.poll(told, { timeout: 30_000 }).toEqual({
      status: 'ended',
      handovers: [{ role: 'edge', wasTold: false, between: ['edge-1', 'edge-2'], isTrue: true }],
    });
  },
  60_000,
);

async function detailOf(id: string): Promise<SessionDetail | undefined> {
  const list = await get<Page<SessionSummary>>('/sessions');
  const own = list.items.filter(one => one.id === id);
  if (own.length === 0) return undefined;
  expect(own).toHaveLength(1);
  return get<SessionDetail>(`/sessions/${own[0]!.key}`);
}

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(`${collector.api.url}/api/v1${path}`);
  return (await answer.json()) as T;
}
