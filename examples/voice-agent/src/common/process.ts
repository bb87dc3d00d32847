// What the four processes have in common: saying that they are ready, and
// stopping. Started by the launcher they have a channel to it; when it closes,
// the launcher is gone, killed or not, and they go too.

import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { readOptions, skewOf, type Options, type Program } from './options.ts';
import { makeWires, type Wires } from './wire.ts';

/** What a program is while it runs. */
export interface Running {
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** Resolves when the program has nothing more to do; absent: it serves until it is stopped. */
  readonly finished?: Promise<void>;
}

type Start = (options: Options, wires: Wires) => Promise<Running>;

/** Runs a program from its arguments to its end; what it throws is told in one line, with exit code 1. */
export function runProgram(program: Exclude<Program, 'main'>, start: Start): void {
  run(program, start).catch(tell).finally(leave);
}

/** Tells why a program cannot go on. */
export function tell(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function run(program: Exclude<Program, 'main'>, start: Start): Promise<void> {
  const options = readOptions(program, process.argv.slice(2));
  if (options === undefined) return;
  const { region, instance, collector: endpoint } = options;
  const skew = skewOf(options);
  const wires = makeWires({ role: program, region, instance, skew, endpoint });
  try {
    const running = await start(options, wires);
    const stopped = whenStopped();
    announceReady(program, running.url);
    await Promise.race([stopped, running.finished ?? stopped]);
    await running.stop();
  } finally {
    await wires.close();
  }
}

/** Tells the launcher, or whoever reads stdout, that this process serves. */
function announceReady(program: Program, url: string): void {
  if (process.send === undefined) process.stdout.write(`${program} is ready on ${url}\n`);
  else process.send({ ready: url });
}

/** Resolves at SIGTERM, at Ctrl-C, or when the launcher says so or dies. */
function whenStopped(): Promise<void> {
  return new Promise(resolve => {
    process.on('SIGTERM', () => resolve());
    // Ctrl-C reaches the whole group at once: under a launcher the order is its business.
    process.on('SIGINT', () => {
      if (process.send === undefined) resolve();
    });
    process.on('disconnect', () => resolve());
    process.on('message', message => {
      if (message === 'stop') resolve();
    });
  });
}

/**
 * Lets go of the launcher's channel, which otherwise keeps the process alive. Nothing is forced:
 * a process with nothing open ends by itself.
 */
function leave(): void {
  process.removeAllListeners('message');
  if (process.connected) process.disconnect();
}

/** A WebSocket server on 127.0.0.1; port 0 picks a free one. */
export async function listen(port: number): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', error => reject(explain(error, port)));
  });
  const { port: actual } = server.address() as AddressInfo;
  return { server, url: `ws://127.0.0.1:${actual}` };
}

function explain(error: Error, port: number): Error {
  if (!('code' in error) || error.code !== 'EADDRINUSE') return error;
  return new Error(`Port ${port} is in use; give another with --port, or 0 for a free one.`, {
    cause: error,
  });
}

/** Closes the server and all its connections. */
export async function closeServer(server: WebSocketServer): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()));
  for (const socket of server.clients) socket.close(1001, 'shutting down');
  await closed;
}
