// What is read from one volume, by the writer and by readers alike.

import type { Database, Statement } from 'better-sqlite3';
import type { SpanId, StateMessage, TraceId } from '@framescope/protocol';
import type { StoredFlush, UnixRange } from '../store.ts';
import { sourceFromJson } from './flush-source.ts';

/** Every statement that reads a volume; a test pins how SQLite answers each. */
export const VOLUME_READ = {
  sessionByKey: `SELECT id, session_id FROM session WHERE key = ?`,
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
    WHERE session = ? AND flush.commit_no > ? ORDER BY flush.id`,
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

export const TIME_MIN: bigint = -(2n ** 63n);
export const TIME_MAX: bigint = 2n ** 63n - 1n;

export class VolumeQueries {
  readonly #statements = new Map<string, Statement>();
  readonly #database: Database;

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

  sessionByKey(key: string): { id: bigint; sessionId: string } | undefined {
    const row = this.#get<{ id: bigint; session_id: string }>(VOLUME_READ.sessionByKey, key);
    return row && { id: row.id, sessionId: row.session_id };
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
    return rows.map(row => flushOf(row, owner));
  }

  /** Those of commits after `commit`. */
  flushesSince(session: bigint, owner: { key: string; id: string }, commit: number): StoredFlush[] {
    const rows = this.#all<FlushRow>(VOLUME_READ.flushesSince, session, commit);
    return rows.map(row => flushOf(row, owner));
  }

  hasFlush(session: bigint, flush: { producer: string; seq: number; part: number }): boolean {
    const { producer, seq, part } = flush;
    return this.#get(VOLUME_READ.flushByIdentity, session, producer, seq, part) !== undefined;
  }
}

function flushOf(row: FlushRow, owner: { key: string; id: string }): StoredFlush {
  return {
    ...sourceFromJson(row.source),
    sessionId: owner.id,
    sessionKey: owner.key,
    traceId: row.trace_id.toString('hex') as TraceId,
    spanId: row.span_id.toString('hex') as SpanId,
    seq: Number(row.seq),
    part: Number(row.part),
    startUnixNs: row.start_ns,
    endUnixNs: row.end_ns,
    ...(row.record && { record: new Uint8Array(row.record) }),
    ...(row.state !== null && { state: JSON.parse(row.state) as StateMessage }),
    frameCount: Number(row.frame_count),
    lostCount: Number(row.lost_count),
    commit: Number(row.commit_no),
    arrivalUnixNs: row.arrival_ns,
  };
}
