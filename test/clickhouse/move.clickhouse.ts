// Moving a data folder into ClickHouse: killed several times on its way, it ends with all of it, each
// piece once, and a collector there answers as the one on the folder did.

import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Page, SessionSummary, Turn } from '@framescope/protocol';
import { CollectorProcess, runCommand } from '../../packages/collector/test/support/process.ts';
import { bodyOf, spanJson } from '../../packages/collector/test/support/otlp-bodies.ts';
import { temporaryFolder } from '../../packages/collector/test/support/spans.ts';
import { Client } from '../../packages/collector/src/store/clickhouse/client.ts';
import { loadDay } from '../../packages/testkit/out/load-day.js';
import { ClickHouse, settingsOf } from './server.ts';

const TURNS = 60;
const HOUR_MS = 3_600_000;
/** Killed as soon as the first row is in it, one run after the other. */
const KILLED_AT = ['framescope_turn', 'otel_traces', 'framescope_flush'] as const;
/** Between two requests: so that it can be caught in between. */
const SLOW_MS = 60;

let server: ClickHouse;
beforeAll(async () => {
  server = await ClickHouse.start();
});
afterAll(() => server.stop());

async function collectorOn(flags: readonly string[]): Promise<{
  readonly url: string;
  readonly stop: () => Promise<unknown>;
}> {
  const process = new CollectorProcess(['--port', '0', '--grpc-port', 'off', ...flags]);
  onTestFinished(() => process.kill('SIGKILL').then(() => undefined));
  return { url: await process.ready(), stop: () => process.kill('SIGTERM') };
}

async function send(url: string, path: string, body: unknown, method = 'POST'): Promise<void> {
  const init: RequestInit = {
    method,
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
  const answer = await fetch(url + path, init);
  expect(answer.ok, `${path}: ${answer.status}`).toBe(true);
}

const get = async <T>(url: string, path: string): Promise<T> =>
  (await (await fetch(`${url}/api/v1${path}`)).json()) as T;

/** A histogram of one minute, in seconds. */
const histogramAt = (endUnixMs: number): object => ({
  resourceMetrics: [
    {
      scopeMetrics: [
        {
          metrics: [
            {
              name: 'tts.duration',
              unit: 's',
              histogram: {
                aggregationTemporality: 1,
                dataPoints: [
                  {
                    startTimeUnixNano: `${endUnixMs - 2 * 60_000}000000`,
                    timeUnixNano: `${endUnixMs - 60_000}000000`,
                    count: '6',
                    sum: 2.5,
                    bucketCounts: ['1', '3', '2'],
                    explicitBounds: [0.25, 0.5],
                  },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
});

/** Calls of a day, plain spans, a histogram, and what people set. */
async function fill(url: string, endUnixMs: number): Promise<void> {
  await loadDay({ url, turns: TURNS, seed: 3, endUnixMs });
  for (let i = 1; i <= 40; i++) {
    const id = i.toString(16).padStart(16, '0');
    const span = spanJson({ traceId: `${(i % 7) + 1}`.repeat(32), spanId: id });
    await send(url, '/v1/traces', Buffer.from(bodyOf(span)).toString());
  }
  await send(url, '/v1/metrics', histogramAt(endUnixMs));
  const atUnixNs = `${endUnixMs - HOUR_MS}000000`;
  await send(url, '/api/v1/annotations', { kind: 'deploy', text: '2.5.0', atUnixNs });
  await send(
    url,
    '/api/v1/budgets',
    { items: [{ measure: 'part.inference', limitNs: 250e6 }] },
    'PUT',
  );
  const { items } = await get<Page<SessionSummary>>(url, '/sessions?limit=500');
  await send(url, `/api/v1/sessions/${items[0]!.key}/pin`, { note: "the agent's" });
}

/** Once everything is assembled: the same list twice, a while apart. */
async function settled(url: string): Promise<readonly SessionSummary[]> {
  let before = '';
  for (;;) {
    const { items } = await get<Page<SessionSummary>>(url, '/sessions?limit=500');
    const text = JSON.stringify(items);
    if (items.length > 0 && text === before && items.every(one => one.status === 'ended'))
      return items;
    before = text;
    await new Promise(resolve => setTimeout(resolve, 1_500));
  }
}

/** The traces of a call have no order within a commit, and how often a wait was reckoned is no part of it. */
const comparable = (answer: unknown): unknown =>
  JSON.parse(
    JSON.stringify(answer, (key, value: unknown) =>
      key === 'revision'
        ? undefined
        : key === 'traceIds' && Array.isArray(value)
          ? value.toSorted()
          : value,
    ),
  );

/** What is asked of both, and what they answer. */
async function answers(url: string, endUnixMs: number): Promise<ReadonlyMap<string, unknown>> {
  const range = `from=${endUnixMs - 26 * HOUR_MS}000000&to=${endUnixMs + HOUR_MS}000000`;
  const sessions = await settled(url);
  const paths = [
    '/sessions?limit=500',
    '/measures',
    `/heatmap?columns=60&${range}`,
    `/heatmap?columns=60&measure=frame.mic.agent%2Freceive&${range}`,
    `/tail?limit=50&${range}`,
    `/tail/why?${range}`,
    `/places?${range}`,
  ];
  for (const { key } of sessions)
    paths.push(`/sessions/${key}`, `/sessions/${key}/turns?limit=500`);
  for (const { key } of sessions.slice(0, 5)) paths.push(`/sessions/${key}/frames`);
  const turns = await get<Page<Turn>>(url, `/sessions/${sessions[0]!.key}/turns`);
  for (const { traceId } of turns.items)
    if (traceId !== null) paths.push(`/traces/${traceId}/outline`);
  const found = new Map<string, unknown>();
  for (const path of paths) found.set(path, await get(url, path));
  // Those of one commit have no order.
  const traces = await get<Page<{ traceId: string }>>(url, '/traces?limit=500');
  found.set(
    'traces',
    traces.items.toSorted((a, b) => (a.traceId < b.traceId ? -1 : 1)),
  );
  // Nor have processes that are equally busy.
  const load = await get<{ instances: readonly { place: unknown }[] }>(url, `/load?${range}`);
  const place = (one: { place: unknown }): string => JSON.stringify(one.place);
  found.set(
    'load',
    load.instances.toSorted((a, b) => (place(a) < place(b) ? -1 : 1)),
  );
  // These have numbers of their own, or times of when they were set.
  const noted = await get<Page<{ text: string; atUnixNs: string }>>(url, `/annotations?${range}`);
  found.set(
    'annotations',
    noted.items.map(one => [one.text, one.atUnixNs]),
  );
  const budgets = await get<Page<{ measure: string; limitNs: number }>>(url, '/budgets');
  found.set('budgets', budgets.items);
  found.set('pins', await get(url, '/pins'));
  return found;
}

async function hasRows(client: Client, table: string): Promise<boolean> {
  try {
    return (await client.rows(`SELECT 1 AS one FROM ${client.table(table)} LIMIT 1`)).length > 0;
  } catch {
    // Not made yet.
    return false;
  }
}

test('a folder that is moved, killed on its way three times, is there whole and once', async () => {
  const folder = temporaryFolder();
  const endUnixMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  const before = await collectorOn(['--data', folder]);
  await fill(before.url, endUnixMs);
  const expected = await answers(before.url, endUnixMs);
  const store = server.storeUrl();
  const flags = ['import', '--from', `sqlite:${folder}`, '--to', store];

  const busy = await runCommand(...flags);
  expect(busy.code).toBe(2);
  expect(busy.stderr).toMatch(/in use by another collector/);
  await before.stop();

  const client = new Client(settingsOf(store));
  onTestFinished(() => client.close());
  await server.faults({ delayMs: SLOW_MS });
  for (const table of KILLED_AT) {
    const run = new CollectorProcess(flags);
    const state = { isOver: false };
    const ended = run.finished().then(one => {
      state.isOver = true;
      return one;
    });
    while (!state.isOver && !(await hasRows(client, table)));
    await run.kill('SIGKILL');
    expect((await ended).code, 'it ended before it was killed').toBeNull();
  }
  await server.faults({});
  const last = await runCommand(...flags);
  expect(last.stderr).toMatch(/going on where it was broken off/);
  expect(last.stdout).toMatch(/^moved into \w+: \d+ sessions, \d+ spans/);
  expect(last.code).toBe(0);
  expect((await runCommand(...flags)).stdout).toMatch(/all of it is in \w+ already/);

  const [twice] = await client.rows<{ n: string }>(
    `SELECT toString(count() - uniqExact(TraceId, SpanId)) AS n FROM ${client.spans}`,
  );
  expect(twice?.n).toBe('0');
  const after = await collectorOn(['--data', temporaryFolder(), '--store', store]);
  const found = await answers(after.url, endUnixMs);
  expect([...found.keys()]).toEqual([...expected.keys()]);
  const different = [...expected.keys()].filter(
    path => !isDeepStrictEqual(comparable(found.get(path)), comparable(expected.get(path))),
  );
  for (const path of different)
    expect.soft(comparable(found.get(path)), path).toEqual(comparable(expected.get(path)));
  expect(different).toEqual([]);
}, 360_000);

test('what cannot be moved is said: no folder, no address, nobody there', async () => {
  const empty = temporaryFolder();
  const said = async (...flags: string[]): Promise<string> => {
    const { code, stderr } = await runCommand('import', ...flags);
    expect(code).toBe(2);
    return stderr;
  };
  const to = 'clickhouse://127.0.0.1:1/x';
  expect(await said('--from', `sqlite:${empty}`, '--to', to)).toMatch(/meta\.db is not there/);
  expect(await said('--from', empty, '--to', to)).toMatch(/--from must be sqlite:/);
  expect(await said('--from', `sqlite:${empty}`)).toMatch(/both stores: --from sqlite:DIR --to/);
  expect(await said('--from', `sqlite:${empty}`, '--to', 'postgres://x')).toMatch(
    /--to: .*is no URL; e\.g\. clickhouse:\/\//,
  );
  const folder = temporaryFolder();
  const collector = await collectorOn(['--data', folder]);
  await collector.stop();
  expect(await said('--from', `sqlite:${folder}`, '--to', to)).toMatch(
    /ClickHouse at http:\/\/127\.0\.0\.1:1 does not answer/,
  );
});
