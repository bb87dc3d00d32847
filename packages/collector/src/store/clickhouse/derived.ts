// Derived rows into ClickHouse: turns with their values, minutes, then the line of the session.
//
// The session's line comes last and says what it covers: a crash before it leaves rows that the next
// writer writes again. Rows that are no more are overwritten by ones marked deleted.

import type { SessionSummary, Turn } from '@framescope/protocol';
import { entryOf } from '../../rollup/minute-codec.ts';
import { VALUE_FLAG } from '../../rollup/wait-codec.ts';
import { facetsOf, splitDetail, USUAL_DIMENSIONS, wordsOf } from '../facets.ts';
import type { DerivedRows, RollupRow, SessionFacets, ValueRow } from '../store.ts';
import type { Client } from './client.ts';
import { isPinned } from './pins.ts';
import { hourOf, waitNameText, waitRows, type WaitName } from './wait-row.ts';

export class DerivedWriter {
  readonly #client: Client;
  /** Rises with each write, and from one collector to the next: microseconds. */
  #version = 0;
  readonly #nowUs: () => number;

  readonly #judged: () => number;

  /** `judged`: the revision of limits by which what is written was counted. */
  constructor(client: Client, nowUs: () => number, judged: () => number) {
    this.#client = client;
    this.#nowUs = nowUs;
    this.#judged = judged;
  }

  async write(all: readonly DerivedRows[]): Promise<void> {
    if (all.length === 0) return;
    this.#version = Math.max(this.#version + 1, this.#nowUs());
    const draft: Draft = { turns: [], waits: [], gone: [], minutes: [], samples: [], sessions: [] };
    const names = await this.#names(all.map(one => one.sessionKey));
    const replaced = all.filter(one => one.replace === 'all').map(one => one.sessionKey);
    const given = all.filter(one => one.replace === 'given');
    const before = await this.#before(replaced, given);
    for (const one of all) this.#add(one, names.get(one.sessionKey)!, { draft, before });
    // What there was is read off the turns: while it stands in them, it can be taken out.
    await this.#client.insert(this.#client.table('framescope_wait'), draft.gone);
    await Promise.all([
      this.#client.insert(this.#client.table('framescope_turn'), draft.turns),
      this.#client.insert(this.#client.table('framescope_wait'), draft.waits),
      this.#client.insert(this.#client.table('framescope_minute'), draft.minutes),
      this.#client.insert(this.#client.table('framescope_clock_sample'), draft.samples),
    ]);
    await this.#client.insert(this.#client.table('framescope_session'), draft.sessions);
  }

  /** The numbers by which charts name sessions: a hash that the engine makes, so that all agree. */
  async #names(keys: readonly string[]): Promise<Map<string, Named>> {
    const rows = await this.#client.rows<{ key: string } & Named>(
      `SELECT arrayJoin({keys:Array(String)}) AS key,
         toString(bitShiftRight(sipHash64(key), 12)) AS row,
         ${isPinned(this.#client, 'key')} AS kept`,
      { keys },
    );
    return new Map(rows.map(one => [one.key, one]));
  }

  /** `keys`: sessions that are replaced as a whole; `given`: turns of others. */
  async #before(keys: readonly string[], given: readonly DerivedRows[]): Promise<Before> {
    const turns = given.flatMap(one => [...byTick(one).keys()].map(tick => [one.sessionKey, tick]));
    if (keys.length === 0 && turns.length === 0) return { ticks: [], minutes: [] };
    const isTouched =
      turns.length === 0
        ? ''
        : `OR (session_key IN {given:Array(String)} AND tick IN {ticks:Array(Int64)})`;
    const [ticks, minutes] = await Promise.all([
      this.#client.rows<TurnBefore>(
        `SELECT session_key, toString(tick) AS tick,
           arrayFilter(x -> NOT startsWith(x.1, 'part.') AND NOT startsWith(x.1, 'feature.'),
             arrayZip(arrayMap(m -> toString(m), values.measure), values.wait_index, values.at)) AS waits
         FROM ${this.#client.table('framescope_turn')} FINAL
         WHERE session_key IN {keys:Array(String)} ${isTouched}`,
        {
          keys,
          ...(turns.length > 0 && {
            given: given.map(one => one.sessionKey),
            ticks: [...new Set(turns.map(([, tick]) => Number(tick)))],
          }),
        },
      ),
      keys.length === 0
        ? []
        : this.#client.rows<{ session_key: string; measure: string; minute: number }>(
            `SELECT session_key, measure, minute
         FROM ${this.#client.table('framescope_minute')} FINAL WHERE session_key IN {keys:Array(String)}`,
            { keys },
          ),
    ]);
    return { ticks, minutes };
  }

  #add(rows: DerivedRows, { row, kept }: Named, of: { draft: Draft; before: Before }): void {
    const { draft, before } = of;
    const { sessionKey } = rows;
    const version = this.#version;
    const facets = facetsOf(rows.session);
    const turns = byTick(rows);
    const waits = new Set<string>();
    for (const [tick, one] of turns) {
      draft.turns.push({ ...turnRow(one, { sessionKey, row, tick, version }), kept });
      for (const wait of waitRows(one.values, { row, version })) {
        waits.add(waitNameText(wait));
        draft.waits.push({ ...wait, kept });
      }
    }
    for (const turn of before.ticks)
      if (
        turn.session_key === sessionKey &&
        (rows.replace === 'all' || turns.has(Number(turn.tick)))
      )
        for (const gone of namesOf(turn))
          if (!waits.has(waitNameText(gone))) draft.gone.push({ ...gone, version, is_deleted: 1 });
    for (const rollup of rows.rollups)
      draft.minutes.push({ ...minuteRow(rollup, { row, facets, version }), kept });
    for (const gone of before.ticks)
      if (
        rows.replace === 'all' &&
        gone.session_key === sessionKey &&
        !turns.has(Number(gone.tick))
      )
        draft.turns.push({ session_key: sessionKey, tick: gone.tick, version, is_deleted: 1 });
    const stays = new Set(rows.rollups.map(one => `${one.minute} ${one.measure}`));
    for (const gone of before.minutes)
      if (gone.session_key === sessionKey && !stays.has(`${gone.minute} ${gone.measure}`))
        draft.minutes.push({ ...gone, version, is_deleted: 1 });
    for (const { peerEpoch, ...one } of rows.clockSamples ?? [])
      draft.samples.push({ session_key: sessionKey, ...one, peer_epoch: peerEpoch, version, kept });
    draft.sessions.push({ ...this.#sessionRow(rows, row, facets), kept });
  }

  #sessionRow(rows: DerivedRows, row: string, facets: SessionFacets): object {
    const { summary, rest }: { summary: SessionSummary; rest: object } = splitDetail(rows.session);
    return {
      key: rows.sessionKey,
      session_id: summary.id,
      row,
      status: summary.status,
      start: summary.startUnixNs,
      end: summary.endUnixNs,
      covered_commit: rows.coveredCommit,
      revision: rows.revision,
      summary: JSON.stringify(summary),
      detail: JSON.stringify(rest),
      facets: JSON.stringify(facets),
      version: this.#version,
      judged: this.#judged(),
    };
  }
}

/** The number by which charts name a session, and whether it is pinned (1). */
interface Named {
  readonly row: string;
  readonly kept: number;
}

interface Draft {
  readonly turns: object[];
  readonly waits: object[];
  /** Waits that are no more. */
  readonly gone: object[];
  readonly minutes: object[];
  readonly samples: object[];
  readonly sessions: object[];
}

interface TurnBefore {
  readonly session_key: string;
  readonly tick: string;
  readonly waits: readonly (readonly [measure: string, waitIndex: number, at: string])[];
}

const namesOf = ({ session_key, tick, waits }: TurnBefore): WaitName[] =>
  waits.map(([measure, wait_index, at]) => ({
    measure,
    hour: hourOf(BigInt(at)),
    session_key,
    tick,
    wait_index,
  }));

/** What there was: turns of sessions that are replaced as a whole and those given, minutes of the former. */
interface Before {
  readonly ticks: readonly TurnBefore[];
  readonly minutes: readonly {
    readonly session_key: string;
    readonly measure: string;
    readonly minute: number;
  }[];
}

interface TurnDraft {
  turn?: Turn;
  readonly values: ValueRow[];
}

function byTick(rows: DerivedRows): Map<number, TurnDraft> {
  const turns = new Map<number, TurnDraft>();
  for (const turn of rows.turns) turns.set(turn.tick, { turn, values: [] });
  for (const value of rows.values) {
    const turn = turns.get(value.tick);
    if (turn === undefined) turns.set(value.tick, { values: [value] });
    else turn.values.push(value);
  }
  return turns;
}

function turnRow(
  { turn, values }: TurnDraft,
  of: { sessionKey: string; row: string; tick: number; version: number },
): object {
  const times = values.map(one => one.atUnixNs);
  const first = times.reduce((a, b) => (b < a ? b : a), times[0] ?? 0n);
  const last = times.reduce((a, b) => (b > a ? b : a), times[0] ?? 0n);
  return {
    session_key: of.sessionKey,
    session_row: of.row,
    tick: of.tick,
    trace_id: turn?.traceId ?? '',
    words: turn === undefined ? '' : wordsOf(turn),
    json: turn === undefined ? '' : JSON.stringify(turn),
    first_at: String(first),
    last_at: String(last),
    'values.measure': values.map(one => one.measure),
    'values.wait_index': values.map(one => one.waitIndex),
    'values.at': values.map(one => String(one.atUnixNs)),
    'values.value': values.map(one => one.valueNs),
    'values.flags': values.map(
      one =>
        (one.isCensored ? VALUE_FLAG.censored : 0) | (one.isOverBudget ? VALUE_FLAG.overBudget : 0),
    ),
    'values.outcome': values.map(one => one.outcome),
    'values.error': values.map(one => one.errorNs),
    'values.resolved': values.map(one => one.resolved),
    'values.worst': values.map(one => one.worstPart ?? ''),
    'values.worst_ns': values.map(one => one.worstPartNs ?? -1),
    'values.saves': values.map(one => one.savesNs ?? -1),
    version: of.version,
  };
}

function minuteRow(
  row: RollupRow,
  of: { row: string; facets: SessionFacets; version: number },
): object {
  const entry = entryOf(row);
  return {
    measure: row.measure,
    minute: row.minute,
    session_key: row.sessionKey,
    session_row: of.row,
    groups: groupsOf(of.facets),
    count: row.count,
    lost: row.lostCount,
    late: row.lateCount,
    concealed: row.concealedCount,
    over_budget: row.overBudgetCount,
    refused: entry?.refusedCount ?? 0,
    zero: entry?.zeroCount ?? 0,
    sum: row.sumNs,
    min: Number.isFinite(row.minNs) ? row.minNs : 0,
    max: Number.isFinite(row.maxNs) ? row.maxNs : 0,
    buckets: Object.fromEntries(entry?.buckets ?? []),
    worst: row.worst.map(one => [one.valueNs, of.row, one.ref]),
    version: of.version,
  };
}

/** The usual dimensions that the session has. */
const groupsOf = ({ attributes }: SessionFacets): Record<string, string> =>
  Object.fromEntries(
    USUAL_DIMENSIONS.flatMap(name =>
      attributes[name] === undefined ? [] : [[name, String(attributes[name])]],
    ),
  );
