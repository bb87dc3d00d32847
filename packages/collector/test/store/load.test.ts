// Load on its way through decoding into a volume, and back in columns of time.

import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { decodeSignal } from '../../src/decode/by-signal.ts';
import { ColumnSink } from '../../src/decode/column-sink.ts';
import { SpanColumns } from '../../src/decode/span-columns.ts';
import type { DecodedLoad } from '../../src/decode/types.ts';
import { byInstance } from '../../src/query/places/load.ts';
import { LOADS } from '../../src/store/sqlite/load-samples.ts';
import { readMigrations } from '../../src/store/sqlite/migrate.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { encode } from '../support/otlp-bodies.ts';
import { NOON_NS, temporaryFolder } from '../support/spans.ts';

const SECOND = 1_000_000_000n;
const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });

function spanOf(name: string, atS: number, attributes: readonly object[]): object {
  const start = NOON_NS + BigInt(atS) * SECOND;
  return {
    traceId: '1'.repeat(32),
    spanId: `${atS + 1}`.padStart(16, '0'),
    name,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + SECOND),
    attributes,
  };
}

const loadSpan = (atS: number, figures: object): object =>
  spanOf('process.load', atS, [
    text('framescope.producer', 'ab'.repeat(8)),
    text('framescope.clock.domain', 'cd'.repeat(8)),
    text('framescope.load', JSON.stringify(figures)),
  ]);

function decodedOf(spans: readonly object[]): {
  readonly loads: readonly DecodedLoad[];
  readonly rows: number;
  readonly refused: readonly { readonly path: string; readonly problem: string }[];
} {
  const resource = {
    attributes: [text('service.name', 'voice-agent'), text('service.instance.id', 'agent-1')],
  };
  const sink = new ColumnSink(new SpanColumns());
  const body = encode({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
  const result = decodeSignal(body, 'json', 'traces', sink);
  if (!result.ok) throw new Error(result.problem);
  const { loads = [], refused } = result.value;
  return { loads, rows: sink.columns.length, refused };
}

function store(): {
  writer: SqliteWriter;
  reader: SqliteReader;
  keep: (loads: readonly DecodedLoad[]) => void;
} {
  const folder = temporaryFolder();
  const writer = new SqliteWriter({ folder, maxBytes: 1e9 });
  const reader = new SqliteReader(folder);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  const keep = (loads: readonly DecodedLoad[]): void => {
    writer.commit({ arrivalUnixNs: NOON_NS, spans: new SpanColumns(), flushes: [], loads });
    reader.refresh();
  };
  return { writer, reader, keep };
}

const MINUTE = { fromUnixNs: NOON_NS, toUnixNs: NOON_NS + 60n * SECOND };

test('load of a process is no span, and comes back in columns: the most of each', async () => {
  const { loads, rows } = decodedOf([
    loadSpan(0, { calls: 2, lagMaxNs: 3e6, cpu: 0.2, waiting: { llm: 1, tts: 5 } }),
    loadSpan(1, { calls: 5, lagMaxNs: 9e6, cpu: 0.4 }),
    loadSpan(30, { calls: 1 }),
  ]);
  expect(rows).toBe(0);
  const { reader, keep } = store();
  keep(loads);
  const [one, ...others] = byInstance(await reader.loads({ ...MINUTE, columnNs: 10n * SECOND }));
  expect(others).toEqual([]);
  expect(one).toMatchObject({
    place: { service: 'voice-agent', instance: 'agent-1', region: null },
    column: [0, 3],
    calls: [5, 1],
    lagNs: [9e6, null],
    cpu: [0.3, null],
    waiting: [5, null],
    queue: 'tts',
    callsMost: 5,
  });
});

test('load is looked up by process and time, not scanned', () => {
  const database = new Database(':memory:');
  for (const { sql } of readMigrations('volume')) database.exec(sql);
  const rows = database.prepare(`EXPLAIN QUERY PLAN ${LOADS.columns}`).all(1, 1, 1, 1);
  database.close();
  expect(rows.map(row => (row as { detail: string }).detail)).toEqual([
    'SCAN load_source',
    'SEARCH load_sample USING PRIMARY KEY (source=? AND at_ns>? AND at_ns<?)',
    'USE TEMP B-TREE FOR GROUP BY',
  ]);
});

test('load that is sent again is kept once', async () => {
  const { loads } = decodedOf([loadSpan(0, { calls: 2 })]);
  const { reader, keep } = store();
  keep(loads);
  keep(loads);
  const columns = await reader.loads({ ...MINUTE, columnNs: 60n * SECOND });
  expect(columns.map(one => one.samples)).toEqual([1]);
});

test('a blocked loop that LiveKit tells is load of its process, and stays a span of its call', () => {
  const { loads, rows } = decodedOf([spanOf('event_loop_blocked', 0, [])]);
  expect(rows).toBe(1);
  expect(loads.map(one => one.figures)).toEqual([{ lagMaxNs: 1e9 }]);
});

test('seconds of load told side by side are each a second of their own', () => {
  const { loads } = decodedOf([loadSpan(0, { toMs: [400, 1_000], calls: [1, 2] })]);
  expect(loads.map(one => [one.endUnixNs - one.startUnixNs, one.figures])).toEqual([
    [400_000_000n, { calls: 1 }],
    [600_000_000n, { calls: 2 }],
  ]);
  expect(loads[0]!.startUnixNs).toBe(NOON_NS);
});

test('load of a wrong shape is refused with its place, and the rest of the body taken', () => {
  const { loads, refused } = decodedOf([loadSpan(0, { calls: -1 }), loadSpan(1, { calls: 1 })]);
  expect(loads).toHaveLength(1);
  expect(refused.map(one => one.path)).toEqual([
    'resourceSpans[0].scopeSpans[0].spans[0].attributes["framescope.load"].calls',
  ]);
});
