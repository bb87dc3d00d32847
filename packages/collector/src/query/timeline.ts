// GET /api/v1/sessions/{key}/timeline: the frames of a window as levels of
// detail. Per hop and bucket how many, the worst (never the mean), how many
// over budget and how many lost: cost is buckets × hops at any call length.

import { FRAME_FLAG, NS_PER_MS, type Timeline, type TimelineHop } from '@framescope/protocol';
import type { JoinedHop } from '../assemble/frames/types.ts';

export interface TimelineWindow {
  readonly fromNs: number;
  readonly toNs: number;
  /** As many as asked, or fewer: at most one a pixel. */
  readonly buckets: number;
}

/** Power-of-two milliseconds, so that the buckets of neighbouring windows line up. */
export function bucketWidthNs({ fromNs, toNs, buckets }: TimelineWindow): number {
  let widthNs = NS_PER_MS;
  while (Math.ceil(toNs / widthNs) - Math.floor(fromNs / widthNs) > buckets) widthNs *= 2;
  return widthNs;
}

/** Buckets from the last edge at or before `fromNs` to the first at or after `toNs`. */
export function timelineOf(hops: readonly JoinedHop[], window: TimelineWindow): Timeline {
  const bucketNs = bucketWidthNs(window);
  const fromNs = Math.floor(window.fromNs / bucketNs) * bucketNs;
  const count = Math.max(1, Math.ceil((window.toNs - fromNs) / bucketNs));
  return {
    fromNs,
    toNs: fromNs + count * bucketNs,
    bucketNs,
    hops: hops.map(hop => timelineHop(hop, { fromNs, bucketNs, count })),
  };
}

interface Grid {
  readonly fromNs: number;
  readonly bucketNs: number;
  readonly count: number;
}

function timelineHop(hop: JoinedHop, grid: Grid): TimelineHop {
  const count = new Uint32Array(grid.count);
  const worstNs = new Float64Array(grid.count);
  const overBudget = new Uint32Array(grid.count);
  const lost = new Uint32Array(grid.count);
  const bucketOf = (atNs: number): number => Math.floor((atNs - grid.fromNs) / grid.bucketNs);
  for (let row = 0; row < hop.length; row++) {
    const bucket = bucketOf(hop.atNs[row]!);
    if (bucket < 0 || bucket >= grid.count) continue;
    const flags = hop.flags[row]!;
    count[bucket]!++;
    worstNs[bucket] = Math.max(worstNs[bucket]!, hop.latencyNs[row]!);
    if ((flags & FRAME_FLAG.overBudget) !== 0) overBudget[bucket]!++;
    if ((flags & (FRAME_FLAG.lost | FRAME_FLAG.concealed)) !== 0) lost[bucket]!++;
  }
  return {
    key: hop.key,
    count: Array.from(count),
    worstNs: Array.from(worstNs),
    overBudget: Array.from(overBudget),
    lost: Array.from(lost),
  };
}
