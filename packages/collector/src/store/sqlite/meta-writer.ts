// Writes derived rows to meta.db: one transaction a call, with the commit they cover.

import type { Database, Statement } from 'better-sqlite3';
import type { Annotation, AnnotationInput, SessionStatus, Turn } from '@framescope/protocol';
import type { CollectorClockRow, DerivedRows, RollupRow, ValueRow } from '../store.ts';
import { collectorClocksIn } from './meta-reader.ts';
import { facetsOf, splitDetail, wordsOf } from '../facets.ts';
import { Budgets } from './budgets.ts';
import { CHART_WRITE, ChartWriter } from './chart-writer.ts';
import { openForWriting } from './open.ts';
import { Pins } from './pins.ts';
import { worstText } from './worst-text.ts';

const WRITE = {
  session: `
    INSERT INTO session (key, session_id, status, start_ns, end_ns, covered_commit, revision,
      summary, detail, facets, judged)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET status = excluded.status, start_ns = excluded.start_ns,
      end_ns = excluded.end_ns, covered_commit = excluded.covered_commit,
      revision = excluded.revision, summary = excluded.summary, detail = excluded.detail,
      facets = excluded.facets, judged = excluded.judged
    RETURNING id, is_packed`,
  deleteTurns: `DELETE FROM turn WHERE session = ?`,
  deleteValues: `DELETE FROM value WHERE session = ?`,
  deleteRollups: `DELETE FROM rollup WHERE session = ?`,
  deleteTurn: `DELETE FROM turn WHERE session = ? AND tick = ?`,
  deleteTurnValues: `DELETE FROM value WHERE session = ? AND tick = ?`,
  turn: `INSERT INTO turn (session, tick, trace, words, json) VALUES (?, ?, ?, ?, ?)`,
  measure: `
    INSERT INTO measure (name) VALUES (?)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id`,
  value: `
    INSERT INTO value (measure, session, tick, wait_index, at_ns, value_ns, is_censored, outcome,
      error_ns, resolved, worst_part, worst_part_ns, is_over_budget, saves_ns, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}')`,
  rollup: `
    INSERT OR REPLACE INTO rollup (measure, session, minute, count, expected_count, lost_count,
      late_count, concealed_count, over_budget_count, sum_ns, min_ns, max_ns, sketch, worst)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  clockSample: `
    INSERT INTO clock_sample (session, domain, epoch, peer, peer_epoch, t1, t2, t3, t4)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (session, domain, epoch, peer, peer_epoch, t1) DO NOTHING`,
  revision: `SELECT revision FROM session WHERE key = ?`,
  collectorClock: `
    INSERT INTO collector_clock (domain, epoch, zero_unix_ns, since_commit) VALUES (?, ?, ?, ?)`,
  annotation: `INSERT INTO annotation (at_ns, end_ns, json) VALUES (?, ?, ?)`,
  removeAnnotation: `DELETE FROM annotation WHERE id = ?`,
  deleteBefore: `
    DELETE FROM session WHERE id IN (
      SELECT id FROM session WHERE start_ns < @before AND end_ns < @before
        AND key NOT IN (SELECT session_key FROM pin)
      ORDER BY start_ns, id LIMIT @limit)`,
  deleteOldest: `
    DELETE FROM session WHERE id IN (
      SELECT id FROM session WHERE key NOT IN (SELECT session_key FROM pin)
      ORDER BY start_ns, id LIMIT ?)`,
  deleteCovered: `
    DELETE FROM session
    WHERE covered_commit <= ? AND key NOT IN (SELECT session_key FROM pin)`,
  // A minute less: an offset that became known later may have moved a start.
  deleteMinutes: `
    DELETE FROM group_rollup WHERE measure IN (SELECT id FROM measure) AND minute <
      coalesce((SELECT min(start_ns) FROM session
        WHERE key NOT IN (SELECT session_key FROM pin)) / 60000000000 - 1, 9223372036854775807)`,
  keptSessions: `
    SELECT session.id FROM pin JOIN session ON session.key = pin.session_key`,
} as const;

const COVERED = `SELECT key, covered_commit, status FROM session`;

export interface CoveredSession {
  readonly key: string;
  readonly covered_commit: number;
  readonly status: SessionStatus;
}

export class MetaWriter {
  readonly path: string;
  readonly #database: Database;
  readonly #statements: Readonly<Record<keyof typeof WRITE, Statement>>;
  readonly #measureIds = new Map<string, number>();
  readonly #measureNames = new Map<number, string>();
  readonly #charts: ChartWriter;
  readonly pins: Pins;
  readonly budgets: Budgets;

  /** `logBytes`: what the log beside it may hold. */
  constructor(path: string, logBytes: number) {
    this.path = path;
    const database = openForWriting(path, 'meta', { check: 'whole', logBytes });
    this.#database = database;
    this.#charts = new ChartWriter(
      database,
      { idOf: name => this.#measureId(name), nameOf: id => this.#measureName(id) },
      (session, row) => this.#writeRollup(session, row),
    );
    this.#statements = {
      session: database.prepare(WRITE.session),
      deleteTurns: database.prepare(WRITE.deleteTurns),
      deleteValues: database.prepare(WRITE.deleteValues),
      deleteRollups: database.prepare(WRITE.deleteRollups),
      deleteTurn: database.prepare(WRITE.deleteTurn),
      deleteTurnValues: database.prepare(WRITE.deleteTurnValues),
      turn: database.prepare(WRITE.turn),
      measure: database.prepare(WRITE.measure),
      value: database.prepare(WRITE.value),
      rollup: database.prepare(WRITE.rollup),
      clockSample: database.prepare(WRITE.clockSample),
      revision: database.prepare(WRITE.revision),
      collectorClock: database.prepare(WRITE.collectorClock),
      annotation: database.prepare(WRITE.annotation),
      removeAnnotation: database.prepare(WRITE.removeAnnotation),
      deleteBefore: database.prepare(WRITE.deleteBefore),
      deleteOldest: database.prepare(WRITE.deleteOldest),
      deleteCovered: database.prepare(WRITE.deleteCovered),
      deleteMinutes: database.prepare(WRITE.deleteMinutes),
      keptSessions: database.prepare(WRITE.keptSessions),
    };
    this.pins = new Pins(database);
    this.budgets = new Budgets(database, (session, measure) =>
      this.#charts.valuesOf(session, this.#measureId(measure)),
    );
  }

  write(all: readonly DerivedRows[]): void {
    const work = this.#database.transaction(() => {
      for (const rows of all) this.#writeSession(rows);
    });
    try {
      work.immediate();
    } catch (problem) {
      this.#measureIds.clear();
      this.#measureNames.clear();
      throw problem;
    }
  }

  #writeSession(rows: DerivedRows): void {
    const { summary, rest } = splitDetail(rows.session);
    const { id, is_packed: isPacked } = this.#statements.session.get(
      rows.sessionKey,
      summary.id,
      summary.status,
      BigInt(summary.startUnixNs),
      BigInt(summary.endUnixNs),
      rows.coveredCommit,
      rows.revision,
      JSON.stringify(summary),
      JSON.stringify(rest),
      JSON.stringify(facetsOf(rows.session)),
      this.budgets.judge,
    ) as { id: number; is_packed: number };
    if (isPacked === 1) this.#charts.unpack(id);
    if (rows.replace === 'all') {
      this.#charts.markSession(id);
      this.#statements.deleteTurns.run(id);
      this.#statements.deleteValues.run(id);
      this.#statements.deleteRollups.run(id);
    }
    for (const turn of rows.turns) this.#writeTurn(id, turn);
    for (const value of rows.values) this.#writeValue(id, value);
    for (const rollup of rows.rollups) this.#writeRollup(id, rollup);
    for (const one of rows.clockSamples ?? [])
      this.#statements.clockSample.run(
        id,
        one.domain,
        one.epoch,
        one.peer,
        one.peerEpoch,
        one.t1,
        one.t2,
        one.t3,
        one.t4,
      );
  }

  #writeTurn(session: number, turn: Turn): void {
    this.#statements.deleteTurn.run(session, turn.tick);
    this.#statements.deleteTurnValues.run(session, turn.tick);
    this.#statements.turn.run(
      session,
      turn.tick,
      turn.traceId,
      wordsOf(turn),
      JSON.stringify(turn),
    );
  }

  #writeValue(session: number, value: ValueRow): void {
    // Charts name the largest part by the measure's number.
    if (value.worstPart !== null) this.#measureId(`part.${value.worstPart}`);
    this.#statements.value.run(
      this.#measureId(value.measure),
      session,
      value.tick,
      value.waitIndex,
      value.atUnixNs,
      value.valueNs,
      value.isCensored ? 1 : 0,
      value.outcome,
      value.errorNs,
      value.resolved,
      value.worstPart,
      value.worstPartNs,
      value.isOverBudget ? 1 : 0,
      value.savesNs ?? null,
    );
  }

  #writeRollup(session: number, row: RollupRow): void {
    this.#charts.markDirty(this.#measureId(row.measure), row.minute);
    this.#statements.rollup.run(
      this.#measureId(row.measure),
      session,
      row.minute,
      row.count,
      row.expectedCount,
      row.lostCount,
      row.lateCount,
      row.concealedCount,
      row.overBudgetCount,
      row.sumNs,
      row.minNs,
      row.maxNs,
      row.sketch,
      worstText(row.worst),
    );
  }

  #measureId(name: string): number {
    const known = this.#measureIds.get(name);
    if (known !== undefined) return known;
    const { id } = this.#statements.measure.get(name) as { id: number };
    this.#measureIds.set(name, id);
    return id;
  }

  collectorClocks(): CollectorClockRow[] {
    return collectorClocksIn(this.#database);
  }

  noteCollectorClock({ domain, epoch, zeroUnixNs, sinceCommit }: CollectorClockRow): void {
    this.#statements.collectorClock.run(domain, epoch, zeroUnixNs, sinceCommit);
  }

  revision(key: string): { readonly revision?: number } {
    return (this.#statements.revision.get(key) as { revision: number } | undefined) ?? {};
  }

  #measureName(id: number): string {
    let name = this.#measureNames.get(id);
    if (name === undefined) {
      const row = this.#database.prepare(CHART_WRITE.measureName).get(id) as { name: string };
      this.#measureNames.set(id, (name = row.name));
    }
    return name;
  }

  /** @see AssemblyStore.tidy */
  tidy(nowUnixNs: bigint): boolean {
    return this.#charts.tidy(nowUnixNs);
  }

  annotate(annotation: AnnotationInput): Annotation {
    const { atUnixNs, endUnixNs, ...rest } = annotation;
    const { lastInsertRowid } = this.#statements.annotation.run(
      BigInt(atUnixNs),
      endUnixNs === null ? null : BigInt(endUnixNs),
      JSON.stringify(rest),
    );
    return { id: String(lastInsertRowid), ...annotation };
  }

  removeAnnotation(id: string): boolean {
    return /^\d{1,15}$/.test(id) && this.#statements.removeAnnotation.run(Number(id)).changes > 0;
  }

  covered(): CoveredSession[] {
    return this.#database.prepare<[], CoveredSession>(COVERED).all();
  }

  /** Derived rows of sessions whose last raw data went with a dropped volume. */
  dropCovered(lastCommit: number): void {
    this.#dropped(this.#statements.deleteCovered.run(lastCommit).changes);
  }

  /** Rows of the sessions that ended before, a few at a time; true when there were any. */
  dropSessionsBefore(endUnixNs: bigint, limit: number): boolean {
    return this.#dropped(this.#statements.deleteBefore.run({ before: endUnixNs, limit }).changes);
  }

  /** Rows of the sessions that began first; false when there are none left. */
  dropOldestSessions(limit: number): boolean {
    return this.#dropped(this.#statements.deleteOldest.run(limit).changes);
  }

  /** Minutes of all calls go with the last session that was added up in them. */
  #dropped(count: number): boolean {
    if (count === 0) return false;
    this.#statements.deleteMinutes.run();
    // Those of pinned calls are added up anew, from them alone.
    for (const { id } of this.#statements.keptSessions.all() as { id: number }[])
      this.#charts.markMinutes(id);
    this.#giveBack();
    return true;
  }

  /** Free pages go back to the file system. */
  #giveBack(): void {
    this.#database.pragma('incremental_vacuum');
    this.#database.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    // Readers may hold the file open: closing alone would leave the log beside it.
    this.#database.pragma('wal_checkpoint(TRUNCATE)');
    this.#database.close();
  }
}
