// What became of each frame: in time, late, lost or concealed. One class each,
// counted once, at the first hop that missed it.
//
//   lost       passed hop n; hop n+1 is 2 s beyond it, in media and in time, and
//              never saw it. Declared drops (a barge-in cancels what was queued)
//              and silence are nobody's loss.
//   late       left the sender in time, and came after its turn to be played
//   concealed  the client made something up though the frame had not been lost

import { NS_PER_S } from '@framescope/protocol';
import { mergedCut, missingTicks, type Cut } from './join.ts';
import { lastAtOrBelow } from './hop-rows.ts';
import type { OrderedHop } from './path-order.ts';

/** How far the next hop must be beyond a frame before it is called lost. */
export const LOST_AFTER_NS: number = 2 * NS_PER_S;

/** A range that a process declared, corrected. */
export interface DeclaredRange {
  readonly kind: 'conceal' | 'drop' | 'silence';
  readonly path: string;
  readonly startTick: number;
  readonly endTick: number;
  readonly atNs: number;
}

/** What each hop missed, by rows of the hop before it; `lost[i]` is 1 for rows that got no further. */
export interface Fates {
  /** For each hop: rows whose frame the next hop lost. */
  readonly lostNext: readonly Uint8Array[];
  /** For each hop: rows that came after their turn. */
  readonly late: readonly Uint8Array[];
  /** For each hop: the frames it lost, by the time they passed the hop before. */
  readonly lost: readonly (readonly Missed[])[];
  /** Of its process the first: late frames are counted there, and nowhere else. */
  readonly countsLate: readonly boolean[];
  /** For each hop: what it made up, by time. */
  readonly concealed: readonly (readonly Missed[])[];
  readonly watermarkTick: readonly number[];
}

/** A frame that a hop did not have. */
export interface Missed {
  readonly endTick: number;
  readonly atNs: number;
}

export interface FateInput {
  /** In path order. */
  readonly hops: readonly OrderedHop[];
  readonly ranges: readonly DeclaredRange[];
  readonly sampleRate: number;
}

export function fatesOf(input: FateInput): Fates {
  const { hops } = input;
  const before = hops.map((_, i) => previousOf(hops, i));
  const late = lateRows(input);
  const lostNext = hops.map(hop => new Uint8Array(hop.rows.length));
  const lost = hops.map((_, i) => {
    const from = before[i];
    return from === undefined
      ? []
      : markLost({ input, from, to: i, late: late[from]! }, lostNext[from]!);
  });
  return {
    lostNext,
    late,
    lost,
    countsLate: hops.map((_, i) => isFirstOfProcess(hops, i)),
    concealed: hops.map((_, i) => concealedAt(input, i, late)),
    watermarkTick: hops.map((_, i) => watermarkOf(input, i)),
  };
}

/** The hop before: the declared one if it is there, else the one before in the path. */
export function previousOf(hops: readonly OrderedHop[], at: number): number | undefined {
  const { after } = hops[at]!;
  const declared = after === undefined ? -1 : hops.findIndex(hop => hop.path === after);
  if (declared >= 0 && declared !== at) return declared;
  return at > 0 ? at - 1 : undefined;
}

const isFirstOfProcess = (hops: readonly OrderedHop[], at: number): boolean =>
  hops.findIndex(hop => hop.role === hops[at]!.role) === at;

interface LostInput {
  readonly input: FateInput;
  readonly from: number;
  readonly to: number;
  /** Rows of `from` that came too late: that is their class. */
  readonly late: Uint8Array;
}

/** Flags the rows of `from` that never reached `to`; answers them. */
function markLost({ input, from, to, late }: LostInput, flags: Uint8Array): Missed[] {
  const { hops, ranges, sampleRate } = input;
  const { rows, atNs } = hops[from]!;
  const next = hops[to]!;
  if (next.rows.length === 0) return [];
  const missing = missingTicks(rows, passedCut(next, ranges));
  const front = next.rows.endTick[next.rows.length - 1]! - (LOST_AFTER_NS / NS_PER_S) * sampleRate;
  const newestNs = latest(next.atNs, next.rows.length) - LOST_AFTER_NS;
  const firstTick = next.firstTick ?? next.rows.startTick[0]!;
  const lost: Missed[] = [];
  for (let row = 0; row < rows.length; row++) {
    if (missing[row] === 0 || late[row] === 1 || rows.startTick[row]! < firstTick) continue;
    if (rows.endTick[row]! > front || atNs[row]! > newestNs) continue;
    flags[row] = 1;
    lost.push({ endTick: rows.endTick[row]!, atNs: atNs[row]! });
  }
  return lost;
}

/** Marks are nearly in order of time: the newest is among the last few hundred. */
function latest(atNs: Float64Array, length: number): number {
  let newest = -Infinity;
  for (let row = Math.max(0, length - 256); row < length; row++)
    newest = Math.max(newest, atNs[row]!);
  return newest;
}

/** What went through a hop, or was declared not to. */
function passedCut(hop: OrderedHop, ranges: readonly DeclaredRange[]): Cut {
  const own = ranges.filter(range => range.path === hop.path || range.kind === 'silence');
  return mergedCut([hop.rows, cutOfRanges(own)]);
}

function cutOfRanges(ranges: readonly DeclaredRange[]): Cut {
  const sorted = ranges.toSorted((a, b) => a.startTick - b.startTick);
  return {
    length: sorted.length,
    startTick: sorted.map(range => range.startTick),
    endTick: sorted.map(range => range.endTick),
  };
}

/** Concealed here, of frames that the hop before had in time: the others are lost or late already. */
function concealedAt(
  { hops, ranges }: FateInput,
  at: number,
  late: readonly Uint8Array[],
): readonly Missed[] {
  const from = previousOf(hops, at);
  const own = ranges.filter(range => range.kind === 'conceal' && range.path === hops[at]!.path);
  if (from === undefined) return own;
  const before = hops[from]!.rows;
  return own.filter(({ startTick, endTick }) => {
    const row = before.rowOf(startTick);
    return row >= 0 && before.endTick[row]! >= endTick && late[from]![row] === 0;
  });
}

/** Rows, at the hops of the process that plays, of frames whose turn had passed when they came. */
function lateRows({ hops, ranges, sampleRate }: FateInput): Uint8Array[] {
  const late = hops.map(hop => new Uint8Array(hop.rows.length));
  const playoutAt = hops.findIndex(hop => hop.name === 'playout');
  if (playoutAt < 0) return late;
  const due = dueOf(hops[playoutAt]!, ranges, sampleRate);
  const sender = hops.findLast((hop, i) => i < playoutAt && hop.role !== hops[playoutAt]!.role);
  hops.forEach((hop, i) => {
    if (i >= playoutAt || hop.role !== hops[playoutAt]!.role) return;
    for (let row = 0; row < hop.rows.length; row++) {
      const dueNs = due(hop.rows.startTick[row]!);
      if (dueNs === undefined || hop.atNs[row]! <= dueNs) continue;
      if (sentInTime(sender, hop.rows.startTick[row]!, dueNs)) late[i]![row] = 1;
    }
  });
  return late;
}

/** A frame that was not even sent when it was due is a pause of the speaker, not a late frame. */
function sentInTime(sender: OrderedHop | undefined, tick: number, dueNs: number): boolean {
  if (sender === undefined) return true;
  const row = sender.rows.rowOf(tick);
  return row >= 0 && sender.atNs[row]! < dueNs;
}

/** When a tick was due to sound: when something was made up for it, or when the frame before it ended. */
function dueOf(
  playout: OrderedHop,
  ranges: readonly DeclaredRange[],
  sampleRate: number,
): (tick: number) => number | undefined {
  const concealed = ranges
    .filter(range => range.kind === 'conceal' && range.path === playout.path)
    .toSorted((a, b) => a.startTick - b.startTick);
  const starts = concealed.map(range => range.startTick);
  const { rows, atNs } = playout;
  return tick => {
    const range = concealed[lastAtOrBelow(starts, starts.length, tick)];
    if (range !== undefined && tick < range.endTick) return range.atNs;
    const row = lastAtOrBelow(rows.startTick, rows.length, tick - 1);
    if (row < 0 || rows.endTick[row] !== tick) return undefined;
    const lengthNs = ((tick - rows.startTick[row]!) / sampleRate) * NS_PER_S;
    // A device's clock jitters by a millisecond or two: that is no underrun.
    return atNs[row]! + lengthNs + DUE_SLACK_NS;
  };
}

const DUE_SLACK_NS = 2_000_000;

/** Highest tick before which every frame passed or was declared lost. */
function watermarkOf({ hops, ranges, sampleRate }: FateInput, at: number): number {
  const cut = passedCut(hops[at]!, ranges);
  if (hops[at]!.rows.length === 0) return 0;
  const front = hops[at]!.rows.endTick[hops[at]!.rows.length - 1]!;
  const lostTicks = (LOST_AFTER_NS / NS_PER_S) * sampleRate;
  let mark = cut.startTick[0]!;
  for (let row = 0; row < cut.length; row++) {
    const start = cut.startTick[row]!;
    if (start > mark && start + lostTicks > front) break;
    mark = Math.max(mark, cut.endTick[row]!);
  }
  return mark;
}
