// Reads the spans of one volume: blocks and their directories, found by trace, by
// session, by commit. Used by the writer and by readers alike.

import { inflateRawSync } from 'node:zlib';
import type { Database, Statement } from 'better-sqlite3';
import type { StoredSpan } from '../store.ts';
import { traceHashOf } from './commit-rows.ts';
import { readBlock, type SpanBlock } from './span-block-read.ts';
import { readDirectory, type TraceEntry } from './trace-directory.ts';
import { TraceRuns } from './trace-index.ts';
import type { TraceRowsBuilder } from '../trace-rows.ts';
import type { CommitRow } from './volume-queries.ts';

/** Every statement that reads spans; a test pins how SQLite answers each. */
export const SPAN_READ = {
  block: `
    SELECT arrival_ns, spans, traces FROM ingest JOIN directory USING (commit_no)
    WHERE commit_no = ?`,
  directory: `SELECT traces FROM directory WHERE commit_no = ?`,
  commitsAfter: `SELECT commit_no FROM directory WHERE commit_no > ? ORDER BY commit_no`,
  commitsBefore: `
    SELECT commit_no FROM directory WHERE commit_no < ? ORDER BY commit_no DESC LIMIT ?`,
  // A commit of flushes only has no spans: passed over, but counted as looked at.
  blocksAfter: `
    SELECT commit_no, arrival_ns, span_count, spans, traces
    FROM ingest LEFT JOIN directory USING (commit_no)
    WHERE commit_no > ? ORDER BY commit_no LIMIT ?`,
  blocksBefore: `
    SELECT commit_no, arrival_ns, span_count, spans, traces
    FROM ingest LEFT JOIN directory USING (commit_no)
    WHERE commit_no < ? AND arrival_ns <= ? ORDER BY commit_no DESC LIMIT ?`,
  sessionCommits: `SELECT commit_no FROM session_part WHERE session = ? ORDER BY commit_no`,
  adopted: `
    SELECT commit_no, from_row, row_count, by_commit FROM adopted
    WHERE session = ? ORDER BY commit_no, from_row`,
  sessionKey: `SELECT key FROM session WHERE id = ?`,
  largeText: `SELECT text FROM large_text WHERE key = ?`,
} as const;

/** Commits looked at in one go: small ones come by the hundred in a second. */
const COMMITS_MAX = 256;

/** Directories kept parsed, some 100 kB each at most; blocks, about 1 MB each. */
const DIRECTORIES_KEPT = 80;
const BLOCKS_KEPT = 4;

/** Places of traces within a commit: an ID in lists is commit × this + place. */
const PLACES_MAX: number = 1 << 20;

/** The rows of one trace in one commit. */
export interface TracePart extends Omit<TraceEntry, 'session'> {
  readonly commit: number;
  readonly sessionKey: string | null;
}

interface Directory {
  readonly entries: readonly TraceEntry[];
  readonly byTrace: ReadonlyMap<string, number>;
}

interface BlockRow {
  readonly commit_no: bigint;
  readonly arrival_ns: bigint;
  readonly span_count: bigint;
  readonly spans: Buffer | null;
  readonly traces: Buffer | null;
}

interface CommitSpans {
  readonly row: CommitRow;
  readonly spans: StoredSpan[];
}

interface AdoptedRow {
  readonly commit_no: bigint;
  readonly from_row: bigint;
  readonly row_count: bigint;
  readonly by_commit: bigint;
}

/** Rows of a session in one block. */
export interface SessionRows {
  readonly block: OpenBlock;
  readonly rows: readonly number[];
  /** The commit with which they became the session's: their own, or a later one. */
  readonly byCommit: number;
}

export interface OpenBlock extends SpanBlock {
  readonly row: CommitRow;
}

export class VolumeSpans {
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof SPAN_READ, Statement>>;
  readonly #runs: TraceRuns;
  readonly #directories = new Map<number, Directory>();
  readonly #blocks = new Map<number, OpenBlock>();
  readonly #keys = new Map<number, string | null>();

  constructor(database: Database) {
    this.#database = database;
    const names = Object.keys(SPAN_READ) as (keyof typeof SPAN_READ)[];
    this.#statements = Object.fromEntries(
      names.map(name => [name, database.prepare(SPAN_READ[name]).safeIntegers()]),
    ) as Record<keyof typeof SPAN_READ, Statement>;
    this.#runs = new TraceRuns(database);
  }

  // ---- by trace ---------------------------------------------------------------------------

  /** The parts of a trace, by commit. */
  parts(traceId: string): TracePart[] {
    const commits = this.#atOnce(() => this.commitsOf(traceHashOf(traceId)));
    return commits.flatMap(commit => this.partIn(commit, traceId) ?? []);
  }

  /** Commits that may hold a trace with this hash, ascending. */
  commitsOf(hash: number): number[] {
    const runs = this.#runs.all();
    const covered = runs.reduce((last, run) => Math.max(last, run.to_commit), 0);
    return [...this.#runs.commitsOf(hash, runs), ...this.commitsAfter(covered)];
  }

  /** Commits with spans. */
  commitsAfter(commit: number): number[] {
    const rows = this.#statements.commitsAfter.all(commit) as { commit_no: bigint }[];
    return rows.map(row => Number(row.commit_no));
  }

  /** One snapshot: the writer may be merging runs. */
  #atOnce<T>(work: () => T): T {
    return this.#database.inTransaction ? work() : this.#database.transaction(work)();
  }

  /** Hashes of the traces in a commit. */
  hashesIn(commit: number): number[] {
    return this.#directory(commit)?.entries.map(one => traceHashOf(one.traceId)) ?? [];
  }

  partIn(commit: number, traceId: string): TracePart | undefined {
    const directory = this.#directory(commit);
    const place = directory?.byTrace.get(traceId);
    return place === undefined ? undefined : this.#part(commit, directory!.entries[place]!);
  }

  #part(commit: number, { session, ...entry }: TraceEntry): TracePart {
    return { ...entry, commit, sessionKey: session === 0 ? null : this.sessionKey(session) };
  }

  spansOf(part: Pick<TracePart, 'commit' | 'from' | 'count'>, limit: number): StoredSpan[] {
    const block = this.#block(part.commit);
    if (!block) return [];
    const count = Math.min(part.count, limit);
    return Array.from({ length: count }, (_, i) => this.#spanAt(block, part.from + i));
  }

  /** The same as columns. */
  rowsOf(part: Pick<TracePart, 'commit' | 'from' | 'count'>, into: TraceRowsBuilder): void {
    const block = this.#block(part.commit);
    if (block) into.add(block, part, row => this.#spanAt(block, row));
  }

  /** Traces by their latest part, newest first, with IDs below `beforeId`. */
  tracesBefore(beforeId: number, limit: number): { id: number; traceId: string }[] {
    return this.#atOnce(() => {
      const found: { id: number; traceId: string }[] = [];
      let commit = Math.floor(beforeId / PLACES_MAX) + 1;
      while (found.length < limit) {
        const rows = this.#statements.commitsBefore.all(commit, 16) as { commit_no: bigint }[];
        if (rows.length === 0) break;
        for (const row of rows) {
          commit = Number(row.commit_no);
          this.#tracesIn(commit, { beforeId, limit }, found);
          if (found.length >= limit) break;
        }
      }
      return found;
    });
  }

  #tracesIn(
    commit: number,
    wanted: { beforeId: number; limit: number },
    found: { id: number; traceId: string }[],
  ): void {
    const entries = this.#directory(commit)?.entries ?? [];
    for (let place = entries.length - 1; place >= 0; place--) {
      const id = commit * PLACES_MAX + place;
      if (id >= wanted.beforeId) continue;
      const { traceId } = entries[place]!;
      if (this.#isAfter(traceId, commit)) continue;
      found.push({ id, traceId });
      if (found.length >= wanted.limit) return;
    }
  }

  /** True when the trace has a part in a later commit. */
  #isAfter(traceId: string, commit: number): boolean {
    return this.commitsOf(traceHashOf(traceId)).some(
      later => later > commit && this.#directory(later)?.byTrace.has(traceId) === true,
    );
  }

  // ---- by session, by commit --------------------------------------------------------------

  /** Spans of one session, by arrival. */
  ofSession(session: bigint, limit: number): StoredSpan[] {
    const spans: StoredSpan[] = [];
    const sessionKey = this.sessionKey(Number(session));
    this.eachBlock(session, ({ block, rows }) => {
      for (const row of rows) {
        if (spans.length >= limit) return false;
        spans.push(Object.assign(this.#spanAt(block, row), { sessionKey }));
      }
      return true;
    });
    return spans;
  }

  /** The blocks that hold spans of a session, with its rows; until `visit` answers false. */
  eachBlock(session: bigint, visit: (found: SessionRows) => boolean): void {
    for (const { commit, byCommit, rows } of this.#sessionRows(session)) {
      const block = this.#block(commit);
      if (block && !visit({ block, byCommit, rows: rows ?? rowsOf(block, Number(session)) }))
        return;
    }
  }

  /** By commit; with the rows where they are known: those that the session adopted. */
  #sessionRows(session: bigint): { commit: number; byCommit: number; rows?: number[] }[] {
    const own = this.#statements.sessionCommits.all(session) as { commit_no: bigint }[];
    const adopted = this.#statements.adopted.all(session) as AdoptedRow[];
    const found = [
      ...own.map(row => ({ commit: Number(row.commit_no), byCommit: Number(row.commit_no) })),
      ...adopted.map(row => ({
        commit: Number(row.commit_no),
        byCommit: Number(row.by_commit),
        rows: Array.from({ length: Number(row.row_count) }, (_, i) => Number(row.from_row) + i),
      })),
    ];
    return found.toSorted((a, b) => a.commit - b.commit);
  }

  /** A row as an object. */
  spanAt(block: OpenBlock, row: number): StoredSpan {
    return this.#spanAt(block, row);
  }

  blockIn(commit: number): OpenBlock | undefined {
    return this.#block(commit);
  }

  /** Whole commits after `commit`, while their spans keep within `limit`; the first in any case. */
  blocksAfter(commit: number, limit: number): CommitSpans[] {
    const rows = this.#statements.blocksAfter.iterate(commit, COMMITS_MAX);
    return this.#within(rows as Iterable<BlockRow>, limit);
  }

  /** The same backwards, of those that had arrived at a time: the latest commit first. */
  blocksBefore(commit: number, arrivedUnixNs: bigint, limit: number): CommitSpans[] {
    const rows = this.#statements.blocksBefore.iterate(commit, arrivedUnixNs, COMMITS_MAX);
    return this.#within(rows as Iterable<BlockRow>, limit);
  }

  #within(rows: Iterable<BlockRow>, limit: number): CommitSpans[] {
    const found: CommitSpans[] = [];
    let count = 0;
    for (const one of rows) {
      const size = Number(one.span_count);
      if (found.length > 0 && count + size > limit) break;
      count += size;
      const row = { commit: Number(one.commit_no), arrivalUnixNs: one.arrival_ns };
      found.push({ row, spans: one.spans ? this.#spansIn(one, row) : [] });
    }
    return found;
  }

  #spansIn(one: BlockRow, row: CommitRow): StoredSpan[] {
    const block = this.#open(one, row);
    return block
      ? Array.from({ length: block.columns.length }, (_, i) => this.#spanAt(block, i))
      : [];
  }

  /** The key of a session's row; null when there is none. */
  sessionKey(session: number): string | null {
    let key = this.#keys.get(session);
    if (key === undefined) {
      const row = this.#statements.sessionKey.get(session) as { key: string } | undefined;
      key = row?.key ?? null;
      if (this.#keys.size > 10_000) this.#keys.clear();
      this.#keys.set(session, key);
    }
    return key;
  }

  /** After a transaction that was taken back: what was kept may never have been. */
  forget(): void {
    this.#keys.clear();
    this.#blocks.clear();
    this.#directories.clear();
  }

  // ---- blocks -----------------------------------------------------------------------------

  #spanAt(block: OpenBlock, row: number): StoredSpan {
    const span = block.columns.spanAt(row);
    const session = block.sessionRow[row]!;
    return Object.assign(span, {
      sessionKey: session === 0 ? null : this.sessionKey(session),
      ...block.row,
    });
  }

  #directory(commit: number): Directory | undefined {
    return kept(this.#directories, DIRECTORIES_KEPT, commit, () => {
      const row = this.#statements.directory.get(commit) as { traces: Buffer } | undefined;
      if (!row) return undefined;
      const entries = readDirectory(row.traces);
      return { entries, byTrace: new Map(entries.map((one, place) => [one.traceId, place])) };
    });
  }

  #block(commit: number): OpenBlock | undefined {
    return kept(this.#blocks, BLOCKS_KEPT, commit, () => {
      const one = this.#statements.block.get(commit) as BlockRow | undefined;
      return one && this.#open(one, { commit, arrivalUnixNs: one.arrival_ns });
    });
  }

  #open(one: Pick<BlockRow, 'spans' | 'traces'>, row: CommitRow): OpenBlock | undefined {
    if (!one.spans || !one.traces) return undefined;
    const block = readBlock(one.spans, readDirectory(one.traces), key => this.#largeText(key));
    return { ...block, row };
  }

  #largeText(key: Buffer): Buffer {
    const row = this.#statements.largeText.get(key) as { text: Buffer } | undefined;
    if (!row) throw new Error(`large text ${key.toString('hex')} is missing`);
    return inflateRawSync(row.text);
  }
}

function rowsOf(block: OpenBlock, session: number): number[] {
  const rows: number[] = [];
  for (let row = 0; row < block.columns.length; row++)
    if (block.sessionRow[row] === session) rows.push(row);
  return rows;
}

/** Answers what is kept for `key`, or makes it; the one not asked for longest goes. */
function kept<T>(
  all: Map<number, T>,
  max: number,
  key: number,
  make: () => T | undefined,
): T | undefined {
  const known = all.get(key);
  if (known !== undefined) {
    all.delete(key);
    all.set(key, known);
    return known;
  }
  const made = make();
  if (made === undefined) return undefined;
  if (all.size >= max) all.delete(all.keys().next().value!);
  all.set(key, made);
  return made;
}
