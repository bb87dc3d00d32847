// Makes the tables that are missing, and refuses what is not ours.
//
// A table of spans that is there already and lacks our columns is somebody else's: the exporter of the
// OpenTelemetry Collector made it. It is left as it is and read beside ours, which then has another name.

import type { Retention } from '../store.ts';
import { SchemaTooNewError, StoreError } from '../errors.ts';
import type { Client } from './client.ts';
import { clickhouseMigrations, keptFor, ttlChanges, type KeptFor } from './ddl.ts';
import { noteIn, notesIn } from './notes.ts';

/** The name under which ours stands where the usual one is taken. */
const OWN_SPANS = 'framescope_otel_traces';

/** Somebody else's table under a name of ours. */
export class ForeignTableError extends StoreError {
  override readonly name = 'ForeignTableError';
  readonly table: string;

  constructor(table: string, missing: string) {
    super(
      'foreign_table',
      `${table} is not a table of Framescope (it has no column ${missing}). It is left as it is; ` +
        `give --store another database.`,
    );
    this.table = table;
  }
}

/** Tables of ours, made by a build before a release whose text was another: they lack what this one needs. */
export class OtherSchemaError extends StoreError {
  override readonly name = 'OtherSchemaError';
  readonly database: string;

  constructor(database: string, version: number) {
    super(
      'other_schema',
      `database ${database} was made by an earlier build of Framescope, whose tables (schema ${version}) are ` +
        `not those of this one. Nothing was changed. Give --store another database and bring calls over with ` +
        `framescope import from where they were recorded, run the build that made it, or, where nothing in it ` +
        `is needed, DROP DATABASE ${database}.`,
    );
    this.database = database;
  }
}

/** @throws {StoreError} when the server cannot be used, or has other things under our names. */
export async function makeTables(client: Client, retention?: Retention): Promise<void> {
  const { database, cluster } = client.settings;
  const on = cluster === undefined ? '' : ` ON CLUSTER ${cluster}`;
  if (!(await hasDatabase(client)))
    await client.command(`CREATE DATABASE IF NOT EXISTS ${database}${on}`);
  await chooseSpansTable(client);
  const migrations = clickhouseMigrations({
    ...client.settings,
    ...(retention && { retention }),
  });
  const made = await madeVersions(client);
  const done = Math.max(0, ...made.keys());
  const known = migrations.length;
  if (done > known) throw new SchemaTooNewError(`database ${database}`, done, known);
  for (const { version, digest } of migrations.slice(0, done))
    if (!made.get(version)?.has(madeBy(digest))) throw new OtherSchemaError(database, version);
  for (const { version, digest, statements } of migrations.slice(done)) {
    for (const statement of statements)
      await client.command(
        statement.replace(/^CREATE (TABLE|MATERIALIZED VIEW) /, 'CREATE $1 IF NOT EXISTS '),
      );
    await client.insert(client.table('framescope_schema'), [{ version, made_by: madeBy(digest) }]);
  }
  if (retention !== undefined) await keepFor(client, retention, done === 0);
}

/** The ages asked for last apply, whoever asked. */
async function keepFor(client: Client, retention: Retention, isNew: boolean): Promise<void> {
  const ages = keptFor(retention);
  const notes = await notesIn(client, 'retention');
  const before = (isNew ? ages : (notes.get('ages') ?? {})) as KeptFor;
  for (const statement of ttlChanges({ ...client.settings, retention }, before))
    await client.command(statement);
  if (JSON.stringify(notes.get('ages') ?? {}) === JSON.stringify(ages)) return;
  await noteIn(client, {
    topic: 'retention',
    name: 'ages',
    value: ages,
    version: Date.now() * 1_000,
  });
}

async function hasDatabase(client: Client): Promise<boolean> {
  const rows = await client.rows(
    `SELECT name FROM system.databases WHERE name = {database:String}`,
    { database: client.settings.database },
  );
  return rows.length > 0;
}

async function columnsOf(client: Client, table: string): Promise<Set<string>> {
  const rows = await client.rows<{ name: string }>(
    `SELECT name FROM system.columns WHERE database = {database:String} AND table = {table:String}`,
    { database: client.settings.database, table },
  );
  return new Set(rows.map(row => row.name));
}

/** Where the exporter's table stands under the name, ours takes another and that one is read too. */
export async function chooseSpansTable(client: Client): Promise<void> {
  const { spansTable } = client.settings;
  const columns = await columnsOf(client, spansTable);
  if (columns.size === 0 || columns.has('FramescopeExact')) return;
  for (const needed of ['Timestamp', 'TraceId', 'SpanId', 'SpanAttributes', 'Duration'])
    if (!columns.has(needed)) throw new ForeignTableError(client.table(spansTable), needed);
  client.writeSpansTo(OWN_SPANS);
}

const madeBy = (digest: string): string => `framescope ${digest}`;

/** By which texts each version was made; empty while there is nothing of ours. */
async function madeVersions(client: Client): Promise<Map<number, ReadonlySet<string>>> {
  const columns = await columnsOf(client, 'framescope_schema');
  if (columns.size === 0) {
    await refuseForeign(client);
    return new Map();
  }
  if (!columns.has('made_by'))
    throw new ForeignTableError(client.table('framescope_schema'), 'made_by');
  const rows = await client.rows<{ version: number; texts: string[] }>(
    `SELECT version, groupUniqArray(made_by) AS texts FROM ${client.table('framescope_schema')}
     GROUP BY version`,
  );
  return new Map(rows.map(row => [row.version, new Set(row.texts)]));
}

/** A column each of our tables has; a table under that name without it is no table of ours. */
const OURS: Readonly<Record<string, string>> = {
  framescope_session: 'covered_commit',
  framescope_turn: 'values.measure',
  framescope_wait: 'session_row',
  framescope_flush: 'record',
  framescope_heard: 'incarnation',
  framescope_minute: 'buckets',
};

async function refuseForeign(client: Client): Promise<void> {
  for (const [table, column] of Object.entries(OURS)) {
    const columns = await columnsOf(client, table);
    if (columns.size > 0 && !columns.has(column))
      throw new ForeignTableError(client.table(table), column);
  }
}
