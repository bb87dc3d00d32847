// What is read from one volume, by the writer and by readers alike.

import type { Database, Statement } from 'better-sqlite3';
import type { SpanId, StateMessage, TraceId } from '@framescope/protocol';
import type { StoredFlush, StoredSpan, UnixRange } from '../store.ts';
import { sourceFromJson } from './flush-source.ts';
import { unpackPositions, unpackSpans } from './span-pack.ts';

/** Every statement that reads a volume; a test pins how SQLite answers each. */
export const VOLUME_READ = {
  sessionByKey: `SELECT id, session_id FROM session WHERE key = ?`,
  sessionById: `
    SELECT id, key, incarnation, last_commit, last_arrival_ns FROM session
    WHERE session_id = ? ORDER BY incarnation DESC LIMIT 1`,
  sessions: `SELECT key, session_id, last_commit FROM session`,
  lastCommit: `SELECT commit_no, arrival_ns FROM ingest ORDER BY commit_no DESC LIMIT 1`,
  firstCommit: `SELECT commit_no, arrival_ns FROM ingest ORDER BY commit_no LIMIT 1`,
  // A commit of flushes only has no spans: passed over, but counted as looked at.
  packsAfter: `
    SELECT commit_no, arrival_ns, span_count, spans FROM ingest
    WHERE commit_no > ? ORDER BY commit_no LIMIT ?`,
  pack: `SELECT commit_no, arrival_ns, spans FROM ingest WHERE commit_no = ?`,
  traceSpanIds: `
    SELECT trace_part.trace_id, span_ids, session.key, session.session_id
    FROM trace_part LEFT JOIN session ON session.id = trace_part.session
    WHERE trace_prefix = ? AND trace_part.trace_id = ? ORDER BY trace_part.id`,
  traceParts: `
    SELECT commit_no, positions, start_ns, end_ns, error_count, name, service, is_root, session.key
    FROM trace_part LEFT JOIN session ON session.id = trace_part.session
    WHERE trace_prefix = ? AND trace_part.trace_id = ? ORDER BY trace_part.id`,
  tracesBefore: `
    SELECT id, trace_id FROM trace_part AS part
    WHERE id < ? AND NOT EXISTS (
      SELECT 1 FROM trace_part AS later
      WHERE later.trace_prefix = part.trace_prefix AND later.id > part.id
        AND later.trace_id = part.trace_id)
    ORDER BY id DESC LIMIT ?`,
  sessionParts: `
    SELECT session_part.commit_no, positions FROM session_part
    WHERE session = ? ORDER BY id LIMIT ?`,
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

export interface TracePart {
  readonly commit: number;
  readonly positions: readonly number[];
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  readonly errorCount: number;
  readonly name: string;
  readonly service: string;
  readonly isRoot: boolean;
  readonly sessionKey: string | null;
}

interface PackRow {
  readonly commit_no: bigint;
  readonly arrival_ns: bigint;
  readonly span_count: bigint;
  readonly spans: Buffer | null;
}

/** Commits looked at in one go: small ones come by the hundred in a second. */
const COMMITS_MAX = 256;

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

/** First 48 bits of a trace ID: exact as a double. */
export const tracePrefix = (traceId: string): number => Number.parseInt(traceId.slice(0, 12), 16);

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

  spansAt(commit: number, positions?: readonly number[]): StoredSpan[] {
    const row = this.#get<{ arrival_ns: bigint; spans: Buffer | null }>(VOLUME_READ.pack, commit);
    if (!row?.spans) return [];
    return unpackSpans(row.spans, { commit, arrivalUnixNs: row.arrival_ns }, positions);
  }

  /** Whole commits after `commit`, while their spans keep within `limit`; the first in any case. */
  packsAfter(commit: number, limit: number): { row: CommitRow; spans: StoredSpan[] }[] {
    const rows = this.#prepared(VOLUME_READ.packsAfter).iterate(commit, COMMITS_MAX);
    const found: { row: CommitRow; spans: StoredSpan[] }[] = [];
    let count = 0;
    for (const one of rows as Iterable<PackRow>) {
      const size = Number(one.span_count);
      if (found.length > 0 && count + size > limit) break;
      count += size;
      const row = { commit: Number(one.commit_no), arrivalUnixNs: one.arrival_ns };
      found.push({ row, spans: one.spans ? unpackSpans(one.spans, row) : [] });
    }
    return found;
  }

  /** Span IDs of a trace in this volume, and the session it belongs to. */
  traceMembers(traceId: string): {
    spanIds: string[];
    session: { key: string; id: string } | null;
  } {
    const rows = this.#all<{ span_ids: Buffer; key: string | null; session_id: string | null }>(
      VOLUME_READ.traceSpanIds,
      tracePrefix(traceId),
      Buffer.from(traceId, 'hex'),
    );
    const spanIds = rows.flatMap(({ span_ids: ids }) =>
      Array.from({ length: ids.length / 8 }, (_, i) => ids.toString('hex', 8 * i, 8 * i + 8)),
    );
    const owner = rows.find(row => row.key !== null);
    return {
      spanIds,
      session: owner?.key != null ? { key: owner.key, id: owner.session_id ?? '' } : null,
    };
  }

  traceParts(traceId: string): TracePart[] {
    return this.#all<{
      commit_no: bigint;
      positions: Buffer;
      start_ns: bigint;
      end_ns: bigint;
      error_count: bigint;
      name: string;
      service: string;
      is_root: bigint;
      key: string | null;
    }>(VOLUME_READ.traceParts, tracePrefix(traceId), Buffer.from(traceId, 'hex')).map(row => ({
      commit: Number(row.commit_no),
      positions: unpackPositions(row.positions),
      startUnixNs: row.start_ns,
      endUnixNs: row.end_ns,
      errorCount: Number(row.error_count),
      name: row.name,
      service: row.service,
      isRoot: row.is_root === 1n,
      sessionKey: row.key,
    }));
  }

  /** Traces of this volume by their latest part, newest first, with part IDs below `beforeId`. */
  tracesBefore(beforeId: number, limit: number): { id: number; traceId: string }[] {
    return this.#all<{ id: bigint; trace_id: Buffer }>(
      VOLUME_READ.tracesBefore,
      beforeId,
      limit,
    ).map(row => ({ id: Number(row.id), traceId: row.trace_id.toString('hex') }));
  }

  sessionSpans(session: bigint, limit: number): StoredSpan[] {
    const spans: StoredSpan[] = [];
    const parts = this.#all<{ commit_no: bigint; positions: Buffer }>(
      VOLUME_READ.sessionParts,
      session,
      limit,
    );
    for (const part of parts) {
      if (spans.length >= limit) break;
      const positions = unpackPositions(part.positions).slice(0, limit - spans.length);
      spans.push(...this.spansAt(Number(part.commit_no), positions));
    }
    return spans;
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
