// What one commit brings, into the raw tables of ClickHouse.
//
// There is no transaction over tables, so the order is the guarantee: first that a session was heard of
// and which trace is whose, then spans and flushes. A crash between them leaves a promise without data
// (harmless: the sender, unanswered, sends again) and never data that nobody would assemble.
//
// Other collectors write at the same time. What a batch repeats is therefore asked of the server, not
// remembered; what two collectors store of one span within the same second is passed over when read
// (LIMIT 1 BY, FINAL).

import { sessionKey } from '@framescope/protocol';
import { scopeOf } from '../../decode/scope.ts';
import { isLastRoot, RANK_CERTAIN, RANK_NONE } from '../../decode/session-keys.ts';
import type { SpanColumns } from '../../decode/span-columns.ts';
import type { DecodedFlush, MetricPoint } from '../../decode/types.ts';
import type { CommitResult, IngestBatch, StoredSpan } from '../store.ts';
import { SpanTallies, WantedRows } from '../span-tallies.ts';
import type { Client } from './client.ts';
import { commitAt } from './commit-number.ts';
import { rowOfFlush } from './flush-row.ts';
import {
  Draft,
  type Adopted,
  type NewSpans,
  type SessionName,
  type TraceState,
  type Writing,
} from './intake-draft.ts';
import { rowOfLoad } from './load-row.ts';
import { pointId, rowOfPoint } from './point-row.ts';
import {
  dateTimeOf,
  OUR_SPAN_COLUMNS,
  rowOfSpan,
  SPAN_COLUMNS,
  spanOfRow,
  type SpanRow,
} from './span-row.ts';
import { talliesOf } from './session-raw.ts';

const HOUR_NS = 3_600_000_000_000n;

/** A `session.id` seen again after so long a silence is a new session. */
const SAME_SESSION_NS: bigint = HOUR_NS;

/** How far back a repeated span or record is looked for. */
const REPEATS_NS: bigint = 24n * HOUR_NS;

/** Names of sessions kept in memory; others are asked for. */
const KNOWN_MAX = 50_000;

interface Known {
  readonly name: SessionName;
  readonly lastArrivalUnixNs: bigint;
}

export class ClickHouseIntake {
  readonly #client: Client;
  readonly #collector: string;
  readonly #wanted = new WantedRows();
  readonly #known = new Map<string, Known>();
  #lastCommit: number;

  constructor(client: Client, collector: string, lastCommit: number) {
    this.#client = client;
    this.#collector = collector;
    this.#lastCommit = lastCommit;
  }

  get lastCommit(): number {
    return this.#lastCommit;
  }

  /** Stored and searchable when it returns. */
  async commit(batch: IngestBatch): Promise<CommitResult> {
    const { arrivalUnixNs, spans: columns, points = [], loads = [] } = batch;
    const spans = await this.#newSpans(columns, arrivalUnixNs);
    const freshPoints = await this.#newPoints(points);
    await this.#learn(batch, spans.traces);
    const flushes = await this.#newFlushes(batch.flushes, arrivalUnixNs);
    const draft = new Draft(this.#nextCommit(arrivalUnixNs), arrivalUnixNs);
    for (const flush of flushes)
      draft.flushes.push({ flush, key: this.#touch(flush.sessionId, draft).key });
    this.#findSessions(columns, spans, draft);
    const adopted = await this.#write({ columns, spans, draft, points: freshPoints, loads });
    return this.#result({
      columns,
      spans,
      draft,
      adopted,
      repeatedCount:
        columns.length -
        spans.rows.length +
        batch.flushes.length -
        flushes.length +
        points.length -
        freshPoints.length,
    });
  }

  #nextCommit(arrivalUnixNs: bigint): number {
    this.#lastCommit = Math.max(this.#lastCommit + 1, commitAt(arrivalUnixNs));
    return this.#lastCommit;
  }

  // ---- what is new -------------------------------------------------------------------------

  async #newSpans(columns: SpanColumns, arrivalUnixNs: bigint): Promise<NewSpans> {
    const rows: number[] = [];
    const traceIds: string[] = [];
    const traces = new Map<string, TraceState>();
    for (let row = 0; row < columns.length; row++) {
      const traceId = columns.traceId(row);
      traceIds.push(traceId);
      if (!traces.has(traceId))
        traces.set(traceId, {
          session: undefined,
          rank: RANK_NONE,
          named: '',
          isStored: false,
          isNamed: false,
        });
    }
    if (columns.length === 0) return { rows, traceIds, traces };
    const seen = await this.#storedSpans([...traces.keys()], arrivalUnixNs);
    for (const id of seen) traces.get(id.slice(0, 32))!.isStored = true;
    for (let row = 0; row < columns.length; row++) {
      const id = `${traceIds[row]} ${columns.spanId(row)}`;
      if (seen.has(id)) continue;
      seen.add(id);
      rows.push(row);
    }
    return { rows, traceIds, traces };
  }

  /** Spans of these traces that are there: most often of none. */
  async #storedSpans(traceIds: readonly string[], arrivalUnixNs: bigint): Promise<Set<string>> {
    const client = this.#client;
    // By the table that is sorted by trace: thousands of random IDs would find something in nearly every
    // part of a bloom filter, and read the column of all traces with each commit.
    const known = await client.rows<{ id: string }>(
      `SELECT DISTINCT TraceId AS id FROM ${client.spans}_trace_id_ts
       WHERE TraceId IN {traces:Array(String)}`,
      { traces: traceIds },
    );
    if (known.length === 0) return new Set();
    const rows = await client.rows<{ id: string }>(
      `SELECT DISTINCT concat(TraceId, ' ', SpanId) AS id FROM ${client.spans}
       WHERE TraceId IN {traces:Array(String)}
         AND FramescopeArrival >= parseDateTime64BestEffort({since:String}, 9)`,
      {
        traces: known.map(one => one.id),
        since: dateTimeOf(arrivalUnixNs - REPEATS_NS),
      },
    );
    return new Set(rows.map(row => row.id));
  }

  async #newFlushes(
    flushes: readonly DecodedFlush[],
    arrivalUnixNs: bigint,
  ): Promise<DecodedFlush[]> {
    if (flushes.length === 0) return [];
    const keys = new Set<string>();
    for (const { sessionId } of flushes) {
      const known = this.#known.get(sessionId);
      if (known && arrivalUnixNs - known.lastArrivalUnixNs <= REPEATS_NS) keys.add(known.name.key);
    }
    const seen = new Set<string>();
    if (keys.size > 0) {
      const rows = await this.#client.rows<{ id: string }>(
        `SELECT concat(session_id, '\n', producer, ' ', toString(seq), ' ', toString(part)) AS id
         FROM ${this.#client.table('framescope_flush')}
         WHERE session_key IN {keys:Array(String)} AND id IN {ids:Array(String)}`,
        { keys: [...keys], ids: flushes.map(identityOf) },
      );
      for (const { id } of rows) seen.add(id);
    }
    return flushes.filter(flush => {
      const id = identityOf(flush);
      const isNew = !seen.has(id);
      seen.add(id);
      return isNew;
    });
  }

  async #newPoints(points: readonly MetricPoint[]): Promise<MetricPoint[]> {
    if (points.length === 0) return [];
    const rows = await this.#client.rows<{ id: string }>(
      `SELECT concat(series, ' ', toString(at), ' ', toString(start)) AS id
       FROM ${this.#client.table('framescope_metric_point')}
       WHERE measure IN {measures:Array(String)} AND series IN {series:Array(String)}
         AND id IN {ids:Array(String)}`,
      {
        measures: [...new Set(points.map(one => one.measure))],
        series: [...new Set(points.map(one => one.series))],
        ids: points.map(pointId),
      },
    );
    const seen = new Set(rows.map(row => row.id));
    return points.filter(one => !seen.has(pointId(one)) && seen.add(pointId(one)));
  }

  // ---- whose it is -------------------------------------------------------------------------

  /** Asks for the sessions that the batch names and for those of its traces, where they are not known. */
  async #learn(batch: IngestBatch, traces: ReadonlyMap<string, TraceState>): Promise<void> {
    const { spans: columns, arrivalUnixNs } = batch;
    const ids = new Set(batch.flushes.map(one => one.sessionId));
    for (let row = 0; row < columns.length; row++)
      if (columns.session[row] !== 0) ids.add(columns.texts.text(columns.session[row]!));
    // One that seems to be over may go on elsewhere: asked again before it is called another.
    const unknown = [...ids].filter(id => {
      const known = this.#known.get(id);
      return known === undefined || arrivalUnixNs - known.lastArrivalUnixNs > SAME_SESSION_NS;
    });
    if (unknown.length > 0) await this.#learnSessions(unknown);
    if (traces.size > 0) await this.#learnTraces(traces);
  }

  async #learnSessions(ids: readonly string[]): Promise<void> {
    type Heard = { session_id: string; key: string; incarnation: number; last: string };
    const rows = await this.#client.rows<Heard>(
      `SELECT session_id, argMax(session_key, (incarnation, arrival)) AS key,
         max(incarnation) AS incarnation, toString(toUnixTimestamp64Nano(max(arrival))) AS last
       FROM ${this.#client.table('framescope_heard')}
       WHERE session_id IN {ids:Array(String)} GROUP BY session_id`,
      { ids },
    );
    for (const { session_id: id, key, incarnation, last } of rows) {
      const before = this.#known.get(id);
      const lastArrivalUnixNs = BigInt(last);
      if (before && before.lastArrivalUnixNs >= lastArrivalUnixNs) continue;
      this.#remember(id, { name: { key, id, incarnation }, lastArrivalUnixNs });
    }
  }

  async #learnTraces(traces: ReadonlyMap<string, TraceState>): Promise<void> {
    type Owner = { trace_id: string; session_key: string; session_id: string };
    const rows = await this.#client.rows<Owner>(
      `SELECT trace_id, session_key, session_id
       FROM ${this.#client.table('framescope_trace_session')} FINAL
       WHERE trace_id IN {traces:Array(String)}`,
      { traces: [...traces.keys()] },
    );
    for (const { trace_id, session_key: key, session_id: id } of rows) {
      const trace = traces.get(trace_id)!;
      trace.isNamed = true;
      trace.session = { key, id, incarnation: 0 };
    }
  }

  #remember(id: string, known: Known): void {
    this.#known.delete(id);
    this.#known.set(id, known);
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!);
  }

  /** The session that a `session.id` names now; it counts as touched by this commit. */
  #touch(sessionId: string, draft: Draft): SessionName {
    const before = this.#known.get(sessionId);
    const isSame =
      before !== undefined && draft.arrivalUnixNs - before.lastArrivalUnixNs <= SAME_SESSION_NS;
    const incarnation = before === undefined ? 0 : before.name.incarnation + 1;
    const name = isSame
      ? before.name
      : { key: sessionKey(sessionId, incarnation), id: sessionId, incarnation };
    this.#remember(sessionId, { name, lastArrivalUnixNs: draft.arrivalUnixNs });
    if (!draft.touched.has(name.key)) draft.touched.set(name.key, { ...name, isNew: !isSame });
    return name;
  }

  /** First who names a session, then who inherits it: children often stand before their root. */
  #findSessions(columns: SpanColumns, { rows, traceIds, traces }: NewSpans, draft: Draft): void {
    const name = (row: number): void => {
      const named = columns.texts.text(columns.session[row]!);
      const session = this.#touch(named, draft);
      draft.sessionOf.set(row, session);
      const trace = traces.get(traceIds[row]!)!;
      if (trace.session !== undefined) return;
      Object.assign(trace, { session, rank: columns.sessionRank[row]!, named });
    };
    // The root of a call that spans of it have named by another key: it inherits that name below.
    const isLate = (row: number): boolean => {
      const trace = traces.get(traceIds[row]!)!;
      if (trace.session === undefined || trace.rank === RANK_CERTAIN) return false;
      const { texts, scope, name: names } = columns;
      return isLastRoot(scopeOf(texts.text(scope[row]!)).scope, texts.text(names[row]!));
    };
    const hints: number[] = [];
    for (const row of rows) {
      if (columns.session[row] === 0) continue;
      if (columns.sessionRank[row] !== RANK_CERTAIN) hints.push(row);
      else if (!isLate(row)) name(row);
    }
    // Best key first, so that what a batch holds in which order names nothing differently.
    hints.sort((a, b) => columns.sessionRank[a]! - columns.sessionRank[b]! || a - b);
    for (const row of hints) {
      const { session, rank, named } = traces.get(traceIds[row]!)!;
      const text = columns.texts.text(columns.session[row]!);
      // Another value of the very key that named the trace: two calls are interleaved in it.
      if (session === undefined || (rank === columns.sessionRank[row] && named !== text)) name(row);
    }
    for (const row of rows) {
      if (draft.sessionOf.has(row)) continue;
      const { session } = traces.get(traceIds[row]!)!;
      if (session === undefined) continue;
      draft.sessionOf.set(row, session);
      if (!draft.touched.has(session.key))
        draft.touched.set(session.key, { ...session, isNew: false });
    }
  }

  // ---- writing -----------------------------------------------------------------------------

  async #write(of: Writing): Promise<Adopted[]> {
    const { columns, spans, draft, points, loads } = of;
    const client = this.#client;
    const at = { commit: draft.commit, arrival: dateTimeOf(draft.arrivalUnixNs) };
    await client.insert(
      client.table('framescope_heard'),
      [...draft.touched.values()].map(({ id, key, incarnation }) => ({
        session_id: id,
        session_key: key,
        incarnation,
        collector: this.#collector,
        ...at,
      })),
    );
    const named = [...spans.traces].filter(([, one]) => one.session !== undefined && !one.isNamed);
    await client.insert(
      client.table('framescope_trace_session'),
      named.map(([traceId, { session }]) => ({
        trace_id: traceId,
        session_key: session!.key,
        session_id: session!.id,
        version: 2 ** 53 - draft.commit,
        ...at,
      })),
    );
    this.#wanted.begin(columns);
    for (const row of spans.rows) if (this.#wanted.has(row)) draft.wanted.add(row);
    await Promise.all([
      client.insert(
        client.spans,
        spans.rows.map(row => this.#spanRow(columns, row, draft)),
      ),
      client.insert(
        client.table('framescope_flush'),
        draft.flushes.map(({ flush, key }, place) =>
          rowOfFlush(flush, { sessionKey: key, place, ...draft.place }),
        ),
      ),
      client.insert(client.table('framescope_metric_point'), points.map(rowOfPoint)),
      client.insert(client.table('framescope_load'), loads.map(rowOfLoad)),
    ]);
    // Last: whoever reads behind the commits finds all of this one.
    await client.insert(client.table('framescope_commit'), [
      {
        collector: this.#collector,
        sessions: [...draft.touched.values()].map(one => [one.key, one.id, one.incarnation]),
        ...at,
      },
    ]);
    return this.#adopted(
      named.filter(([, one]) => one.isStored),
      draft,
    );
  }

  #spanRow(columns: SpanColumns, row: number, draft: Draft): object {
    return rowOfSpan(columns.spanAt(row), {
      sessionKey: draft.sessionOf.get(row)?.key ?? '',
      isWanted: draft.wanted.has(row),
      ...draft.place,
    });
  }

  /** Spans of traces that this commit gave to a session: stored before, and nobody's then. */
  async #adopted(
    traces: readonly (readonly [string, TraceState])[],
    draft: Draft,
  ): Promise<Adopted[]> {
    if (traces.length === 0) return [];
    const keys = new Map(traces.map(([id, { session }]) => [id, session!.key]));
    const rows = await this.#client.rows<SpanRow & { wanted: number }>(
      `SELECT ${SPAN_COLUMNS}, ${OUR_SPAN_COLUMNS}, FramescopeWanted AS wanted FROM ${this.#client.spans}
       WHERE TraceId IN {traces:Array(String)} AND FramescopeSession = ''
         AND FramescopeCommit < {commit:UInt64}
       ORDER BY FramescopeCommit LIMIT 1 BY TraceId, SpanId`,
      { traces: [...keys.keys()], commit: draft.commit },
    );
    return rows.map(row => ({
      span: { ...spanOfRow(row, keys.get(row.traceId)!), ...draft.place },
      cameWith: Number(row.commit),
      isWanted: row.wanted === 1,
    }));
  }

  #result(of: {
    readonly columns: SpanColumns;
    readonly spans: NewSpans;
    readonly draft: Draft;
    readonly adopted: readonly Adopted[];
    readonly repeatedCount: number;
  }): CommitResult {
    const { columns, spans, draft, adopted } = of;
    const sessions = [...new Set([...draft.sessionOf.values()].map(one => one.key))];
    const places = new Map(sessions.map((key, i) => [key, i + 1]));
    const traces = new Map<string, number>();
    const tallies = new SpanTallies(columns, sessions.length + 1);
    const whole: StoredSpan[] = [];
    for (const row of spans.rows) {
      const session = draft.sessionOf.get(row);
      if (session === undefined) continue;
      const traceId = spans.traceIds[row]!;
      if (!traces.has(traceId)) traces.set(traceId, traces.size);
      tallies.add(row, places.get(session.key)!, traces.get(traceId)!);
      if (!draft.wanted.has(row)) continue;
      whole.push(Object.assign(columns.spanAt(row), { sessionKey: session.key, ...draft.place }));
    }
    return {
      committed: {
        ...draft.place,
        sessions: [...draft.touched.values()],
        spanCount: spans.rows.length,
        spans: [...whole, ...adopted.filter(one => one.isWanted).map(one => one.span)],
        tallies: [
          ...tallies.finish(draft.place, place => sessions[place - 1]),
          ...talliesOf(adopted),
        ],
        flushes: draft.flushes.map(({ flush, key }) => ({
          ...flush,
          sessionKey: key,
          ...draft.place,
        })),
      },
      repeatedCount: of.repeatedCount,
    };
  }
}

const identityOf = ({ sessionId, producer, seq, part }: DecodedFlush): string =>
  `${sessionId}\n${producer} ${seq} ${part}`;
