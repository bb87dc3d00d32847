// What is sent to make the tables: as text, for one server and for a cluster, which has to be told apart
// in nothing else. The engine itself reads both in test/clickhouse.

import { expect, test } from 'vitest';
import { PART_NAMES } from '../../src/assemble/ledger/parts.ts';
import { clickhouseMigrations } from '../../src/store/clickhouse/ddl.ts';
import { parseClickHouseUrl } from '../../src/store/clickhouse/settings.ts';
import { PART_COLUMNS } from '../../src/store/clickhouse/wait-row.ts';

const ONE = { database: 'fs', spansTable: 'otel_traces' };
const DAY_NS = 86_400_000_000_000n;

const statementsOf = (options: Parameters<typeof clickhouseMigrations>[0]): string[] =>
  clickhouseMigrations(options).flatMap(one => one.statements);

/** `name engine`, a line a statement. */
const enginesOf = (statements: readonly string[]): string[] =>
  statements.map(one => {
    const name = /^CREATE (?:TABLE|MATERIALIZED VIEW) fs\.(\w+)/.exec(one)?.[1] ?? one.slice(0, 60);
    return `${name} ${/ENGINE = (\w+)/.exec(one)?.[1] ?? 'view'}`;
  });

test('one server gets plain tables, a cluster a replicated and a distributed one for each', () => {
  const single = enginesOf(statementsOf(ONE));
  const cluster = enginesOf(statementsOf({ ...ONE, cluster: 'voice' }));
  for (const line of single) {
    const [name = '', engine = ''] = line.split(' ');
    if (engine === 'view') expect(cluster).toContain(line);
    else
      expect(cluster).toEqual(
        expect.arrayContaining([`${name}_local Replicated${engine}`, `${name} Distributed`]),
      );
  }
  expect(cluster.length).toBe(
    single.length * 2 - single.filter(one => one.endsWith('view')).length,
  );
});

test('on a cluster a session lies on one shard, and so does a trace', () => {
  const statements = statementsOf({ ...ONE, cluster: 'voice' });
  const shardedBy = (table: string): string | undefined =>
    statements
      .map(
        one =>
          new RegExp(
            `CREATE TABLE fs\\.${table} .*Distributed\\(voice, fs, ${table}_local, (.*)\\)$`,
          ).exec(one)?.[1],
      )
      .find(Boolean);
  expect(shardedBy('framescope_flush')).toBe('sipHash64(session_key)');
  expect(shardedBy('framescope_turn')).toBe('sipHash64(session_key)');
  expect(shardedBy('framescope_minute')).toBe('sipHash64(session_key)');
  expect(shardedBy('framescope_session')).toBe('sipHash64(key)');
  expect(shardedBy('otel_traces')).toBe('sipHash64(TraceId)');
  for (const one of statements) expect(one).toContain('ON CLUSTER voice');
});

test('what a replicated table keeps beside its path are the versions of its rows', () => {
  const statements = statementsOf({ ...ONE, cluster: 'voice' });
  const turn = statements.find(one => one.startsWith('CREATE TABLE fs.framescope_turn_local'));
  expect(turn).toContain(
    "ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', version, is_deleted)",
  );
});

test('kinds are dropped by the age that was asked for, and only those', () => {
  const statements = statementsOf({ ...ONE, retention: { framesNs: 7n * DAY_NS } });
  const ttlOf = (table: string): string | undefined =>
    /TTL .*/.exec(statements.find(one => one.startsWith(`CREATE TABLE fs.${table} `)) ?? '')?.[0];
  expect(ttlOf('framescope_flush')).toBe(
    "TTL if(kept = 1, toDateTime('2106-01-01 00:00:00', 'UTC'), toDateTime(arrival) + toIntervalSecond(604800))",
  );
  expect(ttlOf('framescope_load')).toBe(
    'TTL toDateTime(fromUnixTimestamp64Nano(at)) + toIntervalSecond(604800)',
  );
  expect(ttlOf('otel_traces')).toBeUndefined();
});

test('--store is a URL of ClickHouse, and what is wrong with another is said', () => {
  const told = (text: string): unknown => {
    const result = parseClickHouseUrl(text);
    return result.ok ? result.value : result.problem;
  };
  expect(told('clickhouse://me:p%40ss@db.example/voice?cluster=main')).toEqual({
    url: 'http://db.example:8123',
    user: 'me',
    password: 'p@ss',
    database: 'voice',
    cluster: 'main',
    spansTable: 'otel_traces',
  });
  expect(told('clickhouses://db.example')).toMatchObject({
    url: 'https://db.example:8443',
    user: 'default',
    database: 'framescope',
  });
  expect(told('postgres://x')).toMatch(/no URL; e\.g\. clickhouse:\/\//);
  expect(told('clickhouse://x/y?shards=3')).toBe(
    'unknown option shards; there are cluster, tls, spans',
  );
  expect(told('clickhouse://x/a%3Bb')).toMatch(/^database a;b: letters, digits/);
});

test('each part of a wait has a column of its own', () => {
  expect(PART_COLUMNS).toEqual(PART_NAMES);
  const wait = statementsOf(ONE).find(one => one.startsWith('CREATE TABLE fs.framescope_wait '));
  const columns = [...wait!.matchAll(/^\s*p_(\w+) Int64,$/gm)].map(([, name]) => name);
  expect(columns).toEqual(PART_NAMES);
});

test('where tables are kept and for how long does not change the digest of what makes them', () => {
  const digests = (options: Parameters<typeof clickhouseMigrations>[0]): string[] =>
    clickhouseMigrations(options).map(one => one.digest);
  const one = digests(ONE);
  expect(one[0]).toMatch(/^[0-9a-f]{16}$/);
  expect(digests({ ...ONE, cluster: 'voice', retention: { turnsNs: DAY_NS } })).toEqual(one);
});
