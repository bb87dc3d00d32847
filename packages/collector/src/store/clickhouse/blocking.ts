// ClickHouse for the loops of the writer and of assembly, which wait for their store as they do for a file.
//
// A thread beside holds the connection and answers one call after the other; the calling thread sleeps
// until the answer is there (Atomics.wait). So the loops need not know that this store is far away, and
// while the writer waits for one commit, the bodies that come meanwhile make up the next.

import {
  MessageChannel,
  receiveMessageOnPort,
  Worker,
  type MessagePort,
} from 'node:worker_threads';
import type { Annotation, AnnotationInput, BudgetList, Pin } from '@framescope/protocol';
import type { SpanColumns } from '../../decode/span-columns.ts';
import { limitsOf } from '../budget-items.ts';
import { StoreError } from '../errors.ts';
import type {
  AssemblyStore,
  BudgetChange,
  BudgetConflict,
  CollectorClockRow,
  CommitResult,
  DerivedRows,
  FlushRun,
  IngestBatch,
  PinRefusal,
  RawSession,
  RawWriter,
  SharedAssembly,
  SharedNews,
  UnfinishedSession,
} from '../store.ts';
import type { ClickHouseWriter, ClickHouseWriterOptions } from './writer.ts';

/** What the thread is started with. */
export interface BlockingThreadData {
  readonly options: Omit<ClickHouseWriterOptions, 'nowUnixMs'>;
  readonly port: MessagePort;
  /** Counts answers; the caller sleeps on it. */
  readonly answered: Int32Array;
}

export type BlockingMethod = keyof ClickHouseWriter;

/** A commit crosses as objects: columns are not made to be copied. */
export interface BlockingCall {
  readonly method: BlockingMethod | 'open';
  readonly args: readonly unknown[];
}

export type BlockingAnswer =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly name: string;
      readonly code: string;
      readonly message: string;
      readonly isRetryable: boolean;
      readonly stack: string;
    };

/** Longer than the client waits for the server: what takes longer is no answer at all. */
const TIMEOUT_MS = 120_000;

class Line {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));
  #count = 0;

  constructor(options: BlockingThreadData['options']) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const data: BlockingThreadData = { options, port: port2, answered: this.#answered };
    this.#worker = new Worker(new URL('blocking-thread.js', import.meta.url), {
      workerData: data,
      transferList: [port2],
    });
    this.#worker.unref();
    this.call('open', []);
  }

  /** @throws {StoreError} as the store does. */
  call<T>(method: BlockingCall['method'], args: readonly unknown[]): T {
    this.#port.postMessage({ method, args } satisfies BlockingCall);
    const before = this.#count++;
    while (Atomics.load(this.#answered, 0) === before)
      if (Atomics.wait(this.#answered, 0, before, TIMEOUT_MS) === 'timed-out')
        throw new StoreError('clickhouse', `no answer to ${method} in ${TIMEOUT_MS / 1_000} s`);
    const answer = receiveMessageOnPort(this.#port)?.message as BlockingAnswer;
    if (answer.ok) return answer.value as T;
    const { name, code, message, isRetryable, stack } = answer;
    const error = code === '' ? new Error(message) : new StoreError(code, message, { isRetryable });
    throw Object.assign(error, { stack: `${name}: ${message}\n${stack}` });
  }

  close(): void {
    this.call('close', []);
    this.#port.close();
    void this.#worker.terminate();
  }
}

const RETAIN_MS = 60_000;

/** Takes raw data in. */
export class ClickHouseRawWriter implements RawWriter {
  readonly #line: Line;
  #retainedMs = -Infinity;

  /** Makes the tables that are missing. @throws {StoreError} */
  constructor(options: BlockingThreadData['options']) {
    this.#line = new Line(options);
  }

  commit({ spans, ...batch }: IngestBatch): CommitResult {
    return this.#line.call('commitSpans', [{ ...batch, spans: spansOf(spans) }]);
  }

  pin(key: string, note: string, atUnixNs: bigint): Pin | PinRefusal {
    return this.#line.call('pin', [key, note, atUnixNs]);
  }

  unpin(key: string): boolean {
    return this.#line.call('unpin', [key]);
  }

  /** Asked four times a second: seldom is there something to be done, and never for long. */
  retain(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#retainedMs < RETAIN_MS) return false;
    this.#retainedMs = nowMs;
    return this.#line.call('retain', []);
  }

  sizeBytes(): number {
    return this.#line.call('sizeBytes', []);
  }

  close(): void {
    this.#line.close();
  }
}

const spansOf = (columns: SpanColumns) =>
  Array.from({ length: columns.length }, (_, row) => columns.spanAt(row));

/** What assembly stands on. */
export class ClickHouseAssemblyStore implements AssemblyStore {
  readonly shared: SharedAssembly;
  readonly #line: Line;

  /** As they apply now: the object stays. */
  readonly #limits: Record<string, number> = {};
  #hasToTidy = true;

  constructor(options: BlockingThreadData['options']) {
    const line = new Line(options);
    this.#line = line;
    this.#limit(line.call('limits', []));
    this.shared = {
      pull: () => {
        const news = line.call<SharedNews>('pull', []);
        if (news.limits !== undefined) this.#limit(news.limits);
        return news;
      },
      publish: changes => line.call('publish', [changes]),
    };
  }

  #limit(limits: Readonly<Record<string, number>>): void {
    for (const name of Object.keys(this.#limits)) delete this.#limits[name];
    Object.assign(this.#limits, limits);
    this.#hasToTidy = true;
  }

  commitDerived(rows: readonly DerivedRows[]): void {
    if (rows.length > 0) this.#line.call('commitDerived', [rows]);
  }

  tidy(): boolean {
    if (this.#hasToTidy) this.#hasToTidy = this.#line.call('tidy', []);
    return this.#hasToTidy;
  }

  limits(): Readonly<Record<string, number>> {
    return this.#limits;
  }

  setBudgets(change: BudgetChange): BudgetList | BudgetConflict {
    const answer = this.#line.call<BudgetList | BudgetConflict>('setBudgets', [change]);
    if ('items' in answer) this.#limit(limitsOf(answer));
    return answer;
  }

  removeAnnotation(id: string): boolean {
    return this.#line.call('removeAnnotation', [id]);
  }

  annotate(annotation: AnnotationInput): Annotation {
    return this.#line.call('annotate', [annotation]);
  }

  unfinishedSessions(): readonly UnfinishedSession[] {
    return this.#line.call('unfinishedSessions', []);
  }

  loadSession(key: string, fromUnixNs?: bigint): RawSession | undefined {
    return this.#line.call('loadSession', [key, fromUnixNs]);
  }

  flushesBetween(after: number, upTo: number, limit: number): FlushRun {
    return this.#line.call('flushesBetween', [after, upTo, limit]);
  }

  newestCommit(): number {
    return this.#line.call('newestCommit', []);
  }

  collectorClocks(): readonly CollectorClockRow[] {
    return this.#line.call('collectorClocks', []);
  }

  noteCollectorClock(clock: Omit<CollectorClockRow, 'sinceCommit'>): CollectorClockRow {
    return this.#line.call('noteCollectorClock', [clock]);
  }

  close(): void {
    this.#line.close();
  }
}
