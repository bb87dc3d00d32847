// A thread that answers queries, with connections of its own that cannot write.

import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { openReader } from '../store/engine.ts';
import { ANSWERS } from './answers.ts';
import type { FromReader, ReaderOptions, ToReader } from './pool.ts';
import type { QueryContext } from './queries.types.ts';

if (!parentPort) throw new Error('query/thread.js is a worker thread: the collector starts it');
const port: MessagePort = parentPort;
const { place, budgets } = workerData as ReaderOptions;

const reader = await openReader(place);
let context: QueryContext = {
  reader,
  nowUnixNs: () => BigInt(Date.now()) * 1_000_000n,
  budgets,
};

port.on('message', (message: ToReader) => {
  if (message.type === 'refresh') reader.refresh();
  else if (message.type === 'limits') context = { ...context, budgets: message.limits };
  else if (message.type === 'close') {
    void Promise.resolve(reader.close()).then(() => port.close());
  } else void answer(message);
});

async function answer({ id, name, args }: ToReader & { type: 'ask' }): Promise<void> {
  const work = ANSWERS[name] as (context: QueryContext, args: unknown) => Promise<unknown>;
  try {
    const value = await work(context, args);
    const bytes = value === undefined ? undefined : bytesOf(value);
    port.postMessage(
      { type: 'answer', id, bytes } satisfies FromReader,
      bytes ? [bytes.buffer] : [],
    );
  } catch (problem) {
    port.postMessage({ type: 'failed', id, problem: told(problem) } satisfies FromReader);
  }
}

/** Owned by itself alone: a pooled buffer would move its neighbours too. */
function bytesOf(value: unknown): Uint8Array<ArrayBuffer> {
  const bytes = value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value));
  return Uint8Array.from(bytes);
}

function told(problem: unknown): (FromReader & { type: 'failed' })['problem'] {
  if (!(problem instanceof Error)) return { name: 'Error', code: '', message: String(problem) };
  const code = 'code' in problem ? String(problem.code) : '';
  return { name: problem.name, code, message: problem.message, stack: problem.stack ?? '' };
}
