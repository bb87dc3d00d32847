// Advice on a jitter buffer: the arrivals of stored calls through other depths
// and through one that adapts.

import type { Advice, AdvicePoint } from '@framescope/protocol';
import { rowsOfLastTick } from '../../assemble/frames/join.ts';
import type { HopFrames, StreamFrames } from '../../assemble/frames/stream-frames.ts';
import { pathPlaces } from '../../assemble/topology/legs.ts';
import { binnedOf, pointOf, type Tried } from './advice-points.ts';
import { msText } from './placed-sessions.ts';
import { replayBuffer, type Arrival, type Device, type Policy } from './replay-buffer.ts';

const DEPTHS_MS = [20, 40, 60, 80, 100, 120, 160, 200, 300] as const;
const ADAPTIVE: Policy = { kind: 'adaptive', leastNs: 40e6, mostNs: 400e6 };
/** Sends this much later than a frame's length after the one before begin a new spurt. */
const SPURT_GAP_FRAMES = 1.5;
const FRAMES_MIN = 200;

/** One stream of one call through one buffer. */
export interface BufferCase {
  readonly session: string;
  readonly arrivals: readonly Arrival[];
  readonly device: Device;
  /** What the buffer of that call did. */
  readonly delaysNs: readonly Float64Array[];
  readonly underruns: number;
}

/** Cases of one call: streams with a buffer whose frames were seen before and behind it. */
export function bufferCase(session: string, streams: readonly StreamFrames[]): BufferCase[] {
  return streams.flatMap((stream): BufferCase[] => {
    const places = pathPlaces(stream);
    const at = places.findIndex(([hop]) => hop!.name === 'jitter_buffer');
    const out = places[at]?.[0];
    const received = places[at - 1]?.find(hop => hop.producer === out?.producer);
    const sent = places.slice(0, at).find(([hop]) => hop!.name === 'send')?.[0];
    if (out === undefined || received === undefined || sent === undefined) return [];
    return [caseOf(session, { out, received, sent, nsPerTick: 1e9 / stream.sampleRate })];
  });
}

interface Ends {
  readonly out: HopFrames;
  readonly received: HopFrames;
  readonly sent: HopFrames;
  readonly nsPerTick: number;
}

function caseOf(session: string, { out, received, sent, nsPerTick }: Ends): BufferCase {
  const receivedAt = rowsOfLastTick(sent.rows, received.rows);
  const outAt = rowsOfLastTick(sent.rows, out.rows);
  const arrivals: Arrival[] = [];
  const own: number[] = [];
  const delaysNs: Float64Array[] = [];
  for (let row = 0; row < sent.rows.length; row++) {
    const frameNs = (sent.rows.endTick[row]! - sent.rows.startTick[row]!) * nsPerTick;
    const isLast = row + 1 === sent.rows.length;
    const gapNs = isLast ? Infinity : sent.atNs[row + 1]! - sent.atNs[row]!;
    const isSpurtEnd = gapNs > frameNs * SPURT_GAP_FRAMES && startsAnew(sent, row + 1, frameNs);
    const arrived = receivedAt[row]!;
    arrivals.push({
      sentNs: sent.atNs[row]!,
      arrivedNs: arrived < 0 ? Number.NaN : received.atNs[arrived]!,
      isSpurtEnd: isSpurtEnd || isLast,
    });
    own.push(outAt[row]! < 0 ? Number.NaN : out.atNs[outAt[row]!]! - sent.atNs[row]!);
    if (isSpurtEnd || isLast) delaysNs.push(Float64Array.from(own.splice(0)));
  }
  return {
    session,
    arrivals,
    device: deviceOf(out, nsPerTick),
    delaysNs,
    underruns: out.concealed.length,
  };
}

/** A sender that was only held up catches up: then several frames leave at once, and no more than were due. */
function startsAnew(sent: HopFrames, row: number, frameNs: number): boolean {
  if (row >= sent.rows.length) return true;
  const gapNs = sent.atNs[row]! - sent.atNs[row - 1]!;
  if (sent.rows.startTick[row] !== sent.rows.endTick[row - 1]) return true;
  let together = 1;
  while (
    row + together < sent.rows.length &&
    sent.atNs[row + together]! - sent.atNs[row]! < frameNs / 4
  )
    together++;
  return together * frameNs > gapNs + frameNs || gapNs > 10 * frameNs;
}

/** The device pulls at a steady pace: its phase is that of most frames that left. */
function deviceOf({ rows, atNs }: HopFrames, nsPerTick: number): Device {
  const periodNs = (rows.endTick[0]! - rows.startTick[0]!) * nsPerTick;
  let x = 0;
  let y = 0;
  for (let row = 0; row < rows.length; row++) {
    const angle = (atNs[row]! / periodNs) * 2 * Math.PI;
    x += Math.cos(angle);
    y += Math.sin(angle);
  }
  return { periodNs, phaseNs: (Math.atan2(y, x) / (2 * Math.PI)) * periodNs };
}

export function adviseBuffer(cases: readonly BufferCase[]): Advice {
  const frames = cases.reduce((sum, one) => sum + one.arrivals.length, 0);
  const known = {
    kind: 'jitter_buffer',
    sessions: [...new Set(cases.map(one => one.session))],
    frames,
  } as const;
  if (frames < FRAMES_MIN)
    return {
      ...known,
      refusal: `${frames} frames before and behind a jitter buffer: at least ${FRAMES_MIN} are needed`,
      today: null,
      points: [],
      advice: '',
    };
  const today: Tried = {
    setting: 'as it was',
    policy: 'recorded',
    valueNs: 0,
    delaysNs: cases.flatMap(one => one.delaysNs),
    underruns: cases.reduce((sum, one) => sum + one.underruns, 0),
  };
  const base = binnedOf(today);
  const settings: [string, Policy][] = [
    ...DEPTHS_MS.map((ms): [string, Policy] => [
      `fixed ${ms} ms`,
      { kind: 'fixed', depthNs: ms * 1e6 },
    ]),
    ['adaptive', ADAPTIVE],
  ];
  const points = settings.map(([setting, policy]) =>
    pointOf(triedOf(cases, setting, policy), base),
  );
  const now = pointOf(today, undefined);
  return { ...known, refusal: null, today: now, points, advice: wordsFor(now, points) };
}

export function triedOf(cases: readonly BufferCase[], setting: string, policy: Policy): Tried {
  const replays = cases.map(one => replayBuffer(one.arrivals, policy, one.device));
  return {
    setting,
    policy: policy.kind,
    valueNs: policy.kind === 'fixed' ? policy.depthNs : 0,
    delaysNs: replays.flatMap(one => one.delaysNs),
    underruns: replays.reduce((sum, one) => sum + one.underruns, 0),
  };
}

/** The least delay that costs no more underruns than today. */
function wordsFor(today: AdvicePoint, points: readonly AdvicePoint[]): string {
  const best = points
    .filter(one => one.underruns <= today.underruns)
    .toSorted((a, b) => a.delayMeanNs - b.delayMeanNs)[0];
  if (best === undefined)
    return `Every other depth would have lost more frames than the ${today.underruns} of today.`;
  const gainNs = today.delayMeanNs - best.delayMeanNs;
  if (gainNs < 5e6)
    return `Nothing to gain: no setting with at most ${today.underruns} underruns is more than 5 ms faster.`;
  return `${best.setting} would have taken ${msText(gainNs)} off each frame, with ${best.underruns} underruns instead of ${today.underruns}.`;
}
