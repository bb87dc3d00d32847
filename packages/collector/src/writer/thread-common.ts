// What the threads of the writer and of assembly share: clocks, and errors that
// survive the way to the main thread.

import { StoreError } from '../store/errors.ts';
import type { FromAssembly, FromWriter } from './messages.ts';

/** Follows corrections of the wall clock: arrival decides in which day's volume data stands. */
export const nowUnixNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
export const nowNs = (): number => Number(process.hrtime.bigint());

/** SQLite's errors do not survive the way to the main thread: it would read "[object Object]". */
export function telling(work: () => void): void {
  try {
    work();
  } catch (problem) {
    const text = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
    const told = new Error(text, { cause: problem instanceof Error ? problem.message : problem });
    told.stack = text;
    throw told;
  }
}

export const soon = (work: () => void): void => void setImmediate(() => telling(work));

/** Makes a loop; a folder that cannot be used is told by `post` instead of thrown. */
export function started<T>(
  make: () => T,
  post: (message: (FromWriter & FromAssembly) & { type: 'failed' }) => void,
): T | undefined {
  try {
    return make();
  } catch (problem) {
    if (!(problem instanceof StoreError)) throw problem;
    post({ type: 'failed', name: problem.name, code: problem.code, message: problem.message });
    return undefined;
  }
}
