// Writes one volume. Every statement is prepared once; the caller holds the transaction.

import type { Database, Statement } from 'better-sqlite3';
import type { DecodedFlush } from '../../decode/types.ts';
import { sourceToJson } from './flush-source.ts';
import { MetricPoints } from './metric-points.ts';
import { openForWriting } from './open.ts';
import { packPositions, packSpans, type PackedSpan } from './span-pack.ts';
import { tracePrefix, VolumeQueries } from './volume-queries.ts';

const WRITE = {
  ingest: `INSERT INTO ingest (commit_no, arrival_ns, span_count, spans) VALUES (?, ?, ?, ?)`,
  session: `
    INSERT INTO session (key, session_id, incarnation, last_commit, last_arrival_ns)
    VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE
      SET last_commit = excluded.last_commit, last_arrival_ns = excluded.last_arrival_ns
    RETURNING id`,
  tracePart: `
    INSERT INTO trace_part (trace_prefix, trace_id, commit_no, span_ids, positions, start_ns, end_ns,
      error_count, name, service, is_root, session)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  sessionPart: `INSERT INTO session_part (session, commit_no, positions) VALUES (?, ?, ?)`,
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

const ERROR_STATUS = 2;

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
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof WRITE, Statement>>;
  /** Row IDs by text; forgotten after a failed transaction, which may have taken the rows back. */
  readonly #sourceIds = new Map<string, number>();
  readonly #producerIds = new Map<string, number>();

  /** `isNewest`: the one that was written last, and may have been torn by a crash. */
  constructor(number: number, path: string, isNewest: boolean) {
    this.number = number;
    this.path = path;
    this.#database = openForWriting(path, 'volume', isNewest ? 'whole' : 'size');
    this.queries = new VolumeQueries(this.#database);
    this.points = new MetricPoints(this.#database);
    this.#statements = {
      ingest: this.#database.prepare(WRITE.ingest),
      session: this.#database.prepare(WRITE.session),
      tracePart: this.#database.prepare(WRITE.tracePart),
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
      throw problem;
    }
  }

  /** Adds or renews a session; answers its row ID in this volume. */
  touchSession(session: SessionName, commit: Commit): number {
    const row = this.#statements.session.get(
      session.key,
      session.id,
      session.incarnation,
      commit.number,
      commit.arrivalUnixNs,
    ) as { id: number };
    return row.id;
  }

  writeSpans(
    spans: readonly PackedSpan[],
    commit: Commit,
    sessions: ReadonlyMap<string, number>,
  ): void {
    const pack = spans.length > 0 ? packSpans(spans) : null;
    this.#statements.ingest.run(commit.number, commit.arrivalUnixNs, spans.length, pack);
    for (const [traceId, positions] of groupBy(spans, one => one.span.traceId))
      this.#writeTracePart(traceId, { positions, spans, commit, sessions });
    for (const [key, positions] of groupBy(spans, one => one.sessionKey)) {
      const session = key === null ? undefined : sessions.get(key);
      if (session === undefined) continue;
      this.#statements.sessionPart.run(session, commit.number, packPositions(positions));
    }
  }

  #writeTracePart(
    traceId: string,
    part: {
      positions: readonly number[];
      spans: readonly PackedSpan[];
      commit: Commit;
      sessions: ReadonlyMap<string, number>;
    },
  ): void {
    const members = part.positions.map(position => part.spans[position]!);
    const spans = members.map(one => one.span);
    const root = spans.find(span => span.parentSpanId === undefined);
    const first = spans.reduce((a, b) => (b.startUnixNs < a.startUnixNs ? b : a));
    const last = spans.reduce((a, b) => (b.endUnixNs > a.endUnixNs ? b : a));
    const shown = root ?? first;
    const key = members.find(one => one.sessionKey !== null)?.sessionKey;
    const service = shown.resource.attributes['service.name'];
    this.#statements.tracePart.run(
      tracePrefix(traceId),
      Buffer.from(traceId, 'hex'),
      part.commit.number,
      Buffer.from(spans.map(span => span.spanId).join(''), 'hex'),
      packPositions(part.positions),
      first.startUnixNs,
      last.endUnixNs,
      spans.filter(span => span.statusCode === ERROR_STATUS).length,
      shown.name,
      typeof service === 'string' ? service : '',
      root ? 1 : 0,
      key == null ? null : (part.sessions.get(key) ?? null),
    );
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
      Buffer.from(flush.traceId, 'hex'),
      Buffer.from(flush.spanId, 'hex'),
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
    if (known.size >= 10_000) known.clear();
    known.set(text, id);
    return id;
  }

  /** Nothing more will be written: the log goes into the file, and its room is given back. */
  finish(): void {
    this.#database.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.#database.close();
  }
}

function groupBy<K>(spans: readonly PackedSpan[], keyOf: (one: PackedSpan) => K): Map<K, number[]> {
  const groups = new Map<K, number[]>();
  for (const [position, one] of spans.entries()) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(position);
    else groups.set(key, [position]);
  }
  return groups;
}
