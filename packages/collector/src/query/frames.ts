// GET /api/v1/sessions/{key}/frames: every mark of a window, joined and corrected.

import type { FramesHop, FramesWindow } from '@framescope/protocol';
import type { JoinedHop } from '../assemble/frames/types.ts';

/** One answer's most: 300,000 marks are 10 MB in binary, some 20 s of 50 lanes. */
export const FRAMES_LIMIT = 300_000;

/** Rows of a hop whose time is in [fromNs, toNs); a row counts where it left the hop. */
export function framesWindow(
  hops: readonly JoinedHop[],
  window: { readonly fromNs: number; readonly toNs: number },
): FramesWindow {
  let left = FRAMES_LIMIT;
  let isTruncated = false;
  const cut = hops.map(hop => {
    const rows = rowsInside(hop, window);
    if (rows.length > left) isTruncated = true;
    const taken = rows.subarray(0, left);
    left -= taken.length;
    return take(hop, taken);
  });
  return { ...window, truncated: isTruncated, hops: cut };
}

/** Times are nearly, not surely, ascending: a late mark stands at its tick, not at its time. */
function rowsInside(hop: JoinedHop, window: { fromNs: number; toNs: number }): Uint32Array {
  const rows = new Uint32Array(hop.length);
  let count = 0;
  for (let row = 0; row < hop.length; row++) {
    const atNs = hop.atNs[row]!;
    if (atNs >= window.fromNs && atNs < window.toNs) rows[count++] = row;
  }
  return rows.subarray(0, count);
}

function take(hop: JoinedHop, rows: Uint32Array): FramesHop {
  const column = (from: ArrayLike<number>): Float64Array =>
    Float64Array.from(rows, row => from[row]!);
  return {
    key: hop.key,
    errorNs: hop.errorNs,
    rawShiftNs: hop.rawShiftNs,
    length: rows.length,
    startTick: column(hop.startTick),
    endTick: column(hop.endTick),
    atNs: column(hop.atNs),
    latencyNs: column(hop.latencyNs),
    flags: Uint8Array.from(rows, row => hop.flags[row]!),
  };
}
