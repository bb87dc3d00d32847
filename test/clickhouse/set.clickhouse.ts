// What people set, where the engine drops what is too old by itself: a call that is kept outlives its
// TTL, and ages that are asked for later apply to tables that are there.

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { sessionKey } from '@framescope/protocol';
import { derivedOf, valueOf } from '../../packages/collector/test/support/derived.ts';
import { batchOf, flushOf, seconds, spanOf } from '../../packages/collector/test/support/spans.ts';
import { Client } from '../../packages/collector/src/store/clickhouse/client.ts';
import { ClickHouseReader } from '../../packages/collector/src/store/clickhouse/reader.ts';
import { ClickHouseWriter } from '../../packages/collector/src/store/clickhouse/writer.ts';
import type { Retention } from '../../packages/collector/src/store/store.ts';
import { ClickHouse, settingsOf } from './server.ts';

const DAY_NS = seconds(86_400);
const AGES: Retention = { framesNs: DAY_NS, spansNs: DAY_NS, turnsNs: DAY_NS };
const TABLES = ['otel_traces', 'framescope_flush', 'framescope_session', 'framescope_turn'];

let server: ClickHouse;
beforeAll(async () => {
  server = await ClickHouse.start();
});
afterAll(() => server.stop());

async function openOn(
  storeUrl: string,
  retention?: Retention,
): Promise<{
  readonly writer: ClickHouseWriter;
  readonly reader: ClickHouseReader;
  readonly client: Client;
  readonly merge: () => Promise<void>;
}> {
  const settings = settingsOf(storeUrl);
  const writer = await ClickHouseWriter.open({
    settings,
    collector: 'test',
    nowUnixMs: Date.now,
    ...(retention && { retention }),
  });
  const reader = await ClickHouseReader.open(settings);
  const client = new Client(settings);
  onTestFinished(async () => {
    await client.close();
    await reader.close();
    await writer.close();
  });
  // What the engine does by itself in the course of hours.
  const merge = async (): Promise<void> => {
    for (const table of TABLES) await client.command(`OPTIMIZE TABLE ${client.table(table)} FINAL`);
  };
  return { writer, reader, client, merge };
}

const key = (id: string): string => sessionKey(id, 0);

/** Two calls of three days ago. */
async function twoCalls(writer: ClickHouseWriter, atUnixNs: bigint): Promise<void> {
  for (const [id, trace] of [
    ['mine', 'a'],
    ['other', 'b'],
  ] as const) {
    const at = { startUnixNs: atUnixNs, endUnixNs: atUnixNs + seconds(1) };
    const { committed } = await writer.commit(
      batchOf(
        [spanOf(`${trace}1`, { sessionId: id, ...at }), spanOf(`${trace}2`, at)],
        [flushOf(id, 1)],
        atUnixNs,
      ),
    );
    await writer.commitDerived([
      derivedOf(
        { key: key(id), startUnixNs: atUnixNs, commit: committed.commit },
        { values: [{ ...valueOf(key(id), 1), atUnixNs }] },
      ),
    ]);
  }
}

async function seen(reader: ClickHouseReader, id: string): Promise<string> {
  const trace = await reader.trace((id === 'mine' ? 'a' : 'b').repeat(32), 9);
  const flushes = await reader.flushes(key(id));
  const session = await reader.session(key(id));
  const spans = trace?.spans.length ?? 0;
  return `${spans} spans, ${flushes.length} records, ${session ? 'listed' : 'gone'}`;
}

test('a call that is kept outlives its age, whole; the one beside it goes, and it too once it is let go', async () => {
  const now = BigInt(Date.now()) * 1_000_000n;
  const storeUrl = server.storeUrl();
  // Made without ages: nothing is dropped while the calls are written.
  const first = await openOn(storeUrl);
  await twoCalls(first.writer, now - 3n * DAY_NS);
  expect(await first.writer.pin(key('mine'), '', now)).toMatchObject({ isWhole: true });
  // Ages that a collector asks for later.
  const { writer, reader, client, merge } = await openOn(storeUrl, AGES);
  const unmarked = async (): Promise<string[]> => {
    const rows = await client.rows<{ name: string }>(
      `SELECT SpanName AS name FROM ${client.spans} WHERE FramescopeKept = 0 ORDER BY name`,
    );
    return rows.map(row => row.name);
  };
  await merge();
  expect(await seen(reader, 'mine')).toBe('2 spans, 1 records, listed');
  expect(await seen(reader, 'other')).toBe('0 spans, 0 records, gone');

  // What came for it since is marked when it is looked at next.
  const span = spanOf('a3', { startUnixNs: now, endUnixNs: now });
  await writer.commit(batchOf([span], [], now));
  expect(await unmarked()).toEqual(['a3']);
  await writer.retain();
  expect(await unmarked()).toEqual([]);

  expect(await writer.unpin(key('mine'))).toBe(true);
  await merge();
  expect(await seen(reader, 'mine')).toBe('1 spans, 0 records, gone');
});

test('limits that were set at one collector apply at another with its next look', async () => {
  const storeUrl = server.storeUrl();
  const one = await openOn(storeUrl);
  const other = await openOn(storeUrl);
  await other.writer.pull();
  const items = [{ measure: 'frame', limitNs: 250e6 }];
  await one.writer.setBudgets({ items, atUnixNs: 1n });
  await expect
    .poll(async () => (await other.writer.pull()).limits, { timeout: 20_000 })
    .toEqual({ frame: 250e6 });
});
