// Node as a platform: clock, timers that keep nothing alive, HTTP, what the
// process knows of itself, and the moment before it ends.

import { hostname } from 'node:os';
import { otelSettings } from './otel-environment.ts';
import type { Machine, Timers } from '../../ports.ts';
import { Engine } from '../../engine.ts';
import { guardedPorts } from '../../clock/guarded-ports.ts';
import { NodeClock } from './clock.ts';
import { LoadReporter } from '../../export/load-reporter.ts';
import { makeNodeHttp } from './http.ts';
import { makeLoadMeter } from './load-meter.ts';

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
export function makeMachine(): Machine {
  const settings = otelSettings(process.env);
  return {
    ...settings,
    makeClock: () => new NodeClock(),
    guardPorts: guardedPorts,
    makeEngine: facts => new Engine(facts),
    timers: nodeTimers,
    http: makeNodeHttp(),
    random: Math.random,
    makeLoad: ports => new LoadReporter(ports, makeLoadMeter),
    resource: { 'host.name': hostname(), 'process.pid': process.pid, ...settings.resource },
    onExit,
  };
}

/** One listener for all scopes of the process: Node warns from the eleventh on. */
const flushes = new Set<(isGone: boolean) => Promise<void>>();

function onExit(flush: (isGone: boolean) => Promise<void>): () => void {
  if (flushes.size === 0) process.on('beforeExit', lastFlush);
  flushes.add(flush);
  return () => {
    flushes.delete(flush);
    if (flushes.size === 0) process.off('beforeExit', lastFlush);
  };
}

/** `beforeExit`: the loop is empty, and is kept up a little for what is on its way. */
function lastFlush(): void {
  // It comes again when its own work is over.
  process.off('beforeExit', lastFlush);
  const hold = setTimeout(() => undefined, LAST_FLUSH_MS);
  void Promise.allSettled([...flushes].map(flush => flush(false))).then(() => clearTimeout(hold));
}
