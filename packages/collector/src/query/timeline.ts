// GET /api/v1/sessions/{key}/timeline: counts and the worst latency by bucket.
//
// A pixel shows the worst of what it covers, never the mean: one frame of 400 ms
// in an hour is what one looks for. Buckets are a power of two times 1 ms wide
// and start at multiples of that, so those of neighbouring windows line up.

import { FRAME_FLAG, NS_PER_MS, type TimelineHop } from '@framescope/protocol';
import type { HopFrames } from '../assemble/frames/stream-frames.ts';
import type { TimelineQuery } from './queries.types.ts';
import { sessionFrames } from './session-frames.ts';

interface Grid {
  readonly fromNs: number;
  readonly bucketNs: number;
  readonly buckets: number;
}

export const timeline: TimelineQuery = async (context, sessionKey, window) => {
  const session = await sessionFrames(context, sessionKey);
  if (session === undefined) return undefined;
  const grid = gridOf(window.fromNs ?? 0, window.toNs ?? session.durationNs, window.buckets);
  return {
    fromNs: grid.fromNs,
    toNs: grid.fromNs + grid.buckets * grid.bucketNs,
    bucketNs: grid.bucketNs,
    hops: session.streams.flatMap(({ hops }) => hops.map(hop => bucketed(hop, grid))),
  };
};

/** At most `count` buckets that cover the window, aligned to their own width. */
export function gridOf(fromNs: number, toNs: number, count: number): Grid {
  const spanNs = Math.max(toNs - fromNs, 1);
  for (let bucketNs = NS_PER_MS; ; bucketNs *= 2) {
    const startNs = Math.floor(fromNs / bucketNs) * bucketNs;
    const buckets = Math.max(1, Math.ceil((fromNs + spanNs - startNs) / bucketNs));
    if (buckets <= Math.max(count, 1)) return { fromNs: startNs, bucketNs, buckets };
    // One bucket asked for and a window across a boundary: two are the least there can be.
    if (buckets === 2 && count < 2 && bucketNs > spanNs)
      return { fromNs: startNs, bucketNs, buckets };
  }
}

function bucketed(hop: HopFrames, { fromNs, bucketNs, buckets }: Grid): TimelineHop {
  const count = Array.from({ length: buckets }, () => 0);
  const worstNs = Array.from({ length: buckets }, () => 0);
  const overBudget = Array.from({ length: buckets }, () => 0);
  const lost = Array.from({ length: buckets }, () => 0);
  const { rows, atNs, latencyNs, flags } = hop;
  const over = hop.budgetNs === null ? FRAME_FLAG.late : FRAME_FLAG.overBudget;
  for (let row = 0; row < rows.length; row++) {
    const at = Math.floor((atNs[row]! - fromNs) / bucketNs);
    if (at < 0 || at >= buckets) continue;
    count[at]!++;
    if (latencyNs[row]! > worstNs[at]!) worstNs[at] = latencyNs[row]!;
    if ((flags[row]! & over) !== 0) overBudget[at]!++;
  }
  for (const { atNs: lostNs } of [...hop.lost, ...hop.concealed]) {
    const at = Math.floor((lostNs - fromNs) / bucketNs);
    if (at >= 0 && at < buckets) lost[at]!++;
  }
  return { key: hop.key, count, worstNs, overBudget, lost };
}
