// How busy this Node process is: what its event loop, its CPU time and its
// memory say. Counted by Node itself between two readings, so a reading is all
// that it costs (some 20 µs), and a histogram timer of libuv's 50 times a second.

import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { LoadMeter, LoadReading } from '../../ports.ts';

/** Between two looks at the loop; what Node measures is the time between looks. */
const LOOK_MS = 20;
const LOOK_NS: number = LOOK_MS * 1e6;

export function makeLoadMeter(): LoadMeter {
  const delays = monitorEventLoopDelay({ resolution: LOOK_MS });
  delays.enable();
  let loop = performance.eventLoopUtilization();
  let cpu = process.cpuUsage();
  let atMs = performance.now();
  const read = (): LoadReading => {
    const nowMs = performance.now();
    const elapsedUs = Math.max(1, (nowMs - atMs) * 1_000);
    const loopNow = performance.eventLoopUtilization();
    const cpuNow = process.cpuUsage();
    const busy = performance.eventLoopUtilization(loopNow, loop).utilization;
    const cpuUs = cpuNow.user + cpuNow.system - cpu.user - cpu.system;
    // Without a look in the interval Node says 2^63 and NaN: the loop was held up all the time.
    const hasLooked = delays.max > 0 && Number.isFinite(delays.mean);
    const reading = {
      ...(hasLooked
        ? { lagMaxNs: lagNs(delays.max), lagMeanNs: lagNs(delays.mean) }
        : { lagMaxNs: Math.round(elapsedUs * 1_000), lagMeanNs: Math.round(elapsedUs * 1_000) }),
      busy: rounded(busy),
      cpu: rounded(cpuUs / elapsedUs),
      rssBytes: process.memoryUsage.rss(),
    };
    delays.reset();
    [loop, cpu, atMs] = [loopNow, cpuNow, nowMs];
    return reading;
  };
  return { read, stop: () => delays.disable() };
}

const rounded = (share: number): number => Math.round(share * 1_000) / 1_000;

const lagNs = (sinceLookNs: number): number => Math.max(0, Math.round(sinceLookNs - LOOK_NS));
