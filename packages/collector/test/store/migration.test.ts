import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { checkIntegrity } from '../../src/store/sqlite/inspect.ts';
import { readMigrations } from '../../src/store/sqlite/migrate.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteWriter } from '../../src/store/sqlite/writer.ts';
import { batchOf, NOON_NS, seconds, spanOf, temporaryFolder } from '../support/spans.ts';

/** A folder with the files of an earlier version. */
function oldFolder(version: string): string {
  const folder = temporaryFolder();
  const unpack = (file: string, to: string): void => {
    const path = fileURLToPath(new URL(`../files/${version}/${file}.gz`, import.meta.url));
    writeFileSync(join(folder, to), gunzipSync(readFileSync(path)));
  };
  mkdirSync(join(folder, 'volumes'));
  unpack('meta.db', 'meta.db');
  for (const file of ['000001.db', '000002.db']) unpack(file, join('volumes', file));
  return folder;
}

const open = (folder: string): { writer: SqliteWriter; reader: SqliteReader } => {
  const budgets = { limits: { voice_to_voice: 8e8 }, inFile: [] };
  const writer = new SqliteWriter({ folder, maxBytes: 1e9, budgets });
  const reader = new SqliteReader(folder);
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
  return { writer, reader };
};

test('files of version 1 become files of today, with everything that was in them', async () => {
  const folder = oldFolder('store-v1');
  const { writer, reader } = open(folder);
  const trace = await reader.trace('a'.repeat(32), 9);
  expect(trace?.spans.map(span => span.name)).toEqual(['a1', 'a2', 'a3']);
  expect(trace?.spans[0]).toMatchObject({
    spanId: '0000000000000001',
    attributes: { text: 'höre', n: 3, share: 0.5, good: true, list: [1, null] },
    events: [{ name: 'e', atUnixNs: 7n, attributes: { a: 1 } }],
    links: [{ traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), attributes: {} }],
    statusCode: 2,
    statusMessage: 'broken',
    startUnixNs: NOON_NS,
    resource: { attributes: { 'service.name': 'svc' } },
    sessionId: 'call',
  });
  expect(trace?.spans[1]?.attributes['prompt']).toBe('long '.repeat(2_000));
  expect(trace?.spans[2]).toMatchObject({
    parentSpanId: '9'.repeat(16),
    startUnixNs: 0n,
    endUnixNs: 2n ** 63n - 1n,
  });
  const { items } = await reader.sessions({ limit: 9 });
  expect(items.map(session => [session.id, session.spanCount])).toEqual([['call', 3]]);
  const key = items[0]!.key;
  expect(trace?.spans.map(span => span.sessionKey)).toEqual([key, key, key]);
  expect((await reader.sessionSpans(key, 9)).length).toBe(3);
  expect((await reader.flushes(key)).map(flush => [...flush.record!])).toEqual([[1, 2, 1]]);
  expect(writer.loadSession(key)?.tallies.map(tally => tally.count)).toEqual([2, 1]);
  expect((await reader.traces({ limit: 9 })).items.map(one => one.rootName)).toEqual([
    'c1',
    'a1',
    'b1',
  ]);
});

test('what stood in files of version 1 is known when it is sent again', () => {
  const { writer } = open(oldFolder('store-v1'));
  const again = writer.commit(
    batchOf([spanOf('a2'), spanOf('c1'), spanOf('c2')], [], NOON_NS + seconds(43_260)),
  );
  expect([again.committed.spanCount, again.repeatedCount]).toEqual([1, 2]);
});

test('migrated files are sound, and of the newest version', () => {
  const folder = oldFolder('store-v1');
  new SqliteWriter({ folder, maxBytes: 1e9 }).close();
  expect(checkIntegrity(folder).problems.filter(one => !one.includes('record'))).toEqual([]);
  const database = new Database(join(folder, 'volumes', '000001.db'));
  expect(database.pragma('user_version', { simple: true })).toBe(readMigrations('volume').length);
  database.close();
});

test('a folder from before pins and budgets: its calls can be pinned, and are judged by what is set', async () => {
  const { writer, reader } = open(oldFolder('store-v3'));
  const { items } = await reader.sessions({ limit: 9 });
  expect(items.map(one => [one.id, one.overBudgetCount, one.pinned])).toEqual([
    ['call', 1, undefined],
  ]);
  const { key } = items[0]!;
  expect(writer.pin(key, 'old', NOON_NS)).toMatchObject({ sessionId: 'call', isWhole: true });
  expect((await reader.session(key))?.pinned).toBe(true);
  writer.setBudgets({ items: [{ measure: 'voice_to_voice', limitNs: 6e8 }], atUnixNs: NOON_NS });
  while (writer.tidy(NOON_NS));
  expect((await reader.sessions({ limit: 9 })).items[0]!.overBudgetCount).toBe(2);
  expect((await reader.flushes(key)).length).toBe(16);
  const range = { fromUnixNs: 0n, toUnixNs: NOON_NS * 2n };
  expect((await reader.annotations(range)).map(one => one.text)).toEqual(['2.5.0']);
});
