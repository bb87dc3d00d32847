// Advice on how the microphone is cut: the recorded frames put into other pieces.
// A frame waits until the last one of its piece is there; nothing else changes.

import type { Advice, AdviceKind, AdvicePoint } from '@framescope/protocol';
import type { HopFrames, StreamFrames } from '../../assemble/frames/stream-frames.ts';
import { rowsOfLastTick } from '../../assemble/frames/join.ts';
import { cutsOf } from '../../assemble/topology/cuts.ts';
import { pathPlaces } from '../../assemble/topology/legs.ts';
import { binnedOf, pointOf, type Tried } from './advice-points.ts';
import { msText } from './placed-sessions.ts';

const PIECES = [1, 2, 3, 5, 10, 15, 25] as const;
const FRAMES_MIN = 200;
/** Frames that are resampled together: a second. */
const GROUP = 50;

export interface CutCase {
  readonly session: string;
  readonly frameNs: number;
  readonly pieceNs: number;
  readonly atNs: Float64Array;
  /** What frames waited for their piece. */
  readonly waitedNs: Float64Array;
}

/** `frame`: where the microphone is sent; `chunk`: where it is cut coarsest. */
export function cutCase(
  session: string,
  streams: readonly StreamFrames[],
  what: AdviceKind,
): CutCase[] {
  return streams.flatMap((stream): CutCase[] => {
    if (stream.direction === 'down') return [];
    const places = pathPlaces(stream);
    const cuts = cutsOf(stream);
    const sendAt = places.findIndex(([hop]) => hop!.name === 'send');
    const wanted =
      what === 'frame'
        ? sendAt
        : places.findIndex(
            ([hop]) => hop!.key === cuts.toSorted((a, b) => b.pieceNs - a.pieceNs)[0]?.hop,
          );
    const at = wanted > 0 ? wanted : sendAt;
    const [before, hop] = [places[at - 1]?.[0], places[at]?.[0]];
    if (before === undefined || hop === undefined) return [];
    const cut = cuts.find(one => one.hop === hop.key);
    const frameNs =
      ((before.rows.endTick[0]! - before.rows.startTick[0]!) / stream.sampleRate) * 1e9;
    return [
      {
        session,
        frameNs,
        pieceNs: cut?.pieceNs ?? frameNs,
        atNs: before.atNs,
        waitedNs: waitsAt(before, hop),
      },
    ];
  });
}

/** Time from one hop to the next, less the least of the ten frames around: the way itself falls out. */
function waitsAt(before: HopFrames, hop: HopFrames): Float64Array {
  const rows = rowsOfLastTick(before.rows, hop.rows);
  const took = Float64Array.from(rows, (row, at) =>
    row < 0 ? Number.NaN : hop.atNs[row]! - before.atNs[at]!,
  );
  let leastNs = Infinity;
  for (const ns of took) if (!Number.isNaN(ns)) leastNs = Math.min(leastNs, ns);
  return took.map(ns => ns - leastNs);
}

export function adviseCut(cases: readonly CutCase[], kind: 'frame' | 'chunk'): Advice {
  const frames = cases.reduce((sum, one) => sum + one.atNs.length, 0);
  const known = { kind, sessions: [...new Set(cases.map(one => one.session))], frames } as const;
  const frameNs = cases[0]?.frameNs ?? 0;
  if (frames < FRAMES_MIN)
    return {
      ...known,
      refusal: `${frames} frames of a microphone: at least ${FRAMES_MIN} are needed`,
      today: null,
      points: [],
      advice: '',
    };
  const pieceNs = Math.max(...cases.map(one => one.pieceNs));
  const recorded: Tried = {
    setting: `${Math.round(pieceNs / 1e6)} ms pieces`,
    policy: 'recorded',
    valueNs: pieceNs,
    delaysNs: cases.flatMap(one => groupsOf(one.waitedNs)),
    underruns: 0,
  };
  const base = binnedOf(recorded);
  const points = PIECES.map(count => pointOf(triedOf(cases, count, frameNs), base));
  const today = pointOf(recorded, undefined);
  return { ...known, refusal: null, today, points, advice: wordsFor(today, points) };
}

function triedOf(cases: readonly CutCase[], count: number, frameNs: number): Tried {
  return {
    setting: `${Math.round((count * frameNs) / 1e6)} ms pieces`,
    policy: `${(1e9 / (count * frameNs)).toFixed(1)} a second`,
    valueNs: Math.round(count * frameNs),
    delaysNs: cases.flatMap(({ atNs }) => groupsOf(waitsFor(atNs, count))),
    underruns: 0,
  };
}

/** A frame waits for the last of its piece; a piece that never filled up is left out. */
function waitsFor(atNs: Float64Array, count: number): Float64Array {
  const whole = Math.floor(atNs.length / count) * count;
  return Float64Array.from({ length: whole }, (_, row) => {
    const last = row - (row % count) + count - 1;
    return Math.max(0, atNs[last]! - atNs[row]!);
  });
}

function groupsOf(waits: Float64Array): Float64Array[] {
  const groups: Float64Array[] = [];
  for (let at = 0; at < waits.length; at += GROUP) groups.push(waits.slice(at, at + GROUP));
  return groups;
}

function wordsFor(today: AdvicePoint, points: readonly AdvicePoint[]): string {
  const [finest] = points;
  const gainNs = today.delayMeanNs - (finest?.delayMeanNs ?? 0);
  return finest === undefined || gainNs < 5e6
    ? 'Nothing to gain: frames do not wait for their piece.'
    : `${finest.setting} would have spared each frame ${msText(gainNs)} on average, for ${finest.policy} instead of ${(1e9 / Math.max(1, today.valueNs)).toFixed(1)} a second.`;
}
