// A world with a known cause into a running collector, and whether what was told of it is true.

import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import type { CauseTruth, CauseWorld } from './cause-worlds.ts';
import { collectorTimeOf, deliverAtOnce, simulate } from './simulate.ts';

const POLL_MS = 200;
const POLLS_MAX = 300;

/** Resolves when every turn of it can be asked about. Some five seconds for 216 turns. */
export async function loadCauseWorld(api: ApiClient, { name, calls }: CauseWorld): Promise<void> {
  let turns = 0;
  for (const scenario of calls) {
    const collector = await collectorTimeOf(api, scenario.startUnixMs);
    const { bodies, problems, truth } = await simulate(scenario, { collector });
    if (problems.length > 0) throw new Error(`${scenario.id}: ${problems.slice(0, 3).join('; ')}`);
    await deliverAtOnce(api, bodies);
    turns += truth.turns.length;
  }
  for (let poll = 0; poll < POLLS_MAX; poll++) {
    if ((await turnsAsked(api)) >= turns) return;
    await sleep(POLL_MS);
  }
  throw new Error(`${name}: ${await turnsAsked(api)} of ${turns} turns can be asked about`);
}

async function turnsAsked(api: ApiClient): Promise<number> {
  const answer = await fetch(`${api.url}/api/v1/measures`);
  const { items } = (await answer.json()) as {
    items: readonly { readonly name: string; readonly n: number }[];
  };
  return Math.max(
    0,
    ...items.filter(one => one.name.startsWith('voice_to_voice.')).map(one => one.n),
  );
}

/** What a page or an answer says: as in `TailWhy.verdict`. */
export interface ToldCause {
  readonly kind: string;
  readonly name: string;
  readonly value: string | null;
  readonly with: readonly string[];
}

/** The kind, what is named first, its value, and all that has to be told beside it. */
export function isRight(truth: CauseTruth, told: ToldCause): boolean {
  if (told.kind !== truth.kind) return false;
  if (truth.kind !== 'none' && !truth.names.includes(told.name)) return false;
  if (truth.value !== undefined && truth.value !== told.value) return false;
  return truth.told.every(name => name === told.name || told.with.includes(name));
}
