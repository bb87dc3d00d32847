// Spans a second, stored and searchable, beside Jaeger v2 with Badger: the same bodies by the
// same load generator on the same machine, one after the other in each round.
//
// The time runs from the first body until the last traces sent are found through each program's
// own API, so that what is only queued does not count. Jaeger runs with the configuration that it
// ships for Badger (batch processor, writes not synced); ours with its defaults, which answer
// after the commit. Jaeger is built once from its Go module (test/interop/install.mjs).

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadResult } from './ingest/load.ts';
import { BenchCollector, load, median } from './ingest/processes.ts';
import { limited, type Row, type SuiteOptions } from './row.ts';

const SUITE = 'jaeger';
const CONNECTIONS = 16;
const INSTALL = new URL('../../test/interop/install.mjs', import.meta.url).href;
/** How long what was acknowledged may take to be found. */
const DRAIN_MS = 120_000;

interface Install {
  readonly CACHE: string;
  readonly install: (only: string) => void;
}

export async function run({ quick }: SuiteOptions): Promise<Row[]> {
  const name = 'stored and searchable spans/s, against Jaeger with Badger';
  let binary: string;
  try {
    const { CACHE, install } = (await import(INSTALL)) as Install;
    install('jaeger');
    binary = join(CACHE, 'bin', 'jaeger');
  } catch (problem) {
    const why = problem instanceof Error ? problem.message.split('\n')[0]! : String(problem);
    const skipped = `Jaeger cannot be built here: ${why}`;
    return [{ suite: SUITE, name, value: 0, unit: '×', ok: true, skipped }];
  }
  const rounds: Round[] = [];
  for (let round = 0; round < (quick ? 1 : 5); round++)
    rounds.push(await oneRound(binary, quick ? 4 : 8, round));
  const of = (pick: (one: Round) => number): number => median(rounds.map(pick));
  const row = (its: string, value: number, unit: string): Row => ({
    suite: SUITE,
    name: its,
    value,
    unit,
    ok: true,
  });
  return [
    row(
      'Jaeger with Badger, drained',
      of(one => one.jaeger),
      'spans/s',
    ),
    row(
      'Framescope, drained',
      of(one => one.framescope),
      'spans/s',
    ),
    limited(
      { suite: SUITE, name, value: of(one => one.framescope / one.jaeger), unit: '×' },
      'higher',
      3,
    ),
  ];
}

interface Round {
  readonly jaeger: number;
  readonly framescope: number;
}

async function oneRound(binary: string, seconds: number, round: number): Promise<Round> {
  const jaeger = await Jaeger.start(binary);
  let jaegerASecond: number;
  try {
    jaegerASecond = await drained(jaeger, seconds, round);
  } finally {
    await jaeger.remove();
  }
  const ours = new BenchCollector();
  try {
    await ours.ready();
    const doors = {
      ingestUrl: ours.url,
      has: (traceId: string) => isFound(`${ours.url}/api/v1/traces/${traceId}`),
    };
    return { jaeger: jaegerASecond, framescope: await drained(doors, seconds, round) };
  } finally {
    ours.remove();
  }
}

interface Doors {
  readonly ingestUrl: string;
  has(traceId: string): Promise<boolean>;
}

/** Spans a second from the first body until the last ones sent are found. */
async function drained(doors: Doors, seconds: number, round: number): Promise<number> {
  const startMs = performance.now();
  const result = await load({
    url: doors.ingestUrl,
    kind: 'spans-protobuf',
    seconds,
    warmUpSeconds: 0,
    connections: CONNECTIONS,
    bodiesASecond: 0,
    seed: round + 1,
  });
  await allFound(doors, result);
  return result.itemsInAll / ((performance.now() - startMs) / 1e3);
}

async function allFound(doors: Doors, { lastTraceIds }: LoadResult): Promise<void> {
  const endMs = performance.now() + DRAIN_MS;
  for (const traceId of lastTraceIds)
    while (!(await doors.has(traceId))) {
      if (performance.now() > endMs)
        throw new Error(`trace ${traceId} was acknowledged, and is not found after ${DRAIN_MS} ms`);
      await sleep(20);
    }
}

/** A trace of all of its eight spans. */
async function isFound(url: string): Promise<boolean> {
  const response = await fetch(url);
  if (!response.ok) {
    await response.arrayBuffer();
    return false;
  }
  const body = (await response.json()) as { spans?: unknown[]; data?: { spans: unknown[] }[] };
  return (body.spans ?? body.data?.[0]?.spans ?? []).length === 8;
}

class Jaeger implements Doors {
  readonly ingestUrl: string;
  readonly #queryUrl: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  #log = '';

  private constructor(binary: string, folder: string, ports: readonly number[]) {
    const [http = 0, query = 0, queryGrpc = 0] = ports;
    this.ingestUrl = `http://127.0.0.1:${http}`;
    this.#queryUrl = `http://127.0.0.1:${query}`;
    this.#folder = folder;
    const config = join(folder, 'jaeger.yaml');
    writeFileSync(config, configOf({ http, query, queryGrpc, folder }));
    this.#child = spawn(binary, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr!.on(
      'data',
      (chunk: Buffer) => (this.#log = (this.#log + String(chunk)).slice(-4_000)),
    );
  }

  static async start(binary: string): Promise<Jaeger> {
    const folder = mkdtempSync(join(tmpdir(), 'framescope-bench-jaeger-'));
    const jaeger = new Jaeger(binary, folder, await freePorts(3));
    for (;;) {
      if (jaeger.#child.exitCode !== null) throw new Error(`Jaeger ended: ${jaeger.#log}`);
      const answer = await fetch(`${jaeger.#queryUrl}/api/services`).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.ok === true) return jaeger;
      await sleep(100);
    }
  }

  has(traceId: string): Promise<boolean> {
    return isFound(`${this.#queryUrl}/api/traces/${traceId}`);
  }

  async remove(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ports that were free a moment ago: Jaeger cannot pick one and say so. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map(server => once(server, 'listening')));
  const ports = servers.map(server => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}

const configOf = (of: {
  readonly http: number;
  readonly query: number;
  readonly queryGrpc: number;
  readonly folder: string;
}): string => `
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: { receivers: [otlp], processors: [batch], exporters: [jaeger_storage_exporter] }
  telemetry:
    metrics: { level: none }
    logs: { level: warn }
extensions:
  jaeger_query:
    storage: { traces: main }
    http: { endpoint: '127.0.0.1:${of.query}' }
    grpc: { endpoint: '127.0.0.1:${of.queryGrpc}' }
  jaeger_storage:
    backends:
      main:
        badger: { directories: { keys: '${of.folder}/keys', values: '${of.folder}/values' }, ephemeral: false }
receivers:
  otlp:
    protocols:
      http: { endpoint: '127.0.0.1:${of.http}' }
processors:
  batch:
exporters:
  jaeger_storage_exporter: { trace_storage: main }
`;
