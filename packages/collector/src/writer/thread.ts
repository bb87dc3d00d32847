// The writer thread. What it does not catch ends the thread, and with it the
// collector: a process that takes data and loses it would be worse.

import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { StoreError } from '../store/errors.ts';
import { makeLoop, TICK_MS } from './compose.ts';
import type { WriterLoop } from './loop.ts';
import type { FromWriter, ToWriter, WriterOptions } from './messages.ts';

if (!parentPort) throw new Error('writer/thread.js is a worker thread: the collector starts it');
const port: MessagePort = parentPort;

const post = (message: FromWriter): void => port.postMessage(message);

/** Follows corrections of the wall clock: arrival decides in which day's volume data stands. */
const nowUnixNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
const nowNs = (): number => Number(process.hrtime.bigint());

/** SQLite's errors do not survive the way to the main thread: it would read "[object Object]". */
function telling(work: () => void): void {
  try {
    work();
  } catch (problem) {
    const text = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
    const told = new Error(text, { cause: problem instanceof Error ? problem.message : problem });
    told.stack = text;
    throw told;
  }
}

const soon = (work: () => void): void => void setImmediate(() => telling(work));

function start(options: WriterOptions): WriterLoop | undefined {
  try {
    return makeLoop(options, { nowUnixNs, nowNs, soon, post });
  } catch (problem) {
    if (!(problem instanceof StoreError)) throw problem;
    post({ type: 'failed', name: problem.name, code: problem.code, message: problem.message });
    return undefined;
  }
}

telling(() => {
  const loop = start(workerData as WriterOptions);
  if (loop) run(loop);
});

function run(loop: WriterLoop): void {
  const timer = setInterval(() => telling(() => loop.tick()), TICK_MS);
  port.on('message', (message: ToWriter) => {
    if (message.type === 'body') {
      loop.accept(message.id, message.body);
      return;
    }
    if (message.type === 'annotate') {
      telling(() => loop.annotate(message.id, message.annotation));
      return;
    }
    clearInterval(timer);
    telling(() => loop.close());
    port.close();
  });
  post({ type: 'ready' });
}
