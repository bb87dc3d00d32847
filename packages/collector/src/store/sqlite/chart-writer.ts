// Keeps what charts read in the form they read it fastest:
//
//   live and recent sessions   rows of `value` and `rollup`, replaced as they change
//   finished ones              a wait_pack and a few rollup_packs each; back to rows when they change
//   all calls together         group_rollup, made again where dirty_minute says so
//
// All of it is derived and made in the transaction of what it is derived from, or later in one of
// its own that also takes the mark away: a crash between leaves the mark.

import type { Database, Statement } from 'better-sqlite3';
import {
  addedUp,
  encodeMinutes,
  entryOf,
  MinuteCursor,
  rowOf,
  type MinuteEntry,
} from '../../rollup/minute-codec.ts';
import { encodeWaits, WaitPackReader, type PackedValue } from '../../rollup/wait-codec.ts';
import { USUAL_DIMENSIONS } from '../facets.ts';
import type { RollupRow, SessionFacets } from '../store.ts';
import { worstOf } from './worst-text.ts';

export const CHART_WRITE = {
  markDirty: `INSERT OR IGNORE INTO dirty_minute (measure, minute) VALUES (?, ?)`,
  markSession: `
    INSERT OR IGNORE INTO dirty_minute (measure, minute)
    SELECT measure, minute FROM rollup WHERE session = ?`,
  unpacked: `
    SELECT id FROM session INDEXED BY session_unpacked
    WHERE is_packed = 0 AND status IN ('ended', 'broken_off') ORDER BY id LIMIT ?`,
  values: `
    SELECT measure, tick, wait_index, at_ns, value_ns, is_censored, outcome, error_ns, resolved,
      worst_part, worst_part_ns, is_over_budget, saves_ns FROM value WHERE session = ?`,
  rollups: `
    SELECT measure, minute, count, lost_count, late_count, concealed_count, over_budget_count,
      sum_ns, min_ns, max_ns, sketch, worst FROM rollup WHERE session = ? ORDER BY measure, minute`,
  insertValue: `
    INSERT INTO value (measure, session, tick, wait_index, at_ns, value_ns, is_censored, outcome,
      error_ns, resolved, worst_part, worst_part_ns, is_over_budget, saves_ns, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}')`,
  insertWaitPack: `
    INSERT INTO wait_pack (session, from_ns, to_ns, counts, data, more) VALUES (?, ?, ?, ?, ?, ?)`,
  insertRollupPack: `
    INSERT INTO rollup_pack (measure, session, from_minute, to_minute, count, is_first, data)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  waitPack: `SELECT from_ns, data, more FROM wait_pack WHERE session = ?`,
  rollupPacks: `SELECT measure, data FROM rollup_pack WHERE session = ?`,
  deleteValues: `DELETE FROM value WHERE session = ?`,
  deleteRollups: `DELETE FROM rollup WHERE session = ?`,
  deleteWaitPack: `DELETE FROM wait_pack WHERE session = ?`,
  deleteRollupPacks: `DELETE FROM rollup_pack WHERE session = ?`,
  setPacked: `UPDATE session SET is_packed = ? WHERE id = ?`,
  dirty: `SELECT measure, minute FROM dirty_minute WHERE minute < ? LIMIT 1`,
  dirtyOf: `SELECT minute FROM dirty_minute WHERE measure = ? AND minute >= ? AND minute < ?`,
  clean: `DELETE FROM dirty_minute WHERE measure = ? AND minute = ?`,
  minuteRows: `
    SELECT session, minute, count, lost_count, late_count, concealed_count, over_budget_count,
      sum_ns, min_ns, max_ns, sketch, worst FROM rollup
    WHERE measure = ? AND minute >= ? AND minute < ?`,
  minutePacks: `
    SELECT session, data FROM rollup_pack
    WHERE measure = ? AND from_minute > ? AND from_minute < ? AND to_minute >= ?`,
  facets: `SELECT facets FROM session WHERE id = ?`,
  group: `
    INSERT INTO call_group (name, value) VALUES (?, ?)
    ON CONFLICT (name, value) DO UPDATE SET name = excluded.name RETURNING id`,
  deleteGroups: `DELETE FROM group_rollup WHERE measure = ? AND minute = ?`,
  groupRollup: `
    INSERT INTO group_rollup (measure, call_group, minute, sessions, data) VALUES (?, ?, ?, ?, ?)`,
  measureName: `SELECT name FROM measure WHERE id = ?`,
} as const;

/** A row of rollup_pack covers at most so many minutes: packs that touch a range begin no earlier. */
export const PACK_MINUTES = 64;
/** Longer ones stay rows: a pack is found by when it begins. */
export const PACKED_WAITS_SPAN_NS: bigint = 86_400_000_000_000n;

/** Sessions packed at a time: some milliseconds. */
const PACKED_AT_ONCE = 4;
/** Of each usual dimension: what has more values groups nothing. */
const GROUP_VALUES_MAX = 32;
const MINUTE_NS = 60_000_000_000n;
/** Frames of a minute may still be on their way so long after its end. */
const FRESH_NS = 90_000_000_000n;

type Row = Record<string, number | string | null>;

export interface MeasureNames {
  idOf(name: string): number;
  nameOf(id: number): string;
}

export class ChartWriter {
  readonly #database: Database;
  readonly #names: MeasureNames;
  readonly #insertRollup: (session: number, row: RollupRow) => void;
  readonly #statements = new Map<string, Statement>();
  readonly #groupIds = new Map<string, number>();
  readonly #groupValues = new Map<string, Set<string>>();
  readonly #cursor = new MinuteCursor();

  /** `insertRollup` writes one row of `rollup` and marks its minute. */
  constructor(
    database: Database,
    names: MeasureNames,
    insertRollup: (session: number, row: RollupRow) => void,
  ) {
    this.#database = database;
    this.#names = names;
    this.#insertRollup = insertRollup;
  }

  #prepared(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #run(sql: string, ...values: unknown[]): void {
    this.#prepared(sql).run(...values);
  }

  #all<T>(sql: string, ...values: unknown[]): T[] {
    return this.#prepared(sql).all(...values) as T[];
  }

  // ---- as rows change ---------------------------------------------------------------------

  markDirty(measure: number, minute: number): void {
    this.#run(CHART_WRITE.markDirty, measure, minute);
  }

  /** Call before rows of a packed session change: it has rows again afterwards. */
  unpack(session: number): void {
    this.#unpackWaits(session);
    for (const { measure, data } of this.#all<{ measure: number; data: Buffer }>(
      CHART_WRITE.rollupPacks,
      session,
    )) {
      const name = this.#names.nameOf(measure);
      this.#cursor.open(data);
      while (this.#cursor.step())
        this.#insertRollup(session, rowOf(this.#cursor.entry(), name, ''));
    }
    this.#run(CHART_WRITE.deleteWaitPack, session);
    this.#run(CHART_WRITE.deleteRollupPacks, session);
    this.#run(CHART_WRITE.setPacked, 0, session);
  }

  #unpackWaits(session: number): void {
    const reader = new WaitPackReader();
    const pack = this.#prepared(CHART_WRITE.waitPack).safeIntegers().get(session) as
      | { from_ns: bigint; data: Buffer; more: Buffer }
      | undefined;
    if (pack === undefined || !reader.open(pack.data)) return;
    for (const value of reader.values(pack.from_ns, pack.more))
      this.#run(
        CHART_WRITE.insertValue,
        value.measure,
        session,
        value.tick,
        value.waitIndex,
        value.atUnixNs,
        value.valueNs,
        value.isCensored ? 1 : 0,
        value.outcome,
        value.errorNs,
        value.resolved,
        value.worst === 0 ? null : this.#names.nameOf(value.worst).slice('part.'.length),
        value.worstPartNs,
        value.isOverBudget ? 1 : 0,
        value.savesNs ?? null,
      );
  }

  /** Call before all rows of a session are deleted. */
  markSession(session: number): void {
    this.#run(CHART_WRITE.markSession, session);
  }

  /** Every minute of a session, packed or not, is added up again. */
  markMinutes(session: number): void {
    this.markSession(session);
    type Pack = { measure: number; data: Buffer };
    for (const { measure, data } of this.#all<Pack>(CHART_WRITE.rollupPacks, session)) {
      this.#cursor.open(data);
      while (this.#cursor.step()) this.markDirty(measure, this.#cursor.minute);
    }
  }

  /** Values of one measure of a session, packed or not. */
  valuesOf(session: number, measure: number): number[] {
    const rows = this.#all<{ measure: number; value_ns: number }>(CHART_WRITE.values, session);
    if (rows.length > 0) return rows.flatMap(row => (row.measure === measure ? row.value_ns : []));
    const reader = new WaitPackReader();
    const pack = this.#prepared(CHART_WRITE.waitPack).safeIntegers().get(session) as
      | { from_ns: bigint; data: Buffer; more: Buffer }
      | undefined;
    if (pack === undefined || !reader.open(pack.data)) return [];
    return reader
      .values(pack.from_ns, pack.more)
      .filter(value => value.measure === measure)
      .map(value => value.valueNs);
  }

  // ---- when there is time -----------------------------------------------------------------

  /** A transaction's worth of work; true when there is more. */
  tidy(nowUnixNs: bigint): boolean {
    const work = this.#database.transaction(() => {
      const hasPacked = this.#packSome();
      const hasAdded = this.#addUpSome(nowUnixNs);
      return hasPacked || hasAdded;
    });
    try {
      return work.immediate();
    } catch (problem) {
      this.#groupIds.clear();
      throw problem;
    }
  }

  #packSome(): boolean {
    const sessions = this.#all<{ id: number }>(CHART_WRITE.unpacked, PACKED_AT_ONCE);
    for (const { id } of sessions) {
      this.#packWaits(id);
      this.#packRollups(id);
      this.#run(CHART_WRITE.setPacked, 1, id);
    }
    return sessions.length === PACKED_AT_ONCE;
  }

  #packWaits(session: number): void {
    const rows = this.#prepared(CHART_WRITE.values).safeIntegers().all(session);
    const values = (rows as Record<string, bigint | string | number | null>[]).map(row =>
      this.#packedValue(row),
    );
    if (values.length === 0) return;
    const times = values.map(one => one.atUnixNs).toSorted((a, b) => (a < b ? -1 : 1));
    const [from, to] = [times[0]!, times.at(-1)!];
    if (to - from > PACKED_WAITS_SPAN_NS) return;
    const counts = new Map<number, number>();
    for (const { measure } of values) counts.set(measure, (counts.get(measure) ?? 0) + 1);
    const { data, more } = encodeWaits(values, from);
    const counted = JSON.stringify([...counts]);
    this.#run(CHART_WRITE.insertWaitPack, session, from, to, counted, data, more);
    this.#run(CHART_WRITE.deleteValues, session);
  }

  #packedValue(row: Record<string, bigint | string | number | null>): PackedValue {
    const worst = row['worst_part'];
    const number = (name: string): number => Number(row[name]);
    const orNull = (name: string): number | null => (row[name] === null ? null : number(name));
    return {
      measure: number('measure'),
      tick: number('tick'),
      waitIndex: number('wait_index'),
      atUnixNs: row['at_ns'] as bigint,
      valueNs: number('value_ns'),
      isCensored: row['is_censored'] === 1n,
      outcome: String(row['outcome']),
      errorNs: number('error_ns'),
      resolved: number('resolved'),
      worst: typeof worst === 'string' ? this.#names.idOf(`part.${worst}`) : 0,
      worstPartNs: orNull('worst_part_ns'),
      isOverBudget: row['is_over_budget'] === 1n,
      savesNs: orNull('saves_ns'),
    };
  }

  #packRollups(session: number): void {
    const byMeasure = new Map<number, MinuteEntry[]>();
    for (const row of this.#all<Row>(CHART_WRITE.rollups, session)) {
      const entry = entryOf(rollupRow(row));
      if (entry === undefined) continue;
      const measure = Number(row['measure']);
      const entries = byMeasure.get(measure);
      if (entries === undefined) byMeasure.set(measure, [entry]);
      else entries.push(entry);
    }
    for (const [measure, entries] of byMeasure) {
      let isFirst = 1;
      while (entries.length > 0) {
        const from = entries[0]!.minute;
        const beyond = entries.findIndex(one => one.minute >= from + PACK_MINUTES);
        const part = entries.splice(0, beyond === -1 ? entries.length : beyond);
        const count = part.reduce((sum, one) => sum + one.count, 0);
        this.#run(
          CHART_WRITE.insertRollupPack,
          measure,
          session,
          from,
          part.at(-1)!.minute,
          count,
          isFirst,
          encodeMinutes(part),
        );
        isFirst = 0;
      }
    }
    this.#run(CHART_WRITE.deleteRollups, session);
  }

  /** Adds up the dirty minutes of one measure within an hour. */
  #addUpSome(nowUnixNs: bigint): boolean {
    const fresh = Number((nowUnixNs - FRESH_NS) / MINUTE_NS);
    const [first] = this.#all<{ measure: number; minute: number }>(CHART_WRITE.dirty, fresh);
    if (first === undefined) return false;
    const { measure, minute: from } = first;
    const to = Math.min(from + PACK_MINUTES, fresh);
    const minutes = this.#all<{ minute: number }>(CHART_WRITE.dirtyOf, measure, from, to);
    const entries = this.#entriesOf(measure, from, to);
    for (const { minute } of minutes) {
      this.#addUp(measure, minute, entries.get(minute) ?? []);
      this.#run(CHART_WRITE.clean, measure, minute);
    }
    return true;
  }

  #entriesOf(measure: number, from: number, to: number): Map<number, MinuteEntry[]> {
    const entries = new Map<number, MinuteEntry[]>();
    const put = (entry: MinuteEntry): void => {
      const same = entries.get(entry.minute);
      if (same === undefined) entries.set(entry.minute, [entry]);
      else same.push(entry);
    };
    const ofSession = (entry: MinuteEntry, session: number): MinuteEntry => ({
      ...entry,
      worst: entry.worst.map(one => ({ ...one, session })),
      session,
    });
    for (const row of this.#all<Row>(CHART_WRITE.minuteRows, measure, from, to)) {
      const entry = entryOf(rollupRow(row));
      if (entry !== undefined) put(ofSession(entry, Number(row['session'])));
    }
    for (const { session, data } of this.#all<{ session: number; data: Buffer }>(
      CHART_WRITE.minutePacks,
      measure,
      from - PACK_MINUTES,
      to,
      from,
    )) {
      this.#cursor.open(data);
      while (this.#cursor.step())
        if (this.#cursor.minute >= from && this.#cursor.minute < to)
          put(ofSession(this.#cursor.entry(), session));
    }
    return entries;
  }

  #addUp(measure: number, minute: number, entries: readonly MinuteEntry[]): void {
    this.#run(CHART_WRITE.deleteGroups, measure, minute);
    const groups = new Map<number, MinuteEntry[]>();
    for (const entry of entries)
      for (const group of this.#groupsOf(entry.session!)) {
        const same = groups.get(group);
        if (same === undefined) groups.set(group, [entry]);
        else same.push(entry);
      }
    for (const [group, members] of groups)
      this.#run(
        CHART_WRITE.groupRollup,
        measure,
        group,
        minute,
        members.length,
        encodeMinutes([addedUp(members)]),
      );
  }

  #groupsOf(session: number): number[] {
    const row = this.#all<{ facets: string }>(CHART_WRITE.facets, session)[0];
    const facets = JSON.parse(row?.facets ?? '{}') as Partial<SessionFacets>;
    const ids = [this.#groupId('', '')];
    for (const name of USUAL_DIMENSIONS) {
      const value = facets.attributes?.[name];
      if (value !== undefined && this.#isFew(name, String(value)))
        ids.push(this.#groupId(name, String(value)));
    }
    return ids;
  }

  #isFew(name: string, value: string): boolean {
    let values = this.#groupValues.get(name);
    if (values === undefined) this.#groupValues.set(name, (values = new Set()));
    if (values.size < GROUP_VALUES_MAX) values.add(value);
    return values.has(value);
  }

  #groupId(name: string, value: string): number {
    const known = this.#groupIds.get(`${name}\n${value}`);
    if (known !== undefined) return known;
    const { id } = this.#prepared(CHART_WRITE.group).get(name, value) as { id: number };
    this.#groupIds.set(`${name}\n${value}`, id);
    return id;
  }
}

/** A row of `rollup` as it was written; without the names of its session and measure. */
export const rollupRow = (row: Row): RollupRow => ({
  sessionKey: '',
  measure: '',
  minute: Number(row['minute']),
  count: Number(row['count']),
  expectedCount: Number(row['count']) + Number(row['lost_count']),
  lostCount: Number(row['lost_count']),
  lateCount: Number(row['late_count']),
  concealedCount: Number(row['concealed_count']),
  overBudgetCount: Number(row['over_budget_count']),
  sumNs: Number(row['sum_ns']),
  minNs: Number(row['min_ns']),
  maxNs: Number(row['max_ns']),
  sketch: row['sketch'] as unknown as Uint8Array,
  worst: worstOf(String(row['worst'])),
});
