// Commands on a data folder that no collector runs on (prune, rebuild), or that
// only look (sql, integrity).

import { parseArgs } from 'node:util';
import { ClockBook } from './assemble/clock/clock-book.ts';
import { makeAssembler } from './assemble/make-assembler.ts';
import { BUDGETS_DEFAULT, MAX_BYTES_DEFAULT } from './collector.ts';
import { readSize, UsageError } from './config.ts';
import { systemClock } from './receive/clock.ts';
import { readRetention } from './retention-flag.ts';
import { answerSql, checkIntegrity } from './store/sqlite/inspect.ts';
import { SqliteWriter } from './store/sqlite/writer.ts';

const COMMANDS = ['prune', 'rebuild', 'sql', 'integrity'] as const;

type MaintenanceCommand = (typeof COMMANDS)[number];

const HOUR_NS = 3_600_000_000_000n;

const isMaintenance = (word: string | undefined): word is MaintenanceCommand =>
  COMMANDS.some(command => command === word);

/** Runs the command that `args` name, if it is one of these; answers the lines to print. */
export function maintain(args: readonly string[]): { lines: string[]; code: number } | undefined {
  const [command] = args;
  if (!isMaintenance(command)) return undefined;
  const { values, positionals } = readArgs(args.slice(1));
  const folder = values.data ?? './framescope-data';
  if (command === 'sql') return sql(folder, positionals, values.volume);
  if (positionals.length > 0)
    throw new UsageError(`"${positionals[0]}" is not expected behind ${command}`);
  if (command === 'prune') return prune(folder, values['max-size'], values.retention);
  return command === 'rebuild' ? rebuild(folder) : integrity(folder);
}

function readArgs(args: readonly string[]): {
  values: Partial<Record<'data' | 'volume' | 'max-size' | 'retention', string>>;
  positionals: string[];
} {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        volume: { type: 'string' },
        'max-size': { type: 'string' },
        retention: { type: 'string' },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : 'wrong arguments', { cause });
  }
}

function sql(
  folder: string,
  positionals: readonly string[],
  volume: string | undefined,
): { lines: string[]; code: number } {
  const [query, ...rest] = positionals;
  if (query === undefined || rest.length > 0)
    throw new UsageError(
      'sql takes one question in quotes: framescope sql "SELECT count(*) FROM session"',
    );
  if (volume !== undefined && !/^\d{1,12}$/.test(volume))
    throw new UsageError(`--volume must be the number of a file in volumes/, got "${volume}"`);
  const rows = answerSql(folder, volume === undefined ? 'meta' : Number(volume), query);
  return { lines: rows.map(row => JSON.stringify(row, plainValue)), code: 0 };
}

/** Large integers as text, blobs by their length: what a terminal can show. */
function plainValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint')
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : String(value);
  if (isStoredBuffer(value)) return `${value.data.length} bytes`;
  return value;
}

/** What JSON.stringify makes of a Buffer before it asks. */
const isStoredBuffer = (value: unknown): value is { data: unknown[] } =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';

function prune(
  folder: string,
  maxSize: string | undefined,
  retention: string | undefined,
): { lines: string[]; code: number } {
  const ages = retention === undefined ? {} : readRetention(retention);
  if (typeof ages === 'string') throw new UsageError(`--retention: ${ages}`);
  // Who asks for ages alone has not said that the folder is too large: its collector may have more.
  const otherwise = retention === undefined ? MAX_BYTES_DEFAULT : Number.MAX_SAFE_INTEGER;
  const maxBytes = maxSize === undefined ? otherwise : readSize(maxSize);
  const store = new SqliteWriter({ folder, maxBytes, retention: ages });
  try {
    const before = store.sizeBytes();
    store.prune(nowUnixNs());
    const after = store.sizeBytes();
    return { lines: [`${megabytes(before - after)} freed, ${megabytes(after)} left`], code: 0 };
  } finally {
    store.close();
  }
}

/**
 * Session by session, so that memory holds one of them. Those whose frames or spans retention took
 * stay as they are: turns and charts live longer than what they were made from.
 */
function rebuild(folder: string): { lines: string[]; code: number } {
  const store = new SqliteWriter({ folder, maxBytes: Number.MAX_SAFE_INTEGER });
  const clock = systemClock(() => 'rebuild');
  let count = 0;
  try {
    const clockBook = new ClockBook(store.collectorClocks(), clock);
    const thinned = store.thinnedSessions();
    const known = store.limits();
    const limits = Object.keys(known).length > 0 ? known : BUDGETS_DEFAULT;
    for (const key of store.sessionKeys()) {
      const raw = thinned.has(key) ? undefined : store.loadSession(key);
      if (!raw) continue;
      const assembler = makeAssembler({
        clockBook,
        // Long ago: whoever fell silent is called broken off.
        startedUnixNs: nowUnixNs() - 24n * HOUR_NS,
        budgets: limits,
      });
      assembler.restore(raw);
      store.commitDerived(assembler.tick(nowUnixNs()).derived);
      count++;
    }
    while (store.tidy(nowUnixNs()));
    const lines = [`${count} sessions made anew`];
    if (thinned.size > 0)
      lines.push(`${thinned.size} left as they are: retention took some of their frames or spans`);
    return { lines, code: 0 };
  } finally {
    store.close();
  }
}

function integrity(folder: string): { lines: string[]; code: number } {
  const { files, spans, records, problems } = checkIntegrity(folder);
  const summary = `${files} files, ${spans} spans, ${records} records read`;
  if (problems.length === 0) return { lines: [`${summary}: all sound`], code: 0 };
  return { lines: [`${summary}, ${problems.length} problems:`, ...problems], code: 1 };
}

const nowUnixNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
