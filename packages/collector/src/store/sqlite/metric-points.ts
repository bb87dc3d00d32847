// Histograms of other programs in one volume: written as sent, read as what
// each point added.

import type { Database, Statement } from 'better-sqlite3';
import type { Attributes } from '@framescope/protocol';
import type { MetricPoint } from '../../decode/types.ts';
import type { StoredPoint, UnixRange } from '../store.ts';

/** Every statement on points; a test pins how SQLite answers each. */
export const POINTS = {
  // A no-op update: DO NOTHING would answer no row.
  series: `
    INSERT INTO metric_series (hash, measure, attributes, resource) VALUES (?, ?, ?, ?)
    ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash RETURNING id`,
  point: `
    INSERT INTO metric_point (series, commit_no, start_ns, at_ns, is_cumulative, count, sum_ns,
      min_ns, max_ns, sketch, is_exact)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (series, at_ns, start_ns) DO NOTHING`,
  known: `
    SELECT 1 AS found FROM metric_series JOIN metric_point ON metric_point.series = metric_series.id
    WHERE hash = ? AND at_ns = ? AND start_ns = ?`,
  inRange: `
    SELECT hash, measure, attributes, resource, start_ns, at_ns, is_cumulative, count, sum_ns,
      min_ns, max_ns, sketch, is_exact
    FROM metric_series JOIN metric_point ON metric_point.series = metric_series.id
    WHERE measure = ? AND at_ns >= ? AND at_ns < ?`,
  measures: `
    SELECT measure, count(DISTINCT metric_series.id) AS series, count(*) AS points
    FROM metric_series JOIN metric_point ON metric_point.series = metric_series.id
    GROUP BY measure`,
} as const;

export interface PointRow {
  readonly hash: Buffer;
  readonly measure: string;
  readonly attributes: string;
  readonly resource: string;
  readonly start_ns: bigint;
  readonly at_ns: bigint;
  readonly is_cumulative: bigint;
  readonly count: bigint;
  readonly sum_ns: number | null;
  readonly min_ns: number | null;
  readonly max_ns: number | null;
  readonly sketch: Buffer;
  readonly is_exact: bigint;
}

export class MetricPoints {
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

  /** The caller holds the transaction, and has written the row of the commit. */
  write(point: MetricPoint, commit: number): void {
    const { id } = this.#prepared(POINTS.series).get(
      Buffer.from(point.series, 'hex'),
      point.measure,
      JSON.stringify(point.attributes),
      JSON.stringify(point.resource),
    ) as { id: bigint };
    this.#prepared(POINTS.point).run(
      id,
      commit,
      point.startUnixNs,
      point.atUnixNs,
      point.isCumulative ? 1 : 0,
      point.count,
      point.sumNs,
      point.minNs,
      point.maxNs,
      point.sketch,
      point.isExact ? 1 : 0,
    );
  }

  has({ series, atUnixNs, startUnixNs }: MetricPoint): boolean {
    const hash = Buffer.from(series, 'hex');
    return this.#prepared(POINTS.known).get(hash, atUnixNs, startUnixNs) !== undefined;
  }

  inRange(measure: string, range: UnixRange): StoredPoint[] {
    const { fromUnixNs, toUnixNs } = range;
    const rows = this.#prepared(POINTS.inRange).all(measure, fromUnixNs, toUnixNs) as PointRow[];
    return rows.map(pointOf);
  }

  measures(): { measure: string; series: number; points: number }[] {
    const rows = this.#prepared(POINTS.measures).all() as {
      measure: string;
      series: bigint;
      points: bigint;
    }[];
    return rows.map(row => ({ ...row, series: Number(row.series), points: Number(row.points) }));
  }
}

export const pointOf = (row: PointRow): StoredPoint => ({
  measure: row.measure,
  series: row.hash.toString('hex'),
  attributes: JSON.parse(row.attributes) as Attributes,
  resource: JSON.parse(row.resource) as Attributes,
  startUnixNs: row.start_ns,
  atUnixNs: row.at_ns,
  isCumulative: row.is_cumulative === 1n,
  count: Number(row.count),
  sumNs: row.sum_ns,
  minNs: row.min_ns,
  maxNs: row.max_ns,
  sketch: row.sketch,
  isExact: row.is_exact === 1n,
});
