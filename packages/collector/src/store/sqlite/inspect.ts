// A look into the files of a data folder: any question in SQL, and whether all
// that is in them can be read. Neither changes anything.

import { decodeRecord } from '@framescope/protocol';
import { existsSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { StoreError } from '../errors.ts';
import { openForReading } from './open.ts';
import { DataFolder } from './volume-files.ts';
import { VolumeSpans } from './volume-spans.ts';

const INSPECT = {
  records: `SELECT id, record, state FROM flush`,
} as const;

/** Rows shown at most; more are asked for with LIMIT and OFFSET. */
const ROWS_MAX = 10_000;

/** Where a question goes. */
export type InspectedFile = 'meta' | number;

/** Nothing is there to look at. */
export class NoDataError extends StoreError {
  override readonly name = 'NoDataError';

  constructor(path: string) {
    super('no_data', `${path} is not there. Give --data the folder of a collector.`);
  }
}

/** Answers a question to one file; throws what SQLite says of a wrong one. */
export function answerSql(folder: string, file: InspectedFile, sql: string): readonly object[] {
  const database = openFile(new DataFolder(folder), file);
  try {
    const rows: object[] = [];
    for (const row of database.prepare(sql).safeIntegers().iterate() as Iterable<object>) {
      rows.push(row);
      if (rows.length === ROWS_MAX) break;
    }
    return rows;
  } finally {
    database.close();
  }
}

function openFile(folder: DataFolder, file: InspectedFile): Database {
  const path = file === 'meta' ? folder.metaPath : folder.volumePath(file);
  if (!existsSync(path)) throw new NoDataError(path);
  return openForReading(path, file === 'meta' ? 'meta' : 'volume');
}

export interface Integrity {
  readonly files: number;
  readonly spans: number;
  readonly records: number;
  /** What cannot be read, with the file it is in. */
  readonly problems: readonly string[];
}

/** Reads everything: pages, blocks, directories, records. About a minute for 10 GB. */
export function checkIntegrity(path: string): Integrity {
  const folder = new DataFolder(path);
  if (!existsSync(folder.metaPath)) throw new NoDataError(folder.metaPath);
  const found = { files: 0, spans: 0, records: 0, problems: [] as string[] };
  for (const file of ['meta', ...folder.volumeNumbers()] as const) {
    const database = openFile(folder, file);
    const name = file === 'meta' ? 'meta.db' : `volume ${file}`;
    found.files++;
    try {
      for (const { integrity_check: text } of database.pragma('integrity_check') as {
        integrity_check: string;
      }[])
        if (text !== 'ok') found.problems.push(`${name}: ${text}`);
      if (file !== 'meta') checkVolume(database, name, found);
    } finally {
      database.close();
    }
  }
  return found;
}

function checkVolume(
  database: Database,
  name: string,
  found: { spans: number; records: number; problems: string[] },
): void {
  const spans = new VolumeSpans(database);
  for (const commit of spans.commitsAfter(0)) {
    try {
      found.spans += spans.blockIn(commit)?.columns.length ?? 0;
    } catch (problem) {
      found.problems.push(`${name}, commit ${commit}: ${String(problem)}`);
    }
  }
  const rows = database.prepare(INSPECT.records).iterate() as Iterable<{
    id: number;
    record: Buffer | null;
  }>;
  for (const { id, record } of rows) {
    if (!record) continue;
    found.records++;
    const result = decodeRecord(record);
    if (!result.ok) found.problems.push(`${name}, record ${id}: ${result.problem}`);
  }
}
