// Several instances of one hop: a second agent took over, a client came back, two
// relays stand in a row. Each keeps its own marks and its own line in the chart.
//
//   hand-over      agent-1  ████████░░░░░░░     one place of the path: what neither
//                  agent-2  ░░░░░░░░███████     of them saw was lost there
//
//   in a row       edge-1   ███████████████     two places: each may lose frames
//                  edge-2   ███████████████
//
// What was lost is judged for places; times and ages are each instance's own.

import { HopRows } from './hop-rows.ts';
import type { HopFrames } from './stream-frames.ts';
import type { OrderedHop } from './path-order.ts';

/** A place of the path, and who stood there. */
export interface Place<T extends OrderedHop> {
  readonly instances: readonly T[];
  /** All of their marks; the first passing of a frame counts. */
  readonly all: T;
}

/** Sharing more of its ticks than this with another, an instance is no successor but stands beside it. */
const SHARED_MAX = 0.5;

/** Instances of one path, put together where one followed the other. */
export function placesOf<T extends OrderedHop>(hops: readonly T[]): Place<T>[] {
  const byPath = new Map<string, T[]>();
  for (const hop of hops) {
    const same = byPath.get(hop.path);
    if (same === undefined) byPath.set(hop.path, [hop]);
    else same.push(hop);
  }
  return [...byPath.values()].flatMap(instances =>
    relays(instances).map(group => ({ instances: group, all: merged(group) })),
  );
}

const firstTick = (hop: OrderedHop): number => hop.rows.startTick[0]!;
const endTick = (hop: OrderedHop): number => hop.rows.endTick[hop.rows.length - 1]!;

function relays<T extends OrderedHop>(instances: readonly T[]): T[][] {
  const groups: T[][] = [];
  for (const hop of instances.toSorted((a, b) => firstTick(a) - firstTick(b))) {
    const group = groups.find(one => isSuccessor(hop, one.at(-1)!));
    if (group === undefined) groups.push([hop]);
    else group.push(hop);
  }
  return groups;
}

function isSuccessor(hop: OrderedHop, before: OrderedHop): boolean {
  const shared = Math.min(endTick(before), endTick(hop)) - firstTick(hop);
  const shorter = Math.min(endTick(hop) - firstTick(hop), endTick(before) - firstTick(before));
  return shared <= shorter * SHARED_MAX;
}

function merged<T extends OrderedHop>(group: readonly T[]): T {
  const [first] = group;
  if (group.length === 1) return first!;
  const rows = new HopRows();
  // The column of raw times carries the corrected ones here: one merge for both.
  for (const hop of group)
    rows.add(
      {
        length: hop.rows.length,
        startTick: hop.rows.startTick,
        endTick: hop.rows.endTick,
        atNs: hop.atNs,
      },
      0,
    );
  const errorNs = Math.max(...group.map(hop => hop.errorNs));
  return { ...first!, rows, atNs: rows.rawNs.slice(0, rows.length), errorNs };
}

/** Which of the instances was in charge at `atNs`: the last one that had begun. */
export function inChargeAt(instances: readonly OrderedHop[], atNs: number): number {
  const begun = instances.findLastIndex(hop => hop.atNs[0]! <= atNs);
  return Math.max(0, begun);
}

/** Of the instances of `like`'s path the one that saw `tick`; `like` itself where none did. */
export const instanceWith = <T extends OrderedHop>(
  hops: readonly T[],
  like: T | undefined,
  tick: number,
): T | undefined => hops.find(hop => hop.path === like?.path && hop.rows.rowOf(tick) >= 0) ?? like;

/** Session time at which a tick passed the hop nearest to the mouth or the ear. */
export function timeAt(hop: HopFrames | undefined, tick: number): number | undefined {
  const row = hop?.rows.rowOf(tick) ?? -1;
  return row < 0 ? undefined : hop!.atNs[row]!;
}
