// The thread that hands spans on: its own readers, one loop a target. Reading
// packs and joining frames would else hold up the answers of the main thread.

import { join } from 'node:path';
import { setImmediate as immediately, setTimeout as timeout } from 'node:timers/promises';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { openReader } from '../store/engine.ts';
import type { StoreReader } from '../store/store.ts';
import { Forwarder } from './forwarder.ts';
import type { ForwardOptions, FromForward, ToForward } from './messages.ts';
import { preparer } from './prepare.ts';
import { ForwardQueue } from './queue.ts';
import { runForwarder } from './run.ts';
import type { ForwardTarget } from './target.ts';
import { openTransport } from './transport.ts';

if (!parentPort) throw new Error('forward/thread.js is a worker thread: the collector starts it');
const port: MessagePort = parentPort;
const options = workerData as ForwardOptions;
/** As they apply now: the object stays. */
const limits: Record<string, number> = { ...options.budgets };

const STATUS_MS = 500;

const post = (message: FromForward): void => port.postMessage(message);
const log = (message: string): void => post({ type: 'log', message });
const nowUnixNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0) await immediately();
  else await timeout(ms, undefined, { signal }).catch(() => undefined);
}

function forwarderOf(target: ForwardTarget, reader: StoreReader): Forwarder {
  const context = { reader, nowUnixNs, budgets: limits };
  const turn = reader.forwardTurn?.(target.id);
  return new Forwarder(target, {
    reader,
    ...(turn && { turn }),
    queue: new ForwardQueue(join(options.place.folder, 'forward', target.id)),
    transport: openTransport(target),
    prepare: preparer(context),
    nowUnixNs,
    random: Math.random,
    log,
  });
}

async function start(): Promise<void> {
  const reader = await openReader(options.place);
  let forwarders: Forwarder[];
  try {
    forwarders = options.targets.map(target => forwarderOf(target, reader));
  } catch (problem) {
    await reader.close();
    const why = problem instanceof Error ? problem.message : String(problem);
    post({ type: 'failed', message: why });
    return;
  }
  const stop = new AbortController();
  const loops = forwarders.map(one => runForwarder(one, stop.signal, { sleep, log }));
  const tell = (): void => post({ type: 'status', status: forwarders.map(one => one.status()) });
  const timer = setInterval(tell, STATUS_MS);
  port.on('message', (message: ToForward) => {
    if (message.type === 'volumes') {
      reader.refresh();
      return;
    }
    if (message.type === 'limits') {
      for (const name of Object.keys(limits)) delete limits[name];
      Object.assign(limits, message.limits);
      return;
    }
    stop.abort();
    clearInterval(timer);
    void Promise.all(loops).then(async () => {
      await reader.close();
      post({ type: 'closed' });
      port.close();
    });
  });
  tell();
  post({ type: 'ready' });
}

await start();
