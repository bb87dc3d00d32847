// All that a data folder holds, in an order in which it can be handed on in pieces and taken up again
// anywhere: raw data file by file, in order of arrival; sessions with what was derived, by row.
//
// The folder is locked meanwhile: no collector writes to it.

import { existsSync } from 'node:fs';
import type { Annotation, AnnotationInput, BudgetInput, Pin } from '@framescope/protocol';
import type { Database, Statement } from 'better-sqlite3';
import { MinuteCursor, rowOf } from '../../rollup/minute-codec.ts';
import { WaitPackReader } from '../../rollup/wait-codec.ts';
import type { DecodedLoad } from '../../decode/types.ts';
import type {
  CollectorClockRow,
  DerivedRows,
  RollupRow,
  StoredFlush,
  StoredPoint,
  StoredSpan,
  ValueRow,
} from '../store.ts';
import { rollupRow } from './chart-writer.ts';
import { NoDataError } from './inspect.ts';
import { MetaReader } from './meta-reader.ts';
import { pointOf, type PointRow } from './metric-points.ts';
import { isUpToDate } from './migrate.ts';
import { guarded, lockFolder, openForReading, openForWriting } from './open.ts';
import { DataFolder } from './volume-files.ts';
import { VolumeQueries } from './volume-queries.ts';
import { VolumeSpans } from './volume-spans.ts';

const SOURCE = {
  commits: `SELECT commit_no, arrival_ns FROM ingest ORDER BY commit_no`,
  heard: `SELECT key, session_id, incarnation, last_commit, last_arrival_ns FROM session`,
  flushEnd: `SELECT coalesce(max(id), 0) AS last FROM flush`,
  points: `
    SELECT metric_point.id AS id, hash, measure, attributes, resource, start_ns, at_ns,
      is_cumulative, count, sum_ns, min_ns, max_ns, sketch, is_exact
    FROM metric_point JOIN metric_series ON metric_series.id = metric_point.series
    WHERE metric_point.id > ? ORDER BY metric_point.id LIMIT ?`,
  loads: `
    SELECT json, at_ns, length_ns, calls, lag_max_ns, lag_mean_ns, busy_permil, cpu_permil,
      rss_bytes, waiting
    FROM load_source JOIN load_sample ON load_sample.source = load_source.id`,
  sessions: `
    SELECT id, key, covered_commit, revision FROM session WHERE id > ? ORDER BY id LIMIT ?`,
  sessionCount: `SELECT count(*) AS n FROM session`,
  measures: `SELECT id, name FROM measure`,
  values: `
    SELECT measure, tick, wait_index, at_ns, value_ns, is_censored, outcome, error_ns, resolved,
      worst_part, worst_part_ns, is_over_budget, saves_ns FROM value WHERE session = ?`,
  waitPack: `SELECT from_ns, data, more FROM wait_pack WHERE session = ?`,
  rollups: `
    SELECT measure, minute, count, lost_count, late_count, concealed_count, over_budget_count,
      sum_ns, min_ns, max_ns, sketch, worst FROM rollup WHERE session = ?`,
  rollupPacks: `SELECT measure, data FROM rollup_pack WHERE session = ?`,
  annotations: `SELECT id, at_ns, end_ns, json FROM annotation ORDER BY id`,
  budgets: `SELECT measure, limit_ns FROM budget ORDER BY measure`,
} as const;

const TURNS_PAGE = 1_000;

/** A file with raw data. */
export interface SourceFile {
  /** `kept <key>` or `volume <number>`: as a file is named in what was noted of progress. */
  readonly name: string;
  readonly spans: VolumeSpans;
  readonly queries: VolumeQueries;
}

interface OpenSourceFile extends SourceFile {
  readonly database: Database;
}

export interface SourceCommit {
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
}

export interface HeardSession {
  readonly key: string;
  readonly id: string;
  readonly incarnation: number;
  readonly lastCommit: number;
  readonly lastArrivalUnixNs: bigint;
}

/** Number of a session's row, and what was derived of it. */
export interface SourceSession {
  readonly row: number;
  readonly derived: DerivedRows;
}

export class FolderSource {
  readonly folder: DataFolder;
  /** Those of kept calls first, then volumes, oldest first. */
  readonly files: readonly SourceFile[];
  readonly #open: readonly OpenSourceFile[];
  readonly #lock: Database;
  readonly #database: Database;
  readonly #meta: MetaReader;
  readonly #measures: ReadonlyMap<number, string>;
  readonly #statements = new Map<string, Statement>();

  /** @throws {StoreError} when it is no data folder, in use, or of another version. */
  constructor(path: string) {
    this.folder = new DataFolder(path);
    if (!existsSync(this.folder.metaPath)) throw new NoDataError(this.folder.metaPath);
    this.#lock = guarded(path, () => lockFolder(this.folder.lockPath));
    const opened: OpenSourceFile[] = [];
    try {
      // Brings files of earlier versions up to this one, as a collector does.
      openForWriting(this.folder.metaPath, 'meta', { check: 'size', logBytes: LOG_BYTES }).close();
      this.#database = openForReading(this.folder.metaPath, 'meta');
      this.#meta = new MetaReader(openForReading(this.folder.metaPath, 'meta'));
      for (const key of this.folder.keptKeys())
        opened.push(openFile(`kept ${key}`, this.folder.keptPath(key)));
      for (const number of this.folder.volumeNumbers())
        opened.push(openFile(`volume ${number}`, this.folder.volumePath(number)));
    } catch (problem) {
      for (const file of opened) file.database.close();
      this.#lock.close();
      throw problem;
    }
    this.files = this.#open = opened;
    const names = this.#all<{ id: bigint; name: string }>(SOURCE.measures);
    this.#measures = new Map(names.map(one => [Number(one.id), one.name]));
  }

  #all<T>(sql: string, ...values: unknown[]): T[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql).safeIntegers();
      this.#statements.set(sql, statement);
    }
    return statement.all(...values) as T[];
  }

  /** Of all files, each once, by number. */
  commits(): SourceCommit[] {
    const found = new Map<number, bigint>();
    for (const { database } of this.#open)
      for (const row of database.prepare(SOURCE.commits).safeIntegers().all() as {
        commit_no: bigint;
        arrival_ns: bigint;
      }[])
        found.set(Number(row.commit_no), row.arrival_ns);
    return [...found]
      .map(([commit, arrivalUnixNs]) => ({ commit, arrivalUnixNs }))
      .toSorted((a, b) => a.commit - b.commit);
  }

  /** Whole commits with spans after `commit`; empty: there is none. */
  spansAfter(
    { spans }: SourceFile,
    commit: number,
    limit: number,
  ): { readonly lastCommit: number; readonly spans: readonly StoredSpan[] } | undefined {
    const blocks = spans.blocksAfter(commit, limit);
    const last = blocks.at(-1);
    return (
      last && { lastCommit: last.row.commit, spans: blocks.flatMap(block => [...block.spans]) }
    );
  }

  /** Flushes with numbers in (after, after + limit]; undefined: there is none behind. */
  flushesAfter(
    file: SourceFile,
    after: number,
    limit: number,
  ): { readonly last: number; readonly flushes: readonly StoredFlush[] } | undefined {
    const { database, queries } = this.#openOf(file);
    const end = Number((database.prepare(SOURCE.flushEnd).get() as { last: number }).last);
    if (after >= end) return undefined;
    const last = Math.min(end, after + limit);
    return { last, flushes: queries.wholeFlushesIn(after, last) };
  }

  pointsAfter(
    file: SourceFile,
    after: number,
    limit: number,
  ): { readonly last: number; readonly points: readonly StoredPoint[] } | undefined {
    const rows = this.#openOf(file)
      .database.prepare(SOURCE.points)
      .safeIntegers()
      .all(after, limit) as (PointRow & { id: bigint })[];
    const last = rows.at(-1);
    return last && { last: Number(last.id), points: rows.map(pointOf) };
  }

  loads(file: SourceFile): DecodedLoad[] {
    const rows = this.#openOf(file).database.prepare(SOURCE.loads).safeIntegers().all();
    return (rows as LoadRow[]).map(loadOf);
  }

  #openOf(file: SourceFile): OpenSourceFile {
    return this.#open.find(one => one === file)!;
  }

  /** Incarnations of `session.id`s with raw data; of one in several files the newest. */
  heard(): HeardSession[] {
    const found = new Map<string, HeardSession>();
    for (const { database } of this.#open)
      for (const row of database.prepare(SOURCE.heard).safeIntegers().all() as HeardRow[]) {
        const lastCommit = Number(row.last_commit);
        if ((found.get(row.key)?.lastCommit ?? -1) >= lastCommit) continue;
        found.set(row.key, {
          key: row.key,
          id: row.session_id,
          incarnation: Number(row.incarnation),
          lastCommit,
          lastArrivalUnixNs: row.last_arrival_ns,
        });
      }
    return [...found.values()];
  }

  sessionCount(): number {
    return Number(this.#all<{ n: bigint }>(SOURCE.sessionCount)[0]!.n);
  }

  /** Sessions with what was derived, by the numbers of their rows. */
  sessionsAfter(row: number, limit: number): SourceSession[] {
    type Row = { id: bigint; key: string; covered_commit: bigint; revision: bigint };
    return this.#all<Row>(SOURCE.sessions, row, limit).flatMap(one => {
      const detail = this.#meta.session(one.key);
      if (detail === undefined) return [];
      const { pinned: _pinned, ...session } = detail;
      const derived: DerivedRows = {
        sessionKey: one.key,
        coveredCommit: Number(one.covered_commit),
        revision: Number(one.revision),
        session,
        replace: 'all',
        turns: this.#turnsOf(one.key),
        values: this.#valuesOf(one.id, one.key),
        rollups: this.#rollupsOf(one.id, one.key),
        clockSamples: this.#meta.clockSamples(one.key),
      };
      return [{ row: Number(one.id), derived }];
    });
  }

  #turnsOf(key: string): DerivedRows['turns'] {
    const turns: DerivedRows['turns'][number][] = [];
    let cursor: string | null = null;
    do {
      const page = this.#meta.turns(key, { limit: TURNS_PAGE, ...(cursor !== null && { cursor }) });
      turns.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return turns;
  }

  #measure(id: number): string {
    return this.#measures.get(id) ?? '';
  }

  #valuesOf(session: bigint, sessionKey: string): ValueRow[] {
    type Row = Record<string, bigint | string | number | null>;
    const rows = this.#all<Row>(SOURCE.values, session).map((row): ValueRow => {
      const orNull = (name: string): number | null =>
        row[name] === null ? null : Number(row[name]);
      return {
        measure: this.#measure(Number(row['measure'])),
        sessionKey,
        tick: Number(row['tick']),
        waitIndex: Number(row['wait_index']),
        atUnixNs: row['at_ns'] as bigint,
        valueNs: Number(row['value_ns']),
        isCensored: row['is_censored'] === 1n,
        outcome: String(row['outcome']),
        errorNs: Number(row['error_ns']),
        resolved: Number(row['resolved']),
        worstPart: row['worst_part'] as string | null,
        worstPartNs: orNull('worst_part_ns'),
        isOverBudget: row['is_over_budget'] === 1n,
        savesNs: orNull('saves_ns'),
      };
    });
    const [pack] = this.#all<{ from_ns: bigint; data: Buffer; more: Buffer }>(
      SOURCE.waitPack,
      session,
    );
    const reader = new WaitPackReader();
    if (pack === undefined || !reader.open(pack.data)) return rows;
    for (const { measure, worst, ...value } of reader.values(pack.from_ns, pack.more))
      rows.push({
        ...value,
        sessionKey,
        measure: this.#measure(measure),
        worstPart: worst === 0 ? null : this.#measure(worst).slice('part.'.length),
      });
    return rows;
  }

  #rollupsOf(session: bigint, sessionKey: string): RollupRow[] {
    type Row = Record<string, number | string | null>;
    const rows = this.#all<Row>(SOURCE.rollups, session).map((row): RollupRow => ({
      ...rollupRow(row),
      sessionKey,
      measure: this.#measure(Number(row['measure'])),
    }));
    const cursor = new MinuteCursor();
    for (const { measure, data } of this.#all<{ measure: bigint; data: Buffer }>(
      SOURCE.rollupPacks,
      session,
    )) {
      cursor.open(data);
      while (cursor.step())
        rows.push(rowOf(cursor.entry(), this.#measure(Number(measure)), sessionKey));
    }
    return rows;
  }

  collectorClocks(): CollectorClockRow[] {
    return this.#meta.collectorClocks();
  }

  annotations(): Annotation[] {
    type Row = { id: bigint; at_ns: bigint; end_ns: bigint | null; json: string };
    return this.#all<Row>(SOURCE.annotations).map(row => ({
      id: String(row.id),
      atUnixNs: String(row.at_ns),
      endUnixNs: row.end_ns === null ? null : String(row.end_ns),
      ...(JSON.parse(row.json) as Omit<AnnotationInput, 'atUnixNs' | 'endUnixNs'>),
    }));
  }

  pins(): Pin[] {
    return this.#meta.pins();
  }

  /** What people set; limits given by a file or by default are the collector's own. */
  budgets(): BudgetInput['items'] {
    type Row = { measure: string; limit_ns: bigint | null };
    return this.#all<Row>(SOURCE.budgets).map(row => ({
      measure: row.measure,
      limitNs: row.limit_ns === null ? null : Number(row.limit_ns),
    }));
  }

  close(): void {
    for (const { database } of this.#open) database.close();
    this.#meta.close();
    this.#database.close();
    this.#lock.close();
  }
}

/** Of the log beside a file that is brought up to date. */
const LOG_BYTES = 32 * 1024 * 1024;

function openFile(name: string, path: string): OpenSourceFile {
  openForWriting(path, 'volume', { check: 'size', logBytes: LOG_BYTES }).close();
  const database = openForReading(path, 'volume');
  if (!isUpToDate(database, 'volume')) throw new Error(`${path} could not be brought up to date`);
  return {
    name,
    database,
    spans: new VolumeSpans(database),
    queries: new VolumeQueries(database),
  };
}

interface HeardRow {
  readonly key: string;
  readonly session_id: string;
  readonly incarnation: bigint;
  readonly last_commit: bigint;
  readonly last_arrival_ns: bigint;
}

interface LoadRow {
  readonly json: string;
  readonly at_ns: bigint;
  readonly length_ns: bigint;
  readonly calls: bigint | null;
  readonly lag_max_ns: bigint | null;
  readonly lag_mean_ns: bigint | null;
  readonly busy_permil: bigint | null;
  readonly cpu_permil: bigint | null;
  readonly rss_bytes: bigint | null;
  readonly waiting: string | null;
}

function loadOf(row: LoadRow): DecodedLoad {
  const { producer, domain, resource } = JSON.parse(row.json) as {
    producer: string;
    domain: string;
    resource: DecodedLoad['resource']['attributes'];
  };
  const known = (name: string, value: bigint | null, unit = 1): Record<string, number> =>
    value === null ? {} : { [name]: Number(value) / unit };
  return {
    producer,
    domain,
    resource: { attributes: resource },
    startUnixNs: row.at_ns - row.length_ns,
    endUnixNs: row.at_ns,
    figures: {
      ...known('calls', row.calls),
      ...known('lagMaxNs', row.lag_max_ns),
      ...known('lagMeanNs', row.lag_mean_ns),
      ...known('busy', row.busy_permil, 1_000),
      ...known('cpu', row.cpu_permil, 1_000),
      ...known('rssBytes', row.rss_bytes),
      ...(row.waiting !== null && {
        waiting: JSON.parse(row.waiting) as Record<string, number>,
      }),
    },
  };
}
