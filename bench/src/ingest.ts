// What the collector takes in, over HTTP and Express, answered after commit:
// spans against bare inserts of the same spans, marks from records, how long
// answers take at half of the top rate, bytes on disk, memory.
//
// Each round measures the bare inserts and the collector one after the other:
// a ratio of two figures of one minute of one machine. A round's collector has
// a folder of its own; the load generator is a process of its own.

import { BenchCollector, bareInsertsASecond, load, median } from './ingest/processes.ts';
import type { LoadOptions, LoadResult } from './ingest/load.ts';
import { SPANS_A_BODY } from './ingest/span-bodies.ts';
import { limited, type Row, type SuiteOptions } from './row.ts';

const SUITE = 'ingest';
/** Senders: enough that some bodies gather while others are committed. */
const CONNECTIONS = 16;
const LONG_SECONDS = 600;

export async function run({ quick, long = false }: SuiteOptions): Promise<Row[]> {
  const rounds = quick ? 1 : 5;
  const seconds = quick ? 3 : 6;
  const figures: SpanFigures[] = [];
  for (let round = 0; round < rounds; round++) figures.push(await spanRound(round, seconds));
  const spansASecond = median(figures.map(one => one.spansASecond));
  const rows = spanRows(figures);
  rows.push(await acknowledgement(spansASecond, seconds));
  rows.push(...(await marks(seconds)));
  rows.push(await memory(spansASecond, long));
  return rows;
}

interface SpanFigures {
  readonly bareASecond: number;
  readonly spansASecond: number;
  readonly jsonASecond: number;
  readonly bytesASpan: number;
}

const row = (name: string, value: number, unit: string): Row => ({
  suite: SUITE,
  name,
  value,
  unit,
  ok: true,
});

function spanRows(figures: readonly SpanFigures[]): Row[] {
  const of = (pick: (one: SpanFigures) => number): number => median(figures.map(pick));
  const ratio = (name: string, value: number, limit: number): Row =>
    limited({ suite: SUITE, name, value, unit: '×' }, 'higher', limit);
  return [
    row(
      'bare prepared inserts, one thread',
      of(one => one.bareASecond),
      'spans/s',
    ),
    row(
      'spans, protobuf',
      of(one => one.spansASecond),
      'spans/s',
    ),
    row(
      'spans, JSON',
      of(one => one.jsonASecond),
      'spans/s',
    ),
    ratio(
      'spans, protobuf, against bare inserts',
      of(one => one.spansASecond / one.bareASecond),
      1,
    ),
    ratio(
      'spans, JSON, against bare inserts',
      of(one => one.jsonASecond / one.bareASecond),
      0.5,
    ),
    limited(
      {
        suite: SUITE,
        name: 'stored bytes a span, directories included',
        value: of(one => one.bytesASpan),
        unit: 'B',
      },
      'lower',
      40,
    ),
  ];
}

async function spanRound(round: number, seconds: number): Promise<SpanFigures> {
  const bareASecond = await bareInsertsASecond();
  const protobuf = await spansInto('spans-protobuf', round, seconds);
  const json = await spansInto('spans-json', round, seconds);
  return {
    bareASecond,
    spansASecond: protobuf.spansASecond,
    jsonASecond: json.spansASecond,
    bytesASpan: protobuf.bytesASpan,
  };
}

async function spansInto(
  kind: 'spans-protobuf' | 'spans-json',
  round: number,
  seconds: number,
): Promise<{ spansASecond: number; bytesASpan: number }> {
  return withCollector([], async collector => {
    const result = await load(loadOf(collector, { kind, seconds, seed: round + 1 }));
    await verifySpans(collector, result);
    const bytes = await collector.stop();
    return {
      spansASecond: result.items / result.seconds,
      bytesASpan: bytes / result.itemsInAll,
    };
  });
}

/** Everything acknowledged is counted as stored, and can be found. */
async function verifySpans(collector: BenchCollector, result: LoadResult): Promise<void> {
  const stored = await settled(() => collector.metric('framescope_collector_spans_total'));
  if (stored < result.itemsInAll)
    throw new Error(`${result.itemsInAll} spans acknowledged, ${stored} stored`);
  const traces = (await collector.get('/api/v1/traces?limit=5')) as {
    items: { traceId: string; spanCount: number }[];
  };
  for (const { traceId } of traces.items) {
    const trace = (await collector.get(`/api/v1/traces/${traceId}`)) as { spans: unknown[] };
    if (trace.spans.length !== 8) throw new Error(`trace ${traceId}: ${trace.spans.length} spans`);
  }
}

/** Reads a count until it stands still for half a second. */
async function settled(read: () => Promise<number>): Promise<number> {
  let before = -1;
  for (;;) {
    const now = await read();
    if (now === before) return now;
    before = now;
    await new Promise(resolve => setTimeout(resolve, 500));
  }
}

async function acknowledgement(spansASecond: number, seconds: number): Promise<Row> {
  return withCollector([], async collector => {
    const bodiesASecond = spansASecond / SPANS_A_BODY / 2;
    const result = await load(
      loadOf(collector, { kind: 'spans-protobuf', seconds: seconds * 2, bodiesASecond }),
    );
    return limited(
      {
        suite: SUITE,
        name: 'acknowledgement at half of the top rate, p99',
        value: result.ackMsP99,
        unit: 'ms',
      },
      'lower',
      50,
    );
  });
}

async function marks(seconds: number): Promise<Row[]> {
  return withCollector([], async collector => {
    const startMs = performance.now();
    const startCpu = collector.cpuSeconds();
    const result = await load(loadOf(collector, { kind: 'records', seconds }));
    const loadedMs = performance.now();
    // Rolled up: the last record's minute is in the rollups when the writer has caught up.
    await rolledUp(collector, result.itemsInAll, seconds * PATIENCE_TIMES * 1e3);
    const behindSeconds = (performance.now() - loadedMs) / 1e3;
    const inAllSeconds = (performance.now() - startMs) / 1e3;
    const cpuNs = ((collector.cpuSeconds() - startCpu) / result.itemsInAll) * 1e9;
    const residentMb = collector.residentMb();
    const bytes = await collector.stop();
    return [
      row('frame marks from records, acknowledged', result.items / result.seconds, 'marks/s'),
      row('frame marks: behind when the load ends', behindSeconds, 's'),
      row('frame marks: processor time of the collector, all threads', cpuNs, 'ns a mark'),
      row('frame marks: resident memory when all are rolled up', residentMb, 'MB'),
      limited(
        {
          suite: SUITE,
          name: 'frame marks from records, durable and rolled up',
          value: result.itemsInAll / inAllSeconds,
          unit: 'marks/s',
        },
        'higher',
        12e6,
      ),
      limited(
        {
          suite: SUITE,
          name: 'stored bytes a mark, directories included',
          value: bytes / result.itemsInAll,
          unit: 'B',
        },
        'lower',
        2,
      ),
    ];
  });
}

/** How many times as long as the load the rollups may take to come, before the bench goes on. */
const PATIENCE_TIMES = 5;

/** Waits until the rollups of all frames count what was sent. */
async function rolledUp(
  collector: BenchCollector,
  markCount: number,
  patienceMs: number,
): Promise<void> {
  const endMs = performance.now() + patienceMs;
  let count = 0;
  while (performance.now() < endMs) {
    const { items } = (await collector.get('/api/v1/measures')) as {
      items: { kind: string; n: number }[];
    };
    count = items.reduce((sum, one) => sum + (one.kind === 'frame' ? one.n : 0), 0);
    if (count >= markCount) return;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  console.error(`      ${count} of ${markCount} marks are rolled up after ${patienceMs / 1e3} s`);
}

async function memory(spansASecond: number, long: boolean): Promise<Row> {
  const name = '10 minutes at half of the top rate: resident memory, highest';
  if (!long) return { ...row(name, 0, 'MB'), skipped: 'takes 10 minutes; run with --long' };
  return withCollector([], async collector => {
    let highestMb = 0;
    const samples: number[] = [];
    const timer = setInterval(() => {
      const mb = collector.residentMb();
      highestMb = Math.max(highestMb, mb);
      samples.push(Math.round(mb));
    }, 1_000);
    await load(
      loadOf(collector, {
        kind: 'spans-protobuf',
        seconds: LONG_SECONDS,
        bodiesASecond: spansASecond / SPANS_A_BODY / 2,
      }),
    );
    clearInterval(timer);
    const everyMinute = samples.filter((_, i) => i % 60 === 30);
    console.error(`      resident memory by minute, MB: ${everyMinute.join(' ')}`);
    return limited({ suite: SUITE, name, value: highestMb, unit: 'MB' }, 'lower', 350);
  });
}

const loadOf = (
  collector: BenchCollector,
  change: Partial<LoadOptions> & Pick<LoadOptions, 'kind' | 'seconds'>,
): LoadOptions => ({
  url: collector.url,
  warmUpSeconds: 1.5,
  connections: CONNECTIONS,
  bodiesASecond: 0,
  seed: 1,
  ...change,
});

async function withCollector<T>(
  args: readonly string[],
  work: (collector: BenchCollector) => Promise<T>,
): Promise<T> {
  const collector = new BenchCollector(args);
  try {
    return await work(await collector.ready());
  } finally {
    collector.remove();
  }
}
