// Load of processes in one volume: a row a second and process, read in columns
// of time.

import type { Database, Statement } from 'better-sqlite3';
import type { Attributes } from '@framescope/protocol';
import type { DecodedLoad } from '../../decode/types.ts';
import type { LoadColumn, LoadScan } from '../store.ts';

/** Every statement on load; a test pins how SQLite answers each. */
export const LOADS = {
  // A no-op update: DO NOTHING would answer no row.
  source: `
    INSERT INTO load_source (json) VALUES (?)
    ON CONFLICT (json) DO UPDATE SET json = excluded.json RETURNING id`,
  sample: `
    INSERT INTO load_sample (source, at_ns, commit_no, length_ns, calls, lag_max_ns, lag_mean_ns,
      busy_permil, cpu_permil, rss_bytes, waiting_most, waiting)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (source, at_ns) DO NOTHING`,
  // The deepest queues of a column stand in the greatest of texts that begin with their depth.
  columns: `
    SELECT source, json, (at_ns - ?) / ? AS column, count(*) AS samples, max(calls) AS calls,
      max(lag_max_ns) AS lag_max_ns, avg(lag_mean_ns) AS lag_mean_ns, avg(busy_permil) AS busy_permil,
      avg(cpu_permil) AS cpu_permil, max(rss_bytes) AS rss_bytes,
      max(printf('%012d', waiting_most) || waiting) AS waiting
    FROM load_source CROSS JOIN load_sample ON load_sample.source = load_source.id
    WHERE at_ns >= ? AND at_ns < ?
    GROUP BY source, column ORDER BY source, column`,
} as const;

interface Row {
  readonly source: bigint;
  readonly json: string;
  readonly column: bigint;
  readonly samples: bigint;
  readonly calls: bigint | null;
  readonly lag_max_ns: bigint | null;
  readonly lag_mean_ns: number | null;
  readonly busy_permil: number | null;
  readonly cpu_permil: number | null;
  readonly rss_bytes: bigint | null;
  readonly waiting: string | null;
}

interface Source {
  readonly producer: string;
  readonly domain: string;
  readonly resource: Attributes;
}

const DEPTH_DIGITS = 12;

export class LoadSamples {
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
  }

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql).safeIntegers();
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** The caller holds the transaction, and has written the row of the commit. Twice is harmless. */
  write(load: DecodedLoad, commit: number): void {
    const { producer, domain, resource, figures, startUnixNs, endUnixNs } = load;
    const source: Source = { producer, domain, resource: resource.attributes };
    const { id } = this.#prepared(LOADS.source).get(JSON.stringify(source)) as { id: bigint };
    const { calls, lagMaxNs, lagMeanNs, busy, cpu, rssBytes, waiting } = figures;
    const whole = (value: number | undefined, unit = 1): number | null =>
      value === undefined ? null : Math.round(value * unit);
    this.#prepared(LOADS.sample).run(
      id,
      endUnixNs,
      commit,
      endUnixNs > startUnixNs ? endUnixNs - startUnixNs : 0n,
      whole(calls),
      whole(lagMaxNs),
      whole(lagMeanNs),
      whole(busy, 1_000),
      whole(cpu, 1_000),
      whole(rssBytes),
      waiting === undefined ? null : Math.max(0, ...Object.values(waiting).map(Math.round)),
      waiting === undefined ? null : JSON.stringify(waiting),
    );
  }

  /** One entry a process and column that has samples, by process and then time. */
  columns({ fromUnixNs, toUnixNs, columnNs }: LoadScan): LoadColumn[] {
    const rows = this.#prepared(LOADS.columns).all(
      fromUnixNs,
      columnNs,
      fromUnixNs,
      toUnixNs,
    ) as Row[];
    return rows.map(columnOf);
  }
}

function columnOf(row: Row): LoadColumn {
  const known = (value: bigint | number | null, unit = 1): number | null =>
    value === null ? null : Number(value) / unit;
  return {
    ...(JSON.parse(row.json) as Source),
    column: Number(row.column),
    samples: Number(row.samples),
    calls: known(row.calls),
    lagMaxNs: known(row.lag_max_ns),
    lagMeanNs: known(row.lag_mean_ns),
    busy: known(row.busy_permil, 1_000),
    cpu: known(row.cpu_permil, 1_000),
    rssBytes: known(row.rss_bytes),
    waiting:
      row.waiting === null
        ? {}
        : (JSON.parse(row.waiting.slice(DEPTH_DIGITS)) as Record<string, number>),
  };
}
