// When each sample of a microphone was due: the media schedule.
//
// A microphone is an open-loop source: sample m exists at T0 + m / rate, whether
// or not a callback ran. A mark can only be late, so the schedule is a line that
// lies under all marks of the first hop and touches them (least sum of what is
// above it), with the skew of the sound card against our clock:
//
//   lateness │        ╲ stall of 400 ms: 20 frames stamped together
//            │         ╲
//            │ ·.··.·.· ╲·.·..·.··   ← jitter of the callback
//            │────────────────────   the schedule
//            └───────────────────▶ media time
//
// Against it the frames of a stall are as old as they were. If the lateness never
// comes back, the media axis itself was cut (capture stopped and went on): then a
// new line starts there.

import { NS_PER_S } from '@framescope/protocol';
import type { Cut } from './join.ts';

export interface Schedule {
  /** Session time at which the sample before `tick` was complete. Not rounded. */
  at(tick: number): number;
}

interface Line {
  readonly fromNs: number;
  readonly originNs: number;
  readonly atOriginNs: number;
  /** Ns of session time per ns of media time. */
  readonly slope: number;
}

/** A point: media time of a frame's end, and how much later than media time it was marked. */
interface Point {
  readonly mediaNs: number;
  readonly latenessNs: number;
}

/** Sound cards are within 200 ppm; with the clock's own error, twice that. */
const SKEW_MAX = 500e-6;
/** Below this length jitter would pass for skew. */
const SKEW_SPAN_NS: number = 10 * NS_PER_S;
/** So much lasting lateness is a cut of the axis, if it lasts for `CUT_SPAN_S`. */
const CUT_NS = 150_000_000;
const CUT_SPAN_S = 10;

/** From the marks of a stream's first hop, corrected. Undefined without marks. */
export function scheduleOf(
  cut: Cut,
  atNs: ArrayLike<number>,
  sampleRate: number,
): Schedule | undefined {
  const points = earliestOfEachSecond(cut, atNs, sampleRate);
  const lines = segments(points).map(lineUnder);
  const [first] = lines;
  if (first === undefined) return undefined;
  return {
    at(tick) {
      const mediaNs = (tick / sampleRate) * NS_PER_S;
      let line = first;
      for (const next of lines) {
        if (next.fromNs > mediaNs) break;
        line = next;
      }
      return line.atOriginNs + (mediaNs - line.originNs) * line.slope;
    },
  };
}

/** The least late frame of each second of media time: enough for a line from below. */
function earliestOfEachSecond(cut: Cut, atNs: ArrayLike<number>, sampleRate: number): Point[] {
  const points: Point[] = [];
  let second = -1;
  for (let row = 0; row < cut.length; row++) {
    const mediaNs = (cut.endTick[row]! / sampleRate) * NS_PER_S;
    const point = { mediaNs, latenessNs: atNs[row]! - mediaNs };
    const its = Math.floor(mediaNs / NS_PER_S);
    if (its !== second) points.push(point);
    else if (point.latenessNs < points.at(-1)!.latenessNs) points[points.length - 1] = point;
    second = its;
  }
  return points;
}

/** Cuts where the lateness rises and does not come back. */
function segments(points: readonly Point[]): Point[][] {
  const parts: Point[][] = [];
  let current: Point[] = [];
  let least = Infinity;
  points.forEach((point, i) => {
    const ahead = points.slice(i, i + CUT_SPAN_S);
    const lasts = ahead.length === CUT_SPAN_S && Math.min(...ahead.map(one => one.latenessNs));
    const driftNs = current.length * NS_PER_S * SKEW_MAX;
    if (current.length > 0 && lasts !== false && lasts - least > CUT_NS + driftNs) {
      parts.push(current);
      current = [];
      least = Infinity;
    }
    current.push(point);
    least = Math.min(least, point.latenessNs);
  });
  if (current.length > 0) parts.push(current);
  return parts;
}

/** The line under all points with the least sum of distances: the hull edge under their mean. */
function lineUnder(points: readonly Point[]): Line {
  const fromNs = points[0]!.mediaNs - NS_PER_S;
  const spanNs = points.at(-1)!.mediaNs - points[0]!.mediaNs;
  const meanNs = points.reduce((sum, point) => sum + point.mediaNs, 0) / points.length;
  const hull = lowerHull(points);
  const right = hull.findIndex(point => point.mediaNs >= meanNs);
  const a = hull[Math.max(0, right - 1)]!;
  const b = hull[right] ?? a;
  const rise = b.mediaNs > a.mediaNs ? (b.latenessNs - a.latenessNs) / (b.mediaNs - a.mediaNs) : 0;
  const skew = spanNs < SKEW_SPAN_NS ? 0 : Math.max(-SKEW_MAX, Math.min(SKEW_MAX, rise));
  // Touches from below whatever the skew is: the least of what is left above it.
  let latenessNs = Infinity;
  for (const point of hull)
    latenessNs = Math.min(latenessNs, point.latenessNs - (point.mediaNs - a.mediaNs) * skew);
  return { fromNs, originNs: a.mediaNs, atOriginNs: a.mediaNs + latenessNs, slope: 1 + skew };
}

function lowerHull(points: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of points) {
    while (hull.length > 1 && !turnsUp(hull.at(-2)!, hull.at(-1)!, point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

const turnsUp = (a: Point, b: Point, c: Point): boolean =>
  (b.latenessNs - a.latenessNs) * (c.mediaNs - a.mediaNs) <
  (c.latenessNs - a.latenessNs) * (b.mediaNs - a.mediaNs);
