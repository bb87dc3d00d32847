// Histograms of other programs (OTLP metrics) as minutes of a measure, so that
// a heatmap draws them like any other.
//
// Points are stored as they were sent. One of a cumulative series counts
// everything since its start: what it added is its difference to the point
// before. The first one seen of such a series is taken whole only when it
// began shortly before; else it would put hours of counts into one minute.

import { decoded, Sketch, type Decoded } from '@framescope/protocol';
import { encodeMinutes, entryOf, MinuteCursor, type MinuteEntry } from '../rollup/minute-codec.ts';
import type { StoredPoint, StoreReader, UnixRange } from '../store/store.ts';

/** Measures of other programs; they have no sessions, and no filter fits them. */
export const isMetric = (measure: string): boolean => measure.startsWith('metric.');

const MINUTE_NS = 60_000_000_000n;

/** SDKs send each minute by default: a start within five of them was seen from the beginning. */
const FRESH_NS: bigint = 5n * MINUTE_NS;

/** The point before the first of the range is needed, to subtract it. */
const BEFORE_NS: bigint = 60n * MINUTE_NS;

/** What one point added. */
export interface PointDelta {
  readonly atUnixNs: bigint;
  readonly sketch: Sketch;
}

/** What each point of `range` added; order is that of the series. */
export async function metricDeltas(
  reader: Pick<StoreReader, 'metricPoints'>,
  measure: string,
  range: UnixRange,
): Promise<readonly PointDelta[]> {
  const wider = { ...range, fromUnixNs: range.fromUnixNs - BEFORE_NS };
  const points = await reader.metricPoints(measure, wider);
  return deltasOf(points).filter(delta => delta.atUnixNs >= range.fromUnixNs);
}

export function deltasOf(points: readonly StoredPoint[]): PointDelta[] {
  const series = new Map<string, StoredPoint[]>();
  for (const point of points) {
    const list = series.get(point.series);
    if (list) list.push(point);
    else series.set(point.series, [point]);
  }
  return [...series.values()].flatMap(list =>
    list.toSorted((a, b) => (a.atUnixNs < b.atUnixNs ? -1 : 1)).flatMap(deltaOf),
  );
}

function deltaOf(point: StoredPoint, i: number, sorted: readonly StoredPoint[]): PointDelta[] {
  const { atUnixNs, startUnixNs } = point;
  const whole = sketchOf(point);
  if (!whole.ok) return [];
  if (!point.isCumulative) return [{ atUnixNs, sketch: whole.value }];
  const before = sorted[i - 1];
  if (before?.startUnixNs === startUnixNs) {
    const earlier = sketchOf(before);
    const sketch = earlier.ok ? difference(whole.value, earlier.value) : undefined;
    return sketch ? [{ atUnixNs, sketch }] : [];
  }
  return atUnixNs - startUnixNs <= FRESH_NS ? [{ atUnixNs, sketch: whole.value }] : [];
}

/** The buckets of a point, with the sum and the ends that its sender knew better. */
function sketchOf(point: StoredPoint): Decoded<Sketch> {
  const read = Sketch.fromBytes(point.sketch);
  if (!read.ok) return read;
  const sketch = read.value;
  if (point.sumNs !== null) sketch.sumNs = point.sumNs;
  if (point.maxNs !== null) sketch.maxNs = point.maxNs;
  if (point.minNs !== null) sketch.minNs = point.minNs;
  return decoded(sketch);
}

/** Undefined where a bucket shrank: the sender began anew and did not say so. */
function difference(now: Sketch, before: Sketch): Sketch | undefined {
  const added = new Sketch();
  const zeroCount = now.zeroCount - before.zeroCount;
  let isSound = zeroCount >= 0;
  before.forEach((index, count) => {
    if (now.countAt(index) < count) isSound = false;
  });
  if (!isSound) return undefined;
  if (zeroCount > 0) added.add(0, zeroCount);
  now.forEach((index, count) => {
    const n = count - before.countAt(index);
    if (n > 0) added.add(middleNs(index), n);
  });
  // Its own slowest value is only known by its bucket; the sum is exact.
  added.sumNs = now.sumNs - before.sumNs;
  return added;
}

/** A value inside the bucket. */
const middleNs = (index: number): number => 2 ** ((index + 0.5) / 32) * 1e9;

/** Minutes of the measure in `range`, in order. */
export async function walkMetric(
  reader: Pick<StoreReader, 'metricPoints'>,
  measure: string,
  range: UnixRange,
  visit: (entry: MinuteCursor) => void,
): Promise<void> {
  const minutes = new Map<number, Sketch>();
  for (const { atUnixNs, sketch } of await metricDeltas(reader, measure, range)) {
    if (sketch.count === 0) continue;
    const minute = Number(atUnixNs / MINUTE_NS);
    const sum = minutes.get(minute) ?? new Sketch();
    sum.merge(sketch);
    minutes.set(minute, sum);
  }
  const entries = [...minutes]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([minute, sketch]) => minuteOf(measure, minute, sketch) ?? []);
  const cursor = new MinuteCursor();
  if (cursor.open(encodeMinutes(entries))) while (cursor.step()) visit(cursor);
}

const minuteOf = (measure: string, minute: number, sketch: Sketch): MinuteEntry | undefined =>
  entryOf({
    sessionKey: '',
    measure,
    minute,
    count: sketch.count,
    expectedCount: sketch.count,
    lostCount: 0,
    lateCount: 0,
    concealedCount: 0,
    overBudgetCount: 0,
    sumNs: sketch.sumNs,
    minNs: sketch.minNs,
    maxNs: sketch.maxNs,
    sketch: sketch.toBytes(),
    worst: [],
  });
