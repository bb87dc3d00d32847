// What is read from one volume, by the writer and by readers alike.

import type { Database, Statement } from 'better-sqlite3';
import type { StateMessage } from '@framescope/protocol';
import type { AssemblyFlush, StoredFlush, UnixRange } from '../store.ts';
import { sourceFromJson, type FlushSource } from '../flush-source.ts';
import { idsOf } from './flush-ids.ts';

/** Every statement that reads a volume; a test pins how SQLite answers each. */
export const VOLUME_READ = {
  sessionByKey: `SELECT id, session_id, incarnation, last_commit FROM session WHERE key = ?`,
  sessionById: `
    SELECT id, key, incarnation, last_commit, last_arrival_ns FROM session
    WHERE session_id = ? ORDER BY incarnation DESC LIMIT 1`,
  sessions: `SELECT key, session_id, last_commit FROM session`,
  lastCommit: `SELECT commit_no, arrival_ns FROM ingest ORDER BY commit_no DESC LIMIT 1`,
  firstCommit: `SELECT commit_no, arrival_ns FROM ingest ORDER BY commit_no LIMIT 1`,
  flushes: `
    SELECT flush.id, seq, part, source.json AS source, flush.commit_no, arrival_ns, start_ns,
      end_ns, trace_id, span_id, frame_count, lost_count, record, state
    FROM flush JOIN source ON source.id = flush.source
      JOIN ingest ON ingest.commit_no = flush.commit_no
    WHERE session = ? AND start_ns < ? AND end_ns >= ? ORDER BY flush.id`,
  flushesSince: `
    SELECT flush.id, seq, part, source.json AS source, flush.commit_no, arrival_ns, start_ns,
      end_ns, trace_id, span_id, frame_count, lost_count, record, state
    FROM flush JOIN source ON source.id = flush.source
      JOIN ingest ON ingest.commit_no = flush.commit_no
    WHERE session = ? AND flush.id > ? ORDER BY flush.id`,
  // What many flushes share (session, source, commit) is looked up once and not joined to each.
  flushesIn: `
    SELECT session, source, commit_no, seq, part, start_ns, end_ns, frame_count, lost_count,
      record, state
    FROM flush WHERE id > ? AND id <= ? ORDER BY id`,
  idsOfFlushes: `SELECT trace_id, span_id FROM flush WHERE id > ? AND id <= ? ORDER BY id`,
  sessionOfRow: `SELECT key, session_id FROM session WHERE id = ?`,
  sourceOfRow: `SELECT json FROM source WHERE id = ?`,
  arrivalOf: `SELECT arrival_ns FROM ingest WHERE commit_no = ?`,
  flushIds: `SELECT min(id) AS first, (SELECT max(id) FROM flush) AS last FROM flush`,
  flushFrom: `SELECT id, commit_no FROM flush WHERE id >= ? ORDER BY id LIMIT 1`,
  flushBehind: `SELECT commit_no FROM flush WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?`,
  lastSeq: `
    SELECT max(seq) AS seq FROM flush
    WHERE session = ? AND producer = (SELECT id FROM producer WHERE name = ?)`,
  flushByIdentity: `
    SELECT 1 AS found FROM flush JOIN producer ON producer.id = flush.producer
    WHERE session = ? AND producer.name = ? AND seq = ? AND part = ?`,
} as const;

export interface SessionRow {
  readonly id: bigint;
  readonly key: string;
  readonly incarnation: bigint;
  readonly last_commit: bigint;
  readonly last_arrival_ns: bigint;
}

/** Where a volume has a session. */
export interface SessionPlace {
  /** Its row. */
  readonly id: bigint;
  readonly sessionId: string;
  readonly incarnation: number;
  readonly lastCommit: number;
}

export interface CommitRow {
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
}

interface FlushRow {
  readonly seq: bigint;
  readonly part: bigint;
  readonly source: string;
  readonly commit_no: bigint;
  readonly arrival_ns: bigint;
  readonly start_ns: bigint;
  readonly end_ns: bigint;
  readonly trace_id: Buffer;
  readonly span_id: Buffer;
  readonly frame_count: bigint;
  readonly lost_count: bigint;
  readonly record: Buffer | null;
  readonly state: string | null;
}

/** As `flushesIn` selects them. */
type FlushCells = readonly [
  session: bigint,
  source: bigint,
  commit: bigint,
  seq: bigint,
  part: bigint,
  startNs: bigint,
  endNs: bigint,
  frameCount: bigint,
  lostCount: bigint,
  record: Buffer | null,
  state: string | null,
];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export const TIME_MIN: bigint = -(2n ** 63n);
export const TIME_MAX: bigint = 2n ** 63n - 1n;

/** The same memory: a Buffer's own look would show in what is compared or sent on. */
const bytesOf = ({ buffer, byteOffset, length }: Buffer): Uint8Array =>
  new Uint8Array(buffer, byteOffset, length);

/** Parsed sources kept, and rows of sessions: cleared rather than aged. */
const SOURCES_MAX = 1_000;
const ROWS_MAX = 10_000;

function known<T>(all: Map<bigint, T>, row: bigint, find: () => T): T {
  let found = all.get(row);
  if (found !== undefined) return found;
  found = find();
  if (all.size >= ROWS_MAX) all.clear();
  all.set(row, found);
  return found;
}

export class VolumeQueries {
  readonly #statements = new Map<string, Statement>();
  readonly #sources = new Map<string, FlushSource>();
  readonly #database: Database;
  #statementOfFlushes: Statement | undefined;
  /** By row; retention takes flushes and leaves these. */
  readonly #owners = new Map<bigint, { readonly key: string; readonly id: string }>();
  readonly #sourceRows = new Map<bigint, FlushSource>();
  #lastArrival: { readonly commit: bigint; readonly unixNs: bigint } | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Prepared once; integers come as bigint, since Unix nanoseconds do not fit a double. */
  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql).safeIntegers();
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #get<T>(sql: string, ...values: unknown[]): T | undefined {
    return this.#prepared(sql).get(...values) as T | undefined;
  }

  #all<T>(sql: string, ...values: unknown[]): T[] {
    return this.#prepared(sql).all(...values) as T[];
  }

  sessionByKey(key: string): SessionPlace | undefined {
    type Row = { id: bigint; session_id: string; incarnation: bigint; last_commit: bigint };
    const row = this.#get<Row>(VOLUME_READ.sessionByKey, key);
    return (
      row && {
        id: row.id,
        sessionId: row.session_id,
        incarnation: Number(row.incarnation),
        lastCommit: Number(row.last_commit),
      }
    );
  }

  /** The newest incarnation of a `session.id`. */
  sessionById(sessionId: string): SessionRow | undefined {
    return this.#get<SessionRow>(VOLUME_READ.sessionById, sessionId);
  }

  sessions(): { key: string; id: string; lastCommit: number }[] {
    return this.#all<{ key: string; session_id: string; last_commit: bigint }>(
      VOLUME_READ.sessions,
    ).map(row => ({ key: row.key, id: row.session_id, lastCommit: Number(row.last_commit) }));
  }

  lastCommit(): CommitRow | undefined {
    return this.#commit(VOLUME_READ.lastCommit);
  }

  firstCommit(): CommitRow | undefined {
    return this.#commit(VOLUME_READ.firstCommit);
  }

  #commit(sql: string): CommitRow | undefined {
    const row = this.#get<{ commit_no: bigint; arrival_ns: bigint }>(sql);
    return row && { commit: Number(row.commit_no), arrivalUnixNs: row.arrival_ns };
  }

  flushes(session: bigint, owner: { key: string; id: string }, range?: UnixRange): StoredFlush[] {
    const rows = this.#all<FlushRow>(
      VOLUME_READ.flushes,
      session,
      range?.toUnixNs ?? TIME_MAX,
      range?.fromUnixNs ?? TIME_MIN,
    );
    return rows.map(row => this.#flushOf(row, owner));
  }

  /** Those of commits after `commit`: behind the last one of it, and no look at those before. */
  flushesSince(session: bigint, owner: { key: string; id: string }, commit: number): StoredFlush[] {
    const after = this.lastFlushUpTo(commit);
    const rows = this.#all<FlushRow>(VOLUME_READ.flushesSince, session, after);
    return rows.map(row => this.#flushOf(row, owner));
  }

  /** All sessions' flushes with numbers in (from, to], in order of arrival. */
  flushesIn(from: number, to: number): AssemblyFlush[] {
    if (to <= from) return [];
    this.#statementOfFlushes ??= this.#database.prepare(VOLUME_READ.flushesIn).safeIntegers().raw();
    const rows = this.#statementOfFlushes.all(from, to) as FlushCells[];
    return rows.map(cells => this.#assemblyFlush(cells));
  }

  /** The same with the IDs of their spans. */
  wholeFlushesIn(from: number, to: number): StoredFlush[] {
    const ids = this.#all<{ trace_id: Buffer; span_id: Buffer }>(
      VOLUME_READ.idsOfFlushes,
      from,
      to,
    );
    return this.flushesIn(from, to).map((flush, i) => {
      const { trace_id: traceId, span_id: spanId } = ids[i]!;
      return { ...flush, ...idsOf(flush, { traceId, spanId }) };
    });
  }

  #assemblyFlush(cells: FlushCells): AssemblyFlush {
    const [session, source, commit, seq, part, startUnixNs, endUnixNs, frames, lost] = cells;
    const [, , , , , , , , , record, state] = cells;
    const owner = this.#ownerOf(session);
    const { producer, clock, resource } = this.#sourceOfRow(source);
    const flush: Mutable<AssemblyFlush> = {
      producer,
      clock,
      resource,
      sessionId: owner.id,
      sessionKey: owner.key,
      seq: Number(seq),
      part: Number(part),
      startUnixNs,
      endUnixNs,
      frameCount: Number(frames),
      lostCount: Number(lost),
      commit: Number(commit),
      arrivalUnixNs: this.#arrivalOf(commit),
    };
    if (record !== null) flush.record = bytesOf(record);
    if (state !== null) flush.state = JSON.parse(state) as StateMessage;
    return flush;
  }

  #ownerOf(row: bigint): { readonly key: string; readonly id: string } {
    return known(this.#owners, row, () => {
      const its = this.#get<{ key: string; session_id: string }>(VOLUME_READ.sessionOfRow, row)!;
      return { key: its.key, id: its.session_id };
    });
  }

  #sourceOfRow(row: bigint): FlushSource {
    return known(this.#sourceRows, row, () =>
      this.#sourceOf(this.#get<{ json: string }>(VOLUME_READ.sourceOfRow, row)!.json),
    );
  }

  #arrivalOf(commit: bigint): bigint {
    if (this.#lastArrival?.commit !== commit) {
      const row = this.#get<{ arrival_ns: bigint }>(VOLUME_READ.arrivalOf, commit)!;
      this.#lastArrival = { commit, unixNs: row.arrival_ns };
    }
    return this.#lastArrival.unixNs;
  }

  /** Number of the last flush that came with `commit` or before; 0 when there is none. */
  lastFlushUpTo(commit: number): number {
    const ends = this.#get<{ first: bigint | null; last: bigint | null }>(VOLUME_READ.flushIds);
    // Numbers rise as commits do. Most often the last one is asked for.
    let high = Number(ends?.last ?? 0);
    if (high === 0 || this.#flushFrom(high)!.commit <= commit) return high;
    let low = Number(ends!.first) - 1;
    // The answer is in [low, high); what retention took leaves no gap within.
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (this.#flushFrom(middle)!.commit <= commit) low = middle;
      else high = middle;
    }
    return low;
  }

  #flushFrom(id: number): { id: number; commit: number } | undefined {
    const row = this.#get<{ id: bigint; commit_no: bigint }>(VOLUME_READ.flushFrom, id);
    return row && { id: Number(row.id), commit: Number(row.commit_no) };
  }

  /** Commit of the flush that is `offset` flushes behind the next one after `id`. */
  commitOfFlush(id: number, offset: number): number | undefined {
    const row = this.#get<{ commit_no: bigint }>(VOLUME_READ.flushBehind, id, offset);
    return row && Number(row.commit_no);
  }

  hasFlush(session: bigint, flush: { producer: string; seq: number; part: number }): boolean {
    const { producer, seq, part } = flush;
    return this.#get(VOLUME_READ.flushByIdentity, session, producer, seq, part) !== undefined;
  }

  /** The highest sequence number that a producer of the session has here; -1 for none. */
  lastSeq(session: bigint, producer: string): number {
    const row = this.#get<{ seq: bigint | null }>(VOLUME_READ.lastSeq, session, producer);
    return Number(row?.seq ?? -1n);
  }

  #flushOf(row: FlushRow, owner: { key: string; id: string }): StoredFlush {
    const source = this.#sourceOf(row.source);
    const identity = {
      sessionId: owner.id,
      producer: source.producer,
      seq: Number(row.seq),
      part: Number(row.part),
    };
    return {
      ...source,
      ...identity,
      sessionKey: owner.key,
      ...idsOf(identity, { traceId: row.trace_id, spanId: row.span_id }),
      startUnixNs: row.start_ns,
      endUnixNs: row.end_ns,
      ...(row.record && { record: bytesOf(row.record) }),
      ...(row.state !== null && { state: JSON.parse(row.state) as StateMessage }),
      frameCount: Number(row.frame_count),
      lostCount: Number(row.lost_count),
      commit: Number(row.commit_no),
      arrivalUnixNs: row.arrival_ns,
    };
  }

  /** One object for all flushes of a process: there are few of these texts, and many flushes. */
  #sourceOf(json: string): FlushSource {
    let source = this.#sources.get(json);
    if (source !== undefined) return source;
    if (this.#sources.size >= SOURCES_MAX) this.#sources.clear();
    this.#sources.set(json, (source = sourceFromJson(json)));
    return source;
  }
}
