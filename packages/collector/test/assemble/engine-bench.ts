// An engine on small calls, and what it told.

import { expect } from 'vitest';
import { SessionEngine } from '../../src/assemble/engine.ts';
import type { DerivedRows, RawSession, StoredFlush } from '../../src/store/store.ts';
import { batch, BOOK, flush, KEY, MS, NOON, SECOND } from './call.ts';

export const at = (seconds: number): bigint => NOON + BigInt(Math.round(seconds * SECOND));
export const engine = (startedS = -3_600): SessionEngine =>
  new SessionEngine({
    clockBook: BOOK,
    startedUnixNs: at(startedS),
    budgets: { voice_to_voice: 800 * MS, frame: 300 * MS },
  });

export const AGENT_SESSION = {
  authority: true,
  attributes: { region: 'eu', 'framescope.synthetic': 'test day' },
};

/** Both processes, second by second. */
export function call(
  seconds: number,
  more: Partial<Parameters<typeof flush>[0]> = {},
): StoredFlush[] {
  return Array.from({ length: seconds }, (_, s) => [
    flush({ producer: 'client', seq: s, fromS: s, toS: s + 1, commit: s + 1, session: {} }),
    flush({
      producer: 'agent',
      seq: s,
      fromS: s,
      toS: s + 1,
      commit: s + 1,
      session: AGENT_SESSION,
      ...more,
    }),
  ]).flat();
}
export const only = (rows: readonly DerivedRows[]): DerivedRows => {
  expect(rows).toHaveLength(1);
  return rows[0]!;
};
export const measures = (rows: DerivedRows): string[] =>
  rows.values.map(
    one => `${one.measure} ${Math.round(one.valueNs / MS)}${one.isCensored ? ' or more' : ''}`,
  );

/** An engine, a store of one session's flushes behind it, and what stands in the store of what it told. */
export class Assembled {
  readonly flushes: StoredFlush[] = [];
  #commit = 0;
  /** How often the session was read again, restarts apart. */
  rereads = 0;
  #engine = engine();
  #revision: number | undefined;
  #last: DerivedRows | undefined;
  readonly #values = new Map<string, unknown>();
  readonly #rollups = new Map<string, DerivedRows['rollups'][number]>();
  readonly #turns = new Map<number, unknown>();

  take(one: StoredFlush): void {
    // The order of commits is that of arrival.
    const stored = { ...one, commit: ++this.#commit };
    this.flushes.push(stored);
    this.#engine.ingest(batch([stored]));
  }

  tick(nowUnixNs: bigint): void {
    for (let isMore = true; isMore;) {
      const { derived, wanted } = this.#engine.tick(nowUnixNs);
      for (const rows of derived) this.#write(rows);
      for (const key of wanted) {
        expect(key).toBe(KEY);
        this.rereads++;
        this.#restore();
      }
      isMore = wanted.length > 0;
    }
  }

  /** As after a `kill -9`. */
  restart(): void {
    this.#engine = engine();
    this.#restore();
  }

  #restore(): void {
    const raw: RawSession = {
      key: KEY,
      id: 'call',
      lastCommit: this.#commit,
      tallies: [],
      spans: [],
      flushes: [...this.flushes],
      ...(this.#revision === undefined ? {} : { revision: this.#revision }),
    };
    if (this.#engine.isWhole(raw)) this.#engine.restore(raw);
    else this.#engine.leave(KEY);
  }

  /** Retention takes the first so many flushes out of the store. */
  loseFirst(count: number): void {
    this.flushes.splice(0, count);
  }

  #write(rows: DerivedRows): void {
    if (rows.replace === 'all')
      for (const map of [this.#values, this.#rollups, this.#turns]) map.clear();
    this.#last = rows;
    this.#revision = rows.revision;
    for (const turn of rows.turns) {
      // Numbers of revisions say how often it was looked at, and nothing else.
      this.#turns.set(
        turn.tick,
        JSON.parse(JSON.stringify(turn).replaceAll(/"revision":\d+/g, '"":0')),
      );
      for (const id of this.#values.keys())
        if (id.startsWith(`${turn.tick} `)) this.#values.delete(id);
    }
    for (const value of rows.values)
      this.#values.set(`${value.tick} ${value.measure} ${value.waitIndex}`, value);
    for (const row of rows.rollups) this.#rollups.set(`${row.measure} ${row.minute}`, row);
  }

  /** Everything that is stored of the session now. */
  shown(): unknown {
    const sorted = (map: ReadonlyMap<unknown, unknown>): unknown[] =>
      [...map].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)).map(([, one]) => one);
    return {
      session: this.#last?.session,
      turns: sorted(this.#turns),
      values: sorted(this.#values),
      rollups: sorted(this.#rollups),
    };
  }

  /** Marks in memory. */
  heldMarks(): number {
    return this.#engine.markCount;
  }

  rollups(): DerivedRows['rollups'] {
    return [...this.#rollups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  }

  value(measure: string): number | undefined {
    const [found] = [...this.#values.values()].filter(
      one => (one as { measure: string }).measure === measure,
    );
    return (found as { valueNs: number } | undefined)?.valueNs;
  }
}
