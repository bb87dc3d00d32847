// All that is stored of one session: its spans counted, those that assembly wants whole, its flushes.
//
// A span that named no session belongs to the one its trace was given to, and counts with the commit that
// did so: whoever assembles sees it then for the first time.

import type { TraceId } from '@framescope/protocol';
import type { FlushRun, RawSession, SpanTally, StoredFlush, StoredSpan } from '../store.ts';
import type { Client } from './client.ts';
import { FLUSH_COLUMNS, FLUSH_ORDER, flushOfRow, type FlushRow } from './flush-row.ts';
import {
  attributesOf,
  OUR_SPAN_COLUMNS,
  SPAN_COLUMNS,
  spanOfRow,
  type SpanRow,
} from './span-row.ts';

/** As many traces of a tally as a session's page lists, and some more. */
const TRACES_MAX = 256;

export class SessionRaw {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async load(key: string, fromUnixNs?: bigint): Promise<Omit<RawSession, 'revision'> | undefined> {
    const id = await this.#idOf(key);
    if (id === undefined) return undefined;
    const [tallies, spans, flushes] = await Promise.all([
      this.tallies(key),
      this.spans(key, { isWanted: true }),
      this.flushes(key),
    ]);
    const isAsked = (one: { readonly arrivalUnixNs: bigint }): boolean =>
      fromUnixNs === undefined || one.arrivalUnixNs >= fromUnixNs;
    const last = [...tallies, ...flushes].reduce((max, one) => Math.max(max, one.commit), 0);
    return {
      key,
      id,
      lastCommit: last,
      tallies: tallies.filter(isAsked),
      spans: spans.filter(isAsked),
      flushes: flushes.filter(isAsked),
    };
  }

  async #idOf(key: string): Promise<string | undefined> {
    const [row] = await this.#client.rows<{ id: string }>(
      `SELECT session_id AS id FROM ${this.#client.table('framescope_heard')}
       WHERE session_key = {key:String} LIMIT 1`,
      { key },
    );
    return row?.id;
  }

  /** Rows of the session: its own, and those its traces brought; each span once. */
  #from(): string {
    const { spans } = this.#client;
    const owners = this.#client.table('framescope_trace_session');
    return `(
      SELECT *, greatest(FramescopeCommit, named) AS seen, greatest(FramescopeArrival, namedAt) AS seenAt
      FROM ${spans} LEFT JOIN (
        SELECT trace_id, commit AS named, arrival AS namedAt FROM ${owners} FINAL
        WHERE session_key = {key:String}
      ) AS owner ON owner.trace_id = TraceId AND FramescopeSession = ''
      WHERE FramescopeSession = {key:String}
         OR (FramescopeSession = '' AND TraceId IN (
              SELECT trace_id FROM ${owners} FINAL WHERE session_key = {key:String}))
      ORDER BY seen, FramescopeCommit, Timestamp, SpanId LIMIT 1 BY TraceId, SpanId)`;
  }

  async spans(
    key: string,
    { limit, isWanted }: { limit?: number; isWanted?: boolean } = {},
  ): Promise<StoredSpan[]> {
    const rows = await this.#client.rows<SpanRow & { seen: string; seenAt: string }>(
      `SELECT ${SPAN_COLUMNS}, ${OUR_SPAN_COLUMNS}, toString(seen) AS seen,
         toString(toUnixTimestamp64Nano(seenAt)) AS seenAt
       FROM ${this.#from()}
       ${isWanted === true ? 'WHERE FramescopeWanted = 1' : ''}
       ORDER BY seen, FramescopeCommit, Timestamp, SpanId ${limit === undefined ? '' : `LIMIT ${limit}`}`,
      { key },
    );
    return rows.map(row => ({
      ...spanOfRow(row, key),
      commit: Number(row.seen),
      arrivalUnixNs: BigInt(row.seenAt),
    }));
  }

  async tallies(key: string): Promise<SpanTally[]> {
    const rows = await this.#client.rows<TallyRow>(
      `SELECT ${TALLY_COLUMNS} FROM ${this.#from()}
       GROUP BY seen, FramescopeCommit, resource, types ORDER BY seen, FramescopeCommit`,
      { key },
    );
    return rows.map(row => tallyOfRow(row, key));
  }

  /** Spans that assembly wants whole, of some commits and sessions; adopted ones with the adopting commit. */
  async spansOfCommits(asked: CommitsAsked): Promise<StoredSpan[]> {
    const rows = await this.#client.rows<SpanRow & { owner: string; seen: string; seenAt: string }>(
      `SELECT ${SPAN_COLUMNS}, ${OUR_SPAN_COLUMNS}, owner, toString(seen) AS seen,
         toString(toUnixTimestamp64Nano(seenAt)) AS seenAt
       FROM ${this.#ofCommits()} AS t WHERE FramescopeWanted = 1
       ORDER BY t.seen, FramescopeCommit, Timestamp, SpanId`,
      { ...asked },
    );
    return rows.map(row => ({
      ...spanOfRow(row, row.owner),
      sessionKey: row.owner,
      commit: Number(row.seen),
      arrivalUnixNs: BigInt(row.seenAt),
    }));
  }

  async talliesOfCommits(asked: CommitsAsked): Promise<SpanTally[]> {
    const rows = await this.#client.rows<TallyRow & { owner: string }>(
      `SELECT owner, ${TALLY_COLUMNS} FROM ${this.#ofCommits()} AS t
       GROUP BY owner, seen, FramescopeCommit, resource, types ORDER BY seen, FramescopeCommit`,
      { ...asked },
    );
    return rows.map(row => tallyOfRow(row, row.owner));
  }

  /** Rows that came with these commits, or that one of them gave to a session. */
  #ofCommits(): string {
    const { spans } = this.#client;
    const owners = this.#client.table('framescope_trace_session');
    return `(
      SELECT *, FramescopeSession AS owner, FramescopeCommit AS seen, FramescopeArrival AS seenAt
      FROM ${spans}
      WHERE FramescopeCommit IN {commits:Array(UInt64)} AND FramescopeSession IN {keys:Array(String)}
      LIMIT 1 BY TraceId, SpanId
      UNION ALL
      SELECT s.*, o.session_key AS owner, o.named AS seen, o.namedAt AS seenAt
      FROM ${spans} AS s INNER JOIN (
        SELECT trace_id, session_key, commit AS named, arrival AS namedAt FROM ${owners} FINAL
        WHERE commit IN {commits:Array(UInt64)} AND session_key IN {keys:Array(String)}
      ) AS o ON o.trace_id = s.TraceId
      WHERE s.FramescopeSession = '' AND s.FramescopeCommit < o.named
      LIMIT 1 BY TraceId, SpanId)`;
  }

  /** Whole commits of flushes in (after, upTo], as many as keep within the limit, and one at least. */
  async flushesBetween(after: number, upTo: number, limit: number): Promise<FlushRun> {
    const table = this.#client.table('framescope_flush');
    const params = { after: String(after), upTo: String(upTo) };
    const commits = await this.#client.rows<{ commit: string; count: string }>(
      `SELECT toString(f.commit) AS commit, toString(count()) AS count FROM ${table} AS f FINAL
       WHERE f.commit > {after:UInt64} AND f.commit <= {upTo:UInt64}
       GROUP BY f.commit ORDER BY f.commit LIMIT {limit:UInt32}`,
      { ...params, limit: Math.max(1, limit) + 1 },
    );
    let count = 0;
    const taken = commits.findIndex((one, i) => (count += Number(one.count)) > limit && i > 0);
    const lastCommit = taken < 0 ? upTo : Number(commits[taken - 1]!.commit);
    const rows = await this.#client.rows<FlushRow>(
      `SELECT ${FLUSH_COLUMNS} FROM ${table} AS f FINAL
       WHERE f.commit > {after:UInt64} AND f.commit <= {upTo:UInt64}
       ORDER BY ${FLUSH_ORDER}`,
      { ...params, upTo: String(lastCommit) },
    );
    return { flushes: rows.map(flushOfRow), lastCommit };
  }

  async flushes(
    key: string,
    where = '',
    params: Record<string, string> = {},
  ): Promise<StoredFlush[]> {
    const rows = await this.#client.rows<FlushRow>(
      `SELECT ${FLUSH_COLUMNS} FROM ${this.#client.table('framescope_flush')} AS f FINAL
       WHERE session_key = {key:String} ${where} ORDER BY ${FLUSH_ORDER}`,
      { key, ...params },
    );
    return rows.map(flushOfRow);
  }
}

/** Of the row, a negative one included. */
const SIGNED_DURATION = `if(JSONHas(FramescopeExact, 'd'), toInt64OrZero(JSONExtractString(FramescopeExact, 'd')), toInt64(Duration))`;

const TALLY_COLUMNS = `
  toString(seen) AS commit, toString(toUnixTimestamp64Nano(max(seenAt))) AS arrival,
  ResourceAttributes AS resource, JSONExtractRaw(FramescopeExact, 'r') AS types,
  groupUniqArray(${TRACES_MAX})(TraceId) AS traces, toString(count()) AS count,
  toString(countIf(StatusCode = 'Error')) AS errors,
  toString(min(toUnixTimestamp64Nano(Timestamp))) AS start,
  toString(max(toUnixTimestamp64Nano(Timestamp) + ${SIGNED_DURATION})) AS end`;

interface CommitsAsked {
  readonly keys: readonly string[];
  readonly commits: readonly number[];
}

interface TallyRow {
  readonly commit: string;
  readonly arrival: string;
  readonly resource: Record<string, string>;
  readonly types: string;
  readonly traces: readonly string[];
  readonly count: string;
  readonly errors: string;
  readonly start: string;
  readonly end: string;
}

const tallyOfRow = (row: TallyRow, sessionKey: string): SpanTally => ({
  sessionKey,
  traceIds: row.traces as TraceId[],
  resource: attributesOf(row.resource, row.types),
  count: Number(row.count),
  errorCount: Number(row.errors),
  startUnixNs: BigInt(row.start),
  endUnixNs: BigInt(row.end),
  commit: Number(row.commit),
  arrivalUnixNs: BigInt(row.arrival),
});

/** Spans that a commit gave to a session, counted by the commit they came with. */
export function talliesOf(
  adopted: readonly { readonly span: StoredSpan; readonly cameWith: number }[],
): SpanTally[] {
  const tallies = new Map<string, SpanTally & { count: number }>();
  for (const { span, cameWith } of adopted) {
    const resource = span.resource.attributes;
    const id = `${span.sessionKey} ${cameWith} ${JSON.stringify(resource)}`;
    const before = tallies.get(id);
    const isError = span.statusCode === 2 ? 1 : 0;
    tallies.set(id, {
      sessionKey: span.sessionKey ?? '',
      traceIds: [...new Set([...(before?.traceIds ?? []), span.traceId])].slice(-TRACES_MAX),
      resource,
      count: (before?.count ?? 0) + 1,
      errorCount: (before?.errorCount ?? 0) + isError,
      startUnixNs: least(before?.startUnixNs, span.startUnixNs),
      endUnixNs: -least(before && -before.endUnixNs, -span.endUnixNs),
      commit: span.commit,
      arrivalUnixNs: span.arrivalUnixNs,
    });
  }
  return [...tallies.values()];
}

const least = (a: bigint | undefined, b: bigint): bigint => (a !== undefined && a < b ? a : b);
