// In which order a stream's hops are passed: declared (`after`), else by least
// transit; where the clocks cannot tell, by the usual order of roles and hops.
//
// Each pair of hops plays once: the one that frames usually pass first wins. The
// number of hops that a hop comes after is its place. That stays sound where
// pairwise results contradict each other, and no sort by tolerance does.

import type { HopRows } from './hop-rows.ts';

export interface OrderedHop {
  /** `agent/receive`: role and name, with `#2` for the second. */
  readonly path: string;
  readonly role: string;
  readonly name: string;
  readonly nth: number;
  /** Declared predecessor, as a path. */
  readonly after?: string;
  readonly rows: HopRows;
  /** Where its marks began, when those are gone; absent: with the first row. */
  readonly firstTick?: number;
  /** Corrected time of each row. */
  readonly atNs: Float64Array;
  /** How wrong it may be against other clocks. */
  readonly errorNs: number;
}

/** Ticks looked at: enough for a median, few enough to cost nothing. */
const SAMPLES = 48;
const ROLES = { up: ['client', 'edge', 'agent'], down: ['', 'agent', 'edge', 'client'] } as const;
const NAMES: readonly string[] = [
  'tts',
  'receive',
  'jitter_buffer',
  'decode',
  'capture',
  'regroup',
  'vad',
  'stt',
  'playout',
  'encode',
  'send',
];

/** From the mouth (up) or to the ear (down). Instances of one path stand side by side. */
export function pathOrder<T extends OrderedHop>(hops: readonly T[], direction: 'up' | 'down'): T[] {
  const passed = hops.map(() => 0);
  for (let a = 0; a < hops.length; a++)
    for (let b = a + 1; b < hops.length; b++)
      if (comesFirst(hops[a]!, hops[b]!, direction)) passed[b]!++;
      else passed[a]!++;
  const places = hops.map((hop, i) => ({ hop, place: passed[i]!, rank: rankOf(hop, direction) }));
  places.sort((a, b) => a.place - b.place || a.rank - b.rank);
  return declaredOrder(places.map(one => one.hop));
}

/** Keeps the order but for hops that say after whom they come. */
function declaredOrder<T extends OrderedHop>(hops: readonly T[]): T[] {
  const left = [...hops];
  const ordered: T[] = [];
  const isFree = (hop: T): boolean =>
    hop.after === undefined || !left.some(one => one !== hop && one.path === hop.after);
  while (left.length > 0) {
    // Declared in a circle: nobody is free, the first goes.
    const next = Math.max(0, left.findIndex(isFree));
    ordered.push(...left.splice(next, 1));
  }
  return ordered;
}

function comesFirst(a: OrderedHop, b: OrderedHop, direction: 'up' | 'down'): boolean {
  const transitNs = medianTransitNs(a, b);
  const isClear = transitNs !== undefined && Math.abs(transitNs) > a.errorNs + b.errorNs;
  if (isClear && transitNs !== 0) return transitNs > 0;
  return rankOf(a, direction) <= rankOf(b, direction);
}

/** Time from a to b on ticks both saw; undefined if they share none. */
function medianTransitNs(a: OrderedHop, b: OrderedHop): number | undefined {
  const transits: number[] = [];
  const step = Math.max(1, Math.floor(a.rows.length / SAMPLES));
  for (let row = 0; row < a.rows.length; row += step) {
    const other = b.rows.rowOf(a.rows.endTick[row]! - 1);
    if (other >= 0) transits.push(b.atNs[other]! - a.atNs[row]!);
  }
  transits.sort((x, y) => x - y);
  return transits[transits.length >> 1];
}

/** The usual place of a role and a hop; unknown roles stand at the far end from the client. */
function rankOf({ role, name, nth }: OrderedHop, direction: 'up' | 'down'): number {
  const roles: readonly string[] = ROLES[direction];
  const known = roles.indexOf(role);
  const place = known >= 0 ? known : direction === 'up' ? roles.length : 0;
  const at = NAMES.indexOf(name);
  return place * 1_000 + (at < 0 ? NAMES.length : at) * 10 + Math.min(nth, 9);
}
