// The store on ClickHouse: bytes on disk, what the engine needs for a chart, rates. SQLite takes the
// same bodies beside it.
//
// Without CLICKHOUSE_URL the engine is the one in process (npm's chdb) behind a front that runs one
// statement at a time: rates over it are those of a test double, and have no limit.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BenchCollector, load, median } from './ingest/processes.ts';
import type { LoadOptions } from './ingest/load.ts';
import { limited, type Row, type SuiteOptions } from './row.ts';

const SUITE = 'clickhouse';
const CONNECTIONS = 8;
const FRONT = fileURLToPath(
  new URL('../../packages/testkit/out/clickhouse-front.js', import.meta.url),
);
const LOAD_DAY = fileURLToPath(new URL('../../packages/testkit/out/load-day.js', import.meta.url));
const INSTALL = new URL('../../test/clickhouse/install.mjs', import.meta.url).href;

interface Install {
  readonly CHDB: string;
  readonly install: () => void;
}

/** A server, or the engine in process, with a database of its own. */
class Engine {
  readonly url: string;
  readonly #front: ChildProcess | undefined;
  readonly #folder: string | undefined;
  readonly database = `framescope_bench_${Date.now().toString(36)}`;

  private constructor(url: string, front?: ChildProcess, folder?: string) {
    this.url = url;
    this.#front = front;
    this.#folder = folder;
  }

  static async start(): Promise<Engine> {
    const given = process.env['CLICKHOUSE_URL'];
    if (given !== undefined && given !== '')
      return new Engine(given.replace(/^clickhouse:/, 'http:').replace(/\/$/, ''));
    const { CHDB, install } = (await import(INSTALL)) as Install;
    install();
    const folder = mkdtempSync(join(tmpdir(), 'framescope-bench-clickhouse-'));
    const front = spawn(process.execPath, [FRONT, '--chdb', CHDB, '--data', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [url] = (await once(createInterface(front.stdout!), 'line')) as [string];
    return new Engine(url, front, folder);
  }

  get storeFlags(): string[] {
    return ['--store', `${this.url.replace(/^http/, 'clickhouse')}/${this.database}`];
  }

  async ask(sql: string): Promise<string> {
    const response = await fetch(this.url, { method: 'POST', body: sql });
    const text = await response.text();
    if (!response.ok) throw new Error(`${sql.slice(0, 80)}: ${text.slice(0, 300)}`);
    return text.trim();
  }

  /** Merged, as it stands when nothing comes any more. */
  async bytesOf(tables: readonly string[]): Promise<number> {
    for (const table of tables) await this.ask(`OPTIMIZE TABLE ${this.database}.${table} FINAL`);
    const names = tables.map(table => `'${table}'`).join(', ');
    const bytes = await this.ask(
      `SELECT sum(bytes_on_disk) FROM system.parts
       WHERE active AND database = '${this.database}' AND table IN (${names})`,
    );
    return Number(bytes);
  }

  async stop(): Promise<void> {
    if (this.#front !== undefined) {
      const gone = once(this.#front, 'exit');
      this.#front.kill('SIGKILL');
      await gone;
    } else await this.ask(`DROP DATABASE IF EXISTS ${this.database}`);
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function run({ quick }: SuiteOptions): Promise<Row[]> {
  const engine = await Engine.start();
  const collector = new BenchCollector(engine.storeFlags);
  const sqlite = new BenchCollector();
  try {
    await Promise.all([collector.ready(), sqlite.ready()]);
    const seconds = quick ? 4 : 15;
    return [
      ...(await spans(engine, [collector, sqlite], seconds)),
      await dayOfMarks(engine, collector, quick),
      ...(await marks([collector, sqlite], seconds)),
      await heatmap(engine, quick),
      {
        suite: SUITE,
        name: 'attribution over 10 M turns, inside the engine',
        value: Number.NaN,
        unit: 's',
        ok: true,
        skipped: 'not built: attribution reads the waits of its range into the collector',
      },
    ];
  } finally {
    collector.remove();
    sqlite.remove();
    await engine.stop();
  }
}

type Two = readonly [BenchCollector, BenchCollector];

const loadOf = (collector: BenchCollector, change: Partial<LoadOptions>): LoadOptions => ({
  url: collector.url,
  kind: 'spans-protobuf',
  seconds: 4,
  warmUpSeconds: 0,
  connections: CONNECTIONS,
  bodiesASecond: 0,
  seed: 1,
  ...change,
});

const reported = (name: string, value: number, unit: string): Row => ({
  suite: SUITE,
  name,
  value,
  unit,
  ok: true,
});

async function spans(engine: Engine, [clickhouse, sqlite]: Two, seconds: number): Promise<Row[]> {
  const here = await load(loadOf(clickhouse, { seconds }));
  const there = await load(loadOf(sqlite, { seconds }));
  const bytes = await engine.bytesOf([
    'otel_traces',
    'otel_traces_trace_id_ts',
    'framescope_traces',
    'framescope_trace_session',
  ]);
  return [
    limited(
      {
        suite: SUITE,
        name: 'stored bytes a span, directories included',
        value: bytes / here.itemsInAll,
        unit: 'B',
      },
      'lower',
      60,
    ),
    reported('spans, protobuf', here.items / here.seconds, 'spans/s'),
    reported('the same into SQLite', there.items / there.seconds, 'spans/s'),
  ];
}

/** Turns of a simulated day: some 1,200 marks each, no two alike. */
const DAY_TURNS = { quick: 120, full: 600 } as const;

/** What a mark takes, by calls as they are: the load for rates below repeats itself, which ZSTD sees. */
async function dayOfMarks(engine: Engine, { url }: BenchCollector, quick: boolean): Promise<Row> {
  const turns = quick ? DAY_TURNS.quick : DAY_TURNS.full;
  const day = spawn(process.execPath, [LOAD_DAY, '--url', url, '--turns', String(turns)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  day.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
  await once(day, 'exit');
  const marks = Number(/(\d+) marks/.exec(told)?.[1]);
  if (!(marks > 0)) throw new Error(`the simulated day was not loaded: ${told}`);
  return limited(
    {
      suite: SUITE,
      name: 'stored bytes a mark of simulated calls, state and what finds them included',
      value: (await engine.bytesOf(['framescope_flush'])) / marks,
      unit: 'B',
    },
    'lower',
    2,
  );
}

async function marks([clickhouse, sqlite]: Two, seconds: number): Promise<Row[]> {
  const here = await load(loadOf(clickhouse, { kind: 'records', seconds }));
  const there = await load(loadOf(sqlite, { kind: 'records', seconds }));
  return [
    reported('frame marks from records, acknowledged', here.items / here.seconds, 'marks/s'),
    reported('the same into SQLite', there.items / there.seconds, 'marks/s'),
  ];
}

/** 100 M marks: 3,000 a session and minute. */
const MINUTES = 33_334;

async function heatmap(engine: Engine, quick: boolean): Promise<Row> {
  const table = `${engine.database}.framescope_minute`;
  // A day of 23 calls at once; buckets as a hop has them: about forty of them, around 20 ms.
  await engine.ask(
    `INSERT INTO ${table} (measure, minute, session_key, session_row, groups, count, lost, late,
       concealed, over_budget, refused, zero, sum, min, max, buckets, worst, version)
     SELECT 'frame.mic.agent/bench', 29000000 + (number % 1440), toString(intDiv(number, 60)),
       intDiv(number, 60), map('region', 'eu'), 3000, 0, 0, 0, 0, 0, 0, 6e10, 1e6, 4e7,
       CAST((range(40), arrayMap(i -> toUInt64(75), range(40))), 'Map(Int32, UInt64)'),
       arrayMap(i -> (4e7 - i, toUInt64(intDiv(number, 60)), toFloat64(i)), range(32)), 1
     FROM numbers(${MINUTES})`,
  );
  const question = `
    SELECT minute, sum(count), sumMap(buckets), minIf(min, count > 0), maxIf(max, count > 0),
      arraySlice(arraySort(x -> (-x.1, x.2, x.3), groupArrayArray(worst)), 1, 32)
    FROM ${table} FINAL WHERE measure = 'frame.mic.agent/bench' AND minute >= 29000000
      AND minute < 29001440 GROUP BY minute ORDER BY minute FORMAT Null`;
  const times: number[] = [];
  for (let round = 0; round < (quick ? 3 : 5); round++) {
    const startMs = performance.now();
    await engine.ask(question);
    times.push((performance.now() - startMs) / 1e3);
  }
  return limited(
    {
      suite: SUITE,
      name: 'heatmap over rollups of 100 M marks, inside the engine',
      value: median(times),
      unit: 's',
    },
    'lower',
    0.3,
  );
}
