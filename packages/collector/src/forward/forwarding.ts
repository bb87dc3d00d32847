// The main thread's end of handing on: starts the thread, keeps the last word
// of it for /metrics and the API. What is stored does not depend on it: when
// the thread dies, the collector goes on and says so.

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
  /** Volumes were opened or dropped. */
  refresh(): void;
  /** Other limits apply, by measure. */
  limit(limits: Readonly<Record<string, number>>): void;
  /** Lets the request under way end, and keeps the rest on disk. */
  close(): Promise<void>;
}

const NONE: Forwarding = {
  status: () => [],
  refresh: () => undefined,
  limit: () => undefined,
  close: () => Promise.resolve(),
};

/** Longer than a request that gets no answer is waited for: what is cut is sent again. */
const CLOSE_MS = 3_000;

/** The store must be open already. @throws {ForwardError} */
export async function startForwarding(
  options: ForwardOptions,
  log: (message: string, error?: unknown) => void,
): Promise<Forwarding> {
  if (options.targets.length === 0) return NONE;
  const worker = new Worker(new URL('thread.js', import.meta.url), { workerData: options });
  let status: readonly ForwardStatus[] = [];
  let onClosed: () => void = () => undefined;
  const closed = new Promise<void>(resolve => (onClosed = resolve));
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.on('message', (message: FromForward) => {
      if (message.type === 'ready') resolve();
      else if (message.type === 'failed') reject(new ForwardError(`--forward: ${message.message}`));
      else if (message.type === 'status') status = message.status;
      else if (message.type === 'log') log(message.message);
      else onClosed();
    });
  });
  worker.removeAllListeners('error');
  worker.on('error', problem => {
    log('handing on stopped; what is stored is not affected. Start again to take it up', problem);
    onClosed();
  });
  const send = (message: ToForward): void => worker.postMessage(message);
  return {
    status: () => status,
    refresh: () => send({ type: 'volumes' }),
    limit: limits => send({ type: 'limits', limits }),
    close: async () => {
      send({ type: 'close' });
      const cut = setTimeout(() => void worker.terminate().then(onClosed), CLOSE_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}
