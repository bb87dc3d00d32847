// The writer thread. What it does not catch ends the thread, and with it the
// collector: a process that takes data and loses it would be worse.

import { parentPort, workerData } from 'node:worker_threads';
import { StoreError } from '../store/errors.ts';
import { makeLoop, TICK_MS } from './compose.ts';
import type { WriterLoop } from './loop.ts';
import type { FromWriter, ToWriter, WriterOptions } from './messages.ts';

const port = parentPort;
if (!port) throw new Error('writer/thread.js is a worker thread: the collector starts it');

const post = (message: FromWriter): void => port.postMessage(message);

/** Follows corrections of the wall clock: arrival decides in which day's volume data stands. */
const nowUnixNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
const nowNs = (): number => Number(process.hrtime.bigint());

function start(options: WriterOptions): WriterLoop | undefined {
  try {
    return makeLoop(options, { nowUnixNs, nowNs, soon: setImmediate, post });
  } catch (problem) {
    if (!(problem instanceof StoreError)) throw problem;
    post({ type: 'failed', name: problem.name, code: problem.code, message: problem.message });
    return undefined;
  }
}

const loop = start(workerData as WriterOptions);
if (loop) {
  const timer = setInterval(() => loop.tick(), TICK_MS);
  port.on('message', (message: ToWriter) => {
    if (message.type === 'body') loop.accept(message.id, message.body);
    else {
      clearInterval(timer);
      loop.close();
      port.close();
    }
  });
  post({ type: 'ready' });
}
