// What media stacks and players said of the streams of a session: the last
// intervals of each stream and role, and their sum.

import {
  durationNs,
  type MediaDetail,
  type MediaFigures,
  type MediaIntervalState,
} from '@framescope/protocol';
import type { ClockKey } from './clock/clock-graph.ts';
import type { SessionClocks } from './clock/session-clocks.ts';

/** An hour of one stream, of a look each second. */
const INTERVALS_MAX = 3_600;
/** Streams × roles of a session. */
const PLACES_MAX = 64;
/** Rows that a session's detail shows. */
const SHOWN = 120;

interface Interval {
  readonly state: MediaIntervalState;
  readonly clock: ClockKey;
}

interface Place {
  readonly stream: string;
  readonly role: string;
  readonly intervals: Interval[];
}

type Figure = keyof MediaFigures;
const MEANS: readonly Figure[] = [
  'jitterBufferNs',
  'jitterBufferTargetNs',
  'playoutNs',
  'rttNs',
  'jitterNs',
];

/** All that was told of one stream in one process. */
export interface MediaTotal {
  readonly stream: string;
  readonly clock: ClockKey;
  readonly seconds: number;
  readonly total: MediaFigures;
}

export class MediaLog {
  readonly #places = new Map<string, Place>();

  /** False when a session has too many streams and roles. */
  add(state: MediaIntervalState, clock: ClockKey): boolean {
    const { stream, role } = state;
    const key = JSON.stringify([stream, role]);
    let place = this.#places.get(key);
    if (place === undefined) {
      if (this.#places.size >= PLACES_MAX) return false;
      place = { stream, role, intervals: [] };
      this.#places.set(key, place);
    }
    place.intervals.push({ state, clock });
    if (place.intervals.length > INTERVALS_MAX) place.intervals.shift();
    return true;
  }

  /** By stream and role, each on the clock of its last interval. */
  totals(): MediaTotal[] {
    return [...this.#places.values()].flatMap(({ stream, intervals }) => {
      const last = intervals.at(-1);
      if (last === undefined) return [];
      const total = totalOf(intervals.map(one => one.state.figures));
      return [{ stream, clock: last.clock, seconds: intervals.length, total }];
    });
  }

  /** By role, of one stream. */
  of(stream: string, clocks: SessionClocks): MediaDetail[] {
    const places = [...this.#places.values()].filter(place => place.stream === stream);
    return places.map(({ role, intervals }) => ({
      role,
      count: intervals.length,
      total: totalOf(intervals.map(one => one.state.figures)),
      intervals: intervals.slice(-SHOWN).map(({ state, clock }) => ({
        startNs: clocks.map(clock).toSession(state.fromAt),
        endNs: clocks.map(clock).toSession(state.toAt),
        figures: state.figures,
      })),
    }));
  }
}

/** Counts add up; times are the mean of the intervals that know them; a least is the least. */
function totalOf(all: readonly MediaFigures[]): MediaFigures {
  const total: Partial<Record<Figure, number>> = {};
  const names = new Set(all.flatMap(one => Object.keys(one) as Figure[]));
  for (const name of names) {
    const values = all.flatMap(one => one[name] ?? []);
    const sum = values.reduce((a, b) => a + b, 0);
    if (name === 'fillSamplesMin') total[name] = values.reduce((a, b) => Math.min(a, b));
    else total[name] = MEANS.includes(name) ? durationNs(Math.round(sum / values.length)) : sum;
  }
  return total as MediaFigures;
}
