// Which calls are kept: rows of meta.db, few and read often.

import type { Pin } from '@framescope/protocol';
import type { Database } from 'better-sqlite3';
import { PINS_MAX } from '../pins-max.ts';
import type { PinRefusal } from '../store.ts';

/** Of the calls that are kept. */
export const PINNED_KEYS = `SELECT session_key FROM pin`;

const PINS = {
  list: `SELECT session_key, session_id, at_ns, note, is_whole FROM pin ORDER BY at_ns DESC, session_key`,
  sessionId: `SELECT session_id FROM session WHERE key = ?`,
  add: `
    INSERT INTO pin (session_key, session_id, at_ns, note, is_whole) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (session_key) DO UPDATE SET note = excluded.note`,
  remove: `DELETE FROM pin WHERE session_key = ?`,
} as const;

interface Row {
  readonly session_key: string;
  readonly session_id: string;
  readonly at_ns: bigint;
  readonly note: string;
  readonly is_whole: bigint;
}

/** Newest first. Also for readers, which have connections of their own. */
export const pinsIn = (database: Database): Pin[] =>
  (database.prepare(PINS.list).safeIntegers().all() as Row[]).map(row => ({
    sessionKey: row.session_key,
    sessionId: row.session_id,
    atUnixNs: String(row.at_ns),
    note: row.note,
    isWhole: row.is_whole === 1n,
  }));

export class Pins {
  readonly #database: Database;
  #all: readonly Pin[];
  #keys: readonly string[];

  constructor(database: Database) {
    this.#database = database;
    this.#all = pinsIn(database);
    this.#keys = this.#all.map(one => one.sessionKey);
  }

  list(): readonly Pin[] {
    return this.#all;
  }

  keys(): readonly string[] {
    return this.#keys;
  }

  #reload(): void {
    this.#all = pinsIn(this.#database);
    this.#keys = this.#all.map(one => one.sessionKey);
  }

  /** `isWhole` is asked once, of a call that is not pinned yet: it looks at whole volumes. */
  add(pin: {
    readonly key: string;
    readonly note: string;
    readonly atUnixNs: bigint;
    readonly isWhole: () => boolean;
  }): Pin | PinRefusal {
    const session = this.#database.prepare(PINS.sessionId).get(pin.key) as
      | { session_id: string }
      | undefined;
    if (!session) return 'unknown';
    const isNew = !this.#keys.includes(pin.key);
    if (isNew && this.#keys.length >= PINS_MAX) return 'full';
    const isWhole = isNew && pin.isWhole() ? 1 : 0;
    this.#database
      .prepare(PINS.add)
      .run(pin.key, session.session_id, pin.atUnixNs, pin.note, isWhole);
    this.#reload();
    return this.#all.find(one => one.sessionKey === pin.key)!;
  }

  remove(key: string): boolean {
    const { changes } = this.#database.prepare(PINS.remove).run(key);
    this.#reload();
    return changes > 0;
  }
}
