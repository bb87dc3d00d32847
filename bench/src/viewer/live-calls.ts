// Calls that go on while a page looks: each sends its second of frames once a second.

import { setTimeout as sleep } from 'node:timers/promises';
import { post } from './fill.ts';
import { secondBodies } from './hour.ts';

export class LiveCalls {
  readonly #url: string;
  readonly #calls: Iterator<string>[];

  /** `id` names the first; the others are numbered after it. */
  constructor(url: string, count: number, id: string = `live-${Date.now()}`) {
    this.#url = url;
    const run = Date.now();
    this.#calls = Array.from({ length: count }, (_, i) =>
      secondBodies({ id: i === 0 ? id : `${id}-${i}`, seconds: 3_600, startUnixMs: run }),
    );
  }

  /** Lets them all talk for so many seconds, each a little after the one before. */
  async run(seconds: number): Promise<void> {
    const gapMs = 1_000 / this.#calls.length;
    for (let second = 0; second < seconds; second++) {
      const dueMs = Date.now();
      for (const [i, call] of this.#calls.entries()) {
        await sleep(Math.max(0, dueMs + i * gapMs - Date.now()));
        await post(this.#url, [call.next().value as string]);
      }
      await sleep(Math.max(0, dueMs + 1_000 - Date.now()));
    }
  }
}
