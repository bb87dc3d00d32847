// Which engine keeps the data: SQLite in a folder, or ClickHouse. The one place that knows both.

import { ClickHouseReader } from './clickhouse/reader.ts';
import type { ClickHouseSettings } from './clickhouse/settings.ts';
import { SqliteReader } from './sqlite/reader.ts';
import type { StoreReader } from './store.ts';

/** Where data is. Passes between threads as it is. */
export interface StorePlace {
  /** Of SQLite's files, and of what stays with this collector whatever the engine: secret, forward queue. */
  readonly folder: string;
  /** Present: everything else is there. */
  readonly clickhouse?: ClickHouseSettings;
}

/** The writer must have opened it before. @throws {StoreError} */
export async function openReader({ folder, clickhouse }: StorePlace): Promise<StoreReader> {
  return clickhouse === undefined ? new SqliteReader(folder) : ClickHouseReader.open(clickhouse);
}
