// Speech as a tint that travels with its frames: a stretch heard at one end is
// the same ticks at every hop, only later.

import type { Lanes } from './lanes.ts';
import type { Rows } from './train.ts';
import { lowerBound, toX, type TimeScale } from './time-scale.ts';

export interface TickRange {
  readonly startTick: number;
  readonly endTick: number;
}

/** A stretch of speech seen at one leg: four corners. */
export interface Tint {
  readonly leg: number;
  readonly who: 'user' | 'agent';
  readonly topLeft: number;
  readonly topRight: number;
  readonly bottomLeft: number;
  readonly bottomRight: number;
}

export interface Stretch {
  readonly startNs: number;
  readonly endNs: number;
}

/** A pause between two frames longer than this is no speech, whoever says so. */
const PAUSE_NS = 300_000_000;

/** Ticks that passed a hop in a stretch of time, parted where nothing passed for a while. */
export function ticksDuring(rows: Rows, stretch: Stretch): TickRange[] {
  const ranges: { startTick: number; endTick: number }[] = [];
  let lastNs = -Infinity;
  for (let i = lowerBound(rows.atNs, rows.length, stretch.startNs); i < rows.length; i++) {
    const atNs = rows.atNs[i]!;
    if (atNs >= stretch.endNs) break;
    const open = ranges.at(-1);
    if (open && atNs - lastNs <= PAUSE_NS) open.endTick = rows.endTick[i]!;
    else ranges.push({ startTick: rows.startTick[i]!, endTick: rows.endTick[i]! });
    lastNs = atNs;
  }
  return ranges;
}

export interface SpeechInput {
  readonly lanes: Lanes;
  readonly rows: ReadonlyMap<string, Rows>;
  readonly scale: TimeScale;
  readonly isRaw: boolean;
  readonly user: readonly Stretch[];
  readonly agent: readonly Stretch[];
}

/** Tick ranges of speech by stream: the user's at the mouth, the agent's at the ear. */
export function speechTicks(input: SpeechInput): Map<string, TickRange[]> {
  const ranges = new Map<string, TickRange[]>();
  const { stations } = input.lanes;
  const add = (key: string | undefined, stretches: readonly Stretch[]): void => {
    const station = stations.find(one => one.key === key);
    const rows = station ? input.rows.get(station.key) : undefined;
    if (!station || !rows) return;
    const found = stretches.flatMap(stretch => ticksDuring(rows, stretch));
    ranges.set(station.stream, [...(ranges.get(station.stream) ?? []), ...found]);
  };
  add(stations.find(one => one.direction === 'up')?.key, input.user);
  add(stations.findLast(one => one.direction === 'down')?.key, input.agent);
  return ranges;
}

/** Corners of each stretch at each leg that it crosses. */
export function layoutTints(
  input: SpeechInput,
  speech: ReadonlyMap<string, readonly TickRange[]>,
): Tint[] {
  const { stations, legs } = input.lanes;
  return legs.flatMap((leg, index) => {
    const from = stations[leg.from]!;
    const top = input.rows.get(from.key);
    const bottom = input.rows.get(stations[leg.to]!.key);
    if (!top || !bottom) return [];
    const who = from.direction === 'up' ? ('user' as const) : ('agent' as const);
    return (speech.get(from.stream) ?? []).flatMap(range => {
      const above = ticksSpan(top, range);
      const below = ticksSpan(bottom, range);
      // A piece that comes ahead of time in bursts has a fan of its own.
      if (!above || !below || (above.endNs - above.startNs) * 2 < below.endNs - below.startNs)
        return [];
      const x = (rows: Rows, atNs: number): number =>
        toX(input.scale, atNs - (input.isRaw ? rows.rawShiftNs : 0));
      return {
        leg: index,
        who,
        topLeft: x(top, above.startNs),
        topRight: x(top, above.endNs),
        bottomLeft: x(bottom, below.startNs),
        bottomRight: x(bottom, below.endNs),
      };
    });
  });
}

/** When the ticks of a range passed a hop, as far as its rows are here; undefined: none did. */
export function ticksSpan(rows: Rows, range: TickRange): Stretch | undefined {
  const first = lowerBound(rows.endTick, rows.length, range.startTick + 1);
  const last = lowerBound(rows.startTick, rows.length, range.endTick) - 1;
  if (first >= rows.length || last < first) return undefined;
  return { startNs: rows.atNs[first]!, endNs: rows.atNs[last]! };
}
