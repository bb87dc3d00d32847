// A process with calls in real time, measured from inside.
//
//   argv: url, seconds, mode
//     nothing  the same timers and loops over as many objects, nothing traced: what is subtracted
//     marks    600 marks a second and call, flushed each second
//     watched  the same, with every callback of the process timed
//     open     100 calls open, nothing marked; `unmetered`: the same, and no load told
//
// `watched` times callbacks with async hooks, which see all that the package
// gets to run (timers, sockets, promises) and cost more than the marks do: so
// CPU is taken in the other run.
//
// A callback took no longer than the clock says, and no more than all threads of
// the process computed meanwhile, its compiler and collector among them: the
// lesser of the two holds whether the machine is shared or not. Garbage that is
// collected within a callback is part of it.

import { createHook, executionAsyncId } from 'node:async_hooks';
import { Framescope } from '@framescope/instrument';
import { markFrame, startCalls, untracedCalls, type Call } from './load.ts';

const CALLS = 100;
const FRAME_MS = 20;
const WARM_UP_S = 2;

/** What the process answers, once, at its end. */
export interface CallsReport {
  readonly cpuMs: number;
  readonly seconds: number;
  readonly marks: number;
  readonly longestPieceMs: number;
  readonly bytesPerCall: number;
  readonly problems: readonly string[];
}

interface Started {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** The longest callback; callbacks of the load itself are not telemetry's. */
class Watch {
  longestMs = 0;
  readonly #starts: Started[] = [];
  #loadId = -1;

  start(): void {
    createHook({
      before: () => void this.#starts.push({ cpuMs: cpuMs(), wallMs: performance.now() }),
      after: id => {
        const start = this.#starts.pop();
        if (id === this.#loadId || start === undefined) return;
        const tookMs = Math.min(cpuMs() - start.cpuMs, performance.now() - start.wallMs);
        this.longestMs = Math.max(this.longestMs, tookMs);
      },
    }).enable();
  }

  /** Call inside a callback that is the load's own. */
  mine(): void {
    this.#loadId = executionAsyncId();
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const [url = '', seconds = '', mode = 'marks'] = process.argv.slice(2);
const watch = new Watch();

function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

interface Mark {
  readonly cpu: NodeJS.CpuUsage;
  readonly marks: number;
}

/** Lets `seconds` pass in frames of 20 ms; answers what was used since the warm-up. */
function play(calls: readonly Pick<Call, 'hops'>[]): Promise<Mark> {
  const hopCount = calls[0]?.hops.length ?? 0;
  const frameCount = ((Number(seconds) + WARM_UP_S) * 1_000) / FRAME_MS;
  const warmFrames = (WARM_UP_S * 1_000) / FRAME_MS;
  const startMs = performance.now();
  let frames = 0;
  let warm = process.cpuUsage();
  return new Promise(resolve => {
    const timer = setInterval(() => {
      watch.mine();
      // Catches up as an audio loop does, so that the load is what it says.
      const due = Math.min(frameCount, Math.floor((performance.now() - startMs) / FRAME_MS));
      for (; frames < due; frames++) {
        if (frames === warmFrames) {
          warm = process.cpuUsage();
          watch.longestMs = 0;
        }
        for (const call of calls) markFrame(call);
      }
      if (frames < frameCount) return;
      clearInterval(timer);
      const marks = (frameCount - warmFrames) * calls.length * hopCount;
      resolve({ cpu: process.cpuUsage(warm), marks });
    }, FRAME_MS);
  });
}

async function main(): Promise<void> {
  const scope = new Framescope({
    serviceName: 'bench',
    endpoint: url,
    tracerProvider: false,
    load: mode !== 'unmetered',
  });
  // A queue that changes with each frame of each call: more than anybody has.
  const isIdle = mode === 'open' || mode === 'unmetered';
  const gauges = setInterval(() => {
    for (let i = 0; isIdle && i < CALLS; i++) scope.gauge('queue', i);
  }, FRAME_MS);
  if (mode === 'watched') watch.start();
  const before = heapBytes();
  const calls = mode === 'nothing' ? untracedCalls(CALLS) : startCalls(scope, CALLS);
  const { cpu, marks } = await play(isIdle ? [] : calls);
  clearInterval(gauges);
  const report: CallsReport = {
    cpuMs: (cpu.user + cpu.system) / 1_000,
    seconds: Number(seconds),
    marks,
    longestPieceMs: watch.longestMs,
    bytesPerCall: (heapBytes() - before) / CALLS,
    problems: [...scope.stats().problems.keys()],
  };
  process.send?.(report);
  await scope.shutdown();
  process.disconnect();
}

void main();
