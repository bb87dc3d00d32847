// GET /api/v1/sessions/{key}/frames: every frame at every hop in a window.

import type { FramesHop } from '@framescope/protocol';
import { wallOffsetNs } from '../assemble/clock/session-clocks.ts';
import type { HopFrames } from '../assemble/frames/stream-frames.ts';
import type { FramesQuery } from './queries.types.ts';
import { sessionFrames } from './session-frames.ts';

/** 33 bytes each in binary: an answer of 6.6 MB at most. */
const ROWS_MAX = 200_000;
/** Marks are kept to 10 µs, and their correction is a straight line over 134 ms. */
const MARK_ERROR_NS = 12_000;

export const frames: FramesQuery = async (context, sessionKey, window) => {
  const session = await sessionFrames(context, sessionKey);
  if (session === undefined) return undefined;
  const fromNs = window.fromNs ?? 0;
  const toNs = window.toNs ?? session.durationNs + 1;
  const hops = session.streams.flatMap(stream => stream.hops);
  const rows = hops.map(hop => rowsIn(hop, fromNs, toNs));
  const total = rows.reduce((sum, list) => sum + list.length, 0);
  // Too much: every hop keeps the beginning of the window, so that all show the same stretch.
  const share = Math.min(1, ROWS_MAX / Math.max(total, 1));
  return {
    fromNs,
    toNs,
    truncated: share < 1,
    hops: hops.map((hop, i) =>
      hopWindow(hop, rows[i]!.subarray(0, Math.ceil(rows[i]!.length * share)), session.zeroUnixNs),
    ),
  };
};

/** Rows whose time at this hop lies in the window, ascending by tick. */
function rowsIn({ rows, atNs }: HopFrames, fromNs: number, toNs: number): Int32Array {
  const found = new Int32Array(rows.length);
  let count = 0;
  for (let row = 0; row < rows.length; row++)
    if (atNs[row]! >= fromNs && atNs[row]! < toNs) found[count++] = row;
  return found.subarray(0, count);
}

function hopWindow(hop: HopFrames, found: Int32Array, zeroUnixNs: bigint): FramesHop {
  const { rows, clock } = hop;
  const middle = found.length > 0 ? found[found.length >> 1]! : rows.length - 1;
  const rawNs = rows.rawNs[middle]!;
  const pick = (column: ArrayLike<number>): Float64Array =>
    Float64Array.from(found, row => column[row]!);
  return {
    key: hop.key,
    errorNs: hop.latencyErrorNs + MARK_ERROR_NS,
    rawShiftNs: -wallOffsetNs(clock, rawNs, zeroUnixNs),
    length: found.length,
    startTick: pick(rows.startTick),
    endTick: pick(rows.endTick),
    atNs: pick(hop.atNs),
    // NaN, in JSON null: not yet sent, its age means nothing.
    latencyNs: pick(hop.latencyNs),
    flags: Uint8Array.from(found, row => hop.flags[row]!),
  };
}
