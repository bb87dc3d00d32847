// Bodies dealt out to collectors that may die: to one at random, and to another until one has taken it.

import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, type SentBody } from '../../packages/testkit/out/index.js';
import type { Fleet } from './fleet.ts';

/** Numbers in [0, 1), the same each run. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Answers when a collector has acknowledged it. */
export async function deal(
  fleet: Fleet,
  body: Pick<SentBody, 'path' | 'headers' | 'body'>,
  random: () => number,
): Promise<void> {
  for (;;) {
    const { urls } = fleet;
    const url = urls[Math.floor(random() * urls.length)];
    const answer = await (url === undefined
      ? undefined
      : new ApiClient(url).post(body).then(
          () => true,
          () => false,
        ));
    if (answer === true) return;
    await sleep(50);
  }
}
