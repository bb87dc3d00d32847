// A trigger in one of three processes brings dumps of the same media from all
// three, though their clocks disagree by seconds: the range is in ticks.
//
//   client ── trigger ─▶ collector ─ clock probes ─▶ edge, agent
//      └────────── flight.dump ──────▲───────────────────┘

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ATTR, sessionTraceId } from '@framescope/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { spawnCollector, whenReady } from './child.ts';

const CALL = 'a call with a stall';
const ROLES = { client: 3_700, edge: 0, agent: -1_200 };
const FROM_TICK = 16_000;
const TO_TICK = 48_000;
const FRAMES_ASKED = (TO_TICK - FROM_TICK) / 320;

/** Marks a frame each 20 ms, by the wall clock, and pulls when told. */
const program = (role: string, offsetMs: number, url: string): string => `
  import { Framescope, skewedClock } from '@framescope/instrument';
  const scope = new Framescope({
    serviceName: 'voice-${role}', role: '${role}', endpoint: '${url}', tracerProvider: false,
    clock: skewedClock({ offsetMs: ${offsetMs} }),
  });
  const call = scope.startSession({ id: ${JSON.stringify(CALL)} });
  const mic = call.stream('mic');
  const hop = mic.hop('receive');
  const startMs = performance.now();
  let frames = 0;
  const timer = setInterval(() => {
    for (; frames < (performance.now() - startMs) / 20; frames++) {
      hop.mark(320);
      mic.sample('queue_depth', frames % 3);
    }
    if (frames > 200) process.send?.('marked');
  }, 10);
  process.on('message', async message => {
    if (message === 'pull') call.trigger('stall', { stream: mic, fromTick: ${FROM_TICK}, toTick: ${TO_TICK} });
    if (message !== 'stop') return;
    clearInterval(timer);
    await scope.shutdown();
    process.disconnect();
  });`;

function start(role: string, offsetMs: number, url: string): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', program(role, offsetMs, url)],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  onTestFinished(() => void child.kill());
  return child;
}

const marked = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => child.once('message', () => resolve()));

interface ApiSpan {
  readonly name: string;
  readonly service?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

async function dumps(url: string): Promise<readonly ApiSpan[]> {
  const answer = await fetch(`${url}/api/v1/traces/${sessionTraceId(CALL)}`);
  if (answer.status !== 200) return [];
  const { spans } = (await answer.json()) as { spans: readonly ApiSpan[] };
  return spans.filter(({ name }) => name === 'flight.dump');
}

/** Ticks of the range asked for that a dump remembers. */
function ticksIn(dump: ApiSpan): number[] {
  const { series } = JSON.parse(String(dump.attributes[ATTR.flightData])) as {
    series: readonly { name: string; value: readonly number[] }[];
  };
  const arrivals = series.find(({ name }) => name.startsWith('arrival'));
  return (arrivals?.value ?? []).filter(tick => tick >= FROM_TICK && tick < TO_TICK);
}

test('a trigger in one of three processes brings dumps of the same media from all three', async () => {
  const data = mkdtempSync(join(tmpdir(), 'framescope-flight-'));
  const collector = spawnCollector({ data, port: 0 });
  const { url } = await whenReady(collector);
  onTestFinished(async () => {
    await collector.end();
    rmSync(data, { recursive: true, force: true });
  });
  const children = Object.entries(ROLES).map(([role, offsetMs]) => start(role, offsetMs, url));
  await Promise.all(children.map(marked));
  children[0]!.send('pull');
  await expect.poll(async () => (await dumps(url)).length, { timeout: 20_000 }).toBe(3);
  const found = await dumps(url);
  const ids = new Set(found.map(({ attributes }) => attributes[ATTR.flightId]));
  expect(ids.size).toBe(1);
  const domains = new Set(found.map(({ attributes }) => attributes[ATTR.clockDomain]));
  expect(domains.size).toBe(3);
  for (const dump of found) {
    const ticks = ticksIn(dump);
    expect(ticks.length).toBe(FRAMES_ASKED);
    expect([ticks[0], ticks.at(-1)]).toEqual([FROM_TICK, TO_TICK - 320]);
  }
  for (const child of children) child.send('stop');
}, 60_000);
