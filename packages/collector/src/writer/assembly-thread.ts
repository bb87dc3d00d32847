// The assembly thread: reads what the writer committed and writes what is derived
// from it. What it does not catch ends the collector, as with the writer: what it
// shows would no longer follow what comes in.

import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import type { AssemblyLoop } from './assembly-loop.ts';
import { makeAssemblyLoop, TICK_MS } from './compose.ts';
import type {
  AssemblyToWriter,
  FromAssembly,
  ToAssembly,
  WriterOptions,
  WriterToAssembly,
} from './messages.ts';
import { nowNs, nowUnixNs, soon, started, telling } from './thread-common.ts';

if (!parentPort)
  throw new Error('writer/assembly-thread.js is a worker thread: the collector starts it');
const port: MessagePort = parentPort;
const { options, writer } = workerData as { options: WriterOptions; writer: MessagePort };

const post = (message: FromAssembly): void => port.postMessage(message);
const toWriter = (message: AssemblyToWriter): void => writer.postMessage(message);

/** Assembly can wait, a sender's answer cannot: where the processors are full, it steps back. */
const NICE = 5;

function stepBack(): void {
  try {
    // Linux sets priorities by thread, and names this one here. Elsewhere all threads are alike.
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (Number.isSafeInteger(thread)) setPriority(thread, NICE);
  } catch {
    return;
  }
}

telling(() => {
  stepBack();
  const done = (): void => toWriter({ type: 'done' });
  const loop = started(
    () => makeAssemblyLoop(options, { nowUnixNs, nowNs, soon, post, done }),
    post,
  );
  if (loop) run(loop);
});

function run(loop: AssemblyLoop): void {
  const timer = setInterval(() => telling(() => loop.tick()), TICK_MS);
  port.on('message', (asked: ToAssembly) => telling(() => loop.change(asked)));
  writer.on('message', ({ type, news }: WriterToAssembly) =>
    telling(() => {
      if (news !== undefined) loop.take(news);
      if (type === 'news') return;
      clearInterval(timer);
      loop.close();
      toWriter({ type: 'closed' });
      writer.close();
      port.close();
    }),
  );
  post({ type: 'ready' });
}
