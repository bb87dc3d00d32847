// Limits of measures in ClickHouse: one row holds all that people set, and the highest revision counts.
// Any collector may set them; the others see it with their next look (shared.ts, once a second).
//
// Turns over budget of each session are counted ahead, by the limits of then: with other limits they are
// counted again, some hundred sessions at a time, by whoever comes to it (`judgeSome`). Limits of
// `--budgets` may differ from collector to collector, so only what is set in the page counts them again.

import { randomUUID } from 'node:crypto';
import type { BudgetInput, BudgetList, SessionSummary } from '@framescope/protocol';
import { budgetOf } from '../../query/measure-info.ts';
import { itemsOf, limitsOf } from '../budget-items.ts';
import type { BudgetChange, BudgetConflict, BudgetsGiven, SessionFacets } from '../store.ts';
import type { Client } from './client.ts';

/** Some tens of milliseconds' worth. */
const JUDGED_AT_ONCE = 200;

interface SetRow {
  readonly revision: number;
  readonly changed: string | null;
  readonly items: BudgetInput['items'];
  readonly token: string;
}

/** What is read of a session to be written again. */
type SessionRow = Readonly<Record<'key' | 'summary' | 'facets' | 'version', string>>;

const NOTHING_SET: SetRow = { revision: 0, changed: null, items: [], token: '' };

async function setIn(client: Client): Promise<SetRow> {
  type Row = { revision: string; changed: string; items: string; token: string };
  const [row] = await client.rows<Row>(
    `SELECT toString(b.revision) AS revision, toString(changed) AS changed, items, token
     FROM ${client.table('framescope_budget')} AS b FINAL`,
  );
  if (row === undefined) return NOTHING_SET;
  const items = JSON.parse(row.items) as BudgetInput['items'];
  return { ...row, revision: Number(row.revision), items };
}

function listOf(set: SetRow, given: BudgetsGiven): BudgetList {
  const items = new Map(itemsOf(given).map(one => [one.measure, one]));
  for (const { measure, limitNs } of set.items) {
    const otherwiseNs = given.limits[measure] ?? null;
    items.set(measure, { measure, limitNs, source: 'page', otherwiseNs });
  }
  return {
    revision: set.revision,
    changedUnixNs: set.changed,
    items: [...items.values()].toSorted((a, b) => (a.measure < b.measure ? -1 : 1)),
  };
}

export const budgetsIn = async (client: Client, given: BudgetsGiven): Promise<BudgetList> =>
  listOf(await setIn(client), given);

export class Budgets {
  readonly #client: Client;
  readonly #given: BudgetsGiven;
  #revision = -1;
  #limits: Readonly<Record<string, number>>;
  #hasUnjudged = true;

  constructor(client: Client, given: BudgetsGiven) {
    this.#client = client;
    this.#given = given;
    this.#limits = given.limits;
  }

  /** Of what people set last, as known here. */
  get revision(): number {
    return Math.max(0, this.#revision);
  }

  /** The limits that apply now, by measure, ns. */
  async limits(): Promise<Readonly<Record<string, number>>> {
    await this.changed();
    return this.#limits;
  }

  /** Those that apply now, when they are others than at the last call. */
  async changed(): Promise<Readonly<Record<string, number>> | undefined> {
    const set = await setIn(this.#client);
    if (set.revision === this.#revision) return undefined;
    this.#revision = set.revision;
    this.#limits = limitsOf(listOf(set, this.#given));
    this.#hasUnjudged = true;
    return this.#limits;
  }

  async set({ items, atUnixNs, revision }: BudgetChange): Promise<BudgetList | BudgetConflict> {
    const now = await setIn(this.#client);
    if (revision !== undefined && revision !== now.revision)
      return { conflict: true, now: listOf(now, this.#given) };
    const token = randomUUID();
    await this.#client.insert(this.#client.table('framescope_budget'), [
      {
        revision: now.revision + 1,
        changed: String(atUnixNs),
        items: JSON.stringify(items),
        token,
      },
    ]);
    const then = await setIn(this.#client);
    // Another collector was asked the same moment: one of the two counts.
    if (then.token !== token) return { conflict: true, now: listOf(then, this.#given) };
    await this.changed();
    return listOf(then, this.#given);
  }

  /** Counts the turns over budget of some sessions again; true when there may be more. */
  async judgeSome(): Promise<boolean> {
    if (!this.#hasUnjudged) return false;
    const client = this.#client;
    const rows = await client.rows<SessionRow>(
      `SELECT key, session_id, toString(s.row) AS row, status, toString(s.start) AS start,
         toString(s.end) AS end, toString(s.covered_commit) AS covered_commit, s.revision AS revision,
         summary, detail, facets, toString(s.version) AS version, kept
       FROM ${client.table('framescope_session')} AS s FINAL
       WHERE judged < {revision:UInt64} LIMIT ${JUDGED_AT_ONCE}`,
      { revision: this.revision },
    );
    this.#hasUnjudged = rows.length === JUDGED_AT_ONCE;
    if (rows.length === 0) return false;
    const counts = await this.#overIn(rows.map(one => JSON.parse(one.summary) as SessionSummary));
    const judged = rows.map(row => {
      const overBudgetCount = counts.get(row.key) ?? 0;
      const its = JSON.parse(row.facets) as SessionFacets;
      return {
        ...row,
        summary: JSON.stringify({ ...JSON.parse(row.summary), overBudgetCount }),
        facets: JSON.stringify({ ...its, counts: { ...its.counts, overbudget: overBudgetCount } }),
        judged: this.revision,
        // Just above the row it was made of: what assembly wrote meanwhile stays the newest.
        version: String(BigInt(row.version) + 1n),
      };
    });
    await client.insert(client.table('framescope_session'), judged);
    return this.#hasUnjudged;
  }

  async #overIn(sessions: readonly SessionSummary[]): Promise<Map<string, number>> {
    const asked = sessions.flatMap(({ key, voiceToVoice }) => {
      const measure = voiceToVoice && `voice_to_voice.${voiceToVoice.definition}`;
      const limitNs = measure === null ? null : budgetOf(this.#limits, measure);
      return measure === null || limitNs === null ? [] : [{ key, measure, limitNs }];
    });
    if (asked.length === 0) return new Map();
    type Row = { key: string; m: string; v: readonly string[] };
    const rows = await this.#client.rows<Row>(
      `SELECT session_key AS key, m, groupArray(toString(v)) AS v
       FROM ${this.#client.table('framescope_turn')} FINAL
       ARRAY JOIN values.measure AS m, values.value AS v
       WHERE session_key IN {keys:Array(String)} AND startsWith(m, 'voice_to_voice.')
       GROUP BY session_key, m`,
      { keys: asked.map(one => one.key) },
    );
    const found = new Map(rows.map(row => [`${row.key} ${row.m}`, row.v]));
    return new Map(
      asked.map(({ key, measure, limitNs }) => {
        const values = found.get(`${key} ${measure}`) ?? [];
        return [key, values.filter(value => Number(value) > limitNs).length];
      }),
    );
  }
}
