// The microphone's way up, frame by frame, in true time.
//
//   client/capture ─ client/send ~ edge/receive ─ edge/send ~ agent/receive     20 ms frames
//     └ agent/regroup  100 ms ─ agent/stt  40 ms ~ models/receive               re-chunked
//
// `─` is work inside a process, `~` a leg of the network. A frame that is lost on
// a leg is NaN from there on, until the agent's regrouping conceals the hole.

import { NS_PER_MS } from '@framescope/protocol';
import { overLeg, through } from './network.ts';
import { Draws } from './random.ts';
import { type HostName, type Scenario } from './scenario.ts';
import { type HopTruth, type RangeTruth } from './truth.ts';

export const SAMPLE_RATE = 16_000;
export const TICKS_PER_MS: number = SAMPLE_RATE / 1_000;

/** How long after a frame's last sample the callback runs, as a rule. */
const CAPTURE_JITTER_MS = 0.2;

export interface MicTruth {
  readonly hops: readonly HopTruth[];
  readonly ranges: readonly RangeTruth[];
}

/** When true media time `tick` happened at the user's mouth. */
export const mouthNs = (tick: number): number => Math.round((tick / TICKS_PER_MS) * NS_PER_MS);

/** `speech`: when the user spoke, in ms; needed for DTX alone. */
export function micTruth(
  scenario: Scenario,
  endMs: number,
  speech: readonly (readonly [fromMs: number, toMs: number])[] = [],
): MicTruth {
  const count = Math.floor(endMs / scenario.frameMs.capture);
  const cut = cutOf(count, scenario.frameMs.capture);
  const hop = (key: string, atNs: number[], before?: readonly number[]): HopTruth =>
    hopTruth(key, cut, atNs, before);
  const captured = through(scenario, 'mic.client/capture', captureTimes(scenario, count), 0);
  const encoded = through(scenario, 'mic.client/send', captured, 0.6);
  const silences = silencesOf(scenario, cut, encoded, speech);
  const silent = (startTick: number): boolean =>
    silences.some(one => startTick >= one.startTick && startTick < one.endTick);
  const sent = encoded.map((at, row) => (silent(cut.startTick[row]!) ? Number.NaN : at));
  const atEdge = through(
    scenario,
    'mic.edge/receive',
    overLeg(scenario, 'client>edge', 'mic', sent),
    0,
  );
  const relayed = through(scenario, 'mic.edge/send', atEdge, 0.3);
  const arrived = overLeg(scenario, 'edge>agent', 'mic', relayed);
  const atAgent = through(scenario, 'mic.agent/receive', arrived, 0);
  const hops = [
    hop('mic.client/capture', captured),
    // What was not sent on purpose is not lost.
    hop('mic.client/send', sent),
    hop('mic.edge/receive', atEdge, sent),
    hop('mic.edge/send', relayed, atEdge),
    hop('mic.agent/receive', atAgent, relayed),
  ];
  if (scenario.isLean) return { hops, ranges: silences };
  return withRechunking(scenario, { hops, ranges: [] }, count);
}

/** Runs of frames that DTX keeps from being sent: each declared when it is over. */
function silencesOf(
  { dtx, frameMs }: Scenario,
  cut: Cut,
  atNs: readonly number[],
  speech: readonly (readonly [fromMs: number, toMs: number])[],
): RangeTruth[] {
  if (dtx === undefined) return [];
  const isSent = (startTick: number): boolean =>
    speech.some(([fromMs, toMs]) => {
      const startMs = startTick / TICKS_PER_MS;
      return startMs + frameMs.capture > fromMs && startMs < toMs + dtx.hangoverMs;
    });
  const ranges: RangeTruth[] = [];
  for (const [row, startTick] of cut.startTick.entries()) {
    if (isSent(startTick)) continue;
    const endTick = cut.endTick[row]!;
    const last = ranges.at(-1);
    const range = { kind: 'silence', key: 'mic.client/send', endTick, atNs: atNs[row]! } as const;
    if (last?.endTick === startTick) ranges[ranges.length - 1] = { ...last, ...range };
    else ranges.push({ ...range, startTick });
  }
  return ranges;
}

function captureTimes(scenario: Scenario, count: number): number[] {
  const jitter = new Draws(scenario.seed, 'capture');
  return Array.from({ length: count }, (_, index) => {
    const dueMs = (index + 1) * scenario.frameMs.capture;
    const stall = scenario.stalls.find(one => dueMs >= one.atMs && dueMs < one.atMs + one.forMs);
    if (stall !== undefined) return Math.round((stall.atMs + stall.forMs) * NS_PER_MS) + index;
    return Math.round((dueMs + CAPTURE_JITTER_MS * jitter.uniform(index)) * NS_PER_MS);
  });
}

interface Cut {
  readonly startTick: number[];
  readonly endTick: number[];
}

export function cutOf(count: number, frameMs: number, fromTick = 0): Cut {
  const ticks = frameMs * TICKS_PER_MS;
  return {
    startTick: Array.from({ length: count }, (_, index) => fromTick + index * ticks),
    endTick: Array.from({ length: count }, (_, index) => fromTick + (index + 1) * ticks),
  };
}

/** A hop out of its key, cut and times; lost is what `before` saw and this did not. */
export function hopTruth(
  key: string,
  cut: Cut,
  atNs: number[],
  before?: readonly number[],
): HopTruth {
  const [stream, place] = key.split('.') as ['mic' | 'agent', string];
  const [host, name] = place.split('/') as [HostName, string];
  const lost = (before ?? []).filter((at, row) => !Number.isNaN(at) && Number.isNaN(atNs[row]!));
  return { key, stream, host, name, ...cut, atNs, lostCount: lost.length };
}

function withRechunking(scenario: Scenario, mic: MicTruth, count: number): MicTruth {
  const { capture, regroup, stt } = scenario.frameMs;
  const arrived = mic.hops.at(-1)!.atNs;
  const perGroup = regroup / capture;
  const groups = Math.floor(count / perGroup);
  const whole = cutOf(groups, regroup);
  const ready = Array.from({ length: groups }, (_, group) =>
    completeAt(arrived, group * perGroup, (group + 1) * perGroup - 1),
  );
  const grouped = through(scenario, 'mic.agent/regroup', inOrder(ready), 0.05);
  const pieces = Math.floor((groups * regroup) / stt);
  const cut = cutOf(pieces, stt);
  const groupOf = (piece: number): number => Math.ceil(((piece + 1) * stt) / regroup) - 1;
  const handed = through(
    scenario,
    'mic.agent/stt',
    Array.from({ length: pieces }, (_, piece) => grouped[groupOf(piece)]!),
    0.1,
  );
  const atModels = overLeg(scenario, 'agent>models', 'mic', handed);
  const hops = [
    ...mic.hops,
    { ...hopTruth('mic.agent/regroup', whole, grouped), after: 'agent/receive' },
    { ...hopTruth('mic.agent/stt', cut, handed), after: 'agent/regroup' },
    hopTruth(
      'mic.models/receive',
      cut,
      through(scenario, 'mic.models/receive', atModels, 0),
      handed,
    ),
  ];
  return { hops, ranges: concealed(mic.hops.at(-1)!, grouped, perGroup) };
}

/**
 * When the frames `first` … `last` were all there; a lost one at the end is given up when the next that
 * was not lost comes. One that was overtaken is waited for.
 */
function completeAt(atNs: readonly number[], first: number, last: number): number {
  const own = atNs.slice(first, last).filter(at => !Number.isNaN(at));
  for (let next = last; next < atNs.length; next += 1)
    if (!Number.isNaN(atNs[next]!)) return Math.max(atNs[next]!, ...own);
  return Number.NaN;
}

/** A group leaves no sooner than the one before it. */
function inOrder(readyNs: readonly number[]): number[] {
  let lastNs = 0;
  return readyNs.map(at => (Number.isNaN(at) ? at : (lastNs = Math.max(lastNs, at))));
}

/** The regrouping fills what never arrived, and says so. */
function concealed(hop: HopTruth, grouped: readonly number[], perGroup: number): RangeTruth[] {
  const ranges: RangeTruth[] = [];
  for (const [row, atNs] of hop.atNs.entries()) {
    const groupNs = grouped[Math.floor(row / perGroup)];
    if (!Number.isNaN(atNs) || groupNs === undefined || Number.isNaN(groupNs)) continue;
    ranges.push({
      kind: 'conceal',
      key: 'mic.agent/regroup',
      atNs: groupNs,
      startTick: hop.startTick[row]!,
      endTick: hop.endTick[row]!,
    });
  }
  return ranges;
}
