// What the four processes have in common: saying that they are ready, and
// stopping. Started by the launcher they have a channel to it; when it closes,
// the launcher is gone, killed or not, and they go too.

import { WebSocketServer } from 'ws';
import type { AddressInfo } from 'node:net';

/** Tells the launcher, or whoever reads stdout, that this process serves. */
export function announceReady(name: string, url: string): void {
  if (process.send === undefined) process.stdout.write(`${name} is ready on ${url}\n`);
  else process.send({ ready: url });
}

/**
 * Runs `stop` once, at SIGTERM, at Ctrl-C, or when the launcher says so or dies.
 * Nothing is forced: when `stop` has closed what was open, the process ends.
 */
export function onStop(stop: () => Promise<void>): void {
  let isStopping = false;
  const run = (): void => {
    if (isStopping) return;
    isStopping = true;
    stop().then(leave, error => {
      process.stderr.write(`${String(error)}\n`);
      process.exitCode = 1;
      leave();
    });
  };
  process.on('SIGTERM', run);
  // Ctrl-C reaches the whole group at once: under a launcher the order is its business.
  process.on('SIGINT', process.send === undefined ? run : () => undefined);
  process.on('disconnect', run);
  process.on('message', message => {
    if (message === 'stop') run();
  });
}

/** Lets go of the launcher's channel, which otherwise keeps the process alive. */
export function leave(): void {
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

/** Runs a program's main; what it throws is told in one line, with exit code 1. */
export function runProgram(main: () => Promise<void>): void {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    leave();
  });
}
