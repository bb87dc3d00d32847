// The writer's side of the ClickHouse store.

import type {
  Annotation,
  AnnotationInput,
  BudgetList,
  Pin,
  SessionStatus,
} from '@framescope/protocol';
import { columnsOf } from '../../decode/span-columns.ts';
import type { Change } from '../../assemble/assembler.ts';
import type { DecodedSpan } from '../../decode/types.ts';
import type {
  BudgetChange,
  BudgetConflict,
  BudgetsGiven,
  CollectorClockRow,
  CommitResult,
  DerivedRows,
  FlushRun,
  IngestBatch,
  PinRefusal,
  RawSession,
  Retention,
  SharedNews,
  UnfinishedSession,
} from '../store.ts';
import { Budgets } from './budgets.ts';
import { Client } from './client.ts';
import { DerivedWriter } from './derived.ts';
import { ClickHouseIntake } from './intake.ts';
import { makeTables } from './migrate.ts';
import { Pins } from './pins.ts';
import { SessionRaw } from './session-raw.ts';
import { Shared } from './shared.ts';
import type { ClickHouseSettings } from './settings.ts';

export interface SpanBatch extends Omit<IngestBatch, 'spans'> {
  readonly spans: readonly DecodedSpan[];
}

export interface ClickHouseWriterOptions {
  readonly settings: ClickHouseSettings;
  readonly retention?: Retention;
  /** Limits that apply where the page set none. */
  readonly budgets?: BudgetsGiven;
  /** Names this collector among those that write to the same tables. */
  readonly collector: string;
  readonly nowUnixMs: () => number;
}

/** How often it is looked for what came for pinned calls: no age is that short. */
const KEEP_UP_MS = 60_000;

export class ClickHouseWriter {
  readonly #client: Client;
  readonly #intake: ClickHouseIntake;
  readonly #derived: DerivedWriter;
  readonly #raw: SessionRaw;
  readonly #shared: Shared;
  readonly #pins: Pins;
  readonly #budgets: Budgets;
  #keptUpMs = 0;
  readonly #nowUnixMs: () => number;

  private constructor(client: Client, options: ClickHouseWriterOptions, lastCommit: number) {
    this.#client = client;
    this.#nowUnixMs = options.nowUnixMs;
    this.#intake = new ClickHouseIntake(client, options.collector, lastCommit);
    const nowUs = (): number => options.nowUnixMs() * 1_000;
    this.#budgets = new Budgets(client, options.budgets ?? { limits: {}, inFile: [] });
    this.#pins = new Pins(client, options.retention ?? {}, nowUs);
    this.#derived = new DerivedWriter(client, nowUs, () => this.#budgets.revision);
    this.#raw = new SessionRaw(client);
    const { collector, nowUnixMs } = options;
    const raw = this.#raw;
    const budgets = this.#budgets;
    this.#shared = new Shared({ client, raw, budgets, collector, nowMs: nowUnixMs });
  }

  /** Makes the tables that are missing. @throws {StoreError} when it cannot be used. */
  static async open(options: ClickHouseWriterOptions): Promise<ClickHouseWriter> {
    const client = new Client(options.settings);
    try {
      await makeTables(client, options.retention);
      return new ClickHouseWriter(client, options, await lastCommitIn(client));
    } catch (problem) {
      await client.close();
      throw problem;
    }
  }

  commit(batch: IngestBatch): Promise<CommitResult> {
    return this.#intake.commit(batch);
  }

  /** The same, of spans that came as objects from another thread. */
  commitSpans({ spans, ...batch }: SpanBatch): Promise<CommitResult> {
    return this.#intake.commit({ ...batch, spans: columnsOf(spans) });
  }

  commitDerived(rows: readonly DerivedRows[]): Promise<void> {
    return this.#derived.write(rows);
  }

  /** The engine merges by itself; what is counted by limits that were changed is counted again. */
  tidy(_nowUnixNs?: bigint): Promise<boolean> {
    return this.#budgets.judgeSome();
  }

  /** The engine drops by itself what is too old; what came for calls that are kept is marked. */
  async retain(_nowUnixNs?: bigint): Promise<boolean> {
    const nowMs = this.#nowUnixMs();
    if (nowMs - this.#keptUpMs < KEEP_UP_MS) return false;
    this.#keptUpMs = nowMs;
    await this.#pins.keepUp();
    return false;
  }

  pin(key: string, note: string, atUnixNs: bigint): Promise<Pin | PinRefusal> {
    return this.#pins.pin(key, note, atUnixNs);
  }

  unpin(key: string): Promise<boolean> {
    return this.#pins.unpin(key);
  }

  setBudgets(change: BudgetChange): Promise<BudgetList | BudgetConflict> {
    return this.#budgets.set(change);
  }

  /** By measure, ns. */
  limits(): Promise<Readonly<Record<string, number>>> {
    return this.#budgets.limits();
  }

  async annotate(annotation: AnnotationInput): Promise<Annotation> {
    const { atUnixNs, endUnixNs, ...rest } = annotation;
    const id = this.#nowUnixMs() * 1_000 + Math.floor(Math.random() * 1_000);
    const row = { id, at: atUnixNs, end: endUnixNs, json: JSON.stringify(rest) };
    await this.#client.insert(this.#client.table('framescope_annotation'), [row]);
    return { id: String(id), ...annotation };
  }

  /** False: there is none of that ID. */
  async removeAnnotation(id: string): Promise<boolean> {
    if (!/^\d{1,19}$/.test(id)) return false;
    const table = this.#client.table('framescope_annotation');
    const [row] = await this.#client.rows<{ at: string }>(
      `SELECT toString(t.at) AS at FROM ${table} AS t FINAL WHERE t.id = {id:UInt64} AND json != ''`,
      { id },
    );
    if (row === undefined) return false;
    // The row written last counts; one that says nothing is none.
    await this.#client.insert(table, [{ id, at: row.at, end: null, json: '' }]);
    return true;
  }

  pull(): Promise<SharedNews> {
    return this.#shared.pull();
  }

  publish(changes: readonly Change[]): Promise<void> {
    return this.#shared.publish(changes);
  }

  newestCommit(): Promise<number> {
    return lastCommitIn(this.#client);
  }

  flushesBetween(after: number, upTo: number, limit: number): Promise<FlushRun> {
    return this.#raw.flushesBetween(after, upTo, limit);
  }

  async unfinishedSessions(): Promise<readonly UnfinishedSession[]> {
    type Found = { key: string; id: string; last: string; covered: string; status: string };
    const rows = await this.#client.rows<Found>(
      `SELECT heard.key AS key, heard.id AS id, toString(heard.last) AS last,
         toString(session.covered_commit) AS covered, toString(session.status) AS status
       FROM (SELECT session_key AS key, any(session_id) AS id, max(commit) AS last
             FROM ${this.#client.table('framescope_heard')} GROUP BY session_key) AS heard
       LEFT JOIN (SELECT key, covered_commit, status
             FROM ${this.#client.table('framescope_session')} FINAL) AS session USING (key)
       WHERE session.covered_commit < heard.last OR session.status IN ('live', 'idle')`,
    );
    return rows.map(row => ({
      key: row.key,
      id: row.id,
      coveredCommit: Number(row.covered),
      lastCommit: Number(row.last),
      status: row.status === '' ? null : (row.status as SessionStatus),
    }));
  }

  async loadSession(key: string, fromUnixNs?: bigint): Promise<RawSession | undefined> {
    const raw = await this.#raw.load(key, fromUnixNs);
    if (raw === undefined) return undefined;
    const [row] = await this.#client.rows<{ revision: number }>(
      `SELECT revision FROM ${this.#client.table('framescope_session')} FINAL WHERE key = {key:String}`,
      { key },
    );
    return { ...raw, ...row };
  }

  async collectorClocks(): Promise<readonly CollectorClockRow[]> {
    return collectorClocksIn(this.#client);
  }

  async noteCollectorClock(
    clock: Omit<CollectorClockRow, 'sinceCommit'>,
  ): Promise<CollectorClockRow> {
    const row = { ...clock, sinceCommit: this.#intake.lastCommit };
    await this.#client.insert(this.#client.table('framescope_collector_clock'), [
      {
        domain: row.domain,
        epoch: row.epoch,
        zero: String(row.zeroUnixNs),
        since_commit: row.sinceCommit,
        version: this.#nowUnixMs(),
      },
    ]);
    return row;
  }

  sizeBytes(): Promise<number> {
    return sizeBytesIn(this.#client);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** Bytes on the server's disks: of a cluster those of the replica that answers. */
export async function sizeBytesIn(client: Client): Promise<number> {
  const [row] = await client.rows<{ bytes: string }>(
    `SELECT toString(sum(bytes_on_disk)) AS bytes FROM system.parts
     WHERE active AND database = {database:String}`,
    { database: client.settings.database },
  );
  return Number(row?.bytes ?? 0);
}

/** Zeros that were noted, oldest first. */
export async function collectorClocksIn(client: Client): Promise<CollectorClockRow[]> {
  type Noted = { domain: string; epoch: number; zero: string; since: string };
  const rows = await client.rows<Noted>(
    `SELECT domain, epoch, toString(zero) AS zero, toString(since_commit) AS since
     FROM ${client.table('framescope_collector_clock')} FINAL ORDER BY version, since_commit`,
  );
  return rows.map(row => ({
    domain: row.domain,
    epoch: row.epoch,
    zeroUnixNs: BigInt(row.zero),
    sinceCommit: Number(row.since),
  }));
}

async function lastCommitIn(client: Client): Promise<number> {
  const [row] = await client.rows<{ last: string }>(
    `SELECT toString(greatest(
       (SELECT max(FramescopeCommit) FROM ${client.spans}),
       (SELECT max(commit) FROM ${client.table('framescope_heard')}))) AS last`,
  );
  return Number(row?.last ?? 0);
}
