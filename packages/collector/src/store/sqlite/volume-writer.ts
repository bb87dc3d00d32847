// Writes one volume. Every statement is prepared once; the caller holds the transaction.

import type { Database, Statement } from 'better-sqlite3';
import type { SpanColumns } from '../../decode/span-columns.ts';
import type { DecodedFlush } from '../../decode/types.ts';
import { sourceToJson } from '../flush-source.ts';
import { storedIds } from './flush-ids.ts';
import { LoadSamples } from './load-samples.ts';
import { MetricPoints } from './metric-points.ts';
import { openForWriting } from './open.ts';
import { traceHash, type CommitRows } from './commit-rows.ts';
import { LargeTexts } from './large-texts.ts';
import { SpanBlockWriter } from './span-block.ts';
import { DirectoryWriter } from './trace-directory.ts';
import { TraceFilter } from './trace-filter.ts';
import { TraceIndexWriter } from './trace-index.ts';
import { VolumeQueries } from './volume-queries.ts';
import { VolumeSpans, type TracePart } from './volume-spans.ts';

const WRITE = {
  ingest: `INSERT INTO ingest (commit_no, arrival_ns, span_count, spans) VALUES (?, ?, ?, ?)`,
  directory: `INSERT INTO directory (commit_no, traces) VALUES (?, ?)`,
  renew: `
    UPDATE session SET last_commit = max(last_commit, ?),
      last_arrival_ns = max(last_arrival_ns, ?) WHERE id = ?`,
  session: `
    INSERT INTO session (key, session_id, incarnation, last_commit, last_arrival_ns)
    VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE
      SET last_commit = max(last_commit, excluded.last_commit),
        last_arrival_ns = max(last_arrival_ns, excluded.last_arrival_ns)
    RETURNING id`,
  adopted: `
    INSERT INTO adopted (session, commit_no, from_row, row_count, by_commit) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (session, commit_no, from_row) DO NOTHING`,
  sessionPart: `INSERT INTO session_part (session, commit_no, span_count) VALUES (?, ?, ?)`,
  // A no-op update: DO NOTHING would answer no row.
  source: `
    INSERT INTO source (json) VALUES (?)
    ON CONFLICT (json) DO UPDATE SET json = excluded.json RETURNING id`,
  producer: `
    INSERT INTO producer (name) VALUES (?)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
  flush: `
    INSERT INTO flush (session, producer, seq, part, source, commit_no, start_ns, end_ns, trace_id,
      span_id, frame_count, lost_count, record, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (session, producer, seq, part) DO NOTHING`,
} as const;

/** What retention takes out of an old volume: a hundred blocks, or as many bytes of rows. */
const DROP = {
  loads: `
    DELETE FROM load_sample WHERE (source, at_ns) IN (
      SELECT source, at_ns FROM load_sample ORDER BY source, at_ns LIMIT 4000)`,
  flushes: `DELETE FROM flush WHERE id IN (SELECT id FROM flush ORDER BY id LIMIT 4000)`,
  blocks: `
    UPDATE ingest SET spans = NULL WHERE commit_no IN (
      SELECT ingest.commit_no FROM ingest JOIN directory USING (commit_no)
      WHERE spans IS NOT NULL ORDER BY ingest.commit_no LIMIT 100)`,
  directories: `
    DELETE FROM directory WHERE commit_no IN (
      SELECT commit_no FROM directory ORDER BY commit_no LIMIT 1000)`,
  sessionParts: `DELETE FROM session_part`,
  adopted: `DELETE FROM adopted`,
  runs: `DELETE FROM trace_run`,
  pages: `DELETE FROM trace_page WHERE id IN (SELECT id FROM trace_page ORDER BY id LIMIT 2000)`,
  largeTexts: `DELETE FROM large_text WHERE key IN (SELECT key FROM large_text LIMIT 1000)`,
} as const;

/** Whether any of that was taken. Flushes go in the order of their numbers, from 1; sources stay. */
const IS_THINNED = `
  SELECT EXISTS (SELECT 1 FROM source) AND NOT EXISTS (SELECT 1 FROM flush WHERE id = 1)
    OR EXISTS (SELECT 1 FROM ingest WHERE span_count > 0 AND spans IS NULL)`;

/** Makes blocks; one for all volumes, since its memory is used again. */
const BLOCKS = new SpanBlockWriter();
const DIRECTORIES = new DirectoryWriter();

/** Row IDs kept by name: cleared rather than aged. */
const IDS_KNOWN_MAX = 10_000;

export interface Commit {
  readonly number: number;
  readonly arrivalUnixNs: bigint;
}

export interface SessionName {
  readonly key: string;
  readonly id: string;
  readonly incarnation: number;
}

export class VolumeWriter {
  readonly number: number;
  readonly path: string;
  readonly queries: VolumeQueries;
  readonly points: MetricPoints;
  readonly loads: LoadSamples;
  readonly spans: VolumeSpans;
  readonly #index: TraceIndexWriter;
  readonly #largeTexts: LargeTexts;
  /** Of all traces in the file; made when first asked. */
  #filter: TraceFilter | undefined;
  #isIndexLoaded = false;
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof WRITE, Statement>>;
  /** Row IDs by text; forgotten after a failed transaction, which may have taken the rows back. */
  readonly #sourceIds = new Map<string, number>();
  readonly #producerIds = new Map<string, number>();
  readonly #sessionIds = new Map<string, number>();

  /** `isNewest`: the one that was written last, and may have been torn by a crash. */
  constructor(number: number, path: string, options: { isNewest: boolean; logBytes: number }) {
    this.number = number;
    this.path = path;
    this.#database = openForWriting(path, 'volume', {
      check: options.isNewest ? 'whole' : 'size',
      logBytes: options.logBytes,
    });
    this.queries = new VolumeQueries(this.#database);
    this.points = new MetricPoints(this.#database);
    this.loads = new LoadSamples(this.#database);
    this.spans = new VolumeSpans(this.#database);
    this.#index = new TraceIndexWriter(this.#database);
    this.#largeTexts = new LargeTexts(this.#database);
    this.#statements = {
      ingest: this.#database.prepare(WRITE.ingest),
      directory: this.#database.prepare(WRITE.directory),
      renew: this.#database.prepare(WRITE.renew),
      session: this.#database.prepare(WRITE.session),
      adopted: this.#database.prepare(WRITE.adopted),
      sessionPart: this.#database.prepare(WRITE.sessionPart),
      source: this.#database.prepare(WRITE.source),
      producer: this.#database.prepare(WRITE.producer),
      flush: this.#database.prepare(WRITE.flush),
    };
  }

  /** Runs `work` in one transaction: all of it is durable when this returns, or none. */
  transaction<T>(work: () => T): T {
    try {
      return this.#database.transaction(work).immediate();
    } catch (problem) {
      this.#sourceIds.clear();
      this.#producerIds.clear();
      this.#sessionIds.clear();
      this.#largeTexts.forget();
      this.spans.forget();
      this.#index.clear();
      this.#isIndexLoaded = false;
      throw problem;
    }
  }

  /** What of the trace is in this file, by commit. Quick when it is nothing. */
  partsOf(hash: number, traceId: () => string): TracePart[] {
    this.#loadIndex();
    if (!this.#filter!.mayHave(hash)) return [];
    return this.#index
      .commitsOf(hash)
      .flatMap(commit => this.spans.partIn(commit, traceId()) ?? []);
  }

  #loadIndex(): void {
    if (this.#isIndexLoaded) return;
    this.#isIndexLoaded = true;
    this.#index.clear();
    for (const commit of this.spans.commitsAfter(this.#index.coveredCommit())) {
      for (const hash of this.spans.hashesIn(commit)) this.#index.add(hash, commit);
      this.#index.countCommit();
    }
    if (this.#filter) return;
    const filter = new TraceFilter();
    this.#index.eachHash(hash => filter.add(hash));
    this.#filter = filter;
  }

  /** Adds or renews a session; answers its row ID in this volume. */
  touchSession(session: SessionName, commit: Commit): number {
    const known = this.#sessionIds.get(session.key);
    if (known !== undefined) {
      this.#statements.renew.run(commit.number, commit.arrivalUnixNs, known);
      return known;
    }
    const row = this.#statements.session.get(
      session.key,
      session.id,
      session.incarnation,
      commit.number,
      commit.arrivalUnixNs,
    ) as { id: number };
    if (this.#sessionIds.size >= IDS_KNOWN_MAX) this.#sessionIds.clear();
    this.#sessionIds.set(session.key, row.id);
    return row.id;
  }

  writeCommit(commit: Commit, spanCount: number, block?: Buffer): void {
    this.#statements.ingest.run(commit.number, commit.arrivalUnixNs, spanCount, block ?? null);
  }

  /** The rows of `columns` that are new, with their directory. */
  writeSpans(columns: SpanColumns, rows: CommitRows, commit: Commit): void {
    this.#loadIndex();
    const block = BLOCKS.pack(columns, rows, text => this.#largeTexts.keep(text));
    this.writeCommit(commit, rows.count, block);
    this.#statements.directory.run(commit.number, DIRECTORIES.pack(columns, rows));
    const words = columns.idWords();
    for (let trace = 0; trace < rows.traceCount; trace++) {
      const hash = traceHash(words, rows.order[rows.traceFrom[trace]!]! * 8);
      this.#index.add(hash, commit.number);
      this.#filter!.add(hash);
    }
    this.#index.endCommit(commit.number);
  }

  /** Rows that were stored before their session was known. `byCommit`: when it was. */
  adopt(session: number, part: TracePart, byCommit: number): void {
    this.#statements.adopted.run(session, part.commit, part.from, part.count, byCommit);
  }

  /** So many spans of the session came with the commit. */
  writeSessionPart(session: number, commit: Commit, spanCount: number): void {
    this.#statements.sessionPart.run(session, commit.number, spanCount);
  }

  /** False when it was there already. */
  writeFlush(flush: DecodedFlush, session: number, commit: Commit): boolean {
    const source = sourceToJson(flush);
    const { changes } = this.#statements.flush.run(
      session,
      this.#idOf(this.#producerIds, this.#statements.producer, flush.producer),
      flush.seq,
      flush.part,
      this.#idOf(this.#sourceIds, this.#statements.source, source),
      commit.number,
      flush.startUnixNs,
      flush.endUnixNs,
      ...storedIds(flush),
      flush.frameCount,
      flush.lostCount,
      flush.record ?? null,
      flush.state ? JSON.stringify(flush.state) : null,
    );
    return changes > 0;
  }

  #idOf(known: Map<string, number>, insert: Statement, text: string): number {
    const before = known.get(text);
    if (before !== undefined) return before;
    const { id } = insert.get(text) as { id: number };
    // A few per session: cleared rather than aged.
    if (known.size >= IDS_KNOWN_MAX) known.clear();
    known.set(text, id);
    return id;
  }

  // ---- retention: some of it at a time; true while there is more ------------------------------

  dropFrames(): boolean {
    return this.#dropSome([DROP.flushes, DROP.loads]);
  }

  dropSpans(): boolean {
    return this.#dropSome([
      DROP.blocks,
      DROP.directories,
      DROP.sessionParts,
      DROP.adopted,
      DROP.runs,
      DROP.pages,
      DROP.largeTexts,
    ]);
  }

  /** Retention took frames or spans out of the file. Looks at every commit. */
  isThinned(): boolean {
    return this.#database.prepare(IS_THINNED).pluck().get() === 1;
  }

  #dropSome(statements: readonly string[]): boolean {
    for (const sql of statements) {
      const { changes } = this.#database.prepare(sql).run();
      if (changes === 0) continue;
      this.spans.forget();
      this.#isIndexLoaded = false;
      this.#database.pragma('incremental_vacuum');
      this.#database.pragma('wal_checkpoint(TRUNCATE)');
      return true;
    }
    return false;
  }

  /** Nothing more will be written for now: the log goes into the file, and its room is given back. */
  finish(): void {
    this.#database.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    // Readers may hold the file open: closing alone would leave the log beside it.
    this.finish();
    this.#database.close();
  }
}
