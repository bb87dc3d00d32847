// Posts bodies to a collector, one after the other, and waits until what came of
// them can be read.

import { setTimeout as sleep } from 'node:timers/promises';

export async function post(url: string, bodies: Iterable<string>): Promise<void> {
  for (const body of bodies) {
    const response = await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const text = await response.text();
    if (!response.ok || text.includes('rejected'))
      throw new Error(`POST /v1/traces answered ${response.status}: ${text.slice(0, 300)}`);
  }
}

const POLL_MS = 250;
const POLLS_MAX = 400;

/** Asks an address of the API until its answer is as wanted. */
export async function until<T>(url: string, isThere: (answer: T) => boolean): Promise<T> {
  for (let poll = 0; poll < POLLS_MAX; poll++) {
    const response = await fetch(url);
    if (response.ok) {
      const answer = (await response.json()) as T;
      if (isThere(answer)) return answer;
    } else await response.arrayBuffer();
    await sleep(POLL_MS);
  }
  throw new Error(`${url} is not as wanted after ${(POLLS_MAX * POLL_MS) / 1000} s`);
}
