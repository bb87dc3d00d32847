// "What if these agents stood there": the answer, computed from ways that were seen, beside the truth of
// the same calls simulated there.

import type { Page, Places, SessionSummary } from '@framescope/protocol';
import {
  answerOf,
  callTruth,
  collectorTimeOf,
  deliver,
  HOME_LEGS,
  type Scenario,
  scenarioOf,
  simulate,
  SKEWED_HOSTS,
  turnOf,
} from '@framescope/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testCollector, type TestCollector } from './collector.ts';

const CALLS = 5;
const TURNS = 3;
const FAR_MS = 40;
const NEAR_MS = 0.8;

let collector: TestCollector;

beforeAll(async () => {
  collector = await testCollector();
});

afterAll(() => collector.close());

type Region = 'eu' | 'us';

/** Callers and relays in eu, models in us, agents here or there; each service's way is part of its time. */
function call(id: string, seed: number, agents: Region): Scenario {
  const line = agents === 'eu' ? 4 : FAR_MS;
  const models = agents === 'eu' ? FAR_MS : NEAR_MS;
  const leg = (baseMs: number): Scenario['legs']['edge>agent'] => ({
    baseMs,
    jitterMs: 0.4,
    loss: 0,
  });
  const hosts = { ...SKEWED_HOSTS };
  const placed = (host: keyof typeof hosts, region: Region): Scenario['hosts']['edge'] => ({
    ...hosts[host],
    resource: { 'cloud.region': region },
  });
  const trip = 2 * models;
  const answer = answerOf({ inferenceMs: 360 + trip, synthesisMs: 150 + trip });
  return scenarioOf({
    id,
    seed,
    startUnixMs: Date.now() - 60_000,
    attributes: { region: 'eu' },
    hosts: {
      client: placed('client', 'eu'),
      edge: placed('edge', 'eu'),
      agent: placed('agent', agents),
      models: placed('models', 'us'),
    },
    legs: {
      ...HOME_LEGS,
      'edge>agent': leg(line),
      'agent>edge': leg(line),
      'agent>models': leg(models),
      'models>agent': leg(models),
    },
    turns: Array.from({ length: TURNS }, () => turnOf({ transcriptionMs: 280 + trip, answer })),
  });
}

/** Median wait of all calls, in truth. */
function trueMedianNs(agents: Region): number {
  const waits = Array.from({ length: CALLS }, (_, seed) =>
    callTruth(call(`t${seed}`, seed + 1, agents)),
  )
    .flatMap(truth => truth.turns.map(turn => turn.waits[0]!))
    .map(wait => wait.closeNs - wait.openNs)
    .toSorted((a, b) => a - b);
  return waits[waits.length >> 1]!;
}

const places = async (query: string): Promise<Places> =>
  (await (await fetch(`${collector.api.url}/api/v1/places?${query}`)).json()) as Places;

/**
 * By region, of calls that are over: a call is listed while its later turns are not in yet, and what it
 * is made of can still move.
 */
async function turnsServed(): Promise<number[]> {
  const answer = await fetch(`${collector.api.url}/api/v1/sessions?limit=50`);
  const { items } = (await answer.json()) as Page<SessionSummary>;
  if (items.some(one => one.status !== 'ended')) return [];
  return (await places('')).served.map(one => one.turns);
}

async function send(agents: Region, seeds: number): Promise<void> {
  const { api } = collector;
  for (let seed = 0; seed < CALLS; seed++) {
    const scenario = call(`${agents}-${seed}`, seeds + seed, agents);
    const time = await collectorTimeOf(api, scenario.startUnixMs);
    await deliver(api, (await simulate(scenario, { collector: time })).bodies);
  }
}

test('a move to where nobody was answered is refused, with the way that is not known', async () => {
  await send('eu', 1);
  await expect.poll(turnsServed, { timeout: 60_000 }).toEqual([CALLS * TURNS]);
  const { whatIf } = await places('moveFrom=eu&moveTo=us');
  expect(whatIf?.refusal).toMatch(/no call went from voice-\w+ in \w+ to voice-\w+ in \w+/);
  expect(whatIf?.afterP50Ns).toBeNull();
}, 120_000);

test('a move is within its stated error of the same calls simulated there', async () => {
  await send('us', 101);
  await expect.poll(turnsServed, { timeout: 60_000 }).toEqual([CALLS * TURNS, CALLS * TURNS]);
  const { whatIf } = await places('moveFrom=eu&moveTo=us');
  expect(whatIf).toMatchObject({ refusal: null, turns: CALLS * TURNS });
  const saidNs = whatIf!.afterP50Ns! - whatIf!.beforeP50Ns!;
  const trueNs = trueMedianNs('us') - trueMedianNs('eu');
  // Two trips to the models shorter, the line longer: some 85 ms in all.
  expect(trueNs).toBeLessThan(-60e6);
  expect(
    Math.abs(saidNs - trueNs),
    `${saidNs} beside ${trueNs} ± ${whatIf!.errorNs}`,
  ).toBeLessThanOrEqual(whatIf!.errorNs);
  expect(whatIf!.errorNs).toBeLessThan(40e6);
}, 120_000);
