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

/** Rows stand in order of ticks, which is nearly that of time: whole blocks of them lie outside a window. */
const BLOCK_ROWS = 1_024;
const extentsKnown = new WeakMap<HopFrames, Float64Array>();

/** First and last time of each block of rows, found once: frames that are judged anew are new objects. */
function extentsOf(hop: HopFrames): Float64Array {
  const known = extentsKnown.get(hop);
  if (known !== undefined) return known;
  const { atNs, rows } = hop;
  const extents = new Float64Array(2 * Math.ceil(rows.length / BLOCK_ROWS));
  for (let block = 0; block * BLOCK_ROWS < rows.length; block++) {
    let [first, last] = [Infinity, -Infinity];
    const end = Math.min(rows.length, (block + 1) * BLOCK_ROWS);
    for (let row = block * BLOCK_ROWS; row < end; row++) {
      const at = atNs[row]!;
      if (at < first) first = at;
      if (at > last) last = at;
    }
    extents[2 * block] = first;
    extents[2 * block + 1] = last;
  }
  extentsKnown.set(hop, extents);
  return extents;
}

function bucketed(hop: HopFrames, { fromNs, bucketNs, buckets }: Grid): TimelineHop {
  const count = Array.from({ length: buckets }, () => 0);
  const worstNs = Array.from({ length: buckets }, () => 0);
  const overBudget = Array.from({ length: buckets }, () => 0);
  const lost = Array.from({ length: buckets }, () => 0);
  const { rows, atNs, latencyNs, flags } = hop;
  const over = hop.budgetNs === null ? FRAME_FLAG.late : FRAME_FLAG.overBudget;
  const toNs = fromNs + buckets * bucketNs;
  const extents = extentsOf(hop);
  for (let block = 0; block * BLOCK_ROWS < rows.length; block++) {
    if (extents[2 * block]! >= toNs || extents[2 * block + 1]! < fromNs) continue;
    const end = Math.min(rows.length, (block + 1) * BLOCK_ROWS);
    for (let row = block * BLOCK_ROWS; row < end; row++) {
      const at = Math.floor((atNs[row]! - fromNs) / bucketNs);
      if (at < 0 || at >= buckets) continue;
      count[at]!++;
      if (latencyNs[row]! > worstNs[at]!) worstNs[at] = latencyNs[row]!;
      if ((flags[row]! & over) !== 0) overBudget[at]!++;
    }
  }
  for (const { atNs: lostNs } of [...hop.lost, ...hop.concealed]) {
    const at = Math.floor((lostNs - fromNs) / bucketNs);
    if (at >= 0 && at < buckets) lost[at]!++;
  }
  return { key: hop.key, count, worstNs, overBudget, lost };
}
