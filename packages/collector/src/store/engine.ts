// Which engine keeps the data: SQLite in a folder, or ClickHouse. The one place that knows both.

import { ClickHouseAssemblyStore, ClickHouseRawWriter } from './clickhouse/blocking.ts';
import type { ClickHouseSettings } from './clickhouse/settings.ts';
import { SqliteAssemblyStore } from './sqlite/assembly-store.ts';
import { SqliteReader } from './sqlite/reader.ts';
import { SqliteWriter } from './sqlite/writer.ts';
import type { AssemblyStore, BudgetsGiven, RawWriter, Retention, StoreReader } from './store.ts';

export { sharedSecret } from './clickhouse/secret.ts';

/** Where data is. Passes between threads as it is. */
export interface StorePlace {
  /** Of SQLite's files, and of what stays with this collector whatever the engine: secret, forward queue. */
  readonly folder: string;
  /** Present: everything else is there. */
  readonly clickhouse?: ClickHousePlace;
}

export interface ClickHousePlace extends ClickHouseSettings {
  /** Names this collector among those that write to the same tables. */
  readonly collector: string;
}

export interface WriterPlace extends StorePlace {
  readonly maxBytes: number;
  readonly retention?: Retention;
  /** Limits that apply where the page set none. */
  readonly budgets: BudgetsGiven;
}

/** The first to open a place. @throws {StoreError} */
export function openRawWriter(place: WriterPlace, onVolumes: () => void): RawWriter {
  const { clickhouse, retention } = place;
  if (clickhouse !== undefined) return new ClickHouseRawWriter(clickhouseOptions(place));
  const { folder, maxBytes, budgets } = place;
  return new SqliteWriter({
    folder,
    maxBytes,
    budgets,
    ...(retention && { retention }),
    onVolumes,
  });
}

/** After the raw writer, and closed before it. @throws {StoreError} */
export const openAssemblyStore = (place: WriterPlace): AssemblyStore =>
  place.clickhouse === undefined
    ? new SqliteAssemblyStore(place)
    : new ClickHouseAssemblyStore(clickhouseOptions(place));

const clickhouseOptions = ({ clickhouse, retention, budgets }: WriterPlace) => ({
  settings: clickhouse!,
  budgets,
  collector: clickhouse!.collector,
  ...(retention && { retention }),
});

/** The writer must have opened it before. @throws {StoreError} */
export async function openReader({ folder, clickhouse }: StorePlace): Promise<StoreReader> {
  if (clickhouse === undefined) return new SqliteReader(folder);
  // Its client is loaded by whoever has it: each of the reading threads would else do so at its start.
  const { ClickHouseReader } = await import('./clickhouse/reader.ts');
  return ClickHouseReader.open(clickhouse, clickhouse.collector);
}
