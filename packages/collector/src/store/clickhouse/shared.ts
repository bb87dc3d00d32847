// Several collectors on the same tables: who assembles which session, what of it others took in, and what
// changed that viewers at other collectors should see.
//
// A session belongs to one of the collectors that live (living.ts).
//
// For a moment two may hold a session to be theirs. Both make the same rows from the same raw data, and
// the row written last counts; the one that is right writes again with what comes next, or at the next
// look through what is unfinished.

import type { Change } from '../../assemble/assembler.ts';
import type {
  CommittedBatch,
  SharedNews,
  SpanTally,
  StoredFlush,
  StoredSpan,
  TouchedSession,
} from '../store.ts';
import type { Budgets } from './budgets.ts';
import type { Client } from './client.ts';
import { FLUSH_COLUMNS, FLUSH_ORDER, flushOfRow, type FlushRow } from './flush-row.ts';
import { Living, ownerOf } from './living.ts';
import type { SessionRaw } from './session-raw.ts';

/** Sessions that nobody finished are looked for when collectors come and go, and this often. */
const SWEEP_MS = 30_000;
/** What is inserted may be seen late by so much: commits are looked for once more. */
const OVERLAP_MS = 10_000;
/** A session that nothing came for so long is over: if it goes on, it is read back. */
const HELD_MS = 7_200_000;
/** Sessions heard of so lately are taken up by a new owner whatever their rows say. */
const RECENT_S = 60;

export interface SharedPorts {
  readonly client: Client;
  readonly raw: SessionRaw;
  readonly budgets: Budgets;
  readonly collector: string;
  readonly nowMs: () => number;
}

export class Shared {
  readonly #ports: SharedPorts;
  readonly #living: Living;
  #sweepMs = -Infinity;
  #owners: readonly string[] = [];
  readonly #held = new Recent();
  readonly #seen = new Recent();
  readonly #seenChanges = new Recent();
  #seq = 0;

  constructor(ports: SharedPorts) {
    this.#ports = ports;
    this.#living = new Living({ ...ports, role: '' });
  }

  /** What there is to assemble since the last call, and what others changed. */
  async pull(): Promise<SharedNews> {
    const nowMs = this.#ports.nowMs();
    const limits = (await this.#living.beat()) ? await this.#ports.budgets.changed() : undefined;
    const owners = await this.#living.all();
    const isMoved = owners.join() !== this.#owners.join();
    this.#owners = owners;
    this.#held.forgetBefore(nowMs - HELD_MS);
    const lost = this.#held.names().filter(key => !this.#isOurs(key));
    for (const key of lost) this.#held.delete(key);
    const batch = await this.#committed();
    const isSweep = isMoved || nowMs - this.#sweepMs > SWEEP_MS;
    const claimed = isSweep ? await this.#claim(nowMs) : [];
    return { batch, lost, claimed, changes: await this.#changes(), ...(limits && { limits }) };
  }

  #isOurs(key: string): boolean {
    return ownerOf(key, this.#owners) === this.#ports.collector;
  }

  async #claim(nowMs: number): Promise<string[]> {
    this.#sweepMs = nowMs;
    const claimed = (await this.#unfinished()).filter(
      key => this.#isOurs(key) && !this.#held.has(key),
    );
    for (const key of claimed) this.#held.add(key, nowMs);
    return claimed;
  }

  async #unfinished(): Promise<string[]> {
    const { client } = this.#ports;
    const rows = await client.rows<{ key: string }>(
      `SELECT heard.key AS key FROM (
         SELECT session_key AS key, max(commit) AS last, max(arrival) AS lastArrival
         FROM ${client.table('framescope_heard')} GROUP BY session_key) AS heard
       LEFT JOIN (SELECT key, covered_commit, status
         FROM ${client.table('framescope_session')} FINAL) AS session USING (key)
       WHERE session.covered_commit < heard.last OR session.status IN ('live', 'idle')
         OR heard.lastArrival > now64(9) - toIntervalSecond(${RECENT_S})`,
    );
    return rows.map(row => row.key);
  }

  /** What was committed for sessions of ours, by whomever; each commit once. */
  async #committed(): Promise<CommittedBatch | undefined> {
    const fresh = await this.#freshCommits();
    const touched = new Map<string, TouchedSession>();
    const commits = new Set<number>();
    for (const { commit, sessions } of fresh)
      for (const [key, id, incarnation] of sessions) {
        if (!this.#isOurs(key)) continue;
        commits.add(Number(commit));
        touched.set(key, { key, id, incarnation, isNew: false });
      }
    const asked = { keys: [...touched.keys()], commits: [...commits] };
    const { raw, nowMs } = this.#ports;
    const [flushes, spans, tallies] = await (touched.size === 0
      ? NOTHING
      : Promise.all([
          this.#flushes(asked),
          raw.spansOfCommits(asked),
          raw.talliesOfCommits(asked),
        ]));
    // Only now: what could not be read is looked for again.
    for (const row of fresh) this.#seen.add(nameOf(row), nowMs());
    if (touched.size === 0) return undefined;
    for (const key of touched.keys()) this.#held.add(key, nowMs());
    return {
      commit: Math.max(...asked.commits),
      arrivalUnixNs: fresh.reduce((last, { arrival }) => later(last, BigInt(arrival)), 0n),
      sessions: [...touched.values()],
      spanCount: 0,
      tallies,
      spans,
      flushes,
    };
  }

  async #freshCommits(): Promise<CommitLine[]> {
    const { client } = this.#ports;
    const rows = await client.rows<CommitLine>(
      `SELECT collector, toString(commit) AS commit,
         toString(toUnixTimestamp64Nano(arrival)) AS arrival, sessions
       FROM ${client.table('framescope_commit')}
       WHERE at > now64(3) - toIntervalMillisecond({overlap:UInt32}) ORDER BY at, commit`,
      { overlap: OVERLAP_MS },
    );
    this.#seen.forgetBefore(this.#ports.nowMs() - 3 * OVERLAP_MS);
    return rows.filter(row => !this.#seen.has(nameOf(row)));
  }

  async #flushes(asked: { keys: string[]; commits: number[] }): Promise<StoredFlush[]> {
    const { client } = this.#ports;
    const rows = await client.rows<FlushRow>(
      `SELECT ${FLUSH_COLUMNS} FROM ${client.table('framescope_flush')} AS f FINAL
       WHERE session_key IN {keys:Array(String)} AND f.commit IN {commits:Array(UInt64)}
       ORDER BY ${FLUSH_ORDER}`,
      asked,
    );
    return rows.map(flushOfRow);
  }

  /** Told to the viewers at the other collectors. */
  async publish(changes: readonly Change[]): Promise<void> {
    if (this.#owners.length < 2) return;
    const { client, collector } = this.#ports;
    const row = { collector, seq: this.#seq++, json: JSON.stringify(changes) };
    await client.insert(client.table('framescope_change'), [row]);
  }

  async #changes(): Promise<Change[]> {
    if (this.#owners.length < 2) return [];
    const { client, collector } = this.#ports;
    const rows = await client.rows<{ collector: string; seq: string; json: string }>(
      `SELECT collector, toString(seq) AS seq, json FROM ${client.table('framescope_change')} AS c
       WHERE at > now64(3) - toIntervalMillisecond({overlap:UInt32}) AND collector != {own:String}
       ORDER BY at, c.seq`,
      { overlap: OVERLAP_MS, own: collector },
    );
    const nowMs = this.#ports.nowMs();
    this.#seenChanges.forgetBefore(nowMs - 3 * OVERLAP_MS);
    const fresh = rows.filter(one => !this.#seenChanges.has(`${one.collector} ${one.seq}`));
    for (const one of fresh) this.#seenChanges.add(`${one.collector} ${one.seq}`, nowMs);
    return fresh.flatMap(one => JSON.parse(one.json) as Change[]);
  }
}

interface CommitLine {
  readonly collector: string;
  readonly commit: string;
  readonly arrival: string;
  readonly sessions: readonly (readonly [key: string, id: string, incarnation: number])[];
}

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const nameOf = ({ collector, commit }: CommitLine): string => `${collector} ${commit}`;

const NOTHING: readonly [StoredFlush[], StoredSpan[], SpanTally[]] = [[], [], []];

/** Names, in order of when they were last dealt with. */
class Recent {
  readonly #atMs = new Map<string, number>();

  has(name: string): boolean {
    return this.#atMs.has(name);
  }

  add(name: string, nowMs: number): void {
    this.#atMs.delete(name);
    this.#atMs.set(name, nowMs);
  }

  delete(name: string): void {
    this.#atMs.delete(name);
  }

  names(): string[] {
    return [...this.#atMs.keys()];
  }

  forgetBefore(ms: number): void {
    for (const [id, atMs] of this.#atMs) {
      if (atMs >= ms) return;
      this.#atMs.delete(id);
    }
  }
}
