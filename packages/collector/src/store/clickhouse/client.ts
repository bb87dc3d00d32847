// What the store asks of ClickHouse, over the official client: rows out, rows in, and its failures as
// errors that say what to do.

import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { StoreError } from '../errors.ts';
import type { ClickHouseSettings } from './settings.ts';

export type QueryParams = Readonly<
  Record<string, string | number | readonly string[] | readonly number[]>
>;

/** One row of an answer: 64-bit numbers are text, so that none is rounded. */
export type Row = Readonly<Record<string, unknown>>;

const TIMEOUT_MS = 30_000;

/** An answer that ends with the text of an exception: a server may fail after it said 200. */
const LATE_EXCEPTION = /^Code: (\d+)\. DB::Exception: (.*)$/m;

const SELECT_SETTINGS = {
  // 2^53 and more would come rounded.
  output_format_json_quote_64bit_integers: 1,
  // Rows of one key lie in one partition: merging goes partition by partition.
  do_not_merge_across_partitions_select_final: 1,
  // `toString(start) AS start`: elsewhere in the statement `start` is the column.
  prefer_column_name_to_alias: 1,
} as const;

export class Client {
  readonly #client: ClickHouseClient;
  #settings: ClickHouseSettings;
  #foreignSpans: string | undefined;

  constructor(settings: ClickHouseSettings) {
    this.#settings = settings;
    this.#client = createClient({
      url: settings.url,
      username: settings.user,
      password: settings.password,
      request_timeout: TIMEOUT_MS,
      max_open_connections: 4,
      compression: { request: true, response: false },
      application: 'framescope',
      log: { level: 127 },
    });
  }

  /** `database.table` */
  table(name: string): string {
    return `${this.#settings.database}.${name}`;
  }

  /** Where the rows are, for what changes them: on a cluster the shards' own tables. */
  local(name: string): string {
    const { cluster } = this.#settings;
    return cluster === undefined
      ? this.table(name)
      : `${this.table(name)}_local ON CLUSTER ${cluster}`;
  }

  get localSpans(): string {
    return this.local(this.#settings.spansTable);
  }

  /** Our spans. */
  get spans(): string {
    return this.table(this.#settings.spansTable);
  }

  /** Spans that the exporter of the OpenTelemetry Collector wrote into a table of its own. */
  get foreignSpans(): string | undefined {
    return this.#foreignSpans;
  }

  /** The usual name is taken: ours stand in `table`, and those there are read as well. */
  writeSpansTo(table: string): void {
    this.#foreignSpans = this.spans;
    this.#settings = { ...this.#settings, spansTable: table };
  }

  get settings(): ClickHouseSettings {
    return this.#settings;
  }

  /** `{name:Type}` in `sql` stands for a value of `params`. @throws {StoreError} */
  async rows<T = Row>(sql: string, params: QueryParams = {}): Promise<T[]> {
    return this.#telling(async () => {
      const result = await this.#client.query({
        query: sql,
        format: 'JSONEachRow',
        query_params: { ...params },
        clickhouse_settings: SELECT_SETTINGS,
      });
      return parseRows<T>(await result.text());
    });
  }

  /**
   * Durable when it returns: the server may gather rows of several requests, and answers when they are
   * written. `token`: the same rows sent again with it are passed over (replicated tables).
   */
  async insert(table: string, rows: readonly object[], token?: string): Promise<void> {
    if (rows.length === 0) return;
    await this.#telling(() =>
      this.#client.insert({
        table,
        values: rows,
        format: 'JSONEachRow',
        clickhouse_settings: {
          async_insert: 1,
          wait_for_async_insert: 1,
          date_time_input_format: 'best_effort',
          ...(token !== undefined && { insert_deduplication_token: token }),
        },
      }),
    );
  }

  async command(sql: string): Promise<void> {
    await this.#telling(() => this.#client.command({ query: sql }));
  }

  async #telling<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (problem) {
      if (problem instanceof StoreError) throw problem;
      throw toldProblem(problem, this.#settings);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }
}

function parseRows<T>(text: string): T[] {
  const rows: T[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (!line.startsWith('{')) throw late(text);
    rows.push(JSON.parse(line) as T);
  }
  return rows;
}

function late(text: string): Error {
  const found = LATE_EXCEPTION.exec(text);
  const error = new Error(found?.[2] ?? 'an answer that is no JSON');
  return Object.assign(error, { code: found?.[1] ?? '' });
}

/** ClickHouse's codes for what may be better in a while. */
const RETRYABLE: Readonly<Record<string, string>> = {
  '159': 'it took too long to answer',
  '164': 'it is read-only: a replica without its Keeper, or a user that may not write',
  '202': 'it has too many queries at once',
  '203': 'it is shutting down',
  '209': 'a socket of it timed out',
  '210': 'it cannot be reached by its peers',
  '225': 'its Keeper cannot be reached',
  '241': 'it has no memory left for this',
  '242': 'a table is read-only: its Keeper cannot be reached',
  '243': 'its disk is full',
  '252': 'it has too many parts to merge: inserts come too often or are too small',
  '279': 'no replica can be reached',
  '285': 'too few replicas can be reached',
  '319': 'it does not know whether the insert was written',
  '425': 'it cannot write to its disk',
  '999': 'its Keeper had an error',
};

const FINAL: Readonly<Record<string, string>> = {
  '81': 'the database does not exist: make it, or name another behind the host',
  '192': 'the user does not exist: name one as clickhouse://user:password@host',
  '194': 'a password is needed: clickhouse://user:password@host',
  '193': 'the password is wrong',
  '497':
    'the user may not do this: it needs CREATE TABLE, CREATE VIEW, SELECT and INSERT on the database',
  '516': 'user or password is wrong',
};

/** ClickHouse cannot do it now, or not at all; the message says which and what to do. */
export class ClickHouseError extends StoreError {
  override readonly name = 'ClickHouseError';
  readonly url: string;
  /** Of ClickHouse; empty where it did not answer. */
  readonly serverCode: string;

  constructor(url: string, serverCode: string, cause: unknown) {
    const text = firstLine(cause);
    const why = RETRYABLE[serverCode] ?? FINAL[serverCode];
    // Without a code nobody answered: a connection refused, cut, or out of time.
    const isRetryable = serverCode === '' || serverCode in RETRYABLE;
    const then = isRetryable ? ' Nothing was kept; writing goes on by itself.' : '';
    super(
      'clickhouse',
      serverCode === ''
        ? `ClickHouse at ${url} does not answer: ${text}.${then}`
        : `ClickHouse at ${url}: ${why ?? text} (code ${serverCode}).${then}`,
      { cause, isRetryable },
    );
    this.url = url;
    this.serverCode = serverCode;
  }
}

function toldProblem(problem: unknown, { url }: ClickHouseSettings): StoreError {
  const code = problem instanceof Error && 'code' in problem ? String(problem.code) : '';
  return new ClickHouseError(url, /^\d+$/.test(code) ? code : '', problem);
}

const firstLine = (problem: unknown): string =>
  (problem instanceof Error ? problem.message || problem.name : String(problem)).split('\n', 1)[0]!;
