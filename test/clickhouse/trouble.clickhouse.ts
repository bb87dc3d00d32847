// ClickHouse in trouble: away, slow, full, read-only, of another version, with somebody else's tables.
// Senders are told to come again, nothing that was acknowledged is missing, nothing foreign is touched.

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bodyOf, spanJson } from '../../packages/collector/test/support/otlp-bodies.ts';
import { CollectorProcess } from '../../packages/collector/test/support/process.ts';
import { batchOf, spanOf, temporaryFolder } from '../../packages/collector/test/support/spans.ts';
import { Client } from '../../packages/collector/src/store/clickhouse/client.ts';
import { clickhouseMigrations } from '../../packages/collector/src/store/clickhouse/ddl.ts';
import { ClickHouseReader } from '../../packages/collector/src/store/clickhouse/reader.ts';
import { ClickHouseWriter } from '../../packages/collector/src/store/clickhouse/writer.ts';
import { ClickHouse, settingsOf } from './server.ts';

let server: ClickHouse;
beforeAll(async () => {
  server = await ClickHouse.start();
});
afterAll(() => server.stop());

function clientOf(storeUrl: string): Client {
  const client = new Client(settingsOf(storeUrl));
  onTestFinished(() => client.close());
  return client;
}

async function writerOf(storeUrl: string): Promise<ClickHouseWriter> {
  const writer = await ClickHouseWriter.open({
    settings: settingsOf(storeUrl),
    collector: 'test',
    nowUnixMs: Date.now,
  });
  onTestFinished(() => writer.close());
  return writer;
}

async function collectorOn(storeUrl: string): Promise<{ url: string; process: CollectorProcess }> {
  const flags = ['--port', '0', '--grpc-port', 'off', '--data', temporaryFolder()];
  const process = new CollectorProcess([...flags, '--store', storeUrl]);
  onTestFinished(() => process.kill('SIGKILL').then(() => undefined));
  return { url: await process.ready(), process };
}

let spanCount = 0;
async function post(
  url: string,
): Promise<{ status: number; retryAfter: string | null; text: string }> {
  spanCount++;
  const span = spanJson({
    traceId: spanCount.toString(16).padStart(32, '0'),
    spanId: spanCount.toString(16).padStart(16, '0'),
  });
  const answer = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(bodyOf(span)),
  });
  const retryAfter = answer.headers.get('retry-after');
  return { status: answer.status, retryAfter, text: await answer.text() };
}

const storedCount = async (storeUrl: string): Promise<number> => {
  const client = clientOf(storeUrl);
  const [row] = await client.rows<{ n: string }>(
    `SELECT toString(uniqExact(TraceId, SpanId)) AS n FROM ${client.spans}`,
  );
  return Number(row?.n);
};

test.each([
  ['has no memory left', { refuse: 40, code: 241 }, /no memory left/],
  ['has a full disk', { refuse: 40, code: 243 }, /disk is full/],
  ['is read-only', { refuse: 40, code: 164 }, /read-only/],
  ['cuts connections', { drop: 40 }, /does not answer/],
] as const)(
  'while ClickHouse %s, senders are told to come again, and it goes on by itself',
  async (_what, faults, said) => {
    const storeUrl = server.storeUrl();
    const { url } = await collectorOn(storeUrl);
    expect((await post(url)).status).toBe(200);
    await server.faults({ ...faults });
    const refused = await post(url);
    expect(refused.status).toBe(503);
    expect(refused.retryAfter).not.toBeNull();
    expect(refused.text).toMatch(said);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await server.faults({});
    expect((await post(url)).status).toBe(200);
    expect(await storedCount(storeUrl)).toBe(2);
  },
);

test('an insert that was written and not answered is not written twice when it is sent again', async () => {
  const storeUrl = server.storeUrl();
  const writer = await writerOf(storeUrl);
  const batch = batchOf([spanOf('a1', { sessionId: 's' })]);
  await server.faults({ dropAfter: 3 });
  // One of these inserts is cut after it was written.
  await writer.commit(batch).catch(() => undefined);
  await server.faults({});
  await writer.commit(batch);
  await writer.commit(batch);
  const reader = await ClickHouseReader.open(settingsOf(storeUrl));
  onTestFinished(() => reader.close());
  expect((await reader.trace('a'.repeat(32), 9))?.spans.length).toBe(1);
  expect(await storedCount(storeUrl)).toBe(1);
});

test('an answer that breaks off after 200 is an error, not a short list', async () => {
  const storeUrl = server.storeUrl();
  await writerOf(storeUrl);
  const client = clientOf(storeUrl);
  await server.faults({ late: 1 });
  await expect(client.rows(`SELECT number FROM numbers(3)`)).rejects.toThrow(/no memory left/);
  await server.faults({});
});

test('a slow server is waited for', async () => {
  const storeUrl = server.storeUrl();
  const { url } = await collectorOn(storeUrl);
  await server.faults({ delayMs: 200 });
  const answers = await Promise.all([post(url), post(url), post(url)]);
  await server.faults({});
  expect(answers.map(one => one.status)).toEqual([200, 200, 200]);
  expect(await storedCount(storeUrl)).toBe(3);
});

test('nobody there: the collector says so by the address, and ends', async () => {
  const flags = ['--port', '0', '--grpc-port', 'off', '--data', temporaryFolder()];
  const process = new CollectorProcess([...flags, '--store', 'clickhouse://127.0.0.1:1/x']);
  const { code, stderr } = await process.finished();
  expect(code).toBe(1);
  expect(stderr).toMatch(/ClickHouse at http:\/\/127\.0\.0\.1:1 does not answer/);
});

test("somebody else's table under a name of ours is refused and left as it is", async () => {
  const storeUrl = server.storeUrl();
  const client = clientOf(storeUrl);
  await client.command(`CREATE DATABASE ${client.settings.database}`);
  await client.command(
    `CREATE TABLE ${client.table('framescope_session')} (id UInt64) ENGINE = MergeTree ORDER BY id`,
  );
  await expect(writerOf(storeUrl)).rejects.toThrow(/is not a table of Framescope/);
  const tables = await client.rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = {database:String}`,
    { database: client.settings.database },
  );
  expect(tables).toEqual([{ name: 'framescope_session' }]);
});

test('a database of a newer collector is refused by its version', async () => {
  const storeUrl = server.storeUrl();
  const client = clientOf(storeUrl);
  await writerOf(storeUrl);
  await client.insert(client.table('framescope_schema'), [{ version: 99, made_by: 'framescope' }]);
  await expect(writerOf(storeUrl)).rejects.toThrow(/has schema 99/);
});

test('a database that an earlier build made is refused, and its message says what to do', async () => {
  const storeUrl = server.storeUrl();
  const client = clientOf(storeUrl);
  await writerOf(storeUrl);
  const schema = client.table('framescope_schema');
  await client.command(`TRUNCATE TABLE ${schema}`);
  // As builds before it wrote it, and with a text that is not ours.
  for (const made_by of ['framescope', 'framescope 0123456789abcdef']) {
    await client.insert(schema, [{ version: 1, made_by }]);
    await expect(writerOf(storeUrl)).rejects.toThrow(
      /made by an earlier build.*Give --store another database.*DROP DATABASE/,
    );
  }
  const digest = clickhouseMigrations(client.settings)[0]!.digest;
  await client.insert(schema, [{ version: 1, made_by: `framescope ${digest}` }]);
  await writerOf(storeUrl);
});

test("the exporter's own table is read beside ours, and nothing is written to it", async () => {
  const storeUrl = server.storeUrl();
  const client = clientOf(storeUrl);
  await client.command(`CREATE DATABASE ${client.settings.database}`);
  // Its layout: ours without what we added.
  const [statement = ''] = clickhouseMigrations(client.settings)[0]!.statements;
  const theirs = statement
    .replaceAll(/^\s*(Framescope\w+|INDEX idx_(session|commit)) .*\n/gm, '')
    .replace(/,(\s*)\) ENGINE/, '$1) ENGINE');
  await client.command(theirs);
  await client.insert(client.spans, [
    {
      Timestamp: '2026-01-01T00:00:00.5Z',
      TraceId: 'e'.repeat(32),
      SpanId: '1'.repeat(16),
      SpanName: 'theirs',
    },
  ]);
  const writer = await writerOf(storeUrl);
  await writer.commit(batchOf([spanOf('a1')]));
  const reader = await ClickHouseReader.open(settingsOf(storeUrl));
  onTestFinished(() => reader.close());
  expect((await reader.trace('e'.repeat(32), 9))?.spans.map(one => one.name)).toEqual(['theirs']);
  expect((await reader.trace('a'.repeat(32), 9))?.spans.map(one => one.name)).toEqual(['a1']);
  expect((await reader.search('e'.repeat(32), 9)).traceIds).toEqual(['e'.repeat(32)]);
  expect(await client.rows(`SELECT count() AS n FROM ${client.spans}`)).toEqual([{ n: '1' }]);
});

test('the statements for a cluster are ones that the engine can read', async () => {
  const client = clientOf(server.storeUrl());
  const statements = clickhouseMigrations({ ...client.settings, cluster: 'voice' })[0]!.statements;
  for (const statement of statements) {
    // Parsed, not run: the engine in process has no Keeper.
    await client.command(`EXPLAIN AST ${statement}`);
    await expect(client.command(`EXPLAIN AST ${statement} )`)).rejects.toThrow(/Syntax error/);
  }
});
