// One utterance of the agent on its way down, frame by frame, in true time.
//
//   models/tts ~ agent/tts  100 ms chunks, ahead of real time
//     └ agent/send  40 ms, paced ~ edge/receive ─ edge/send ~ client/receive
//         ─ client/jitter_buffer ─ client/playout  20 ms
//
// A barge-in cuts it: what was not yet sent is dropped at the agent, what was not
// yet played is dropped at the client when the agent's "clear" reaches it.

import { NS_PER_MS } from '@framescope/protocol';
import { cutOf, hopTruth } from './mic-truth.ts';
import { overLeg, through } from './network.ts';
import { type Scenario } from './scenario.ts';
import { type HopTruth, type RangeTruth } from './truth.ts';

const CHUNK_MS = 100;
/** Synthesis runs so many times faster than speech. */
const SYNTHESIS_SPEED = 3;

export interface Utterance {
  readonly fromTick: number;
  readonly audioMs: number;
  /** First chunk at the agent, and first frame out of it. */
  readonly firstAudioNs: number;
  readonly firstFrameNs: number;
  /** The agent stops sending; the client throws away what it has not played. */
  readonly cancelNs?: number;
  readonly clearNs?: number;
}

export interface UtteranceTruth {
  readonly hops: readonly HopTruth[];
  readonly ranges: readonly RangeTruth[];
}

export function utteranceTruth(scenario: Scenario, utterance: Utterance): UtteranceTruth {
  const { fromTick, audioMs } = utterance;
  const { send, playout } = scenario.frameMs;
  const frames = cutOf(audioMs / send, send, fromTick);
  const purpose = `agent ${fromTick}`;
  const sent = cutAt(utterance.cancelNs, sendTimes(scenario, utterance));
  const atEdge = through(
    scenario,
    'agent.edge/receive',
    overLeg(scenario, 'agent>edge', purpose, sent),
    0,
  );
  const relayed = through(scenario, 'agent.edge/send', atEdge, 0.3);
  const overAir = overLeg(scenario, 'edge>client', purpose, relayed);
  const received = through(scenario, 'agent.client/receive', overAir, 0);
  const slots = slotsOf(scenario, received);
  const held = slots.map((slotNs, row) => (Number.isNaN(received[row]!) ? Number.NaN : slotNs));
  const unbuffered = cutAt(utterance.clearNs, held);
  const pieces = cutOf(audioMs / playout, playout, fromTick);
  const heard = cutAt(utterance.clearNs, playoutTimes(scenario, slots));
  const lost = (row: number): boolean =>
    !Number.isNaN(relayed[row]!) && Number.isNaN(received[row]!);
  const perFrame = send / playout;
  const played = heard.map((at, row) => (lost(Math.floor(row / perFrame)) ? Number.NaN : at));
  const hops = [
    ...(scenario.isLean ? [] : chunkHops(scenario, utterance)),
    hopTruth('agent.agent/send', frames, sent),
    hopTruth('agent.edge/receive', frames, atEdge, sent),
    hopTruth('agent.edge/send', frames, relayed),
    hopTruth('agent.client/receive', frames, received, relayed),
    hopTruth('agent.client/jitter_buffer', frames, unbuffered),
    hopTruth('agent.client/playout', pieces, played),
  ];
  const ranges = [
    ...dropped('agent.agent/send', hops, utterance.cancelNs),
    ...dropped('agent.client/jitter_buffer', hops, utterance.clearNs),
    ...dropped('agent.client/playout', hops, utterance.clearNs),
    ...heard.flatMap((atNs, row): RangeTruth[] =>
      lost(Math.floor(row / perFrame)) && !Number.isNaN(atNs)
        ? [
            {
              kind: 'conceal',
              key: 'agent.client/playout',
              atNs,
              startTick: pieces.startTick[row]!,
              endTick: pieces.endTick[row]!,
            },
          ]
        : [],
    ),
  ];
  return { hops, ranges };
}

const cutAt = (limitNs: number | undefined, atNs: readonly number[]): number[] =>
  atNs.map(at => (limitNs !== undefined && at >= limitNs ? Number.NaN : at));

function sendTimes(scenario: Scenario, { audioMs, firstFrameNs }: Utterance): number[] {
  const stepMs = scenario.frameMs.send;
  return Array.from(
    { length: audioMs / stepMs },
    (_, row) => firstFrameNs + row * stepMs * NS_PER_MS,
  );
}

function chunkHops(scenario: Scenario, utterance: Utterance): HopTruth[] {
  const { fromTick, audioMs, firstAudioNs } = utterance;
  const cut = cutOf(audioMs / CHUNK_MS, CHUNK_MS, fromTick);
  const stepNs = Math.round((CHUNK_MS / SYNTHESIS_SPEED) * NS_PER_MS);
  const atAgent = cut.startTick.map((_, row) => firstAudioNs + row * stepNs);
  const backNs = Math.round(scenario.legs['models>agent'].baseMs * NS_PER_MS);
  const made = atAgent.map(at => at - backNs);
  return [hopTruth('agent.models/tts', cut, made), hopTruth('agent.agent/tts', cut, atAgent)];
}

/** When the jitter buffer lets each frame go: a target after the first, then in step, slipping when one is late. */
function slotsOf(scenario: Scenario, received: readonly number[]): number[] {
  const stepNs = scenario.frameMs.send * NS_PER_MS;
  const targetMs = scenario.jitterBufferMs + (scenario.slowHops['agent.client/jitter_buffer'] ?? 0);
  const first = received.findIndex(at => !Number.isNaN(at));
  if (first < 0) return received.map(() => Number.NaN);
  let baseNs = Math.round(received[first]! + targetMs * NS_PER_MS) - first * stepNs;
  return received.map((at, row) => {
    const slotNs = baseNs + row * stepNs;
    if (!Number.isNaN(at) && at > slotNs) baseNs += at - slotNs;
    return baseNs + row * stepNs;
  });
}

function playoutTimes(scenario: Scenario, slots: readonly number[]): number[] {
  const { send, playout } = scenario.frameMs;
  const pieces = slots.flatMap(slotNs =>
    Array.from({ length: send / playout }, (_, piece) => slotNs + piece * playout * NS_PER_MS),
  );
  return through(scenario, 'agent.client/playout', pieces, scenario.playoutMs);
}

/** From the first frame that a cut kept from passing to the last that could have. */
function dropped(key: string, hops: readonly HopTruth[], atNs: number | undefined): RangeTruth[] {
  if (atNs === undefined) return [];
  const at = hops.findIndex(hop => hop.key === key);
  const hop = hops[at]!;
  const startTick = 1 + lastTick(hop);
  const before = key === 'agent.agent/send' ? undefined : hops[at - 1];
  const reachTick = before === undefined ? hop.endTick.at(-1)! : 1 + lastTick(before);
  if (reachTick <= startTick) return [];
  return [{ kind: 'drop', key, atNs: Math.round(atNs), startTick, endTick: reachTick }];
}

/** The last tick that passed; one before the first when none did. */
export function lastTick(hop: HopTruth): number {
  for (let row = hop.atNs.length - 1; row >= 0; row -= 1)
    if (!Number.isNaN(hop.atNs[row]!)) return hop.endTick[row]! - 1;
  return hop.startTick[0]! - 1;
}
