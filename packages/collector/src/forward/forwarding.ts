// The main thread's end of handing on: starts the thread, keeps the last word
// of it for /metrics and the API. What is stored does not depend on it: when
// the thread dies, the collector goes on, says so, and starts another one. What
// was frozen or not yet read is on disk, so that one takes up where it died.

import { Worker } from 'node:worker_threads';
import type { ForwardStatus } from './forwarder.ts';
import type { ForwardOptions, FromForward, ToForward } from './messages.ts';

/** A target cannot be served at all, e.g. the file of its certificate authority is missing. */
export class ForwardError extends Error {
  override readonly name = 'ForwardError';
}

export interface Forwarding {
  /** One a target, as of half a second ago; empty without targets. */
  status(): readonly ForwardStatus[];
  /** How often the thread died and was started again. */
  restarts(): number;
  /** Volumes were opened or dropped. */
  refresh(): void;
  /** Other limits apply, by measure. */
  limit(limits: Readonly<Record<string, number>>): void;
  /** Lets the request under way end, and keeps the rest on disk. */
  close(): Promise<void>;
}

const NONE: Forwarding = {
  status: () => [],
  restarts: () => 0,
  refresh: () => undefined,
  limit: () => undefined,
  close: () => Promise.resolve(),
};

/** Longer than a request that gets no answer is waited for: what is cut is sent again. */
const CLOSE_MS = 3_000;

/** Until a thread that died is started again: doubled from death to death, until one lived a minute. */
const RESTART_MS = { first: 1_000, most: 60_000 } as const;
const LIVED_MS = 60_000;

export interface ForwardingPorts {
  readonly log: (message: string, error?: unknown) => void;
  /** Starts the thread; a test starts one that dies. */
  readonly start?: (options: ForwardOptions) => Worker;
}

const startThread = (options: ForwardOptions): Worker =>
  new Worker(new URL('thread.js', import.meta.url), { workerData: options });

/** The store must be open already. @throws {ForwardError} */
export async function startForwarding(
  options: ForwardOptions,
  ports: ForwardingPorts,
): Promise<Forwarding> {
  if (options.targets.length === 0) return NONE;
  const thread = new ForwardingThread(options, ports);
  await thread.begin();
  return thread;
}

class ForwardingThread implements Forwarding {
  #options: ForwardOptions;
  readonly #ports: ForwardingPorts;
  #worker: Worker | undefined;
  #status: readonly ForwardStatus[] = [];
  #restarts = 0;
  #pauseMs: number = RESTART_MS.first;
  #sinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;
  #onClosed: () => void = () => undefined;

  constructor(options: ForwardOptions, ports: ForwardingPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** The first start: what is wrong with a target stops the collector. */
  async begin(): Promise<void> {
    const worker = this.#start();
    await new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.on('message', (message: FromForward) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'failed')
          reject(new ForwardError(`--forward: ${message.message}`));
      });
    });
    worker.removeAllListeners('error');
    this.#watch(worker);
  }

  #start(): Worker {
    const worker = (this.#ports.start ?? startThread)(this.#options);
    this.#worker = worker;
    this.#sinceMs = performance.now();
    worker.on('message', (message: FromForward) => {
      if (message.type === 'status') this.#status = message.status;
      else if (message.type === 'log') this.#ports.log(message.message);
      else if (message.type === 'closed') this.#onClosed();
    });
    return worker;
  }

  #watch(worker: Worker): void {
    let problem: unknown;
    let failed: string | undefined;
    worker.on('error', error => (problem = error));
    worker.on('message', (message: FromForward) => {
      if (message.type === 'failed') failed = message.message;
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      if (this.#isClosing) return this.#onClosed();
      this.#died(problem ?? (failed === undefined ? undefined : new ForwardError(failed)));
    });
  }

  #died(problem: unknown): void {
    if (performance.now() - this.#sinceMs > LIVED_MS) this.#pauseMs = RESTART_MS.first;
    const seconds = this.#pauseMs / 1_000;
    this.#ports.log(
      `handing on stopped, and starts again in ${seconds} s; what is stored is not affected`,
      problem,
    );
    const lastError = `stopped: ${problem instanceof Error ? problem.message : 'the thread ended'}`;
    this.#status = this.#status.map(one => ({ ...one, state: 'stopped', lastError }));
    this.#timer = setTimeout(() => {
      this.#restarts++;
      this.#watch(this.#start());
    }, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, RESTART_MS.most);
  }

  #send(message: ToForward): void {
    this.#worker?.postMessage(message);
  }

  status(): readonly ForwardStatus[] {
    return this.#status;
  }

  restarts(): number {
    return this.#restarts;
  }

  refresh(): void {
    this.#send({ type: 'volumes' });
  }

  limit(budgets: Readonly<Record<string, number>>): void {
    // The next one begins with them.
    this.#options = { ...this.#options, budgets };
    this.#send({ type: 'limits', limits: budgets });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    const worker = this.#worker;
    if (worker === undefined) return;
    const closed = new Promise<void>(resolve => (this.#onClosed = resolve));
    this.#send({ type: 'close' });
    const cut = setTimeout(() => void worker.terminate().then(this.#onClosed), CLOSE_MS);
    await closed;
    clearTimeout(cut);
  }
}
