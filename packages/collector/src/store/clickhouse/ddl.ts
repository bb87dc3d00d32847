// The statements that make the tables, for one server or for a cluster.
//
// sql/clickhouse/*.sql holds them once, as for one server. On a cluster a table t becomes t_local
// (Replicated, one copy a replica) and t (Distributed over the shards): reads and writes name t in both
// cases, so no query knows which it is. What belongs together (all of a session, all of a trace) lies on
// one shard.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Retention } from '../store.ts';
import type { ClickHouseSettings } from './settings.ts';

export interface DdlOptions extends Pick<
  ClickHouseSettings,
  'database' | 'cluster' | 'spansTable'
> {
  readonly retention?: Retention;
}

/** One numbered file: applied once, in order. */
export interface ClickHouseMigration {
  readonly version: number;
  /** Of its text, comments aside: tells tables made by another text of the same number. */
  readonly digest: string;
  readonly statements: readonly string[];
}

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;
const FOLDER = fileURLToPath(new URL('../../../sql/clickhouse/', import.meta.url));

const AGES: Readonly<Record<string, keyof Retention>> = {
  spans: 'spansNs',
  frames: 'framesNs',
  turns: 'turnsNs',
};

/** What a row is sharded by, by its first column of that name. */
const SHARD_KEYS: readonly string[] = ['session_key', 'key', 'TraceId', 'trace_id'];

/** All migrations, as text that can be sent. Throws when a number is missing. */
export function clickhouseMigrations(options: DdlOptions): ClickHouseMigration[] {
  return readdirSync(FOLDER)
    .toSorted()
    .map((file, index) => {
      const version = Number(FILE_NAME.exec(file)?.[1]);
      if (version !== index + 1)
        throw new Error(`${FOLDER}: expected migration ${index + 1}, found ${file}`);
      const text = readFileSync(FOLDER + file, 'utf8');
      const given = statementsOf(text);
      return {
        version,
        digest: digestOf(given),
        statements: given.flatMap(one => forTarget(one, options)),
      };
    });
}

const digestOf = (statements: readonly string[]): string =>
  createHash('sha256')
    .update(statements.map(one => one.replaceAll(/--.*$/gm, '').replaceAll(/\s+/g, ' ')).join(';'))
    .digest('hex')
    .slice(0, 16);

/** Seconds that kinds are kept, as TTLs were made for; absent: for ever. */
export type KeptFor = Readonly<Record<string, string>>;

export const keptFor = (retention: Retention): KeptFor =>
  Object.fromEntries(
    Object.entries(AGES).flatMap(([kind, name]) =>
      retention[name] === undefined ? [] : [[kind, String(retention[name] / 1_000_000_000n)]],
    ),
  );

/** What changes the TTLs of tables that were made with other ages, for the kinds that differ. */
export function ttlChanges(options: DdlOptions, before: KeptFor): string[] {
  const now = keptFor(options.retention ?? {});
  const { database, cluster } = options;
  return readdirSync(FOLDER)
    .flatMap(file => statementsOf(readFileSync(FOLDER + file, 'utf8')))
    .flatMap(statement => {
      const name = TABLE.exec(statement.replaceAll('{spans}', options.spansTable))?.[1];
      const [, kind, column = '', kept] = TTL.exec(statement) ?? [];
      if (name === undefined || kind === undefined || now[kind] === before[kind]) return [];
      const table = `${database}.${name}${cluster === undefined ? '' : `_local ON CLUSTER ${cluster}`}`;
      const ttl = ttlOf(
        kind,
        kept === undefined ? { column } : { column, kept },
        options.retention,
      );
      return [`ALTER TABLE ${table} ${ttl === '' ? 'REMOVE TTL' : `MODIFY ${ttl.trim()}`}`];
    });
}

/** Comments go; a statement ends with a semicolon at the end of a line. */
function statementsOf(text: string): string[] {
  return text
    .replaceAll(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map(one => one.trim())
    .filter(one => one !== '');
}

function forTarget(statement: string, options: DdlOptions): string[] {
  const filled = statement
    .replaceAll('{spans}', options.spansTable)
    .replaceAll(
      new RegExp(`${TTL.source}\\n?`, 'g'),
      (_all, kind: string, column: string, kept?: string) =>
        ttlOf(kind, kept === undefined ? { column } : { column, kept }, options.retention),
    );
  const { cluster, database } = options;
  if (cluster === undefined) return [filled.replaceAll('{db}', database)];
  return clustered(filled, database, cluster);
}

/** In the files: kind, column, and the column that marks what is kept. */
const TTL = /\{ttl (\w+) ([^}]+?)(?: unless (\w+))?\}/;

/** Rows of pinned calls go at the end of what a DateTime can say. */
const NEVER = `toDateTime('2106-01-01 00:00:00', 'UTC')`;

/** Empty where nothing is dropped by age. */
function ttlOf(
  kind: string,
  { column, kept }: { readonly column: string; readonly kept?: string },
  retention: Retention | undefined,
): string {
  const ageNs = retention?.[AGES[kind]!];
  if (ageNs === undefined) return '';
  const due = `toDateTime(${column}) + toIntervalSecond(${ageNs / 1_000_000_000n})`;
  return `TTL ${kept === undefined ? due : `if(${kept} = 1, ${NEVER}, ${due})`}\n`;
}

const TABLE = /^CREATE TABLE \{db\}\.(\w+) /;
const VIEW = /^CREATE MATERIALIZED VIEW \{db\}\.(\w+) TO \{db\}\.(\w+) AS/;

function clustered(statement: string, database: string, cluster: string): string[] {
  const on = `ON CLUSTER ${cluster}`;
  const view = VIEW.exec(statement);
  if (view !== null) {
    // Each shard's own rows, into its own table.
    const local = statement
      .replace(VIEW, `CREATE MATERIALIZED VIEW {db}.$1 ${on} TO {db}.$2_local AS`)
      .replaceAll(/FROM \{db\}\.(\w+)/g, 'FROM {db}.$1_local');
    return [local.replaceAll('{db}', database)];
  }
  const name = TABLE.exec(statement)?.[1];
  if (name === undefined) throw new Error(`not a table or a view: ${statement.slice(0, 80)}`);
  const local = statement
    .replace(TABLE, `CREATE TABLE {db}.${name}_local ${on} `)
    .replace(/ENGINE = (\w*MergeTree)(?:\(([^)]*)\))?/, (_all, engine: string, args?: string) => {
      const path = `'/clickhouse/tables/{uuid}/{shard}', '{replica}'`;
      return `ENGINE = Replicated${engine}(${[path, ...(args ? [args] : [])].join(', ')})`;
    });
  const shardKey = SHARD_KEYS.find(key => new RegExp(`^\\s*${key} `, 'm').test(statement));
  const sharding = shardKey === undefined ? 'rand()' : `sipHash64(${shardKey})`;
  const distributed = `CREATE TABLE {db}.${name} ${on} AS {db}.${name}_local ENGINE = Distributed(${cluster}, {db}, ${name}_local, ${sharding})`;
  return [local, distributed].map(one => one.replaceAll('{db}', database));
}
