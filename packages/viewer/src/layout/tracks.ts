// Tracks under the lanes: one quantity over the call's time, as steps, events or a waveform.
// Pure: what is drawn of a track is bounded by its width in pixels, never by its data.
//
//   points   [────3────)[──5──)   [─2─)        a gap is not known, and stays white
//   pixels    ▄▄▄▄▄▄▄▄▄██████      ▂▂▂          the largest of each pixel

import { roundAbove } from './lines.ts';
import { toX, type TimeScale } from './time-scale.ts';
import type { Peaks } from '../data/peaks.ts';

/** `cores`: of CPU, shown as a share of one; several threads may pass it. `limit`: as a multiple of what is bad. */
export type TrackUnit = 'ns' | 'share' | 'count' | 'cores' | 'limit';

export interface TrackPoint {
  readonly startNs: number;
  readonly endNs: number;
  readonly value: number;
}

interface TrackBase {
  readonly id: string;
  readonly name: string;
  /** Under the name: what it is measured at, or how much of it there is. */
  readonly detail: string;
}

/** A quantity: drawn as an area from 0 to `most`; `target` as a line over it. */
export interface LevelTrack extends TrackBase {
  readonly look: 'level' | 'ahead' | 'bad';
  readonly unit: TrackUnit;
  readonly points: readonly TrackPoint[];
  readonly target?: readonly TrackPoint[];
  /** Values from here on are drawn as something bad. */
  readonly badFrom?: number;
  /** What it sums up: it is drawn small, and tells of each of them. */
  readonly parts?: readonly LevelTrack[];
}

/** A channel of a recording. */
export interface WaveTrack extends TrackBase {
  readonly look: 'wave';
  readonly peaks: Peaks;
  /** Session time of its first sample. */
  readonly startNs: number;
  readonly who: 'user' | 'agent' | undefined;
}

export type Track = LevelTrack | WaveTrack;

/** One entry a pixel; NaN where nothing is known. */
export interface TrackColumns {
  readonly high: Float32Array;
  readonly low: Float32Array;
}

/** The value that stands at the top of a track: a round one above all there is. */
export function mostOf(track: LevelTrack): number {
  const all = [...track.points, ...(track.target ?? [])];
  const most = all.reduce((max, point) => Math.max(max, point.value), 0);
  if (track.unit === 'share') return Math.min(1, Math.max(0.02, roundAbove(most)));
  return Math.max(track.unit === 'ns' ? 20e6 : track.unit === 'cores' ? 0.1 : 1, roundAbove(most));
}

/** The largest value of each pixel. */
export function levelColumns(points: readonly TrackPoint[], scale: TimeScale): Float32Array {
  const width = Math.max(1, Math.ceil(scale.widthPx));
  const high = new Float32Array(width).fill(Number.NaN);
  for (const { startNs, endNs, value } of points) {
    if (endNs < scale.fromNs || startNs > scale.toNs) continue;
    const left = Math.max(0, Math.floor(toX(scale, startNs) - scale.leftPx));
    const right = Math.min(width, Math.max(left + 1, Math.ceil(toX(scale, endNs) - scale.leftPx)));
    for (let x = left; x < right; x++) if (!(high[x]! >= value)) high[x] = value;
  }
  return high;
}

/** Lowest and highest sample of each pixel, −1 to 1; NaN outside the recording. */
export function waveColumns(track: WaveTrack, scale: TimeScale): TrackColumns {
  const width = Math.max(1, Math.ceil(scale.widthPx));
  const low = new Float32Array(width).fill(Number.NaN);
  const high = new Float32Array(width).fill(Number.NaN);
  const nsPerPx = (scale.toNs - scale.fromNs) / scale.widthPx;
  const { peaks, startNs } = track;
  // The coarsest level with a bucket no wider than a pixel.
  let level = 0;
  while (level + 1 < peaks.levels.length && peaks.bucketNs * 2 ** (level + 1) <= nsPerPx) level++;
  const bucketNs = peaks.bucketNs * 2 ** level;
  const { min, max } = peaks.levels[level]!;
  // As tall as the lane: what is looked for is when somebody speaks, not how loud.
  const full = Math.max(8, peaks.loudest);
  for (let x = 0; x < width; x++) {
    const fromNs = scale.fromNs + x * nsPerPx - startNs;
    const first = Math.floor(fromNs / bucketNs);
    const last = Math.max(first, Math.ceil((fromNs + nsPerPx) / bucketNs) - 1);
    if (last < 0 || first >= min.length) continue;
    let [least, most] = [127, -127];
    for (let i = Math.max(0, first); i <= Math.min(min.length - 1, last); i++) {
      if (min[i]! < least) least = min[i]!;
      if (max[i]! > most) most = max[i]!;
    }
    low[x] = Math.max(-1, least / full);
    high[x] = Math.min(1, most / full);
  }
  return { low, high };
}

/** The point that holds a moment, the last of several. */
export const pointAt = (points: readonly TrackPoint[], atNs: number): TrackPoint | undefined =>
  points.findLast(one => atNs >= one.startNs && atNs < one.endNs);

const TRACK_PX = 40;
/** Of a track that sums up others. */
const SUMMARY_PX = 16;
const TRACK_GAP_PX = 4;

export interface PlacedTrack {
  readonly track: Track;
  readonly topPx: number;
  readonly heightPx: number;
}

/** One beneath the other, and what they take in all. */
export function placedTracks(tracks: readonly Track[]): {
  readonly placed: readonly PlacedTrack[];
  readonly heightPx: number;
} {
  let topPx = 0;
  const placed = tracks.map(track => {
    const isSummary = track.look !== 'wave' && track.parts !== undefined;
    const one = { track, topPx, heightPx: isSummary ? SUMMARY_PX : TRACK_PX };
    topPx += one.heightPx + TRACK_GAP_PX;
    return one;
  });
  return { placed, heightPx: topPx };
}

/** The track at a height; undefined between and below. */
export const trackAt = (placed: readonly PlacedTrack[], y: number): Track | undefined =>
  placed.find(({ topPx, heightPx }) => y >= topPx && y <= topPx + heightPx)?.track;
