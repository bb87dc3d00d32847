// What charts read from ClickHouse: waits in columns, minutes added up by the engine.

import type { Annotation, AnnotationInput } from '@framescope/protocol';
import { encodeMinutes, MinuteCursor, type MinuteEntry } from '../../rollup/minute-codec.ts';
import { OUTCOMES, type ValueColumn } from '../../rollup/wait-codec.ts';
import { USUAL_DIMENSIONS } from '../facets.ts';
import type {
  FacetSession,
  GroupScan,
  MeasureCount,
  SessionFacets,
  SessionScan,
  UnixRange,
  WaitTable,
  WantedColumns,
} from '../store.ts';
import { wantsOf } from '../wanted.ts';
import { timeOf } from './chart-times.ts';
import type { Client } from './client.ts';
import { isPinned } from './pins.ts';

const MINUTE_NS = 60_000_000_000n;
/** Sessions whose facets are read at once. */
const FACETS_PAGE = 5_000;
/** How many waits a chart takes: what four columns of them weigh, 400 MB. */
const WAITS_MAX = 10_000_000;

const facetColumns = (client: Client): string =>
  `toString(row) AS row, key, session_id AS id, status, toString(start) AS start, facets, ${isPinned(client, 'key')} AS pinned`;

interface FacetRow {
  readonly row: string;
  readonly key: string;
  readonly id: string;
  readonly status: string;
  readonly start: string;
  readonly facets: string;
  readonly pinned: number;
}

export class ClickHouseCharts {
  readonly #client: Client;
  readonly #cursor = new MinuteCursor();

  constructor(client: Client) {
    this.#client = client;
  }

  async measures(range?: UnixRange): Promise<MeasureCount[]> {
    type Counted = { measure: string; count: string; sessions: string };
    const params = { from: timeOf(range?.fromUnixNs), to: timeOf(range?.toUnixNs, true) };
    const [waits, frames] = await Promise.all([
      this.#client.rows<Counted>(
        `SELECT m AS measure, toString(count()) AS count, toString(uniqExact(session_key)) AS sessions
         FROM ${this.#client.table('framescope_turn')} FINAL
         ARRAY JOIN values.measure AS m, values.at AS at
         WHERE at >= {from:Int64} AND at < {to:Int64} GROUP BY m`,
        params,
      ),
      this.#client.rows<Counted>(
        `SELECT measure, toString(sum(count)) AS count, toString(uniqExact(session_key)) AS sessions
         FROM ${this.#client.table('framescope_minute')} FINAL
         WHERE minute >= {from:Int64} / 60000000000 AND minute < {to:Int64} / 60000000000
         GROUP BY measure`,
        params,
      ),
    ]);
    const counted = (kind: MeasureCount['kind'], rows: readonly Counted[]): MeasureCount[] =>
      rows.map(one => ({
        measure: one.measure,
        kind,
        count: Number(one.count),
        sessionCount: Number(one.sessions),
      }));
    return [...counted('wait', waits), ...counted('frame', frames)]
      .filter(one => one.count > 0)
      .toSorted((a, b) => (a.measure < b.measure ? -1 : 1));
  }

  // ---- waits ------------------------------------------------------------------------------

  async waits(range: UnixRange, wanted: WantedColumns): Promise<WaitTable> {
    const names = (await this.measures(range))
      .filter(one => one.kind === 'wait')
      .map(one => one.measure)
      .filter(wantsOf(wanted.measures));
    const rows = await this.#client.rows<WaitRow>(
      `SELECT toString(session_row) AS s, toString(tick) AS k, w, toString(min(a) - {from:Int64}) AS at,
         any(o) AS outcome, any(r) AS resolved, any(p) AS worst,
         groupArray(m) AS measures, groupArray(toFloat64(v)) AS values, groupArray(f) AS flags,
         groupArray(toFloat64(sv)) AS saves
       FROM ${this.#client.table('framescope_turn')} FINAL
       ARRAY JOIN values.measure AS m, values.wait_index AS w, values.at AS a, values.value AS v,
         values.flags AS f, values.outcome AS o, values.resolved AS r, values.worst AS p, values.saves AS sv
       WHERE last_at >= {from:Int64} AND first_at < {to:Int64} AND a >= {from:Int64} AND a < {to:Int64}
         AND m IN {names:Array(String)} AND session_row % {oneIn:UInt32} = 0
       GROUP BY session_row, tick, w LIMIT ${WAITS_MAX}`,
      {
        from: timeOf(range.fromUnixNs),
        to: timeOf(range.toUnixNs, true),
        names,
        oneIn: wanted.oneIn ?? 1,
      },
    );
    const sessions = await this.#sessionsOf(new Set(rows.map(row => row.s)));
    return tableOf(rows, { range, names, sessions, hasSaves: wanted.hasSaves ?? false });
  }

  async #sessionsOf(rows: ReadonlySet<string>): Promise<Map<string, FacetSession>> {
    const found = new Map<string, FacetSession>();
    const all = [...rows];
    for (let at = 0; at < all.length; at += FACETS_PAGE) {
      const some = await this.#client.rows<FacetRow>(
        `SELECT ${facetColumns(this.#client)} FROM ${this.#client.table('framescope_session')} AS t FINAL
         WHERE t.row IN {rows:Array(UInt64)}`,
        { rows: all.slice(at, at + FACETS_PAGE).map(Number) },
      );
      for (const row of some) found.set(row.row, sessionOf(row));
    }
    return found;
  }

  // ---- frames -----------------------------------------------------------------------------

  async scanGroup({ measure, range, group, visit }: GroupScan): Promise<void> {
    const rows = await this.#client.rows<MinuteRow & { sessions: number }>(
      `SELECT minute, toUInt32(uniqExact(session_key)) AS sessions, ${ADDED_UP}
       FROM ${this.#client.table('framescope_minute')} FINAL
       WHERE measure = {measure:String} AND minute >= {from:UInt32} AND minute < {to:UInt32}
         ${group === undefined ? '' : 'AND groups[{name:String}] = {value:String}'}
       GROUP BY minute ORDER BY minute`,
      { measure, ...minutesOf(range), ...(group && { name: group.name, value: group.value }) },
    );
    for (const row of rows) if (this.#open(row)) visit(this.#cursor, row.sessions);
  }

  async scanSessions({ measure, range, wants, visit }: SessionScan): Promise<void> {
    const rows = await this.#client.rows<MinuteRow & { session_row: string }>(
      `SELECT minute, toString(session_row) AS session_row, ${ONE_ROW}
       FROM ${this.#client.table('framescope_minute')} FINAL
       WHERE measure = {measure:String} AND minute >= {from:UInt32} AND minute < {to:UInt32}
       ORDER BY session_key, minute`,
      { measure, ...minutesOf(range) },
    );
    const sessions = await this.#sessionsOf(new Set(rows.map(row => row.session_row)));
    const wanted = new Map<string, boolean>();
    for (const row of rows) {
      const session = sessions.get(row.session_row);
      if (session === undefined) continue;
      let isWanted = wanted.get(row.session_row);
      if (isWanted === undefined) wanted.set(row.session_row, (isWanted = wants(session)));
      if (isWanted && this.#open(row)) visit(this.#cursor, session);
    }
  }

  #open(row: MinuteRow): boolean {
    return this.#cursor.open(encodeMinutes([entryOfRow(row)])) && this.#cursor.step();
  }

  async groupValues(name: string): Promise<readonly string[]> {
    if (!USUAL_DIMENSIONS.includes(name)) return [];
    const rows = await this.#client.rows<{ value: string }>(
      `SELECT DISTINCT groups[{name:String}] AS value
       FROM ${this.#client.table('framescope_minute')}
       WHERE mapContains(groups, {name:String}) ORDER BY value`,
      { name },
    );
    return rows.map(row => row.value);
  }

  // ---- sessions ---------------------------------------------------------------------------

  async scanFacets(range: UnixRange, visit: (session: FacetSession) => boolean): Promise<void> {
    let before: { start: string; row: string } | undefined;
    for (;;) {
      const rows: FacetRow[] = await this.#client.rows<FacetRow>(
        `SELECT ${facetColumns(this.#client)} FROM ${this.#client.table('framescope_session')} AS t FINAL
         WHERE t.start >= {from:Int64} AND t.start < {to:Int64}
           ${before === undefined ? '' : 'AND (t.start, t.row) < ({start:Int64}, {row:UInt64})'}
         ORDER BY t.start DESC, t.row DESC LIMIT ${FACETS_PAGE}`,
        { from: timeOf(range.fromUnixNs), to: timeOf(range.toUnixNs, true), ...before },
      );
      for (const row of rows) if (!visit(sessionOf(row))) return;
      const last = rows.at(-1);
      if (last === undefined || rows.length < FACETS_PAGE) return;
      before = { start: last.start, row: last.row };
    }
  }

  async facetSession(row: number): Promise<FacetSession | undefined> {
    return (await this.#sessionsOf(new Set([String(row)]))).get(String(row));
  }

  async annotations(range: UnixRange): Promise<readonly Annotation[]> {
    const rows = await this.#client.rows<{
      id: string;
      at: string;
      end: string | null;
      json: string;
    }>(
      `SELECT toString(id) AS id, toString(t.at) AS at, toString(t.end) AS end, json
       FROM ${this.#client.table('framescope_annotation')} AS t FINAL
       WHERE t.at >= {from:Int64} AND t.at < {to:Int64} AND json != ''
       ORDER BY t.at, t.id LIMIT 1000`,
      { from: timeOf(range.fromUnixNs), to: timeOf(range.toUnixNs, true) },
    );
    return rows.map(row => ({
      id: row.id,
      atUnixNs: row.at,
      endUnixNs: row.end,
      ...(JSON.parse(row.json) as Omit<AnnotationInput, 'atUnixNs' | 'endUnixNs'>),
    }));
  }
}

interface WaitRow {
  readonly s: string;
  readonly k: string;
  readonly w: number;
  readonly at: string;
  readonly outcome: string;
  readonly resolved: number;
  readonly worst: string;
  readonly measures: readonly string[];
  readonly values: readonly number[];
  readonly flags: readonly number[];
  readonly saves: readonly number[];
}

function tableOf(
  rows: readonly WaitRow[],
  of: {
    readonly range: UnixRange;
    readonly names: readonly string[];
    readonly sessions: ReadonlyMap<string, FacetSession>;
    readonly hasSaves: boolean;
  },
): WaitTable {
  const { length } = rows;
  const columns = new Map<string, ValueColumn>();
  for (const name of of.names)
    columns.set(name, {
      valueNs: new Float64Array(length).fill(Number.NaN),
      flags: new Uint8Array(length),
      savesNs: new Float64Array(of.hasSaves ? length : 0).fill(Number.NaN),
    });
  const sessions: FacetSession[] = [];
  const places = new Map<string, number>();
  const parts: string[] = [''];
  const table = {
    length,
    fromUnixNs: of.range.fromUnixNs,
    sessions,
    session: new Int32Array(length),
    tick: new Float64Array(length),
    waitIndex: new Uint8Array(length),
    atNs: new Float64Array(length),
    outcome: new Uint8Array(length),
    resolved: new Float32Array(length),
    worst: new Int32Array(length),
    columns,
    partName: (worst: number) => parts[worst] || null,
  };
  for (const [i, row] of rows.entries()) {
    let place = places.get(row.s);
    if (place === undefined) {
      place = sessions.push(of.sessions.get(row.s) ?? GONE) - 1;
      places.set(row.s, place);
    }
    table.session[i] = place;
    table.tick[i] = Number(row.k);
    table.waitIndex[i] = row.w;
    table.atNs[i] = Number(row.at);
    table.outcome[i] = Math.max(0, OUTCOMES.indexOf(row.outcome as (typeof OUTCOMES)[number]));
    table.resolved[i] = row.resolved;
    table.worst[i] = partNumber(parts, row.worst);
    for (const [j, measure] of row.measures.entries()) {
      const column = columns.get(measure)!;
      column.valueNs[i] = row.values[j]!;
      column.flags[i] = row.flags[j]!;
      if (of.hasSaves && row.saves[j]! >= 0) column.savesNs[i] = row.saves[j]!;
    }
  }
  return table;
}

function partNumber(parts: string[], name: string): number {
  const known = parts.indexOf(name);
  return known >= 0 ? known : parts.push(name) - 1;
}

// ---- minutes ------------------------------------------------------------------------------

interface MinuteRow {
  readonly minute: number;
  readonly n: number;
  readonly lostN: number;
  readonly lateN: number;
  readonly concealedN: number;
  readonly overN: number;
  readonly refusedN: number;
  readonly zeroN: number;
  readonly total: number;
  readonly least: number;
  readonly most: number;
  readonly counts: readonly (readonly [number, number])[];
  readonly slowest: readonly (readonly [number, string, number])[];
}

const WORST_MAX = 32;

/** Counts stay far below 2^53: as doubles they come as numbers. */
const ADDED_UP = `
  toFloat64(sum(count)) AS n, toFloat64(sum(lost)) AS lostN, toFloat64(sum(late)) AS lateN,
  toFloat64(sum(concealed)) AS concealedN, toFloat64(sum(over_budget)) AS overN,
  toFloat64(sum(refused)) AS refusedN, toFloat64(sum(zero)) AS zeroN, sum(sum) AS total,
  minIf(min, count > 0) AS least, maxIf(max, count > 0) AS most,
  arrayMap(b -> (b.1, toFloat64(b.2)), CAST(sumMap(buckets), 'Array(Tuple(Int32, UInt64))')) AS counts,
  arrayMap(x -> (x.1, toString(x.2), x.3),
    arraySlice(arraySort(x -> (-x.1, x.2, x.3), groupArrayArray(worst)), 1, ${WORST_MAX})) AS slowest`;

const ONE_ROW = `
  toFloat64(count) AS n, toFloat64(lost) AS lostN, toFloat64(late) AS lateN,
  toFloat64(concealed) AS concealedN, toFloat64(over_budget) AS overN, toFloat64(refused) AS refusedN,
  toFloat64(zero) AS zeroN, sum AS total, min AS least, max AS most,
  arrayMap(b -> (b.1, toFloat64(b.2)), CAST(buckets, 'Array(Tuple(Int32, UInt64))')) AS counts,
  arrayMap(x -> (x.1, toString(x.2), x.3), worst) AS slowest`;

const entryOfRow = (row: MinuteRow): MinuteEntry => ({
  minute: row.minute,
  count: row.n,
  lostCount: row.lostN,
  lateCount: row.lateN,
  concealedCount: row.concealedN,
  overBudgetCount: row.overN,
  refusedCount: row.refusedN,
  zeroCount: row.zeroN,
  sumNs: row.total,
  minNs: row.least,
  maxNs: row.most,
  buckets: row.counts.toSorted((a, b) => a[0] - b[0]),
  worst: row.slowest.map(([valueNs, session, ref]) => ({ valueNs, session: Number(session), ref })),
});

// ---- times --------------------------------------------------------------------------------

/** Minutes that touch the range: [from, to). */
function minutesOf({ fromUnixNs, toUnixNs }: UnixRange): { from: number; to: number } {
  const minute = (ns: bigint): number =>
    Math.min(2 ** 32 - 1, Math.max(0, Math.floor(Number(ns / MINUTE_NS))));
  return { from: minute(fromUnixNs), to: minute(toUnixNs - 1n) + 1 };
}

// ---- sessions -----------------------------------------------------------------------------

const sessionOf = (row: FacetRow): FacetSession => ({
  row: Number(row.row),
  key: row.key,
  id: row.id,
  status: row.status,
  startUnixNs: BigInt(row.start),
  facets: JSON.parse(row.facets) as SessionFacets,
  isPinned: () => row.pinned === 1,
});

/** Dropped while its waits were read. */
const GONE: FacetSession = {
  row: 0,
  key: '',
  id: '',
  status: 'ended',
  startUnixNs: 0n,
  facets: { attributes: {}, synthetic: null, places: [], hops: {}, counts: {} },
  isPinned: () => false,
};
