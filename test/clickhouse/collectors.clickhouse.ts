// Several collectors on one ClickHouse: whichever takes a piece in, whichever dies, the call is the same.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ApiClient,
  collectorTimeOf,
  disagreements,
  scenarioOf,
  settledAnswers,
  simulate,
  turnOf,
} from '../../packages/testkit/out/index.js';
import { deal, randomOf } from './dealing.ts';
import { Fleet } from './fleet.ts';
import { ClickHouse } from './server.ts';

const KILL_EVERY_MS = 5_000;
/** A call of half a minute is dealt in about this time. */
const DEAL_MS = 25_000;
/** Before it counts as hanging: three collectors start anew each 5 s, on a machine with other work. */
const TEST_MS = 300_000;

let server: ClickHouse;
beforeAll(async () => {
  server = await ClickHouse.start();
});
afterAll(() => server.stop());

test(
  'records of a call dealt at random to three collectors, one killed each 5 s, give its ledgers',
  async () => {
    const fleet = await Fleet.start(server.storeUrl(), 3);
    const random = randomOf(7);
    const startUnixMs = Date.now() - 60_000;
    const scenario = scenarioOf({
      id: 'dealt at random',
      startUnixMs,
      turns: [turnOf(), turnOf({ preemptive: true, transcriptionMs: 380 }), turnOf()],
    });
    const collector = await collectorTimeOf(new ApiClient(fleet.urls[0]!), startUnixMs);
    const { truth, bodies, problems } = await simulate(scenario, { collector });
    const state = { isOver: false };
    const killing = (async () => {
      for (let i = 0; !state.isOver; i++) {
        await sleep(KILL_EVERY_MS);
        if (!state.isOver) await fleet.killOne(i);
      }
    })();
    const pauseMs = DEAL_MS / bodies.length;
    for (const body of bodies) {
      await deal(fleet, body, random);
      await sleep(pauseMs);
    }
    state.isOver = true;
    await killing;
    expect(fleet.killCount).toBeGreaterThanOrEqual(4);
    for (const url of fleet.urls) {
      const answers = await settledAnswers(new ApiClient(url), scenario.id);
      expect([...problems, ...disagreements(truth, answers)]).toEqual([]);
    }
  },
  TEST_MS,
);
