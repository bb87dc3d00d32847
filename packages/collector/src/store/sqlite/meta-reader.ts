// Reads derived rows from meta.db, over a connection that cannot write.

import type { Database, Statement } from 'better-sqlite3';
import type { SessionDetail, SessionSummary, Turn } from '@framescope/protocol';
import type {
  ClockSampleRow,
  CollectorClockRow,
  MeasureCount,
  PageRequest,
  RollupRow,
  SessionFilter,
  StorePage,
  TraceOwner,
  UnixRange,
  ValueRow,
} from '../store.ts';
import { cursorOf, numbersOf } from './cursor.ts';
import { TIME_MAX, TIME_MIN } from './volume-queries.ts';

const VALUE_COLUMNS = `measure.name AS measure, session.key AS session_key, tick, wait_index, at_ns,
  value_ns, is_censored, outcome, error_ns, resolved, worst_part, worst_part_ns, is_over_budget,
  attributes`;

const ROLLUP_COLUMNS = `measure.name AS measure, session.key AS session_key, minute, count,
  expected_count, lost_count, late_count, concealed_count, over_budget_count, sum_ns, min_ns,
  max_ns, sketch, worst`;

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
  valueCounts: `
    SELECT measure.name, count(*) AS n, count(DISTINCT value.session) AS sessions
    FROM measure JOIN value ON value.measure = measure.id
    WHERE at_ns >= ? AND at_ns < ? GROUP BY measure.id ORDER BY measure.name`,
  rollupCounts: `
    SELECT measure.name, sum(count) AS n, count(DISTINCT rollup.session) AS sessions
    FROM measure JOIN rollup ON rollup.measure = measure.id
    WHERE minute >= ? AND minute < ? GROUP BY measure.id ORDER BY measure.name`,
  values: `
    SELECT ${VALUE_COLUMNS} FROM value
      JOIN measure ON measure.id = value.measure JOIN session ON session.id = value.session
    WHERE measure.name = ? AND at_ns >= ? AND at_ns < ? ORDER BY at_ns` as string,
  rollups: `
    SELECT ${ROLLUP_COLUMNS} FROM rollup
      JOIN measure ON measure.id = rollup.measure JOIN session ON session.id = rollup.session
    WHERE measure.name = ? AND minute >= ? AND minute < ? ORDER BY minute` as string,
  sessionRollups: `
    SELECT ${ROLLUP_COLUMNS} FROM rollup
      JOIN measure ON measure.id = rollup.measure JOIN session ON session.id = rollup.session
    WHERE session.key = ?` as string,
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

/** How many sessions and turns a search by words looks through, newest first: about 50 ms. */
const SEARCHED_MAX = 20_000;

const MINUTE_NS = 60_000_000_000n;

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
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();

  /** Takes over `database` and closes it. */
  constructor(database: Database) {
    this.#database = database;
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
    return {
      items: items.map(row => JSON.parse(row.summary) as SessionSummary),
      nextCursor: rows.length > filter.limit && last ? cursorOf(last.start_ns, last.id) : null,
    };
  }

  session(key: string): SessionDetail | undefined {
    const [row] = this.#all<{ summary: string; detail: string }>(META_READ.session, key);
    if (!row) return undefined;
    return { ...JSON.parse(row.summary), ...JSON.parse(row.detail) } as SessionDetail;
  }

  summary(key: string): SessionSummary | undefined {
    const [row] = this.#all<{ summary: string }>(META_READ.summary, key);
    return row && (JSON.parse(row.summary) as SessionSummary);
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

  measures(range?: UnixRange): MeasureCount[] {
    const from = range?.fromUnixNs ?? TIME_MIN;
    const to = range?.toUnixNs ?? TIME_MAX;
    type Row = { name: string; n: bigint; sessions: bigint };
    const countOf =
      (kind: MeasureCount['kind']) =>
      (row: Row): MeasureCount => ({
        measure: row.name,
        kind,
        count: Number(row.n),
        sessionCount: Number(row.sessions),
      });
    return [
      ...this.#all<Row>(META_READ.valueCounts, from, to).map(countOf('wait')),
      ...this.#all<Row>(META_READ.rollupCounts, ...minutesOf(from, to)).map(countOf('frame')),
    ];
  }

  values(measure: string, range: UnixRange): ValueRow[] {
    return this.#all<ValueSql>(META_READ.values, measure, range.fromUnixNs, range.toUnixNs).map(
      valueOf,
    );
  }

  rollups(measure: string, range: UnixRange): RollupRow[] {
    const minutes = minutesOf(range.fromUnixNs, range.toUnixNs);
    return this.#all<RollupSql>(META_READ.rollups, measure, ...minutes).map(rollupOf);
  }

  sessionRollups(key: string): RollupRow[] {
    return this.#all<RollupSql>(META_READ.sessionRollups, key).map(rollupOf);
  }

  searchSessions(text: string, limit: number): SessionSummary[] {
    const asked = { text, lower: text.toLowerCase(), searched: SEARCHED_MAX, limit };
    return this.#all<{ summary: string }>(META_READ.searchSessions, asked).map(
      row => JSON.parse(row.summary) as SessionSummary,
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

interface ValueSql {
  readonly measure: string;
  readonly session_key: string;
  readonly tick: bigint;
  readonly wait_index: bigint;
  readonly at_ns: bigint;
  readonly value_ns: bigint;
  readonly is_censored: bigint;
  readonly outcome: string;
  readonly error_ns: bigint;
  readonly resolved: number;
  readonly worst_part: string | null;
  readonly worst_part_ns: bigint | null;
  readonly is_over_budget: bigint;
  readonly attributes: string;
}

const valueOf = (row: ValueSql): ValueRow => ({
  measure: row.measure,
  sessionKey: row.session_key,
  tick: Number(row.tick),
  waitIndex: Number(row.wait_index),
  atUnixNs: row.at_ns,
  valueNs: Number(row.value_ns),
  isCensored: row.is_censored === 1n,
  outcome: row.outcome,
  errorNs: Number(row.error_ns),
  resolved: row.resolved,
  worstPart: row.worst_part,
  worstPartNs: row.worst_part_ns === null ? null : Number(row.worst_part_ns),
  isOverBudget: row.is_over_budget === 1n,
  attributes: JSON.parse(row.attributes) as Record<string, string>,
});

interface RollupSql {
  readonly measure: string;
  readonly session_key: string;
  readonly minute: bigint;
  readonly count: bigint;
  readonly expected_count: bigint;
  readonly lost_count: bigint;
  readonly late_count: bigint;
  readonly concealed_count: bigint;
  readonly over_budget_count: bigint;
  readonly sum_ns: number;
  readonly min_ns: bigint;
  readonly max_ns: bigint;
  readonly sketch: Buffer;
  readonly worst: string;
}

const rollupOf = (row: RollupSql): RollupRow => ({
  measure: row.measure,
  sessionKey: row.session_key,
  minute: Number(row.minute),
  count: Number(row.count),
  expectedCount: Number(row.expected_count),
  lostCount: Number(row.lost_count),
  lateCount: Number(row.late_count),
  concealedCount: Number(row.concealed_count),
  overBudgetCount: Number(row.over_budget_count),
  sumNs: row.sum_ns,
  minNs: Number(row.min_ns),
  maxNs: Number(row.max_ns),
  sketch: new Uint8Array(row.sketch),
  worst: (JSON.parse(row.worst) as [number, number][]).map(([valueNs, ref]) => ({ valueNs, ref })),
});

/** Minutes that touch the range: [first, end). */
const minutesOf = (fromUnixNs: bigint, toUnixNs: bigint): [bigint, bigint] => [
  fromUnixNs / MINUTE_NS - (fromUnixNs % MINUTE_NS < 0n ? 1n : 0n),
  (toUnixNs - 1n) / MINUTE_NS + 1n,
];
