// Reads derived rows from meta.db, over a connection that cannot write.

import type { Database, Statement } from 'better-sqlite3';
import type { BudgetList, Pin, SessionDetail, SessionSummary, Turn } from '@framescope/protocol';
import type {
  BudgetsGiven,
  ClockSampleRow,
  CollectorClockRow,
  PageRequest,
  SessionFilter,
  StorePage,
  TraceOwner,
} from '../store.ts';
import { budgetsIn } from './budgets.ts';
import { ChartReader } from './chart-reader.ts';
import { cursorOf, numbersOf } from '../cursor.ts';
import { pinsIn } from './pins.ts';
import { TIME_MAX, TIME_MIN } from './volume-queries.ts';

/** Every statement that reads meta.db; a test pins how SQLite answers each. */
export const META_READ = {
  sessions: `
    SELECT id, start_ns, summary FROM session
    WHERE (start_ns, id) < (?, ?) AND start_ns >= ? ORDER BY start_ns DESC, id DESC LIMIT ?`,
  sessionsByStatus: `
    SELECT id, start_ns, summary FROM session
    WHERE status = ? AND (start_ns, id) < (?, ?) AND start_ns >= ?
    ORDER BY start_ns DESC, id DESC LIMIT ?`,
  session: `SELECT summary, detail FROM session WHERE key = ?`,
  summary: `SELECT summary FROM session WHERE key = ?`,
  turns: `
    SELECT turn.tick, turn.json FROM turn JOIN session ON session.id = turn.session
    WHERE session.key = ? AND turn.tick > ? ORDER BY turn.tick LIMIT ?`,
  turn: `
    SELECT turn.json FROM turn JOIN session ON session.id = turn.session
    WHERE session.key = ? AND turn.tick = ?`,
  turnByTrace: `
    SELECT session.key AS session_key, session.session_id, turn.tick
    FROM turn JOIN session ON session.id = turn.session WHERE turn.trace = ?`,
  clockSamples: `
    SELECT domain, epoch, peer, peer_epoch, t1, t2, t3, t4
    FROM clock_sample JOIN session ON session.id = clock_sample.session
    WHERE session.key = ? ORDER BY clock_sample.id`,
  collectorClocks: `
    SELECT domain, epoch, zero_unix_ns, since_commit FROM collector_clock ORDER BY id`,
  searchSessions: `
    SELECT summary FROM session WHERE key = @text OR session_id = @text
    UNION ALL
    SELECT summary FROM (
      SELECT summary, key, session_id FROM session ORDER BY start_ns DESC LIMIT @searched)
    WHERE instr(lower(session_id), @lower) > 0 AND session_id <> @text AND key <> @text
    LIMIT @limit`,
  searchTurns: `
    SELECT session.key AS session_key, recent.json FROM (
      SELECT session, json, words FROM turn ORDER BY id DESC LIMIT @searched) AS recent
    JOIN session ON session.id = recent.session
    WHERE instr(recent.words, @lower) > 0 LIMIT @limit`,
} as const;

/** As stored, with whether the call is kept: that is no part of what assembly wrote. */
function summaryOf(json: string, kept: ReadonlySet<string>): SessionSummary {
  const summary = JSON.parse(json) as SessionSummary;
  return kept.has(summary.key) ? { ...summary, pinned: true } : summary;
}

/** How many sessions and turns a search by words looks through, newest first: about 50 ms. */
const SEARCHED_MAX = 20_000;

/** Also for the writer, which has its own connection. */
export const collectorClocksIn = (database: Database): CollectorClockRow[] =>
  database
    .prepare<[], { domain: string; epoch: bigint; zero_unix_ns: bigint; since_commit: bigint }>(
      META_READ.collectorClocks,
    )
    .safeIntegers()
    .all()
    .map(row => ({
      domain: row.domain,
      epoch: Number(row.epoch),
      zeroUnixNs: row.zero_unix_ns,
      sinceCommit: Number(row.since_commit),
    }));

export class MetaReader {
  readonly charts: ChartReader;
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();

  /** Takes over `database` and closes it. */
  constructor(database: Database) {
    this.#database = database;
    this.charts = new ChartReader(database);
  }

  #all<T>(sql: string, ...values: unknown[]): T[] {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql).safeIntegers();
      this.#statements.set(sql, statement);
    }
    return statement.all(...values) as T[];
  }

  sessions(filter: SessionFilter): StorePage<SessionSummary> {
    const [startNs, id] = numbersOf(filter.cursor, 2) ?? [filter.toUnixNs ?? TIME_MAX, 0n];
    const from = filter.fromUnixNs ?? TIME_MIN;
    const limit = filter.limit + 1;
    type Row = { id: bigint; start_ns: bigint; summary: string };
    const rows = filter.status
      ? this.#all<Row>(META_READ.sessionsByStatus, filter.status, startNs, id, from, limit)
      : this.#all<Row>(META_READ.sessions, startNs, id, from, limit);
    const items = rows.slice(0, filter.limit);
    const last = items.at(-1);
    const kept = this.keptKeys();
    return {
      items: items.map(row => summaryOf(row.summary, kept)),
      nextCursor: rows.length > filter.limit && last ? cursorOf(last.start_ns, last.id) : null,
    };
  }

  session(key: string): SessionDetail | undefined {
    const [row] = this.#all<{ summary: string; detail: string }>(META_READ.session, key);
    if (!row) return undefined;
    return {
      ...summaryOf(row.summary, this.keptKeys()),
      ...(JSON.parse(row.detail) as object),
    } as SessionDetail;
  }

  summary(key: string): SessionSummary | undefined {
    const [row] = this.#all<{ summary: string }>(META_READ.summary, key);
    return row && summaryOf(row.summary, this.keptKeys());
  }

  pins(): Pin[] {
    return pinsIn(this.#database);
  }

  budgets(given: BudgetsGiven): BudgetList {
    return budgetsIn(this.#database, given);
  }

  keptKeys(): ReadonlySet<string> {
    return this.charts.keptKeys();
  }

  turns(key: string, page: PageRequest): StorePage<Turn> {
    const [after] = numbersOf(page.cursor, 1) ?? [-1n];
    const rows = this.#all<{ tick: bigint; json: string }>(
      META_READ.turns,
      key,
      after,
      page.limit + 1,
    );
    const items = rows.slice(0, page.limit);
    const last = items.at(-1);
    return {
      items: items.map(row => JSON.parse(row.json) as Turn),
      nextCursor: rows.length > page.limit && last ? cursorOf(last.tick) : null,
    };
  }

  turn(key: string, tick: number): Turn | undefined {
    const [row] = this.#all<{ json: string }>(META_READ.turn, key, tick);
    return row && (JSON.parse(row.json) as Turn);
  }

  turnOfTrace(traceId: string): TraceOwner | undefined {
    const [row] = this.#all<{ session_key: string; session_id: string; tick: bigint }>(
      META_READ.turnByTrace,
      traceId,
    );
    return (
      row && { sessionKey: row.session_key, sessionId: row.session_id, turnTick: Number(row.tick) }
    );
  }

  collectorClocks(): CollectorClockRow[] {
    return collectorClocksIn(this.#database);
  }

  clockSamples(key: string): ClockSampleRow[] {
    return this.#all<Record<string, string | bigint>>(META_READ.clockSamples, key).map(row => ({
      domain: String(row['domain']),
      epoch: Number(row['epoch']),
      peer: String(row['peer']),
      peerEpoch: Number(row['peer_epoch']),
      t1: Number(row['t1']),
      t2: Number(row['t2']),
      t3: Number(row['t3']),
      t4: Number(row['t4']),
    }));
  }

  searchSessions(text: string, limit: number): SessionSummary[] {
    const asked = { text, lower: text.toLowerCase(), searched: SEARCHED_MAX, limit };
    const kept = this.keptKeys();
    return this.#all<{ summary: string }>(META_READ.searchSessions, asked).map(row =>
      summaryOf(row.summary, kept),
    );
  }

  searchTurns(text: string, limit: number): { sessionKey: string; turn: Turn }[] {
    const asked = { lower: text.toLowerCase(), searched: SEARCHED_MAX, limit };
    return this.#all<{ session_key: string; json: string }>(META_READ.searchTurns, asked).map(
      row => ({ sessionKey: row.session_key, turn: JSON.parse(row.json) as Turn }),
    );
  }

  close(): void {
    this.#database.close();
  }
}
