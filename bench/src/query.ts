// How fast stored data is answered, over HTTP, from a store of 64,400 calls: alone, and while spans
// come in at half of the rate that this machine takes.
//
// The store is made by query/fill.ts once a version and kept beside other caches; each run works on
// a copy. A time is the median of 5 requests, p99 is over at least 200.

import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BenchCollector, load, median } from './ingest/processes.ts';
import type { LoadOptions } from './ingest/load.ts';
import { SPANS_A_BODY } from './ingest/span-bodies.ts';
import { startOnLargeStore } from './query/large.ts';
import { limited, type Row, type SuiteOptions } from './row.ts';
import { hourBodies } from './viewer/hour.ts';
import { traceBodies } from './viewer/long-trace.ts';

const SUITE = 'query';
const FIXTURE_VERSION = 3;
const CALLS = 14_400;
const TURNS = 1_000_000;
const QUICK_TURNS = 100_000;
const DAY_MS = 86_400_000;
const TRACE_ID = 'be'.repeat(16);

const execute = promisify(execFile);

export async function run({ quick, long = false }: SuiteOptions): Promise<Row[]> {
  const turns = quick ? QUICK_TURNS : TURNS;
  const data = mkdtempSync(join(tmpdir(), 'framescope-query-'));
  const toMs = await fixture(data, turns);
  const startMs = performance.now();
  const collector = await new BenchCollector([], data).ready();
  const startedMs = performance.now() - startMs;
  try {
    await addCallAndTrace(collector);
    const charts = await chartRows(collector, { toMs, turns, quick });
    const busy = await busyRows(collector, quick);
    const start = startRow(startedMs, await collector.stop());
    return [...busy, ...charts, start, ...(await largeStart(long))];
  } finally {
    collector.remove();
    rmSync(data, { recursive: true, force: true });
  }
}

/** A copy of the store, made when it is missing or of another day; answers the end of its data. */
async function fixture(data: string, turns: number): Promise<number> {
  const cache = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'framescope-bench',
  );
  const name = `query-${FIXTURE_VERSION}-${turns}-${new Date().toISOString().slice(0, 10)}`;
  const kept = join(cache, name);
  if (!existsSync(kept)) {
    mkdirSync(cache, { recursive: true });
    const making = mkdtempSync(join(cache, 'making-'));
    const options = JSON.stringify({ folder: making, calls: CALLS, turns });
    await execute(process.execPath, [
      fileURLToPath(new URL('query/fill.js', import.meta.url)),
      options,
    ]);
    renameSync(making, kept);
  }
  cpSync(kept, data, { recursive: true });
  // One made earlier today ends when it was made, not now.
  return Math.floor(statSync(join(kept, 'meta.db')).mtimeMs);
}

async function addCallAndTrace(collector: BenchCollector): Promise<void> {
  const startUnixMs = Date.now() - 3_700_000;
  for (const body of hourBodies({ id: 'hour', seconds: 3_600, startUnixMs }))
    await post(collector, body);
  for (const body of traceBodies({ traceId: TRACE_ID, spans: 10_000, startUnixMs }))
    await post(collector, body);
  await until(async () => (await keyOfHour(collector)) !== undefined);
}

async function post(collector: BenchCollector, body: string): Promise<void> {
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body,
  });
  if (!response.ok) throw new Error(`post: ${response.status} ${await response.text()}`);
}

async function keyOfHour(collector: BenchCollector): Promise<string | undefined> {
  const { items } = (await collector.get('/api/v1/search?q=hour')) as {
    items: { kind: string; title: string; sessionKey: string }[];
  };
  return items.find(one => one.kind === 'session' && one.title === 'hour')?.sessionKey;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(resolve => setTimeout(resolve, 200));
}

/** Milliseconds from the request to the last byte of the answer. */
async function timed(collector: BenchCollector, path: string): Promise<number> {
  const startMs = performance.now();
  const response = await fetch(collector.url + path);
  const body = await response.arrayBuffer();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${Buffer.from(body).toString()}`);
  return performance.now() - startMs;
}

const ms = (name: string, value: number, limit: number): Row =>
  limited({ suite: SUITE, name, value, unit: 'ms' }, 'lower', limit);

async function medianOf(collector: BenchCollector, path: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) times.push(await timed(collector, path));
  return median(times);
}

interface Charts {
  readonly toMs: number;
  readonly turns: number;
  readonly quick: boolean;
}

async function chartRows(collector: BenchCollector, charts: Charts): Promise<Row[]> {
  const day = `from=${charts.toMs - DAY_MS}000000&to=${charts.toMs}000000`;
  const frames = `/api/v1/heatmap?measure=${encodeURIComponent('frame.mic.agent/receive')}&${day}`;
  const map = (await collector.get(frames)) as { total: { n: number } };
  if (map.total.n < 0.97 * CALLS * 10 * 3_000)
    throw new Error(`the day holds ${map.total.n} frames`);
  const rows = [
    ms('heatmap, 24 h of 100 calls at once, unfiltered', await medianOf(collector, frames), 100),
    ms(
      'heatmap, the same, filtered: 144,000 session-minutes',
      await medianOf(collector, `${frames}&filter=client:*`),
      800,
    ),
  ];
  return [...rows, ...(await waitRows(collector, charts))];
}

async function waitRows(collector: BenchCollector, charts: Charts): Promise<Row[]> {
  const { turns, toMs, quick } = charts;
  const range = `measure=voice_to_voice.client&from=${toMs - 12 * DAY_MS}000000&to=${toMs}000000`;
  const why = (await collector.get(`/api/v1/tail/why?${range}`)) as {
    inside: { turns: number };
    outside: { turns: number };
  };
  if (why.inside.turns + why.outside.turns < turns) throw new Error('turns are missing');
  const percentiles = await medianOf(collector, `/api/v1/heatmap?${range}`);
  const reasons = await medianOf(collector, `/api/v1/tail/why?${range}`);
  const filtered = await medianOf(collector, `/api/v1/heatmap?${range}&filter=region:eu-*`);
  const of = `${turns.toLocaleString('en')} turns`;
  const plain = (name: string, value: number): Row =>
    quick
      ? { suite: SUITE, name: `${name}, ${of}`, value, unit: 'ms', ok: true }
      : ms(`${name}, ${of}`, value, 1_000);
  const rows = [
    plain('waits: percentiles and heatmap', percentiles),
    plain('waits: attribution and attributes', reasons),
    plain('waits: percentiles, filtered by region', filtered),
  ];
  if (quick)
    rows.push({
      ...ms('waits: percentiles, attribution, attributes, 1,000,000 turns', 0, 1_000),
      skipped: 'the store takes longer than --quick allows to make',
    });
  return rows;
}

/** While spans come in at half of the rate that was just measured. */
async function busyRows(collector: BenchCollector, quick: boolean): Promise<Row[]> {
  const shape: LoadOptions = {
    url: collector.url,
    kind: 'spans-protobuf',
    seconds: 2,
    warmUpSeconds: 1,
    connections: 8,
    bodiesASecond: 0,
    seed: 77,
  };
  const top = await load(shape);
  const bodiesASecond = top.items / top.seconds / SPANS_A_BODY / 2;
  const seconds = quick ? 12 : 40;
  const loading = load({ ...shape, seconds, bodiesASecond });
  const key = await keyOfHour(collector);
  const paths = {
    list: () => '/api/v1/sessions?limit=100',
    timeline: (i: number) => {
      const fromNs = ((i * 7_919) % 3_000) * 1e9;
      return `/api/v1/sessions/${key}/timeline?fromNs=${fromNs}&toNs=${fromNs + 600e9}`;
    },
    trace: () => `/api/v1/traces/${TRACE_ID}`,
  };
  const untilMs = performance.now() + (seconds - 2) * 1e3;
  const times = { list: [] as number[], timeline: [] as number[], trace: [] as number[] };
  for (let i = 0; performance.now() < untilMs; i++)
    for (const [name, path] of Object.entries(paths) as [
      keyof typeof paths,
      (i: number) => string,
    ][])
      times[name].push(await timed(collector, path(i)));
  const result = await loading;
  if (result.refused > 0) throw new Error(`${result.refused} bodies were refused`);
  const p99 = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[Math.ceil(0.99 * values.length) - 1]!;
  return [
    ms('session list of 64,400, p99 while ingesting', p99(times.list.slice(1)), 50),
    ms('timeline window of a one-hour call, p99 while ingesting', p99(times.timeline.slice(1)), 50),
    ms('trace of 10,000 spans, p99 while ingesting', p99(times.trace.slice(1)), 150),
    {
      suite: SUITE,
      name: 'requests behind these; spans/s meanwhile (thousands)',
      value: result.items / result.seconds / 1e3,
      unit: `k/s, ${times.list.length} of each`,
      ok: true,
    },
  ];
}

async function largeStart(long: boolean): Promise<Row[]> {
  const name = 'start to ready, 10 GB store (process start included)';
  if (!long)
    return [
      { ...ms(name, 0, 1_000), skipped: 'writes 10 GB, takes some minutes; run with --long' },
    ];
  const { readyMs, listMs } = await startOnLargeStore();
  const list = { name: 'start to the first list of sessions, 10 GB store', value: listMs };
  return [ms(name, readyMs, 1_000), { suite: SUITE, ...list, unit: 'ms', ok: true }];
}

function startRow(startedMs: number, bytes: number): Row {
  return ms(
    `start to ready, ${(bytes / 1e9).toPrecision(2)} GB store (process start included)`,
    startedMs,
    1_000,
  );
}
