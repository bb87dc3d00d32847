// A hundred calls of 600 marks a second in real time: CPU, pauses, memory.

import type { CallsReport } from './calls-process.ts';
import { median, nextMessage, start, startStubServer } from './child.ts';

export interface CallsFigures {
  /** Share of one core, all of telemetry: marks, flushes, encoding, sockets, probes, garbage. */
  readonly corePercent: number;
  readonly longestPieceMs: number;
  readonly kilobytesPerCall: number;
  readonly marks: number;
  readonly problems: readonly string[];
}

export async function hundredCalls(seconds: number): Promise<CallsFigures> {
  const server = await startStubServer();
  const run = async (mode: string): Promise<CallsReport> => {
    const child = start('calls-process', [server.url, String(seconds), mode]);
    return (await nextMessage(child)) as unknown as CallsReport;
  };
  const marks = await run('marks');
  const [nothing, watched] = await Promise.all([run('nothing'), run('watched')]);
  server.stop();
  return {
    corePercent: ((marks.cpuMs - nothing.cpuMs) / (marks.seconds * 1_000)) * 100,
    longestPieceMs: watched.longestPieceMs,
    kilobytesPerCall: marks.bytesPerCall / 1_000,
    marks: marks.marks,
    problems: marks.problems,
  };
}

/**
 * What telling the process's load costs at a hundred open calls, in % of a core: runs with and
 * without it, in turn; the median of their differences.
 */
export async function loadPercent(seconds: number, pairs: number): Promise<number> {
  const server = await startStubServer();
  const run = async (mode: string): Promise<CallsReport> => {
    const child = start('calls-process', [server.url, String(seconds), mode]);
    return (await nextMessage(child)) as unknown as CallsReport;
  };
  const percents: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const metered = await run('open');
    const bare = await run('unmetered');
    percents.push(((metered.cpuMs - bare.cpuMs) / (seconds * 1_000)) * 100);
  }
  server.stop();
  return median(percents);
}
