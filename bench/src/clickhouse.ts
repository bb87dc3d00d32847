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

const COLLECTOR = new URL('../../packages/collector/out/', import.meta.url);

/** What is used of the collector's built files. */
interface Collector {
  readonly Client: new (settings: unknown) => StoreClient;
  readonly parseClickHouseUrl: (
    url: string,
  ) => { readonly ok: true; readonly value: unknown } | { readonly ok: false; problem: string };
  readonly waitSums: (client: StoreClient, asked: object) => Promise<Sums>;
  readonly attributeSums: (sums: Sums) => {
    readonly total: { readonly deltaNs: number };
    readonly parts: readonly { readonly deltaNs: number }[];
  };
  readonly PART_COLUMNS: readonly string[];
}

interface StoreClient {
  close(): Promise<void>;
}

interface Sums {
  readonly inside: { readonly turns: number };
  readonly outside: { readonly turns: number };
}

async function collectorFiles(): Promise<Collector> {
  const files = ['client', 'settings', 'wait-sums', 'wait-row'].map(
    name => `store/clickhouse/${name}.js`,
  );
  const modules = await Promise.all(
    [...files, 'query/attribution.js'].map(
      file => import(new URL(file, COLLECTOR).href) as Promise<Partial<Collector>>,
    ),
  );
  return Object.assign({}, ...modules) as Collector;
}

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
      ...(await attribution(engine, quick)),
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

/** Waits of one measure over a day, 20 a call. Their lines are made by the engine, a few parts in each. */
const WAITS = 10_000_000;
const WAITS_AT_ONCE = 1_000_000;
const HOUR = 480_000;
/** Parts that the waits have; the others are 0 in all of them, as those of a set-up are in a response. */
const PARTS_HAD = 12;

/** The question itself is the store's own, over the official client, from asking to sums in hand. */
async function attribution(engine: Engine, quick: boolean): Promise<Row[]> {
  const table = `${engine.database}.framescope_wait`;
  const collector = await collectorFiles();
  const had = collector.PART_COLUMNS.slice(5, 5 + PARTS_HAD);
  for (let first = 0; first < WAITS; first += WAITS_AT_ONCE)
    await engine.ask(
      `INSERT INTO ${table} (measure, hour, session_key, session_row, tick, wait_index, at, value,
         known, ${had.map(name => `p_${name}`).join(', ')}, version)
       SELECT 'voice_to_voice.bench', ${HOUR} + n % 24, hex(call), bitShiftRight(sipHash64(hex(call)), 12),
         turn * 320, 0, (${HOUR} + toInt64(n % 24)) * 3600000000000 + n, arraySum(parts), 1,
         ${had.map((_, i) => `parts[${i + 1}]`).join(', ')}, 1
       FROM (SELECT number + ${first} AS n, intDiv(n, 480) * 24 + n % 24 AS call, intDiv(n, 24) % 20 AS turn,
         arrayMap(i -> toInt64(sipHash64(n, i) % 100000000), range(${had.length})) AS parts
         FROM numbers(${WAITS_AT_ONCE}))`,
    );
  const sizes = await engine.ask(
    `SELECT count() FROM ${table} WHERE measure = 'voice_to_voice.bench'`,
  );
  if (Number(sizes) !== WAITS) throw new Error(`${sizes} waits instead of ${WAITS}`);
  const settings = collector.parseClickHouseUrl(engine.storeFlags[1]!);
  if (!settings.ok) throw new Error(settings.problem);
  const client = new collector.Client(settings.value);
  try {
    const asLoaded = await attributed(collector, client, quick ? 1 : 3);
    await engine.ask(`OPTIMIZE TABLE ${table} FINAL`);
    const merged = await attributed(collector, client, quick ? 3 : 5);
    return [
      limited(
        {
          suite: SUITE,
          name: 'attribution over 10 M turns, inside the engine, parts merged',
          value: merged,
          unit: 's',
        },
        'lower',
        1.5,
      ),
      reported('the same before its parts are merged', asLoaded, 's'),
    ];
  } finally {
    await client.close();
  }
}

async function attributed(
  { waitSums, attributeSums }: Collector,
  client: StoreClient,
  rounds: number,
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now();
    const sums = await waitSums(client, {
      measure: 'voice_to_voice.bench',
      range: {
        fromUnixNs: BigInt(HOUR) * 3_600_000_000_000n,
        toUnixNs: BigInt(HOUR + 24) * 3_600_000_000_000n,
      },
      sessionCount: WAITS / 20,
      rankOfFirst: (count: number) => Math.ceil(0.95 * count),
    });
    const { parts, total } = attributeSums(sums);
    times.push((performance.now() - startMs) / 1e3);
    const sum = parts.reduce((ns, part) => ns + part.deltaNs, 0);
    if (sums.inside.turns + sums.outside.turns !== WAITS || Math.abs(sum - total.deltaNs) > 1)
      throw new Error(`the parts add up to ${sum} ns, the whole to ${total.deltaNs} ns`);
  }
  return median(times);
}
