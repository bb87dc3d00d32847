// From when to when a session is known of.

import type { HopFigures } from '../rollup/hop-totals.ts';
import type { HopFrames } from './frames/stream-frames.ts';
import type { SessionData } from './session-data.ts';
import type { SessionSpans } from './session-spans.ts';

/** Session time of the first and the last thing known. */
export function extentOf(
  data: SessionData,
  spans: SessionSpans,
  figures: ReadonlyMap<HopFrames, HopFigures>,
): { startNs: number; endNs: number } {
  const times: number[] = [];
  for (const process of data.processes.values()) {
    const map = data.clocks.map(process.clock);
    const { session } = process;
    if (session !== undefined) times.push(map.toSession(session.startedAt));
    if (session?.endedAt !== undefined) times.push(map.toSession(session.endedAt));
    if (session?.endedAt === undefined && Number.isFinite(process.lastRawNs))
      times.push(map.toSession(process.lastRawNs));
  }
  for (const { firstAtNs, lastAtNs } of figures.values()) times.push(firstAtNs, lastAtNs);
  if (spans.count > 0 && times.length === 0) {
    const zero = data.zeroUnixNs;
    times.push(Number(spans.startUnixNs - zero), Number(spans.endUnixNs - zero));
  }
  return times.length === 0
    ? { startNs: 0, endNs: 0 }
    : { startNs: Math.min(...times), endNs: Math.max(...times) };
}
