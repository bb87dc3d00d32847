// The loop of one forwarder: steps, waits in between, and an end that does not
// wait for a wait. Steps that throw are a fault of ours: told, and tried again.

import type { Forwarder } from './forwarder.ts';

export interface RunPorts {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: (message: string) => void;
}

const AFTER_FAULT_MS = 5_000;

/** Runs until `signal` is aborted. */
export async function runForwarder(
  forwarder: Forwarder,
  signal: AbortSignal,
  { sleep, log }: RunPorts,
): Promise<void> {
  while (!signal.aborted) {
    let waitMs: number;
    try {
      waitMs = await forwarder.step();
    } catch (problem) {
      const text = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
      log(`forward: ${text}`);
      waitMs = AFTER_FAULT_MS;
    }
    // Also when there is more: timers and messages of the thread get their turn.
    await sleep(waitMs, signal);
  }
  forwarder.close();
}
