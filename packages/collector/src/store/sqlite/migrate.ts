// Brings a database file to the schema this code was written for.
//
// Migrations are numbered .sql files, applied in order, each in one
// transaction with the version bump. A shipped file is never edited: a test
// pins its hash.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Database } from 'better-sqlite3';
import { SchemaTooNewError } from '../errors.ts';
import { repackSpans } from './repack.ts';

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;

/** The two kinds of file: `meta.db` and volumes. */
export type FileKind = 'meta' | 'volume';

export interface Migration {
  readonly version: number;
  readonly sql: string;
  /** What SQL cannot do; runs behind it in the same transaction. */
  readonly code?: (database: Database) => void;
}

const STEPS: Readonly<Record<FileKind, Readonly<Record<number, Migration['code']>>>> = {
  meta: {},
  volume: { 3: repackSpans },
};

/** Reads the migrations that ship with the package; throws if a number is missing or repeated. */
export function readMigrations(kind: FileKind): readonly Migration[] {
  const folder = fileURLToPath(new URL(`../../../sql/${kind}/`, import.meta.url));
  return readdirSync(folder)
    .toSorted()
    .map((file, index) => {
      const version = Number(FILE_NAME.exec(file)?.[1]);
      if (version !== index + 1)
        throw new Error(`${folder}: expected migration ${index + 1}, found ${file}`);
      const code = STEPS[kind][version];
      return { version, sql: readFileSync(`${folder}/${file}`, 'utf8'), ...(code && { code }) };
    });
}

const versions = new Map<FileKind, number>();

/** False while migrations are missing: its tables may not be there. */
export function isUpToDate(database: Database, kind: FileKind): boolean {
  let version = versions.get(kind);
  if (version === undefined) versions.set(kind, (version = readMigrations(kind).length));
  return (database.pragma('user_version', { simple: true }) as number) >= version;
}

/**
 * Applies what is missing, and returns the version reached.
 *
 * @throws {SchemaTooNewError} if the file is ahead of the code. Nothing is changed.
 */
export function migrate(database: Database, migrations: readonly Migration[]): number {
  const fileVersion = database.pragma('user_version', { simple: true }) as number;
  if (fileVersion > migrations.length)
    throw new SchemaTooNewError(database.name, fileVersion, migrations.length);
  for (const { version, sql, code } of migrations.slice(fileVersion)) {
    database
      .transaction(() => {
        database.exec(sql);
        code?.(database);
        database.pragma(`user_version = ${version}`);
      })
      .immediate();
  }
  return migrations.length;
}
