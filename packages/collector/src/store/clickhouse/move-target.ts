// Takes what another store holds, with the times and the session keys that it has there. Every step may be
// taken again: spans are asked for before they are written, of everything else the row written last counts.
//
// Numbers of commits are made from the times of arrival, as those of collectors are, so what is moved in
// stands before what comes in now.

import type { Annotation, BudgetInput, Pin } from '@framescope/protocol';
import { columnsOf } from '../../decode/span-columns.ts';
import type { DecodedLoad } from '../../decode/types.ts';
import { WantedRows } from '../span-tallies.ts';
import type {
  CollectorClockRow,
  DerivedRows,
  StoredFlush,
  StoredPoint,
  StoredSpan,
} from '../store.ts';
import { Client } from './client.ts';
import { DerivedWriter } from './derived.ts';
import { rowOfFlush } from './flush-row.ts';
import { rowOfLoad } from './load-row.ts';
import { makeTables } from './migrate.ts';
import { noteIn, notesIn } from './notes.ts';
import { Pins } from './pins.ts';
import { rowOfPoint } from './point-row.ts';
import type { ClickHouseSettings } from './settings.ts';
import { dateTimeOf, rowOfSpan } from './span-row.ts';

/** Names a trace once and for all: of two that do the one that came first counts. */
const FIRST_COUNTS = 2 ** 53;

export interface MovedSession {
  readonly key: string;
  readonly id: string;
  readonly incarnation: number;
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
}

/** How far a step came: what to go on behind. */
export type MovePlace = Readonly<Record<string, number>>;

export class MoveTarget {
  readonly #client: Client;
  readonly #topic: string;
  readonly #derived: DerivedWriter;
  readonly #wanted = new WantedRows();
  readonly #pins: Pins;
  readonly #kept = new Set<string>();
  readonly #nowUs: () => number;
  #version = 0;

  private constructor(client: Client, source: string, nowUs: () => number) {
    this.#client = client;
    this.#topic = `import ${source}`;
    this.#nowUs = nowUs;
    this.#pins = new Pins(client, {}, nowUs);
    this.#derived = new DerivedWriter(client, nowUs, () => 0);
  }

  /** `source` names where the data comes from, the same each time. @throws {StoreError} */
  static async open(of: {
    readonly settings: ClickHouseSettings;
    readonly source: string;
    readonly nowUs: () => number;
  }): Promise<MoveTarget> {
    const client = new Client(of.settings);
    try {
      await makeTables(client);
      return new MoveTarget(client, of.source, of.nowUs);
    } catch (problem) {
      await client.close();
      throw problem;
    }
  }

  /** What was noted of each step; absent: not begun. */
  async places(): Promise<Map<string, MovePlace>> {
    const notes = await notesIn(this.#client, this.#topic);
    return new Map([...notes].map(([step, place]) => [step, place as MovePlace]));
  }

  async note(step: string, place: MovePlace): Promise<void> {
    this.#version = Math.max(this.#version + 1, this.#nowUs());
    const note = { topic: this.#topic, name: step, value: place, version: this.#version };
    await noteIn(this.#client, note);
  }

  /** Calls that are kept: first of all, so that their rows come marked, whatever their age. */
  async pins(pins: readonly Pin[]): Promise<void> {
    for (const pin of pins) {
      await this.#pins.take(pin);
      this.#kept.add(pin.sessionKey);
    }
  }

  #mark(key: string | null): 0 | 1 {
    return key !== null && this.#kept.has(key) ? 1 : 0;
  }

  /** Their commits are numbers here; answers how many were not there yet. `idOf`: `session.id` of a key. */
  async spans(spans: readonly StoredSpan[], idOf: (key: string) => string): Promise<number> {
    const client = this.#client;
    const known = await this.#storedOf(spans);
    const fresh = spans.filter(span => {
      const id = `${span.traceId} ${span.spanId}`;
      const isNew = !known.has(id);
      known.add(id);
      return isNew;
    });
    const owners = new Map<string, StoredSpan>();
    for (const span of spans)
      if (span.sessionKey !== null && !owners.has(span.traceId)) owners.set(span.traceId, span);
    const columns = columnsOf(fresh);
    this.#wanted.begin(columns);
    await client.insert(
      client.spans,
      fresh.map((span, row) => ({
        ...rowOfSpan(span, {
          sessionKey: span.sessionKey ?? '',
          commit: span.commit,
          arrivalUnixNs: span.arrivalUnixNs,
          isWanted: this.#wanted.has(row),
        }),
        FramescopeKept: this.#mark(span.sessionKey),
      })),
    );
    await client.insert(
      client.table('framescope_trace_session'),
      [...owners.values()].map(span => ({
        trace_id: span.traceId,
        session_key: span.sessionKey,
        session_id: idOf(span.sessionKey!),
        commit: span.commit,
        arrival: dateTimeOf(span.arrivalUnixNs),
        version: FIRST_COUNTS - span.commit,
        kept: this.#mark(span.sessionKey),
      })),
    );
    return fresh.length;
  }

  async #storedOf(spans: readonly StoredSpan[]): Promise<Set<string>> {
    if (spans.length === 0) return new Set();
    const rows = await this.#client.rows<{ id: string }>(
      `SELECT DISTINCT concat(TraceId, ' ', SpanId) AS id FROM ${this.#client.spans}
       WHERE TraceId IN {traces:Array(String)}`,
      { traces: [...new Set(spans.map(span => span.traceId))] },
    );
    return new Set(rows.map(row => row.id));
  }

  /** `first`: number of the first, which rises over all of a file. */
  async flushes(flushes: readonly StoredFlush[], first: number): Promise<void> {
    await this.#client.insert(
      this.#client.table('framescope_flush'),
      flushes.map((flush, i) => ({
        ...rowOfFlush(flush, { ...flush, place: (first + i) % 2 ** 32 }),
        kept: this.#mark(flush.sessionKey),
      })),
    );
  }

  async points(points: readonly StoredPoint[]): Promise<void> {
    await this.#client.insert(
      this.#client.table('framescope_metric_point'),
      points.map(rowOfPoint),
    );
  }

  async loads(loads: readonly DecodedLoad[]): Promise<void> {
    await this.#client.insert(this.#client.table('framescope_load'), loads.map(rowOfLoad));
  }

  derived(rows: readonly DerivedRows[]): Promise<void> {
    return this.#derived.write(rows);
  }

  /** From here on collectors see that there is something: call when the rest is there. */
  async heard(sessions: readonly MovedSession[]): Promise<void> {
    const client = this.#client;
    const known = await client.rows<{ key: string; commit: string }>(
      `SELECT session_key AS key, toString(max(h.commit)) AS commit
       FROM ${client.table('framescope_heard')} AS h
       WHERE session_key IN {keys:Array(String)} GROUP BY session_key`,
      { keys: sessions.map(one => one.key) },
    );
    const there = new Map(known.map(row => [row.key, Number(row.commit)]));
    await client.insert(
      client.table('framescope_heard'),
      sessions
        .filter(one => (there.get(one.key) ?? 0) < one.commit)
        .map(one => ({
          session_id: one.id,
          session_key: one.key,
          incarnation: one.incarnation,
          commit: one.commit,
          arrival: dateTimeOf(one.arrivalUnixNs),
          collector: 'import',
          kept: this.#mark(one.key),
        })),
    );
  }

  async clocks(clocks: readonly CollectorClockRow[]): Promise<void> {
    await this.#client.insert(
      this.#client.table('framescope_collector_clock'),
      clocks.map((clock, i) => ({
        domain: clock.domain,
        epoch: clock.epoch,
        zero: String(clock.zeroUnixNs),
        since_commit: clock.sinceCommit,
        // In the order in which they were noted, before those noted here.
        version: i + 1,
      })),
    );
  }

  async annotations(annotations: readonly Annotation[]): Promise<void> {
    await this.#client.insert(
      this.#client.table('framescope_annotation'),
      annotations.map(({ id, atUnixNs, endUnixNs, ...rest }) => ({
        // Numbers there are small; here they are times, so that none is given twice.
        id: Number(BigInt(atUnixNs) / 1_000_000n) * 1_000 + (Number(id) % 1_000),
        at: atUnixNs,
        end: endUnixNs,
        json: JSON.stringify(rest),
      })),
    );
  }

  /** Unless somebody has set limits here. */
  async budgets(items: BudgetInput['items'], changed: bigint): Promise<void> {
    const table = this.#client.table('framescope_budget');
    const set = await this.#client.rows(`SELECT 1 AS one FROM ${table} LIMIT 1`);
    if (items.length === 0 || set.length > 0) return;
    await this.#client.insert(table, [
      { revision: 1, changed: String(changed), items: JSON.stringify(items), token: 'import' },
    ]);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
