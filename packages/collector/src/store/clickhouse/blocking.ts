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
import type { Annotation, AnnotationInput } from '@framescope/protocol';
import type { SpanColumns } from '../../decode/span-columns.ts';
import { StoreError } from '../errors.ts';
import type {
  AssemblyStore,
  CollectorClockRow,
  CommitResult,
  DerivedRows,
  FlushRun,
  IngestBatch,
  RawSession,
  RawWriter,
  SharedAssembly,
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

/** Takes raw data in. */
export class ClickHouseRawWriter implements RawWriter {
  readonly #line: Line;

  /** Makes the tables that are missing. @throws {StoreError} */
  constructor(options: BlockingThreadData['options']) {
    this.#line = new Line(options);
  }

  commit({ spans, ...batch }: IngestBatch): CommitResult {
    return this.#line.call('commitSpans', [{ ...batch, spans: spansOf(spans) }]);
  }

  /** The engine drops by itself what is too old: nothing can be kept out of its way. */
  pin(): 'elsewhere' {
    return 'elsewhere';
  }

  unpin(): 'elsewhere' {
    return 'elsewhere';
  }

  /** The engine drops by itself what is too old. */
  retain(): boolean {
    return false;
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

  readonly #limits: Readonly<Record<string, number>>;

  /** `limits`: by flag and default; there is no table for others yet. */
  constructor(options: BlockingThreadData['options'], limits: Readonly<Record<string, number>>) {
    const line = new Line(options);
    this.#line = line;
    this.#limits = limits;
    this.shared = {
      pull: () => line.call('pull', []),
      publish: changes => line.call('publish', [changes]),
    };
  }

  commitDerived(rows: readonly DerivedRows[]): void {
    if (rows.length > 0) this.#line.call('commitDerived', [rows]);
  }

  tidy(): boolean {
    return false;
  }

  limits(): Readonly<Record<string, number>> {
    return this.#limits;
  }

  setBudgets(): 'elsewhere' {
    return 'elsewhere';
  }

  removeAnnotation(): 'elsewhere' {
    return 'elsewhere';
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
