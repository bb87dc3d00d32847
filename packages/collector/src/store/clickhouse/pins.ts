// Calls that are kept, in ClickHouse: their rows are marked (`kept`), and the tables' TTL passes over
// marked rows. Marking is a mutation of one column of small numbers, whose other columns the engine
// links as they are.
//
// What comes for a pinned call later is marked when it is looked at next (`keepUp`), long before any age.

import type { Pin } from '@framescope/protocol';
import { PINS_MAX } from '../pins-max.ts';
import type { PinRefusal, Retention } from '../store.ts';
import type { Client } from './client.ts';

/** Tables with rows of one session, and the column that says whose they are. */
const MARKED: readonly (readonly [table: string, key: string])[] = [
  ['framescope_trace_session', 'session_key'],
  ['framescope_heard', 'session_key'],
  ['framescope_flush', 'session_key'],
  ['framescope_session', 'key'],
  ['framescope_turn', 'session_key'],
  ['framescope_wait', 'session_key'],
  ['framescope_minute', 'session_key'],
  ['framescope_clock_sample', 'session_key'],
];

/** Traces named in one statement. */
const TRACES_A_STATEMENT = 2_000;

interface PinRow {
  readonly session_key: string;
  readonly session_id: string;
  readonly at: string;
  readonly note: string;
  readonly is_whole: number;
  readonly kept_commit: string;
}

const PIN_COLUMNS = `session_key, session_id, toString(p.at) AS at, note, is_whole,
  toString(kept_commit) AS kept_commit`;

const pinOf = (row: PinRow): Pin => ({
  sessionKey: row.session_key,
  sessionId: row.session_id,
  atUnixNs: row.at,
  note: row.note,
  isWhole: row.is_whole === 1,
});

/** Newest first. */
export async function pinsIn(client: Client): Promise<Pin[]> {
  const rows = await client.rows<PinRow>(
    `SELECT ${PIN_COLUMNS} FROM ${client.table('framescope_pin')} AS p FINAL
     ORDER BY p.at DESC, session_key`,
  );
  return rows.map(pinOf);
}

/** 1 where the call named by `key` is kept: a part of a SELECT. */
export const isPinned = (client: Client, key: string): string =>
  `${key} IN (SELECT session_key FROM ${client.table('framescope_pin')} FINAL)`;

export class Pins {
  readonly #client: Client;
  readonly #retention: Retention;
  readonly #nowUs: () => number;
  #version = 0;

  constructor(client: Client, retention: Retention, nowUs: () => number) {
    this.#client = client;
    this.#retention = retention;
    this.#nowUs = nowUs;
  }

  async pin(key: string, note: string, atUnixNs: bigint): Promise<Pin | PinRefusal> {
    const client = this.#client;
    const [session] = await client.rows<{ id: string; start: string }>(
      `SELECT session_id AS id, toString(s.start) AS start
       FROM ${client.table('framescope_session')} AS s FINAL WHERE key = {key:String}`,
      { key },
    );
    if (session === undefined) return 'unknown';
    const pins = await this.#rows();
    const before = pins.find(one => one.session_key === key);
    if (before === undefined && pins.length >= PINS_MAX) return 'full';
    const row = before ?? {
      session_key: key,
      session_id: session.id,
      at: String(atUnixNs),
      is_whole: this.#isWhole(BigInt(session.start), atUnixNs) ? 1 : 0,
      kept_commit: '0',
    };
    const noted = { ...row, note };
    // First that it is kept, then its rows: whoever comes next marks what is left.
    await this.#write(noted);
    if (before === undefined) await this.#mark(noted);
    return pinOf(noted);
  }

  /** As it stands in another store. */
  async take(pin: Pin): Promise<void> {
    const row: PinRow = {
      session_key: pin.sessionKey,
      session_id: pin.sessionId,
      at: pin.atUnixNs,
      note: pin.note,
      is_whole: pin.isWhole ? 1 : 0,
      kept_commit: '0',
    };
    await this.#write(row);
    await this.#mark(row);
  }

  /** False: it was not pinned. */
  async unpin(key: string): Promise<boolean> {
    const before = (await this.#rows()).find(one => one.session_key === key);
    if (before === undefined) return false;
    await this.#write({ ...before, is_deleted: 1 });
    await this.#markRows(key, 0);
    return true;
  }

  /** Marks what came for pinned calls since. */
  async keepUp(): Promise<void> {
    const pins = await this.#rows();
    if (pins.length === 0) return;
    const heard = await this.#client.rows<{ key: string; last: string }>(
      `SELECT session_key AS key, toString(max(commit)) AS last
       FROM ${this.#client.table('framescope_heard')}
       WHERE session_key IN {keys:Array(String)} GROUP BY session_key`,
      { keys: pins.map(one => one.session_key) },
    );
    const last = new Map(heard.map(one => [one.key, Number(one.last)]));
    for (const pin of pins)
      if ((last.get(pin.session_key) ?? 0) > Number(pin.kept_commit)) await this.#mark(pin);
  }

  async #mark(pin: PinRow): Promise<void> {
    const [heard] = await this.#client.rows<{ last: string }>(
      `SELECT toString(max(commit)) AS last FROM ${this.#client.table('framescope_heard')}
       WHERE session_key = {key:String}`,
      { key: pin.session_key },
    );
    await this.#markRows(pin.session_key, 1);
    await this.#write({ ...pin, kept_commit: heard?.last ?? '0' });
  }

  async #markRows(key: string, mark: 0 | 1): Promise<void> {
    const client = this.#client;
    const named = quoted(key);
    for (const [table, column] of MARKED)
      await client.command(
        `ALTER TABLE ${client.local(table)} UPDATE kept = ${mark}
         WHERE ${column} = ${named} AND kept != ${mark} SETTINGS mutations_sync = 1`,
      );
    const traces = await client.rows<{ id: string }>(
      `SELECT trace_id AS id FROM ${client.table('framescope_trace_session')} FINAL
       WHERE session_key = {key:String}`,
      { key },
    );
    const update = `ALTER TABLE ${client.localSpans} UPDATE FramescopeKept = ${mark} WHERE FramescopeKept != ${mark}`;
    const sync = 'SETTINGS mutations_sync = 1';
    await client.command(`${update} AND FramescopeSession = ${named} ${sync}`);
    for (let at = 0; at < traces.length; at += TRACES_A_STATEMENT) {
      const some = traces.slice(at, at + TRACES_A_STATEMENT).map(one => quoted(one.id));
      await client.command(
        `${update} AND FramescopeSession = '' AND TraceId IN (${some.join(', ')}) ${sync}`,
      );
    }
  }

  #rows(): Promise<PinRow[]> {
    return this.#client.rows<PinRow>(
      `SELECT ${PIN_COLUMNS} FROM ${this.#client.table('framescope_pin')} AS p FINAL`,
    );
  }

  async #write(row: PinRow & { readonly is_deleted?: 1 }): Promise<void> {
    this.#version = Math.max(this.#version + 1, this.#nowUs());
    await this.#client.insert(this.#client.table('framescope_pin'), [
      { ...row, version: this.#version },
    ]);
  }

  /** Nothing of a call that began so lately has come to its age. */
  #isWhole(startUnixNs: bigint, nowUnixNs: bigint): boolean {
    const { framesNs, spansNs } = this.#retention;
    return [framesNs, spansNs].every(age => age === undefined || nowUnixNs - startUnixNs < age);
  }
}

/** As text in a statement: mutations are kept by the server as they are written. */
const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
