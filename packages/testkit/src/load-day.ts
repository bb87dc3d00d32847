// Loads the simulated day into a running collector:
//
//   node packages/testkit/out/load-day.js --url http://127.0.0.1:4318 [--turns 5000] [--seed 1] [--end now]
//
// The same seed and end give the same bodies, and a collector keeps each once:
// loading a day twice adds nothing. `--end` is an ISO time or `now`, which is
// rounded down to the hour so that a second load within it is the same day.

import { NS_PER_MS } from '@framescope/protocol';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ApiClient } from './api-client.ts';
import { dayInStore, type FoundDay } from './day-in-store.ts';
import { dayOf } from './day.ts';
import { DayLoad } from './day-load.ts';
import { collectorTimeOf, deliverAtOnce, simulate } from './simulate.ts';

export interface LoadOptions {
  readonly url: string;
  readonly turns: number;
  readonly seed: number;
  readonly endUnixMs: number;
  /** Told now and then how far it is. */
  readonly onProgress?: (done: Loaded) => void;
}

export interface Loaded {
  readonly calls: number;
  readonly turns: number;
  readonly marks: number;
  readonly bytes: number;
}

const HOUR_MS = 3_600_000;
const JSON_HEADERS = { 'content-type': 'application/json' };

export async function loadDay(options: LoadOptions): Promise<Loaded> {
  const api = new ApiClient(options.url);
  const { seed, turns, endUnixMs } = options;
  let loaded: Loaded = { calls: 0, turns: 0, marks: 0, bytes: 0 };
  // Asked once: asked for each call, the samples of a second load would differ by what passed between.
  const now = await collectorTimeOf(api, endUnixMs);
  let posting: Promise<void> = Promise.resolve();
  const load = new DayLoad();
  for (const scenario of dayOf({ seed, turns, endUnixMs })) {
    const collector = {
      ...now,
      atZeroNs: now.atZeroNs + (scenario.startUnixMs - endUnixMs) * NS_PER_MS,
    };
    const { truth, bodies, problems } = await simulate(scenario, { collector });
    load.add(scenario, truth.endNs);
    if (problems.length > 0) throw new Error(`${scenario.id}: ${problems.slice(0, 3).join('; ')}`);
    await posting;
    posting = deliverAtOnce(api, bodies);
    posting.catch(() => undefined);
    loaded = {
      calls: loaded.calls + 1,
      turns: loaded.turns + truth.turns.length,
      marks: loaded.marks + truth.hops.reduce((sum, hop) => sum + hop.atNs.length, 0),
      bytes: loaded.bytes + bodies.reduce((sum, one) => sum + one.body.length, 0),
    };
    options.onProgress?.(loaded);
  }
  await posting;
  for (const body of load.bodies())
    await api.post({ path: '/v1/traces', headers: JSON_HEADERS, body: Buffer.from(body) });
  return loaded;
}

function optionsOf(argv: readonly string[]): LoadOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      url: { type: 'string', default: 'http://127.0.0.1:4318' },
      turns: { type: 'string', default: '5000' },
      seed: { type: 'string', default: '1' },
      end: { type: 'string', default: 'now' },
    },
  });
  const endUnixMs =
    values.end === 'now' ? Math.floor(Date.now() / HOUR_MS) * HOUR_MS : Date.parse(values.end);
  if (Number.isNaN(endUnixMs))
    throw new Error(`--end ${values.end}: expected "now" or a time such as 2026-05-01T12:00:00Z`);
  return {
    url: values.url,
    turns: whole('--turns', values.turns),
    seed: whole('--seed', values.seed),
    endUnixMs,
  };
}

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`${flag} ${text}: expected a whole number of 1 or more`);
  return value;
}

/** What is to be done about a day that is there, told in one line. Undefined: load the one asked for. */
async function foundDay(options: LoadOptions): Promise<FoundDay | undefined> {
  const found = await dayInStore(new ApiClient(options.url), options);
  if (found === undefined) return undefined;
  const until = new Date(found.endUnixMs).toISOString().slice(0, 16).replace('T', ' ');
  const what = `simulated day: one until ${until} UTC is there already`;
  console.log(
    found.missing === 0
      ? `${what} (${found.calls} calls); not loaded again. Another --data folder begins afresh.`
      : `${what}, but for ${found.missing} calls: those are loaded.`,
  );
  return found;
}

async function main(): Promise<void> {
  const asked = optionsOf(process.argv.slice(2));
  const found = await foundDay(asked);
  if (found?.missing === 0) return;
  const options = { ...asked, endUnixMs: found?.endUnixMs ?? asked.endUnixMs };
  const startedMs = Date.now();
  let toldMs = startedMs;
  const loaded = await loadDay({
    ...options,
    onProgress: done => {
      if (Date.now() - toldMs < 1_000) return;
      toldMs = Date.now();
      console.log(`simulated day: ${done.turns} of ${options.turns} turns in ${done.calls} calls`);
    },
  });
  const seconds = ((Date.now() - startedMs) / 1_000).toFixed(1);
  const megabytes = (loaded.bytes / 1e6).toFixed(1);
  console.log(
    `simulated day loaded: ${loaded.turns} turns in ${loaded.calls} calls, ${loaded.marks} marks, ${megabytes} MB, ${seconds} s`,
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await main();
  } catch (error) {
    console.error(`load-day: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
