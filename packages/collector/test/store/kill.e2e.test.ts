// `kill -9` of the collector at random moments under load: everything acknowledged
// is there, nothing is there twice, and what was derived counts each span once.
//
// Six kills here; FRAMESCOPE_LONG=1 makes it 200 (about ten minutes).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkIntegrity } from '../../src/store/sqlite/inspect.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { CollectorProcess } from '../support/process.ts';
import { attribute, bodyOf, spanJson } from '../support/otlp-bodies.ts';

const IS_LONG = process.env['FRAMESCOPE_LONG'] === '1';
const KILLS = IS_LONG ? 200 : 6;
const SENDERS = 4;
const SPANS_A_BODY = 64;
const CALLS = 5;
/** Every fourth kill comes while it starts. */
const STARTS_EVERY = 4;

/** Numbers in [0, 1); the seed is in the name of a failing run. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const id = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** Sends bodies of one trace each, the same one again until it is acknowledged. */
class Sender {
  readonly acknowledged: number[] = [];
  #next: number;
  url = '';
  isDone = false;

  constructor(first: number) {
    this.#next = first;
  }

  async run(): Promise<void> {
    while (!this.isDone) {
      if (await this.#send(this.#next)) {
        this.acknowledged.push(this.#next);
        this.#next++;
      } else await sleep(10);
    }
  }

  async #send(number: number): Promise<boolean> {
    const spans = Array.from({ length: SPANS_A_BODY }, (_, i) =>
      spanJson({
        traceId: id(number, 32),
        spanId: id(number * 1_000 + i + 1, 16),
        attributes: [attribute('session.id', { stringValue: `call-${number % CALLS}` })],
      }),
    );
    try {
      const response = await fetch(`${this.url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(bodyOf(...spans)),
        signal: AbortSignal.timeout(2_000),
      });
      await response.arrayBuffer();
      return response.status === 200;
    } catch {
      return false;
    }
  }
}

test(
  `${KILLS} times kill -9 under load: nothing acknowledged is missing, nothing is there twice`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'framescope-kill-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const random = randomOf(20_261_123);
    const senders = Array.from({ length: SENDERS }, (_, i) => new Sender((i + 1) * 1_000_000));
    const running = senders.map(sender => sender.run());
    for (let kill = 0; kill < KILLS; kill++) {
      const collector = start(folder);
      if (kill % STARTS_EVERY === 3) await sleep(random() * 400);
      else {
        const url = await collector.ready();
        for (const sender of senders) sender.url = url;
        await sleep(300 + random() * 1_200);
      }
      await collector.kill('SIGKILL');
    }
    const last = start(folder);
    const url = await last.ready();
    for (const sender of senders) sender.url = url;
    await sleep(2_000);
    for (const sender of senders) sender.isDone = true;
    await Promise.all(running);
    await last.kill('SIGTERM');

    expect(checkIntegrity(folder).problems).toEqual([]);
    const reader = new SqliteReader(folder);
    onTestFinished(() => reader.close());
    const acknowledged = senders.reduce((sum, sender) => sum + sender.acknowledged.length, 0);
    expect(acknowledged).toBeGreaterThan(2 * KILLS);
    let stored = 0;
    for (const sender of senders) {
      for (const number of sender.acknowledged) stored += await traceIsWhole(reader, number);
    }
    const { items } = await reader.sessions({ limit: 100 });
    const counted = items.reduce((sum, session) => sum + session.spanCount, 0);
    expect(counted).toBe(stored);
  },
  IS_LONG ? 1_800_000 : 120_000,
);

function start(folder: string): CollectorProcess {
  const collector = new CollectorProcess(['--port', '0', '--data', folder]);
  onTestFinished(async () => void (await collector.kill('SIGKILL')));
  return collector;
}

/** Each span of the trace once; answers how many. */
async function traceIsWhole(reader: SqliteReader, number: number): Promise<number> {
  const trace = await reader.trace(id(number, 32), 10_000);
  const ids = trace?.spans.map(span => span.spanId).toSorted();
  expect(ids).toEqual(
    Array.from({ length: SPANS_A_BODY }, (_, i) => id(number * 1_000 + i + 1, 16)),
  );
  return SPANS_A_BODY;
}
