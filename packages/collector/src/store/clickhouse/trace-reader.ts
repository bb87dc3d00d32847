// Traces from ClickHouse: one whole, a list of them, and spans in the order in which they came.
//
// Where the exporter of the OpenTelemetry Collector has a table of its own, traces of that are found too.

import type { TraceSummary } from '@framescope/protocol';
import type {
  CommitBound,
  CommitPlace,
  PageRequest,
  SpanRun,
  StorePage,
  TraceOwner,
  TraceSpans,
} from '../store.ts';
import { cursorOf, numbersOf } from '../cursor.ts';
import type { Client } from './client.ts';
import { commitNow } from './commit-number.ts';
import {
  FOREIGN_SPAN_COLUMNS,
  OUR_SPAN_COLUMNS,
  SPAN_COLUMNS,
  spanOfRow,
  type SpanRow,
} from './span-row.ts';

/** A commit is written so long after it was numbered at most: what is older comes in no more. */
const SETTLED_S = 20;

const TRACE_ID = /^[0-9a-f]{32}$/;

export class TraceReader {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async trace(traceId: string, limit: number): Promise<TraceSpans | undefined> {
    const key = (await this.owner(traceId))?.sessionKey ?? null;
    const ours = await this.#spansOf(this.#client.spans, OUR_SPAN_COLUMNS, traceId);
    const { foreignSpans } = this.#client;
    const theirs =
      foreignSpans === undefined
        ? []
        : await this.#spansOf(foreignSpans, FOREIGN_SPAN_COLUMNS, traceId);
    const known = new Set(ours.map(row => row.spanId));
    const rows = [...ours, ...theirs.filter(row => !known.has(row.spanId))];
    if (rows.length === 0) return undefined;
    return {
      spans: rows.slice(0, limit).map(row => spanOfRow(row, key)),
      omittedCount: Math.max(0, rows.length - limit),
    };
  }

  async #spansOf(table: string, columns: string, traceId: string): Promise<SpanRow[]> {
    return this.#client.rows<SpanRow>(
      `SELECT ${SPAN_COLUMNS}, ${columns} FROM ${table}
       WHERE TraceId = {traceId:String} ORDER BY commit, Timestamp, SpanId LIMIT 1 BY SpanId`,
      { traceId },
    );
  }

  async owner(traceId: string): Promise<TraceOwner | undefined> {
    const [row] = await this.#client.rows<{ session_key: string; session_id: string }>(
      `SELECT session_key, session_id FROM ${this.#client.table('framescope_trace_session')} FINAL
       WHERE trace_id = {traceId:String}`,
      { traceId },
    );
    return row && { sessionKey: row.session_key, sessionId: row.session_id, turnTick: null };
  }

  async known(text: string): Promise<readonly string[]> {
    if (!TRACE_ID.test(text)) return [];
    for (const table of [this.#client.spans, this.#client.foreignSpans]) {
      if (table === undefined) continue;
      const rows = await this.#client.rows(
        `SELECT 1 AS found FROM ${table} WHERE TraceId = {text:String} LIMIT 1`,
        { text },
      );
      if (rows.length > 0) return [text];
    }
    return [];
  }

  /** A trace stands where its latest part arrived. */
  async traces(page: PageRequest): Promise<StorePage<TraceSummary>> {
    const [commit, high, low] = numbersOf(page.cursor, 3) ?? [];
    const id = high === undefined || low === undefined ? undefined : hexOf(high) + hexOf(low);
    const rows = await this.#client.rows<TraceRow>(
      `SELECT trace_id, toString(min(t.start)) AS start, toString(max(t.end)) AS end,
         toString(sum(t.spans)) AS spans, toString(sum(t.errors)) AS errors, min(t.root) AS root,
         max(t.last_commit) AS last, toString(last) AS lastCommit, any(o.session_key) AS sessionKey
       FROM ${this.#client.table('framescope_traces')} AS t
       LEFT JOIN (SELECT trace_id, session_key
                  FROM ${this.#client.table('framescope_trace_session')} FINAL) AS o USING (trace_id)
       GROUP BY trace_id
       ${id === undefined ? '' : 'HAVING (last, trace_id) < ({commit:UInt64}, {id:String})'}
       ORDER BY last DESC, trace_id DESC LIMIT {limit:UInt32}`,
      {
        limit: page.limit + 1,
        ...(commit !== undefined && id !== undefined && { commit: String(commit), id }),
      },
    );
    const items = rows.slice(0, page.limit);
    const last = items.at(-1);
    return {
      items: items.map(summaryOf),
      nextCursor: rows.length > page.limit && last ? cursorAt(last) : null,
    };
  }

  /** Whole commits, the first of them and then as many as keep within the limit. */
  spansAfter(commit: number, spanLimit: number, isSettled: boolean): Promise<SpanRun> {
    const settled = isSettled ? ` AND c < ${commitNow} - ${SETTLED_S * 1_000_000}` : '';
    return this.#run({ bound: `c > {commit:UInt64}${settled}`, order: 'c', commit }, spanLimit);
  }

  /** The same backwards. */
  spansBefore({ commit, arrivedUnixNs }: CommitBound, spanLimit: number): Promise<SpanRun> {
    return this.#run(
      {
        bound: 'c < {commit:UInt64}',
        order: 'c DESC',
        commit: commit ?? Number.MAX_SAFE_INTEGER,
        ...(arrivedUnixNs !== undefined && { arrivedUnixNs }),
      },
      spanLimit,
    );
  }

  async #run(asked: RunQuestion, spanLimit: number): Promise<SpanRun> {
    const taken = withinLimit(await this.#places(asked), spanLimit).toSorted(
      (a, b) => Number(a.commit) - Number(b.commit),
    );
    const [first, last] = [taken[0], taken.at(-1)];
    if (first === undefined || last === undefined)
      return { spans: [], first: undefined, last: undefined };
    const rows = await this.#client.rows<SpanRow & { owner: string }>(
      `SELECT ${SPAN_COLUMNS}, ${OUR_SPAN_COLUMNS}, o.session_key AS owner FROM ${this.#client.spans}
       LEFT JOIN (SELECT trace_id, session_key
                  FROM ${this.#client.table('framescope_trace_session')} FINAL) AS o ON o.trace_id = TraceId
       WHERE FramescopeCommit >= {first:UInt64} AND FramescopeCommit <= {last:UInt64}
       ORDER BY FramescopeCommit, Timestamp, SpanId LIMIT 1 BY TraceId, SpanId`,
      { first: first.commit, last: last.commit },
    );
    const placeOf = (one: CommitCount): CommitPlace => ({
      commit: Number(one.commit),
      arrivalUnixNs: BigInt(one.arrival),
    });
    return {
      spans: rows.map(row => spanOfRow(row, row.owner === '' ? null : row.owner)),
      first: placeOf(first),
      last: placeOf(last),
    };
  }

  #places({ bound, order, commit, arrivedUnixNs }: RunQuestion): Promise<CommitCount[]> {
    const arrived =
      arrivedUnixNs === undefined
        ? ''
        : 'HAVING toUnixTimestamp64Nano(max(a)) <= toInt64({arrived:String})';
    return this.#client.rows<CommitCount>(
      `SELECT toString(c) AS commit, toString(toUnixTimestamp64Nano(max(a))) AS arrival,
         toString(sum(n)) AS count FROM (
         SELECT FramescopeCommit AS c, max(FramescopeArrival) AS a, count() AS n
         FROM ${this.#client.spans} WHERE ${bound} GROUP BY c
         UNION ALL
         SELECT commit AS c, max(arrival) AS a, 0 AS n
         FROM ${this.#client.table('framescope_heard')} WHERE ${bound} GROUP BY c)
       GROUP BY c ${arrived} ORDER BY ${order} LIMIT 1000`,
      { commit: String(commit), arrived: String(arrivedUnixNs ?? 0n) },
    );
  }
}

interface RunQuestion {
  /** Of commit numbers `c`. */
  readonly bound: string;
  readonly order: string;
  readonly commit: number;
  readonly arrivedUnixNs?: bigint;
}

interface CommitCount {
  readonly commit: string;
  readonly arrival: string;
  readonly count: string;
}

/** The first and then as many as keep within the limit. */
function withinLimit(places: readonly CommitCount[], spanLimit: number): CommitCount[] {
  const taken: CommitCount[] = [];
  let count = 0;
  for (const place of places) {
    count += Number(place.count);
    if (taken.length > 0 && count > spanLimit) break;
    taken.push(place);
  }
  return taken;
}

const hexOf = (half: bigint): string => BigInt.asUintN(64, half).toString(16).padStart(16, '0');

/** The ID in two halves: cursors are whole numbers of 64 bits. */
const cursorAt = ({ lastCommit, trace_id: id }: TraceRow): string =>
  cursorOf(
    BigInt(lastCommit),
    BigInt.asIntN(64, BigInt(`0x${id.slice(0, 16)}`)),
    BigInt.asIntN(64, BigInt(`0x${id.slice(16)}`)),
  );

interface TraceRow {
  readonly trace_id: string;
  readonly start: string;
  readonly end: string;
  readonly spans: string;
  readonly errors: string;
  readonly root: readonly [number, string, string, string];
  readonly lastCommit: string;
  readonly sessionKey: string;
}

const summaryOf = (row: TraceRow): TraceSummary => ({
  traceId: row.trace_id,
  rootName: row.root[2],
  service: row.root[3],
  startUnixNs: row.start,
  durationNs: Number(BigInt(row.end) - BigInt(row.start)),
  spanCount: Number(row.spans),
  errorCount: Number(row.errors),
  sessionKey: row.sessionKey === '' ? null : row.sessionKey,
});
