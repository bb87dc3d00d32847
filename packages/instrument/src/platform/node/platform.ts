// Node as a platform: clock, timers that keep nothing alive, HTTP, what the
// process knows of itself, and the moment before it ends.

import { hostname } from 'node:os';
import { getSharedEndpoint } from './otel-environment.ts';
import type { Platform, Timers } from '../../ports.ts';
import { NodeClock } from './clock.ts';
import { makeNodeHttp } from './http.ts';

/** How long a process that has nothing left to do waits for its last records. */
const LAST_FLUSH_MS = 2_000;

export const nodeTimers: Timers = {
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** One for each scope: connections and exit handlers are not shared. */
export function makeNodePlatform(): Platform {
  return {
    clock: new NodeClock(),
    timers: nodeTimers,
    http: makeNodeHttp(),
    random: Math.random,
    resource: { 'host.name': hostname(), 'process.pid': process.pid },
    ...getSharedEndpoint(process.env),
    onExit,
  };
}

/** `beforeExit`: the loop is empty, and may be kept up a little for what is on its way. */
function onExit(flush: () => void): () => void {
  let isDone = false;
  const last = (): void => {
    // `beforeExit` comes again when its own work is over.
    if (isDone) return;
    isDone = true;
    flush();
    setTimeout(() => undefined, LAST_FLUSH_MS);
  };
  process.on('beforeExit', last);
  return () => process.off('beforeExit', last);
}
