// An audio context's frame numbers as times of the page.
//
//   getOutputTimestamp   the sample now at the device, and what time it is
//   outputLatency        how long before that it was computed

import { NS_PER_MS } from '@framescope/protocol';
import type { Clock } from '../../ports.ts';

/** The parts of an `AudioContext` in use. */
export interface TimedContext {
  readonly sampleRate: number;
  readonly currentTime: number;
  readonly baseLatency?: number;
  readonly outputLatency?: number;
  getOutputTimestamp?(): { readonly contextTime?: number; readonly performanceTime?: number };
}

export class ContextClock {
  readonly #context: TimedContext;
  readonly #clock: Clock;

  constructor(context: TimedContext, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
  }

  /** When this frame of the context is audible, ns on the session's clock. */
  audibleNs(contextFrame: number): number {
    const { contextTimeS, pageMs } = this.#now();
    const aheadMs = (contextFrame / this.#context.sampleRate - contextTimeS) * 1_000;
    const laterMs = pageMs - performance.now() + aheadMs;
    return this.#clock.now() + Math.round(laterMs * NS_PER_MS);
  }

  /** When this frame of the context was computed, and so taken from its inputs; never later than now. */
  renderedNs(contextFrame: number): number {
    const { outputLatency = 0, baseLatency = 0 } = this.#context;
    const latencyNs = Math.round((outputLatency + baseLatency) * 1_000 * NS_PER_MS);
    return Math.min(this.audibleNs(contextFrame) - latencyNs, this.#clock.now());
  }

  #now(): { readonly contextTimeS: number; readonly pageMs: number } {
    const { contextTime, performanceTime } = this.#context.getOutputTimestamp?.() ?? {};
    if (contextTime !== undefined && performanceTime !== undefined && performanceTime > 0)
      return { contextTimeS: contextTime, pageMs: performanceTime };
    // No device tells yet: what is computed now is audible after the latency the context names.
    const { outputLatency = 0, currentTime } = this.#context;
    return { contextTimeS: currentTime, pageMs: performance.now() + outputLatency * 1_000 };
  }
}
