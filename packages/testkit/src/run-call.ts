// One call all the way: truth, real instrumentation, a real collector over HTTP,
// and what it answers when it has thought about it.

import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient } from './api-client.ts';
import { type Answers } from './compare.ts';
import { type Scenario } from './scenario.ts';
import {
  collectorTimeOf,
  deliver,
  simulate,
  type Simulated,
  type SimulateOptions,
} from './simulate.ts';

export interface Ran extends Simulated {
  readonly answers: Answers;
}

/** Derived rows follow raw ones within a quarter of a second; two seconds without change is settled. */
const POLL_MS = 150;
const SETTLED_POLLS = 4;
const POLLS_MAX = 200;

export async function runCall(
  api: ApiClient,
  scenario: Scenario,
  options: Omit<SimulateOptions, 'collector'> = {},
): Promise<Ran> {
  const collector = await collectorTimeOf(api, scenario.startUnixMs);
  const simulated = await simulate(scenario, { ...options, collector });
  await deliver(api, simulated.bodies);
  return { ...simulated, answers: await settledAnswers(api, scenario.id) };
}

/** Asks until the same answer came several times. */
export async function settledAnswers(api: ApiClient, id: string): Promise<Answers> {
  let last = '';
  let same = 0;
  for (let poll = 0; poll < POLLS_MAX; poll += 1) {
    await sleep(POLL_MS);
    const now = await Promise.all([api.session(id), api.turns(id)]).then(JSON.stringify, String);
    same = now === last && now.startsWith('[') ? same + 1 : 0;
    last = now;
    if (same >= SETTLED_POLLS) return answersOf(api, id);
  }
  throw new Error(`session ${id} did not settle: ${last.slice(0, 300)}`);
}

/** Windows small enough that no answer is cut short. */
const WINDOW_NS = 5e9;

async function answersOf(api: ApiClient, id: string): Promise<Answers> {
  const [detail, turns] = await Promise.all([api.session(id), api.turns(id)]);
  const windows = [];
  for (let fromNs = -2e9; fromNs < detail.durationNs + 2e9; fromNs += WINDOW_NS)
    windows.push(await api.frames(id, fromNs, fromNs + WINDOW_NS));
  return { detail, turns, windows };
}
