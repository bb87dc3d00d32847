// Limits of measures: the collector's own, then those of a file, then what was set in the page,
// which stands in meta.db. Charts compare when they are asked; what is counted ahead of that, the
// turns over budget of each session, is counted again a few sessions at a time when limits change.

import type { BudgetList } from '@framescope/protocol';
import type { Database } from 'better-sqlite3';
import { budgetOf } from '../../query/measure-info.ts';
import { itemsOf, limitsOf } from '../budget-items.ts';
import type { BudgetChange, BudgetConflict, BudgetsGiven } from '../store.ts';

const BUDGETS = {
  set: `SELECT measure, limit_ns FROM budget ORDER BY measure`,
  state: `SELECT revision, changed_ns, judge, limits FROM budget_state`,
  clear: `DELETE FROM budget`,
  add: `INSERT INTO budget (measure, limit_ns) VALUES (?, ?)`,
  changed: `UPDATE budget_state SET revision = revision + 1, changed_ns = ?`,
  judge: `UPDATE budget_state SET judge = ?, limits = ?`,
  unjudged: `SELECT id, summary, facets FROM session WHERE judged < ? LIMIT ?`,
  judged: `UPDATE session SET judged = ?, summary = ?, facets = ? WHERE id = ?`,
} as const;

/** Some milliseconds' worth. */
const JUDGED_AT_ONCE = 50;

interface State {
  readonly revision: bigint;
  readonly changed_ns: bigint | null;
  readonly judge: bigint;
  readonly limits: string;
}

/** What a session's summary and facets hold of it. */
interface Judged {
  overBudgetCount: number;
  readonly voiceToVoice: { readonly definition: string } | null;
}

const stateIn = (database: Database): State =>
  database.prepare(BUDGETS.state).safeIntegers().get() as State;

/** Also for readers, which have connections of their own. */
export function budgetsIn(database: Database, given: BudgetsGiven): BudgetList {
  const state = stateIn(database);
  const { limits } = given;
  const items = new Map(itemsOf(given).map(one => [one.measure, one]));
  type Row = { measure: string; limit_ns: number | null };
  for (const { measure, limit_ns: limitNs } of database.prepare(BUDGETS.set).all() as Row[])
    items.set(measure, { measure, limitNs, source: 'page', otherwiseNs: limits[measure] ?? null });
  return {
    revision: Number(state.revision),
    changedUnixNs: state.changed_ns === null ? null : String(state.changed_ns),
    items: [...items.values()].toSorted((a, b) => (a.measure < b.measure ? -1 : 1)),
  };
}

export class Budgets {
  /** By measure, as they apply now: the object stays, what is in it changes. */
  readonly limits: Record<string, number> = {};
  /** Sessions with a lower number count by other limits. */
  judge = 0;
  readonly #database: Database;
  readonly #valuesOf: (session: number, measure: string) => readonly number[];
  #given: BudgetsGiven = { limits: {}, inFile: [] };
  #hasUnjudged = true;

  /** `valuesOf`: of one measure of a session, by its row. */
  constructor(
    database: Database,
    valuesOf: (session: number, measure: string) => readonly number[],
  ) {
    this.#database = database;
    this.#valuesOf = valuesOf;
  }

  /**
   * Call once, before anything is asked: what applies where the page set nothing. Absent: what the
   * collector went by when it last ran; none if it never did.
   */
  begin(given: BudgetsGiven | undefined): void {
    if (given !== undefined) {
      this.#given = given;
      this.#apply();
      return;
    }
    const { limits, judge } = stateIn(this.#database);
    this.judge = Number(judge);
    const known = limits === '' ? {} : Object.fromEntries(JSON.parse(limits) as []);
    Object.assign(this.limits, known);
  }

  #apply(): void {
    for (const name of Object.keys(this.limits)) delete this.limits[name];
    Object.assign(this.limits, limitsOf(this.list()));
    this.#judgeBy(JSON.stringify(Object.entries(this.limits).toSorted()));
  }

  #judgeBy(limits: string): void {
    const state = stateIn(this.#database);
    this.judge = Number(state.judge);
    if (state.limits === limits) return;
    // First known: what is stored was counted by the file and defaults that it was started with.
    if (state.limits !== '') this.judge++;
    this.#database.prepare(BUDGETS.judge).run(this.judge, limits);
    this.#hasUnjudged = true;
  }

  list(): BudgetList {
    return budgetsIn(this.#database, this.#given);
  }

  set({ items, atUnixNs, revision }: BudgetChange): BudgetList | BudgetConflict {
    const now = this.list();
    if (revision !== undefined && revision !== now.revision) return { conflict: true, now };
    this.#database
      .transaction(() => {
        this.#database.prepare(BUDGETS.clear).run();
        const add = this.#database.prepare(BUDGETS.add);
        for (const { measure, limitNs } of items) add.run(measure, limitNs);
        this.#database.prepare(BUDGETS.changed).run(atUnixNs);
      })
      .immediate();
    this.#apply();
    return this.list();
  }

  /** Counts the turns over budget of some sessions again; true when there may be more. */
  judgeSome(): boolean {
    if (!this.#hasUnjudged) return false;
    type Row = { id: number; summary: string; facets: string };
    const rows = this.#database.prepare(BUDGETS.unjudged).all(this.judge, JUDGED_AT_ONCE) as Row[];
    this.#hasUnjudged = rows.length === JUDGED_AT_ONCE;
    const judged = this.#database.prepare(BUDGETS.judged);
    this.#database
      .transaction(() => {
        for (const { id, summary, facets } of rows) {
          const one = JSON.parse(summary) as Judged;
          one.overBudgetCount = this.#overIn(id, one.voiceToVoice);
          const its = JSON.parse(facets) as { counts?: Record<string, number> };
          if (its.counts) its.counts['overbudget'] = one.overBudgetCount;
          judged.run(this.judge, JSON.stringify(one), JSON.stringify(its), id);
        }
      })
      .immediate();
    return this.#hasUnjudged;
  }

  #overIn(session: number, voiceToVoice: Judged['voiceToVoice']): number {
    if (voiceToVoice === null) return 0;
    const measure = `voice_to_voice.${voiceToVoice.definition}`;
    const limitNs = budgetOf(this.limits, measure);
    if (limitNs === null) return 0;
    return this.#valuesOf(session, measure).filter(ns => ns > limitNs).length;
  }
}
