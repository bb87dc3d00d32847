// The main thread's end of the threads that answer queries: one a lane (answers.ts). What comes
// back is bytes ready to be sent, so that the thread that takes telemetry in only passes them on.

import { Worker } from 'node:worker_threads';
import { CursorError } from '../store/cursor.ts';
import type { StorePlace } from '../store/engine.ts';
import { StoreError } from '../store/errors.ts';
import { LANES, ReadyBytes, type AnswerName, type ArgumentsOf, type Asker } from './answers.ts';
import { QueryProblem } from './query-problem.ts';

export interface ReaderOptions {
  readonly place: StorePlace;
  /** Limits by measure, ns. */
  readonly budgets: Readonly<Record<string, number>>;
}

export type ToReader =
  | {
      readonly type: 'ask';
      readonly id: number;
      readonly name: AnswerName;
      readonly args: unknown;
    }
  | { readonly type: 'refresh' }
  | { readonly type: 'limits'; readonly limits: Readonly<Record<string, number>> }
  | { readonly type: 'close' };

export type FromReader =
  | { readonly type: 'answer'; readonly id: number; readonly bytes: Uint8Array | undefined }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly problem: {
        readonly name: string;
        readonly code: string;
        readonly message: string;
        readonly stack?: string;
      };
    };

/** Questions that wait for one thread; beyond, the answer is 503: nobody waits that long. */
const WAITING_MAX = 200;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (problem: Error) => void;
}

/** One thread; begun anew when it ended by itself. */
class Lane {
  #options: ReaderOptions;
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #isClosing = false;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#worker = this.#start();
  }

  #start(): Worker {
    const worker = new Worker(new URL('thread.js', import.meta.url), { workerData: this.#options });
    // The server keeps the process; a start that fails after this must not hang on it.
    worker.unref();
    worker.on('message', (message: FromReader) => this.#receive(message));
    worker.on('error', problem =>
      this.#fail(problem instanceof Error ? problem : new Error(String(problem))),
    );
    worker.on('exit', () => {
      this.#worker = undefined;
      this.#fail(new Error('the thread that answers queries ended'));
    });
    return worker;
  }

  ask(name: AnswerName, args: unknown): Promise<unknown> {
    if (this.#waiting.size >= WAITING_MAX)
      return Promise.reject(
        new StoreError('busy', `${WAITING_MAX} queries wait already; try again`, {
          isRetryable: true,
        }),
      );
    if (this.#isClosing)
      return Promise.reject(new StoreError('stopping', 'the collector is stopping'));
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ type: 'ask', id, name, args } satisfies ToReader);
    });
  }

  refresh(): void {
    this.#worker?.postMessage({ type: 'refresh' } satisfies ToReader);
  }

  limit(limits: Readonly<Record<string, number>>): void {
    // Also for a thread that is begun anew.
    this.#options = { ...this.#options, budgets: limits };
    this.#worker?.postMessage({ type: 'limits', limits } satisfies ToReader);
  }

  #receive(message: FromReader): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'failed') waiting?.reject(errorOf(message.problem));
    else waiting?.resolve(message.bytes && new ReadyBytes(message.bytes));
  }

  #fail(problem: Error): void {
    for (const { reject } of this.#waiting.values()) reject(problem);
    this.#waiting.clear();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const worker = this.#worker;
    if (worker === undefined) return;
    const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()));
    worker.ref();
    worker.postMessage({ type: 'close' } satisfies ToReader);
    await ended;
  }
}

/** The kinds that the API tells apart, as they were in the other thread. */
function errorOf({
  name,
  code,
  message,
  stack,
}: (FromReader & { type: 'failed' })['problem']): Error {
  if (name === 'QueryProblem') return new QueryProblem(code, message);
  if (name === 'CursorError') return Object.assign(new CursorError(''), { message });
  if (name.endsWith('FileError') || name === 'DiskError' || name === 'SchemaTooNewError')
    return new StoreError(code, message);
  const problem = new Error(message);
  if (stack !== undefined) problem.stack = stack;
  return problem;
}

/** The folder must have been opened by a writer before. */
export function startReaders(options: ReaderOptions): Asker {
  const lanes = LANES.map(() => new Lane(options));
  const laneOf = (name: AnswerName): Lane => lanes[LANES.findIndex(names => names.includes(name))]!;
  return {
    ask: <N extends AnswerName>(name: N, args: ArgumentsOf<N>) => laneOf(name).ask(name, args),
    refresh: () => {
      for (const lane of lanes) lane.refresh();
    },
    limit: limits => {
      for (const lane of lanes) lane.limit(limits);
    },
    close: async () => {
      await Promise.all(lanes.map(lane => lane.close()));
    },
  };
}
