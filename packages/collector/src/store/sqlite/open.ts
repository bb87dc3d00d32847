// Opens one SQLite file of ours, or says by a named error why not.
//
// A file is ours when its application_id says so. A new one is made under its
// final name: an empty file left by a crash has version 0 and is made anew.

import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import {
  DataInUseError,
  DiskError,
  ForeignFileError,
  StoreError,
  TornFileError,
} from '../errors.ts';
import { migrate, readMigrations, type FileKind } from './migrate.ts';
import { VOLUMES_AT_CAP } from './volume-files.ts';

/** "FSM1" and "FSV1", in SQLite's header at byte 68. */
const APPLICATION_ID: Readonly<Record<FileKind, number>> = { meta: 0x46534d31, volume: 0x46535631 };

/** Address space, not memory. */
const MAPPED_BYTES = 4 * 1024 * 1024 * 1024;

const PAGE_BYTES = 8_192;

const BUSY_TIMEOUT_MS = 5_000;

/** A log beside each file counts as well: a quarter of a volume, and never more than 32 MB. */
export const logBytesOf = (maxBytes: number): number =>
  Math.min(32 * 1024 * 1024, Math.floor(maxBytes / VOLUMES_AT_CAP / 4));

/** Files below this can be checked whole when opened: about 0.1 s. */
const CHECKED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * `check`: `whole` looks at every page of a small file; `size` only for a file cut short.
 * `logBytes`: what the log beside it may hold before it is written into the file.
 */
export function openForWriting(
  path: string,
  kind: FileKind,
  { check, logBytes }: { readonly check: 'whole' | 'size'; readonly logBytes: number },
): Database.Database {
  return guarded(path, () => {
    const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    try {
      checkOwner(database, kind);
      checkSize(database);
      if (check === 'whole') checkWhole(database);
      database.pragma(`page_size = ${PAGE_BYTES}`);
      // What retention deletes is handed back to the file system; only before the first table.
      database.pragma('auto_vacuum = INCREMENTAL');
      database.pragma('journal_mode = WAL');
      // NORMAL: consistent after anything; a power cut may take the last commits, a crash may not.
      database.pragma('synchronous = NORMAL');
      // A checkpoint waits for the disk twice: at 1,000 pages that was a sixth of the writer's time.
      database.pragma(`wal_autocheckpoint = ${Math.max(64, Math.floor(logBytes / PAGE_BYTES))}`);
      database.pragma(`journal_size_limit = ${logBytes}`);
      database.pragma('foreign_keys = ON');
      database.pragma('temp_store = MEMORY');
      // Before the tables: a crash in between leaves an empty file that says whose it is.
      database.pragma(`application_id = ${APPLICATION_ID[kind]}`);
      migrate(database, readMigrations(kind));
      return database;
    } catch (problem) {
      database.close();
      throw problem;
    }
  });
}

export function openForReading(path: string, kind: FileKind): Database.Database {
  return guarded(path, () => {
    const database = new Database(path, {
      readonly: true,
      fileMustExist: true,
      timeout: BUSY_TIMEOUT_MS,
    });
    try {
      checkOwner(database, kind);
      // Charts read hundreds of MB: from the page cache, without a copy each.
      database.pragma(`mmap_size = ${MAPPED_BYTES}`);
      database.pragma('temp_store = MEMORY');
      return database;
    } catch (problem) {
      database.close();
      throw problem;
    }
  });
}

/** Holds `path` until closed (or until the process dies): one collector a folder. */
export function lockFolder(path: string): Database.Database {
  const database = new Database(path, { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (cause) {
    database.close();
    throw new DataInUseError(path, cause);
  }
}

/** Runs `work`; what SQLite throws comes out as a StoreError. */
export function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (problem) {
    throw asStoreError(path, problem);
  }
}

export function asStoreError(path: string, problem: unknown): unknown {
  if (problem instanceof StoreError || !(problem instanceof Error) || !('code' in problem))
    return problem;
  const code = String(problem.code);
  if (code.startsWith('SQLITE_NOTADB')) return new ForeignFileError(path, problem);
  if (code.startsWith('SQLITE_CORRUPT')) return new TornFileError(path, problem.message, problem);
  if (/^(SQLITE_(FULL|IOERR|CANTOPEN|READONLY|BUSY)|ENOSPC|EIO|EDQUOT|EROFS)/.test(code))
    return new DiskError(path, problem);
  return problem;
}

function checkOwner(database: Database.Database, kind: FileKind): void {
  const owner = database.pragma('application_id', { simple: true }) as number;
  const version = database.pragma('user_version', { simple: true }) as number;
  if (owner === APPLICATION_ID[kind]) return;
  const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number };
  if (owner !== 0 || version !== 0 || tables.n > 0) throw new ForeignFileError(database.name);
}

function checkSize(database: Database.Database): void {
  const pageSize = database.pragma('page_size', { simple: true }) as number;
  const pageCount = database.pragma('page_count', { simple: true }) as number;
  const expectedBytes = pageSize * pageCount;
  const { size } = statSync(database.name);
  // With a write-ahead log the last pages may stand there alone.
  const hasWal = (statSync(`${database.name}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  if (!hasWal && size < expectedBytes)
    throw new TornFileError(database.name, `${size} bytes of ${expectedBytes}`);
}

function checkWhole(database: Database.Database): void {
  if (statSync(database.name).size > CHECKED_BYTES_MAX) return;
  const answer = database.pragma('quick_check(1)', { simple: true });
  if (answer !== 'ok') throw new TornFileError(database.name, String(answer));
}
