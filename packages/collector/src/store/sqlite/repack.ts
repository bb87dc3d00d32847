// Brings the spans of a volume of version 1 or 2 into blocks: those were packs of
// JSON with a row a trace. Runs once, in the transaction of the migration.

import type { Database } from 'better-sqlite3';
import { SpanColumns } from '../../decode/span-columns.ts';
import { traceHash, TraceGroups } from './commit-rows.ts';
import { LargeTexts } from './large-texts.ts';
import { SpanBlockWriter } from './span-block.ts';
import { unpackSpans } from './span-pack-v1.ts';
import { DirectoryWriter } from './trace-directory.ts';
import { TraceIndexWriter } from './trace-index.ts';

const REPACK = {
  commits: `SELECT commit_no FROM ingest WHERE spans IS NOT NULL ORDER BY commit_no`,
  pack: `SELECT arrival_ns, spans FROM ingest WHERE commit_no = ?`,
  sessions: `SELECT key, id FROM session`,
  update: `UPDATE ingest SET spans = ? WHERE commit_no = ?`,
  directory: `INSERT INTO directory (commit_no, traces) VALUES (?, ?)`,
  sessionPart: `INSERT INTO session_part (session, commit_no, span_count) VALUES (?, ?, ?)`,
} as const;

export function repackSpans(database: Database): void {
  const pack = database.prepare(REPACK.pack).safeIntegers();
  const update = database.prepare(REPACK.update);
  const addDirectory = database.prepare(REPACK.directory);
  const part = database.prepare(REPACK.sessionPart);
  const sessions = new Map(
    (database.prepare(REPACK.sessions).all() as { key: string; id: number }[]).map(one => [
      one.key,
      one.id,
    ]),
  );
  const writer = new BlockMaker(database);
  const commits = database.prepare(REPACK.commits).all() as { commit_no: number }[];
  for (const { commit_no: commit } of commits) {
    const row = pack.get(commit) as { arrival_ns: bigint; spans: Buffer };
    const spans = unpackSpans(row.spans, { commit, arrivalUnixNs: row.arrival_ns });
    const rowOf = (key: string | null): number => (key === null ? 0 : (sessions.get(key) ?? 0));
    const sessionRows = spans.map(span => rowOf(span.sessionKey));
    const columns = new SpanColumns();
    for (const span of spans) columns.add(span);
    const { block, directory } = writer.make(columns, sessionRows, commit);
    update.run(block, commit);
    addDirectory.run(commit, directory);
    const counts = new Map<number, number>();
    for (const session of sessionRows) counts.set(session, (counts.get(session) ?? 0) + 1);
    for (const [session, count] of counts) if (session > 0) part.run(session, commit, count);
  }
}

class BlockMaker {
  readonly #groups = new TraceGroups();
  readonly #blocks = new SpanBlockWriter();
  readonly #directories = new DirectoryWriter();
  readonly #index: TraceIndexWriter;
  readonly #texts: LargeTexts;

  constructor(database: Database) {
    this.#index = new TraceIndexWriter(database);
    this.#texts = new LargeTexts(database);
  }

  make(
    columns: SpanColumns,
    sessionRows: readonly number[],
    commit: number,
  ): { block: Buffer; directory: Buffer } {
    const groups = this.#groups;
    const words = columns.idWords();
    groups.begin(columns.length);
    groups.sessionRow.set(sessionRows);
    for (let row = 0; row < columns.length; row++) groups.keep(groups.traceOf(words, row));
    const rows = groups.rows(columns.length);
    for (let trace = 0; trace < rows.traceCount; trace++)
      this.#index.add(traceHash(words, rows.order[rows.traceFrom[trace]!]! * 8), commit);
    this.#index.endCommit(commit);
    return {
      block: this.#blocks.pack(columns, rows, text => this.#texts.keep(text)),
      directory: this.#directories.pack(columns, rows),
    };
  }
}
