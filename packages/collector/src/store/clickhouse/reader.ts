// The readers' side of the ClickHouse store: every method is one or two statements over HTTP, and any
// number of collectors may ask at once.

import type {
  Annotation,
  BudgetList,
  Pin,
  SessionDetail,
  SessionSummary,
  TraceSummary,
  Turn,
} from '@framescope/protocol';
import type {
  BudgetsGiven,
  ClockSampleRow,
  CollectorClockRow,
  CommitBound,
  CommitPlace,
  FacetSession,
  ForwardTurn,
  GroupScan,
  MeasureCount,
  LoadColumn,
  LoadScan,
  MetricCount,
  OddSpans,
  PageRequest,
  SearchRows,
  SessionFilter,
  SessionScan,
  SpanRun,
  StoredFlush,
  StoredPoint,
  StoredSpan,
  StorePage,
  StoreReader,
  TraceOwner,
  TraceRows,
  TraceSpans,
  UnixRange,
  WaitTable,
  WantedColumns,
  WordsFinder,
} from '../store.ts';
import { cursorOf, numbersOf } from '../cursor.ts';
import { budgetsIn } from './budgets.ts';
import type { WaitSums, WaitSumsAsked } from '../wait-sums.types.ts';
import { waitSums } from './wait-sums.ts';
import { ClickHouseCharts } from './chart-reader.ts';
import { timeOf } from './chart-times.ts';
import { Client } from './client.ts';
import { chooseSpansTable } from './migrate.ts';
import { forwardTurn } from './forward-turn.ts';
import { loadsIn } from './load-row.ts';
import { isPinned, pinsIn } from './pins.ts';
import { POINT_COLUMNS, pointOfRow, type PointRow } from './point-row.ts';
import { SessionRaw } from './session-raw.ts';
import type { ClickHouseSettings } from './settings.ts';
import { rowsOfSpans } from '../trace-rows.ts';
import { TraceReader } from './trace-reader.ts';
import { collectorClocksIn, sizeBytesIn } from './writer.ts';

interface SummaryRow {
  readonly summary: string;
  readonly pinned: number;
}

/** As stored, with whether the call is kept: that is no part of what assembly wrote. */
const summaryOf = ({ summary, pinned }: SummaryRow): SessionSummary => ({
  ...(JSON.parse(summary) as SessionSummary),
  ...(pinned === 1 && { pinned: true }),
});

/** How many sessions and turns a search by words looks through, newest first. */
const SEARCHED_MAX = 100_000;

export class ClickHouseReader implements StoreReader {
  readonly commitsLeap = true;
  /** Whose it is. */
  readonly collector: string;
  readonly #client: Client;
  readonly #charts: ClickHouseCharts;
  readonly #raw: SessionRaw;
  readonly #traces: TraceReader;

  private constructor(client: Client, collector: string) {
    this.#client = client;
    this.collector = collector;
    this.#charts = new ClickHouseCharts(client);
    this.#raw = new SessionRaw(client);
    this.#traces = new TraceReader(client);
  }

  /** The writer must have made the tables. */
  static async open(
    settings: ClickHouseSettings,
    collector: string = 'reader',
  ): Promise<ClickHouseReader> {
    const client = new Client(settings);
    await chooseSpansTable(client);
    return new ClickHouseReader(client, collector);
  }

  #table(name: string): string {
    return this.#client.table(name);
  }

  /** A column of a SELECT over sessions. */
  get #pinned(): string {
    return `${isPinned(this.#client, 'key')} AS pinned`;
  }

  async sessions(filter: SessionFilter): Promise<StorePage<SessionSummary>> {
    const [start, row] = numbersOf(filter.cursor, 2) ?? [];
    const rows = await this.#client.rows<{ start: string; row: string } & SummaryRow>(
      `SELECT toString(t.start) AS start, toString(t.row) AS row, summary, ${this.#pinned}
       FROM ${this.#table('framescope_session')} AS t FINAL
       WHERE t.start >= {from:Int64} AND t.start < {to:Int64}
         ${filter.status === undefined ? '' : 'AND status = {status:String}'}
         ${row === undefined ? '' : 'AND (t.start, t.row) < ({start:Int64}, {row:UInt64})'}
       ORDER BY t.start DESC, t.row DESC LIMIT {limit:UInt32}`,
      {
        from: timeOf(filter.fromUnixNs),
        to: timeOf(filter.toUnixNs, true),
        limit: filter.limit + 1,
        ...(filter.status !== undefined && { status: filter.status }),
        ...(start !== undefined && row !== undefined && { start: String(start), row: String(row) }),
      },
    );
    const items = rows.slice(0, filter.limit);
    const last = items.at(-1);
    return {
      items: items.map(summaryOf),
      nextCursor:
        rows.length > filter.limit && last ? cursorOf(BigInt(last.start), BigInt(last.row)) : null,
    };
  }

  async session(key: string): Promise<SessionDetail | undefined> {
    const [row] = await this.#client.rows<{ detail: string } & SummaryRow>(
      `SELECT summary, detail, ${this.#pinned} FROM ${this.#table('framescope_session')} FINAL WHERE key = {key:String}`,
      { key },
    );
    return row && ({ ...summaryOf(row), ...JSON.parse(row.detail) } as SessionDetail);
  }

  async summaries(keys: readonly string[]): Promise<readonly SessionSummary[]> {
    if (keys.length === 0) return [];
    const rows = await this.#client.rows<{ key: string } & SummaryRow>(
      `SELECT key, summary, ${this.#pinned} FROM ${this.#table('framescope_session')} FINAL WHERE key IN {keys:Array(String)}`,
      { keys },
    );
    const found = new Map(rows.map(one => [one.key, summaryOf(one)]));
    return keys.flatMap(key => found.get(key) ?? []);
  }

  async turns(key: string, page: PageRequest): Promise<StorePage<Turn>> {
    const rows = await this.#client.rows<{ tick: string; json: string }>(
      `SELECT toString(t.tick) AS tick, json FROM ${this.#table('framescope_turn')} AS t FINAL
       WHERE session_key = {key:String} AND t.tick > {after:Int64} AND json != ''
       ORDER BY t.tick LIMIT {limit:UInt32}`,
      { key, after: String(numbersOf(page.cursor, 1)?.[0] ?? -1n), limit: page.limit + 1 },
    );
    const items = rows.slice(0, page.limit);
    const last = items.at(-1);
    return {
      items: items.map(one => JSON.parse(one.json) as Turn),
      nextCursor: rows.length > page.limit && last ? last.tick : null,
    };
  }

  async turn(key: string, tick: number): Promise<Turn | undefined> {
    const [row] = await this.#client.rows<{ json: string }>(
      `SELECT json FROM ${this.#table('framescope_turn')} FINAL
       WHERE session_key = {key:String} AND tick = {tick:Int64} AND json != ''`,
      { key, tick },
    );
    return row && (JSON.parse(row.json) as Turn);
  }

  flushes(key: string, range?: UnixRange): Promise<readonly StoredFlush[]> {
    if (range === undefined) return this.#raw.flushes(key);
    return this.#raw.flushes(key, 'AND f.start < {to:Int64} AND f.end >= {from:Int64}', {
      from: timeOf(range.fromUnixNs),
      to: timeOf(range.toUnixNs, true),
    });
  }

  flushesSince(key: string, commit: number): Promise<readonly StoredFlush[]> {
    return this.#raw.flushes(key, 'AND f.commit > {commit:UInt64}', { commit: String(commit) });
  }

  sessionSpans(key: string, limit: number): Promise<readonly StoredSpan[]> {
    return this.#raw.spans(key, { limit });
  }

  async clockSamples(key: string): Promise<readonly ClockSampleRow[]> {
    type Sample = Record<'domain' | 'peer', string> & Record<'epoch' | 'peer_epoch', number>;
    const rows = await this.#client.rows<Sample & Record<'t1' | 't2' | 't3' | 't4', string>>(
      `SELECT domain, epoch, peer, peer_epoch, toString(s.t1) AS t1, toString(s.t2) AS t2,
         toString(s.t3) AS t3, toString(s.t4) AS t4
       FROM ${this.#table('framescope_clock_sample')} AS s FINAL
       WHERE session_key = {key:String} ORDER BY version, s.t1`,
      { key },
    );
    return rows.map(row => ({
      domain: row.domain,
      epoch: row.epoch,
      peer: row.peer,
      peerEpoch: row.peer_epoch,
      t1: Number(row.t1),
      t2: Number(row.t2),
      t3: Number(row.t3),
      t4: Number(row.t4),
    }));
  }

  collectorClocks(): Promise<readonly CollectorClockRow[]> {
    return collectorClocksIn(this.#client);
  }

  measures(range?: UnixRange): Promise<readonly MeasureCount[]> {
    return this.#charts.measures(range);
  }

  waits(range: UnixRange, wanted: WantedColumns): Promise<WaitTable> {
    return this.#charts.waits(range, wanted);
  }

  waitSums(asked: WaitSumsAsked): Promise<WaitSums> {
    return waitSums(this.#client, asked);
  }

  scanGroup(scan: GroupScan): Promise<void> {
    return this.#charts.scanGroup(scan);
  }

  scanSessions(scan: SessionScan): Promise<void> {
    return this.#charts.scanSessions(scan);
  }

  scanFacets(range: UnixRange, visit: (session: FacetSession) => boolean): Promise<void> {
    return this.#charts.scanFacets(range, visit);
  }

  facetSession(row: number): Promise<FacetSession | undefined> {
    return this.#charts.facetSession(row);
  }

  groupValues(name: string): Promise<readonly string[]> {
    return this.#charts.groupValues(name);
  }

  pins(): Promise<readonly Pin[]> {
    return pinsIn(this.#client);
  }

  budgets(given: BudgetsGiven): Promise<BudgetList> {
    return budgetsIn(this.#client, given);
  }

  annotations(range: UnixRange): Promise<readonly Annotation[]> {
    return this.#charts.annotations(range);
  }

  trace(traceId: string, limit: number): Promise<TraceSpans | undefined> {
    return this.#traces.trace(traceId, limit);
  }

  async traceRows(traceId: string, limit: number, odd: OddSpans): Promise<TraceRows | undefined> {
    const found = await this.#traces.trace(traceId, limit);
    return found && rowsOfSpans(found, odd);
  }

  async traceOwner(traceId: string): Promise<TraceOwner | undefined> {
    const [turn] = await this.#client.rows<{ key: string; id: string; tick: string }>(
      `SELECT t.session_key AS key, s.session_id AS id, toString(t.tick) AS tick
       FROM (SELECT session_key, tick FROM ${this.#table('framescope_turn')} FINAL
             WHERE trace_id = {traceId:String} LIMIT 1) AS t
       INNER JOIN (SELECT key, session_id FROM ${this.#table('framescope_session')} FINAL) AS s
         ON s.key = t.session_key`,
      { traceId },
    );
    if (turn) return { sessionKey: turn.key, sessionId: turn.id, turnTick: Number(turn.tick) };
    return this.#traces.owner(traceId);
  }

  traces(page: PageRequest): Promise<StorePage<TraceSummary>> {
    return this.#traces.traces(page);
  }

  async search(text: string, limit: number): Promise<SearchRows> {
    const params = { text, lower: text.toLowerCase(), limit, searched: SEARCHED_MAX };
    const [sessions, turns, traceIds] = await Promise.all([
      this.#client.rows<SummaryRow>(
        `SELECT summary, ${this.#pinned} FROM (
           SELECT key, session_id, summary FROM ${this.#table('framescope_session')} FINAL
           ORDER BY start DESC LIMIT {searched:UInt32})
         WHERE key = {text:String} OR session_id = {text:String}
           OR position(lowerUTF8(session_id), {lower:String}) > 0
         ORDER BY (key = {text:String} OR session_id = {text:String}) DESC LIMIT {limit:UInt32}`,
        params,
      ),
      this.#client.rows<{ session_key: string; json: string }>(
        `SELECT session_key, json FROM (
           SELECT session_key, json, words FROM ${this.#table('framescope_turn')} FINAL
           WHERE json != '' ORDER BY version DESC, tick DESC LIMIT {searched:UInt32})
         WHERE position(words, {lower:String}) > 0 LIMIT {limit:UInt32}`,
        params,
      ),
      this.#traces.known(text.toLowerCase()),
    ]);
    return {
      sessions: sessions.map(summaryOf),
      turns: turns.map(one => ({
        sessionKey: one.session_key,
        turn: JSON.parse(one.json) as Turn,
      })),
      traceIds,
    };
  }

  /** The words of a filter, looked for once: whether they were said in a session, or in a turn of it. */
  async wordsFinder(text: string): Promise<WordsFinder> {
    const rows = await this.#client.rows<{ row: string; tick: string }>(
      `SELECT toString(session_row) AS row, toString(t.tick) AS tick
       FROM ${this.#table('framescope_turn')} AS t FINAL WHERE position(words, {text:String}) > 0`,
      { text },
    );
    const turns = new Set(rows.map(one => `${one.row} ${one.tick}`));
    const sessions = new Set(rows.map(one => one.row));
    return (session, tick) =>
      tick === undefined ? sessions.has(String(session)) : turns.has(`${session} ${tick}`);
  }

  spansAfter(commit: number, spanLimit: number, isSettled = false): Promise<SpanRun> {
    return this.#traces.spansAfter(commit, spanLimit, isSettled);
  }

  forwardTurn(target: string): ForwardTurn {
    const { collector } = this;
    return forwardTurn({ client: this.#client, collector, target, nowMs: Date.now });
  }

  spansBefore(bound: CommitBound, spanLimit: number): Promise<SpanRun> {
    return this.#traces.spansBefore(bound, spanLimit);
  }

  async lastCommit(): Promise<CommitPlace | undefined> {
    const [row] = await this.#client.rows<{ commit: string; arrival: string }>(
      `SELECT toString(max(c)) AS commit, toString(toUnixTimestamp64Nano(max(a))) AS arrival FROM (
         SELECT max(FramescopeCommit) AS c, max(FramescopeArrival) AS a FROM ${this.#client.spans}
         UNION ALL
         SELECT max(commit), max(arrival) FROM ${this.#table('framescope_heard')})`,
    );
    const commit = Number(row?.commit ?? 0);
    return commit === 0 ? undefined : { commit, arrivalUnixNs: BigInt(row!.arrival) };
  }

  async metricPoints(measure: string, range: UnixRange): Promise<readonly StoredPoint[]> {
    const rows = await this.#client.rows<PointRow>(
      `SELECT ${POINT_COLUMNS} FROM ${this.#table('framescope_metric_point')} AS p FINAL
       WHERE p.measure = {measure:String} AND p.at >= {from:Int64} AND p.at < {to:Int64}`,
      { measure, from: timeOf(range.fromUnixNs), to: timeOf(range.toUnixNs, true) },
    );
    return rows.map(pointOfRow);
  }

  loads(scan: LoadScan): Promise<readonly LoadColumn[]> {
    return loadsIn(this.#client, scan);
  }

  async metricMeasures(): Promise<readonly MetricCount[]> {
    const rows = await this.#client.rows<{ measure: string; series: string; points: string }>(
      `SELECT measure, toString(uniqExact(series)) AS series, toString(count()) AS points
       FROM ${this.#table('framescope_metric_point')} FINAL GROUP BY measure ORDER BY measure`,
    );
    return rows.map(row => ({
      measure: row.measure,
      seriesCount: Number(row.series),
      pointCount: Number(row.points),
    }));
  }

  sizeBytes(): Promise<number> {
    return sizeBytesIn(this.#client);
  }

  /** Tables stay where they are. */
  refresh(): void {}

  close(): Promise<void> {
    return this.#client.close();
  }
}
