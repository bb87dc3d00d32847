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
export const scheduleOf = (
  cut: Cut,
  atNs: ArrayLike<number>,
  sampleRate: number,
): Schedule | undefined => new ScheduleDraft(sampleRate).with({ cut, atNs, from: 0 });

/** Marks of the first hop from row `from` on. */
export interface ScheduleMarks {
  readonly cut: Cut;
  readonly atNs: ArrayLike<number>;
  readonly from: number;
}

/** What is known of a schedule while its marks come and go. */
export class ScheduleDraft {
  readonly #sampleRate: number;
  readonly #lines: Line[] = [];
  #segment = new Segment();

  constructor(sampleRate: number) {
    this.#sampleRate = sampleRate;
  }

  /** Takes the marks before row `to` for good: they need not come again. */
  absorb(marks: ScheduleMarks, to: number): void {
    const points = earliestOfEachSecond(marks, to, this.#sampleRate);
    const ahead = earliestOfEachSecond(
      { ...marks, from: to },
      marks.cut.length,
      this.#sampleRate,
      CUT_SPAN_S,
    );
    this.#segment = extended(this.#segment, this.#lines, points, ahead);
  }

  /** The schedule by what was taken and these marks behind it. */
  with(marks: ScheduleMarks): Schedule | undefined {
    const points = earliestOfEachSecond(marks, marks.cut.length, this.#sampleRate);
    const lines = [...this.#lines];
    const last = extended(this.#segment.copy(), lines, points, []);
    if (last.count > 0) lines.push(last.line());
    const [first] = lines;
    return first && { at: tick => timeOn(lines, (tick / this.#sampleRate) * NS_PER_S) };
  }
}

function timeOn(lines: readonly Line[], mediaNs: number): number {
  let line = lines[0]!;
  for (let i = 1; i < lines.length; i++) {
    if (lines[i]!.fromNs > mediaNs) break;
    line = lines[i]!;
  }
  return line.atOriginNs + (mediaNs - line.originNs) * line.slope;
}

/** The least late frame of each second of media time: enough for a line from below. */
function earliestOfEachSecond(
  { cut, atNs, from }: ScheduleMarks,
  to: number,
  sampleRate: number,
  limit = Infinity,
): Point[] {
  const points: Point[] = [];
  let second = -1;
  let least = Infinity;
  for (let row = from; row < to; row++) {
    const mediaNs = (cut.endTick[row]! / sampleRate) * NS_PER_S;
    const latenessNs = atNs[row]! - mediaNs;
    const its = Math.floor(mediaNs / NS_PER_S);
    if (its === second && latenessNs >= least) continue;
    if (its !== second && points.length >= limit) break;
    if (its === second) points[points.length - 1] = { mediaNs, latenessNs };
    else points.push({ mediaNs, latenessNs });
    second = its;
    least = latenessNs;
  }
  return points;
}

/** Goes on with a segment, cut where the lateness rises and does not come back; its line goes to `lines`. */
function extended(
  from: Segment,
  lines: Line[],
  points: readonly Point[],
  ahead: readonly Point[],
): Segment {
  const all = ahead.length === 0 ? points : [...points, ...ahead];
  let segment = from;
  for (let i = 0; i < points.length; i++) {
    const driftNs = segment.count * NS_PER_S * SKEW_MAX;
    if (segment.count > 0 && lastingNs(all, i) - segment.leastNs > CUT_NS + driftNs) {
      lines.push(segment.line());
      segment = new Segment();
    }
    segment.add(points[i]!);
  }
  return segment;
}

/** The least lateness of the next seconds; −Infinity where too few are known. */
function lastingNs(points: readonly Point[], from: number): number {
  if (from + CUT_SPAN_S > points.length) return -Infinity;
  let least = Infinity;
  for (let i = from; i < from + CUT_SPAN_S; i++) least = Math.min(least, points[i]!.latenessNs);
  return least;
}

/** Points of one line: of those that were there, only the lower hull is needed. */
class Segment {
  count = 0;
  leastNs = Infinity;
  #sumNs = 0;
  #firstNs = 0;
  #lastNs = 0;
  #hull: Point[] = [];

  add(point: Point): void {
    if (this.count === 0) this.#firstNs = point.mediaNs;
    this.count++;
    this.leastNs = Math.min(this.leastNs, point.latenessNs);
    this.#sumNs += point.mediaNs;
    this.#lastNs = point.mediaNs;
    const hull = this.#hull;
    while (hull.length > 1 && !turnsUp(hull.at(-2)!, hull.at(-1)!, point)) hull.pop();
    hull.push(point);
  }

  copy(): Segment {
    const copy = new Segment();
    copy.count = this.count;
    copy.leastNs = this.leastNs;
    copy.#sumNs = this.#sumNs;
    copy.#firstNs = this.#firstNs;
    copy.#lastNs = this.#lastNs;
    copy.#hull = [...this.#hull];
    return copy;
  }

  /** The line under all points with the least sum of distances: the hull edge under their mean. */
  line(): Line {
    const hull = this.#hull;
    const meanNs = this.#sumNs / this.count;
    const right = hull.findIndex(point => point.mediaNs >= meanNs);
    const a = hull[Math.max(0, right - 1)]!;
    const b = hull[right] ?? a;
    const rise =
      b.mediaNs > a.mediaNs ? (b.latenessNs - a.latenessNs) / (b.mediaNs - a.mediaNs) : 0;
    const isShort = this.#lastNs - this.#firstNs < SKEW_SPAN_NS;
    const skew = isShort ? 0 : Math.max(-SKEW_MAX, Math.min(SKEW_MAX, rise));
    // Touches from below whatever the skew is: the least of what is left above it.
    let latenessNs = Infinity;
    for (const point of hull)
      latenessNs = Math.min(latenessNs, point.latenessNs - (point.mediaNs - a.mediaNs) * skew);
    return {
      fromNs: this.#firstNs - NS_PER_S,
      originNs: a.mediaNs,
      atOriginNs: a.mediaNs + latenessNs,
      slope: 1 + skew,
    };
  }
}

const turnsUp = (a: Point, b: Point, c: Point): boolean =>
  (b.latenessNs - a.latenessNs) * (c.mediaNs - a.mediaNs) <
  (c.latenessNs - a.latenessNs) * (b.mediaNs - a.mediaNs);
