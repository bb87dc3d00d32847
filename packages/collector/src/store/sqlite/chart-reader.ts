// What charts read from meta.db, in the forms that chart-writer.ts keeps.

import type { Annotation, AnnotationInput } from '@framescope/protocol';
import type { Database, Statement } from 'better-sqlite3';
import { encodeMinutes, entryOf, MinuteCursor } from '../../rollup/minute-codec.ts';
import { OUTCOMES, VALUE_FLAG, WaitPackReader } from '../../rollup/wait-codec.ts';
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
import { PACK_MINUTES, PACKED_WAITS_SPAN_NS, rollupRow } from './chart-writer.ts';
import { TIME_MAX, TIME_MIN } from './volume-queries.ts';
import { WaitTableBuilder } from './wait-table.ts';
import { PINNED_KEYS } from './pins.ts';
import { GONE, NO_FACETS, readFacets, StoredFacets, type FacetRow } from './stored-facets.ts';

/** Every statement of charts; a test pins how SQLite answers each. */
export const CHART_READ = {
  valueCounts: `
    SELECT measure.name, count(*) AS n, count(DISTINCT value.session) AS sessions
    FROM measure JOIN value ON value.measure = measure.id
    WHERE at_ns >= ? AND at_ns < ? GROUP BY measure.id`,
  rollupCounts: `
    SELECT measure.name, sum(count) AS n, count(DISTINCT rollup.session) AS sessions
    FROM measure JOIN rollup ON rollup.measure = measure.id
    WHERE minute >= ? AND minute < ? GROUP BY measure.id`,
  packedCounts: `
    SELECT measure.name, is_frame, sum(count) AS n, sum(sessions) AS sessions
    FROM packed_count JOIN measure ON measure.id = packed_count.measure
    WHERE is_frame = ? AND hour >= ? AND hour < ? GROUP BY measure.id`,
  measures: `SELECT id, name FROM measure`,
  sessionByRow: `
    SELECT id, key, session_id, status, start_ns / 1000000000, start_ns % 1000000000, facets
    FROM session WHERE id = ?`,
  sessionsByTime: `
    SELECT id, key, session_id, status, start_ns / 1000000000, start_ns % 1000000000, facets
    FROM session WHERE start_ns >= ? AND start_ns < ? ORDER BY start_ns DESC, id DESC`,
  waitPacks: `
    SELECT id, session, from_ns - ? AS shift, data FROM wait_pack
    WHERE from_ns >= ? AND from_ns < ? AND to_ns >= ? AND id > ?`,
  waitPacksWithMore: `
    SELECT id, session, from_ns - ? AS shift, data, more FROM wait_pack
    WHERE from_ns >= ? AND from_ns < ? AND to_ns >= ? AND id > ?`,
  packsGone: `SELECT count FROM wait_packs_gone`,
  facets: `SELECT facets FROM session WHERE id = ?`,
  values: `
    SELECT session, tick, wait_index, at_ns - ? AS at, value_ns, is_censored, outcome, resolved,
      worst_part, is_over_budget, saves_ns
    FROM value WHERE measure = ? AND at_ns >= ? AND at_ns < ?`,
  rollupPacks: `
    SELECT session, data FROM rollup_pack
    WHERE measure = ? AND from_minute > ? AND from_minute < ? AND to_minute >= ?`,
  rollups: `
    SELECT session, minute, count, lost_count, late_count, concealed_count, over_budget_count,
      sum_ns, min_ns, max_ns, sketch, worst FROM rollup
    WHERE measure = ? AND minute >= ? AND minute < ?`,
  dirty: `SELECT minute FROM dirty_minute WHERE measure = ? AND minute >= ? AND minute < ?`,
  group: `SELECT id FROM call_group WHERE name = ? AND value = ?`,
  groupValues: `SELECT value FROM call_group WHERE name = ? ORDER BY value`,
  groupRollups: `
    SELECT sessions, data, minute FROM group_rollup
    WHERE measure = ? AND minute >= ? AND minute < ? AND call_group = ?`,
  words: `SELECT 1 AS found FROM turn WHERE session = ? AND instr(words, ?) > 0 LIMIT 1`,
  turnWords: `SELECT 1 AS found FROM turn WHERE session = ? AND tick = ? AND instr(words, ?) > 0`,
  annotations: `
    SELECT id, at_ns, end_ns, json FROM annotation
    WHERE at_ns >= ? AND at_ns < ? ORDER BY at_ns LIMIT 1000`,
} as const;

const MINUTE_NS = 60_000_000_000n;
const HOUR_NS = 3_600_000_000_000n;

type Row = Record<string, number | string | null>;

/** About 150 B each with all parts: a quarter of a gigabyte at most. */
const KEPT_WAITS_MAX = 1_500_000;

interface KeptWaits {
  readonly key: string;
  readonly gone: number;
  readonly builder: WaitTableBuilder;
  lastId: number;
}

export class ChartReader {
  readonly #database: Database;
  readonly #statements = new Map<string, Statement>();
  readonly #cursor = new MinuteCursor();
  #kept: KeptWaits | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Numbers come as doubles: times only as differences, or through `#exact`. */
  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #all<T>(sql: string, ...values: unknown[]): T[] {
    return this.#prepared(sql).all(...values) as T[];
  }

  /** Several statements that see the same state, whatever is written meanwhile. */
  #atOnce<T>(work: () => T): T {
    return this.#database.transaction(work)();
  }

  measures(range?: UnixRange): MeasureCount[] {
    const from = range?.fromUnixNs ?? TIME_MIN;
    const to = range?.toUnixNs ?? TIME_MAX;
    type Counted = { name: string; n: number; sessions: number };
    const counts = new Map<string, MeasureCount>();
    const add = (kind: MeasureCount['kind'], rows: readonly Counted[]): void => {
      for (const { name, n, sessions } of rows) {
        const before = counts.get(`${kind} ${name}`);
        const count = n + (before?.count ?? 0);
        const sessionCount = sessions + (before?.sessionCount ?? 0);
        if (count > 0) counts.set(`${kind} ${name}`, { measure: name, kind, count, sessionCount });
      }
    };
    this.#atOnce(() => {
      const hours = [floorDiv(from, HOUR_NS), floorDiv(to - 1n, HOUR_NS) + 1n];
      add('wait', this.#all<Counted>(CHART_READ.valueCounts, from, to));
      add('wait', this.#all<Counted>(CHART_READ.packedCounts, 0, ...hours));
      add('frame', this.#all<Counted>(CHART_READ.rollupCounts, ...minutesOf(from, to)));
      add('frame', this.#all<Counted>(CHART_READ.packedCounts, 1, ...hours));
    });
    return [...counts.values()].toSorted((a, b) => (a.measure < b.measure ? -1 : 1));
  }

  #measureIds(): Map<string, number> {
    const rows = this.#all<{ id: number; name: string }>(CHART_READ.measures);
    return new Map(rows.map(one => [one.name, one.id]));
  }

  // ---- waits ------------------------------------------------------------------------------

  waits(range: UnixRange, wanted: WantedColumns): WaitTable {
    return this.#atOnce(() => {
      const ids = this.#measureIds();
      const names = [...ids.keys()].filter(wantsOf(wanted.measures));
      const { builder } = this.#packed(range, names, wanted.hasSaves ?? false);
      for (const name of names) this.#addValues(ids, name, range, builder);
      return builder.finish();
    });
  }

  /**
   * The packs of a range, in columns: those read last are kept, since one who looks into a box asks
   * for the same range again and again; what was packed meanwhile is added.
   */
  #packed(range: UnixRange, names: readonly string[], hasSaves: boolean): KeptWaits {
    const key = `${range.fromUnixNs} ${range.toUnixNs} ${hasSaves} ${names.join(' ')}`;
    const gone = this.#prepared(CHART_READ.packsGone).pluck().get() as number;
    let kept = this.#kept;
    if (kept?.key === key && kept.gone === gone) kept.builder.keepPacked();
    else kept = { key, gone, lastId: 0, builder: this.#builder(range, names, hasSaves) };
    this.#addPacks(range, hasSaves, kept);
    this.#kept = kept.builder.packedLength <= KEPT_WAITS_MAX ? kept : undefined;
    return kept;
  }

  #builder(range: UnixRange, names: readonly string[], hasSaves: boolean): WaitTableBuilder {
    const ids = this.#measureIds();
    const counts = this.measures(range).filter(one => names.includes(one.measure));
    return new WaitTableBuilder(
      range,
      {
        wanted: new Map(names.map(name => [ids.get(name)!, name])),
        names: new Map([...ids].map(([name, id]) => [id, name])),
      },
      {
        read: { session: row => this.#session(row), facets: row => this.#facets(row) },
        hasSaves,
        rows: Math.max(0, ...counts.map(one => one.count)),
      },
    );
  }

  #addPacks({ fromUnixNs, toUnixNs }: UnixRange, hasSaves: boolean, kept: KeptWaits): void {
    const pack = new WaitPackReader();
    const sql = hasSaves ? CHART_READ.waitPacksWithMore : CHART_READ.waitPacks;
    const rows = this.#prepared(sql)
      .raw()
      .iterate(fromUnixNs, fromUnixNs - PACKED_WAITS_SPAN_NS, toUnixNs, fromUnixNs, kept.lastId);
    type Pack = [id: number, session: number, shiftNs: number, data: Buffer, more?: Buffer];
    let lastId = kept.lastId;
    for (const [id, session, shiftNs, data, more] of rows as Iterable<Pack>) {
      if (pack.open(data)) kept.builder.addPack(session, shiftNs, pack, more);
      if (id > lastId) lastId = id;
    }
    kept.lastId = lastId;
    kept.builder.endPacks();
  }

  #addValues(
    ids: ReadonlyMap<string, number>,
    name: string,
    range: UnixRange,
    builder: WaitTableBuilder,
  ): void {
    for (const row of this.#all<Row>(
      CHART_READ.values,
      range.fromUnixNs,
      ids.get(name)!,
      range.fromUnixNs,
      range.toUnixNs,
    ))
      builder.addValue(name, {
        session: Number(row['session']),
        tick: Number(row['tick']),
        waitIndex: Number(row['wait_index']),
        atNs: Number(row['at']),
        valueNs: Number(row['value_ns']),
        flags:
          (row['is_censored'] === 1 ? VALUE_FLAG.censored : 0) |
          (row['is_over_budget'] === 1 ? VALUE_FLAG.overBudget : 0),
        outcome: Math.max(0, OUTCOMES.indexOf(row['outcome'] as (typeof OUTCOMES)[number])),
        resolved: Number(row['resolved']),
        worst: row['worst_part'] === null ? 0 : (ids.get(`part.${row['worst_part']}`) ?? 0),
        savesNs: row['saves_ns'] === null ? Number.NaN : Number(row['saves_ns']),
      });
  }

  // ---- frames -----------------------------------------------------------------------------

  scanGroup({ measure, range, group, visit, visitSession }: GroupScan): void {
    this.#atOnce(() => {
      const id = this.#measureIds().get(measure);
      if (id === undefined) return;
      const [from, to] = minutesOf(range.fromUnixNs, range.toUnixNs);
      const dirty = new Set(
        this.#all<{ minute: number }>(CHART_READ.dirty, id, from, to).map(one => one.minute),
      );
      const { name, value } = group ?? { name: '', value: '' };
      const [found] = this.#all<{ id: number }>(CHART_READ.group, name, value);
      if (found !== undefined)
        for (const row of this.#prepared(CHART_READ.groupRollups)
          .raw()
          .iterate(id, from, to, found.id) as Iterable<[number, Buffer, number]>)
          if (!dirty.has(row[2]) && this.#cursor.open(row[1]) && this.#cursor.step())
            visit(this.#cursor, row[0]);
      const sessions = new Sessions(one => this.#session(one));
      for (const [first, end] of runsOf(dirty))
        this.#scanRows({ id, from: first, to: end }, (entry, row) =>
          visitSession(entry, sessions.of(row)),
        );
    });
  }

  scanSessions({ measure, range, wants, visit }: SessionScan): void {
    this.#atOnce(() => {
      const id = this.#measureIds().get(measure);
      if (id === undefined) return;
      const [from, to] = minutesOf(range.fromUnixNs, range.toUnixNs).map(Number) as [
        number,
        number,
      ];
      const sessions = new Sessions(one => this.#session(one));
      const wanted = new Map<number, boolean>();
      const isWanted = (row: number): boolean => {
        let known = wanted.get(row);
        if (known === undefined) wanted.set(row, (known = wants(sessions.of(row))));
        return known;
      };
      this.#scanRows({ id, from, to, isWanted }, (entry, row) => visit(entry, sessions.of(row)));
    });
  }

  /** Entries of [from, to), from packs and from rows. */
  #scanRows(
    scan: {
      readonly id: number;
      readonly from: number;
      readonly to: number;
      readonly isWanted?: (session: number) => boolean;
    },
    visit: (entry: MinuteCursor, session: number) => void,
  ): void {
    const { id, from, to, isWanted } = scan;
    const cursor = this.#cursor;
    const packs = this.#prepared(CHART_READ.rollupPacks).raw();
    for (const [session, data] of packs.iterate(id, from - PACK_MINUTES, to, from) as Iterable<
      [number, Buffer]
    >) {
      if (isWanted?.(session) === false || !cursor.open(data)) continue;
      while (cursor.step()) if (cursor.minute >= from && cursor.minute < to) visit(cursor, session);
    }
    for (const row of this.#all<Row>(CHART_READ.rollups, id, from, to)) {
      const session = Number(row['session']);
      const entry = isWanted?.(session) === false ? undefined : entryOf(rollupRow(row));
      if (entry === undefined) continue;
      if (cursor.open(encodeMinutes([entry])) && cursor.step()) visit(cursor, session);
    }
  }

  // ---- sessions ---------------------------------------------------------------------------

  #session(row: number): FacetSession {
    const found = this.#prepared(CHART_READ.sessionByRow).raw().get(row) as FacetRow | undefined;
    return found === undefined ? GONE : new StoredFacets(found, () => this.keptKeys());
  }

  /** Keys of the calls that are kept. */
  keptKeys(): ReadonlySet<string> {
    return new Set(this.#prepared(PINNED_KEYS).pluck().all() as string[]);
  }

  #facets(row: number): SessionFacets {
    const json = this.#prepared(CHART_READ.facets).pluck().get(row) as string | undefined;
    return json === undefined ? NO_FACETS : readFacets(json);
  }

  scanFacets(range: UnixRange, visit: (session: FacetSession) => boolean): void {
    const rows = this.#prepared(CHART_READ.sessionsByTime)
      .raw()
      .iterate(range.fromUnixNs, range.toUnixNs) as Iterable<FacetRow>;
    const kept = this.keptKeys();
    for (const row of rows) if (!visit(new StoredFacets(row, () => kept))) return;
  }

  session(row: number): FacetSession | undefined {
    const session = this.#session(row);
    return session === GONE ? undefined : session;
  }

  groupValues(name: string): string[] {
    return this.#all<{ value: string }>(CHART_READ.groupValues, name).map(one => one.value);
  }

  hasWords(session: number, text: string, tick?: number): boolean {
    const found =
      tick === undefined
        ? this.#all(CHART_READ.words, session, text)
        : this.#all(CHART_READ.turnWords, session, tick, text);
    return found.length > 0;
  }

  annotations(range: UnixRange): Annotation[] {
    const rows = this.#prepared(CHART_READ.annotations)
      .safeIntegers()
      .all(range.fromUnixNs, range.toUnixNs) as {
      id: bigint;
      at_ns: bigint;
      end_ns: bigint | null;
      json: string;
    }[];
    return rows.map(row => ({
      id: String(row.id),
      atUnixNs: String(row.at_ns),
      endUnixNs: row.end_ns === null ? null : String(row.end_ns),
      ...(JSON.parse(row.json) as Omit<AnnotationInput, 'atUnixNs' | 'endUnixNs'>),
    }));
  }
}

/** Sessions by their row, each read once. */
class Sessions {
  readonly #known = new Map<number, FacetSession>();
  readonly #read: (row: number) => FacetSession;

  constructor(read: (row: number) => FacetSession) {
    this.#read = read;
  }

  of(row: number): FacetSession {
    let session = this.#known.get(row);
    if (session === undefined) this.#known.set(row, (session = this.#read(row)));
    return session;
  }
}

/** Minutes as stretches [first, end), so that neighbours are read together. */
function runsOf(minutes: ReadonlySet<number>): [number, number][] {
  const runs: [number, number][] = [];
  for (const minute of [...minutes].toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === minute) last[1] = minute + 1;
    else runs.push([minute, minute + 1]);
  }
  return runs;
}

const floorDiv = (value: bigint, by: bigint): bigint => value / by - (value % by < 0n ? 1n : 0n);

/** Minutes that touch the range: [first, end). */
const minutesOf = (fromUnixNs: bigint, toUnixNs: bigint): [bigint, bigint] => [
  floorDiv(fromUnixNs, MINUTE_NS),
  floorDiv(toUnixNs - 1n, MINUTE_NS) + 1n,
];
