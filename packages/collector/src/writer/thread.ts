// The writer thread. What it does not catch ends the thread, and with it the
// collector: a process that takes data and loses it would be worse.

import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { makeWriterLoop, TICK_MS } from './compose.ts';
import type { WriterLoop } from './loop.ts';
import type {
  AssemblyToWriter,
  FromWriter,
  ToWriter,
  WriterOptions,
  WriterToAssembly,
} from './messages.ts';
import { nowNs, nowUnixNs, soon, started, telling } from './thread-common.ts';

if (!parentPort) throw new Error('writer/thread.js is a worker thread: the collector starts it');
const port: MessagePort = parentPort;
const { options, assembly } = workerData as { options: WriterOptions; assembly: MessagePort };

const post = (message: FromWriter): void => port.postMessage(message);
const toAssembly = (message: WriterToAssembly): void => assembly.postMessage(message);

telling(() => {
  const tell: Parameters<typeof makeWriterLoop>[1]['tell'] = news =>
    toAssembly({ type: 'news', news });
  const loop = started(() => makeWriterLoop(options, { nowUnixNs, nowNs, soon, post, tell }), post);
  if (loop) run(loop);
});

function run(loop: WriterLoop): void {
  const timer = setInterval(() => telling(() => loop.tick()), TICK_MS);
  assembly.on('message', ({ type }: AssemblyToWriter) =>
    telling(() => {
      if (type === 'done') return loop.assemblyDone();
      loop.close();
      post({ type: 'closed' });
      assembly.close();
      port.close();
    }),
  );
  port.on('message', (message: ToWriter) => {
    if (message.type === 'body') {
      loop.accept(message.id, message.body);
      return;
    }
    if (message.type === 'change') {
      telling(() => loop.change(message));
      return;
    }
    clearInterval(timer);
    telling(() => toAssembly({ type: 'close', news: loop.finish() }));
  });
  post({ type: 'ready' });
}
