// What is said over an answer, and when the agent knows of it: the same for what interrupts it and for
// what does not.

import { NS_PER_MS } from '@framescope/protocol';
import { mouthNs, TICKS_PER_MS } from './mic-truth.ts';
import type { TurnSpec } from './scenario.ts';
import { type AgentAct, hopOf, type HopTruth, passed, type TurnTruth } from './truth.ts';
import type { AnswerTruth } from './turn-truth.ts';

/** From the user's first sample over the agent to the agent's verdict. */
const BARGE_IN_DETECT_MS = 160;
const BARGE_IN_DECIDE_MS = 60;

export const FRAME_MS = 20;
export const ms = (value: number): number => Math.round(value * NS_PER_MS);
export const ceilToFrame = (valueMs: number): number => Math.ceil(valueMs / FRAME_MS) * FRAME_MS;

/** The turn that it is said over. */
interface Over {
  readonly turn: TurnSpec;
  readonly mic: readonly HopTruth[];
}

export interface Noticed {
  readonly onsetMs: number;
  readonly onsetTick: number;
  readonly detectedNs: number;
  readonly decidedNs: number;
}

/** Speech over the answer, and when the agent knew of it. */
export function noticedAt({ mic }: Over, answer: AnswerTruth, afterMs: number): Noticed {
  const onsetMs = ceilToFrame(answer.audibleNs / NS_PER_MS + afterMs);
  const onsetTick = onsetMs * TICKS_PER_MS;
  const heardNs = passed(hopOf({ hops: mic }, 'mic.agent/receive'), onsetTick);
  const detectedNs = heardNs + ms(BARGE_IN_DETECT_MS);
  return { onsetMs, onsetTick, detectedNs, decidedNs: detectedNs + ms(BARGE_IN_DECIDE_MS) };
}

/** How long the agent stays silent before it goes on with what it was saying. */
const RESUME_AFTER_MS = 400;

/** Speech over the answer that changes nothing: what the agent tells of it, and what is true. */
export function spokenOver(
  start: Over,
  answer: AnswerTruth,
): { readonly acts: readonly AgentAct[]; readonly truth: Partial<TurnTruth> } {
  const over = start.turn.spokenOver;
  if (over === undefined) return { acts: [], truth: {} };
  const { onsetTick, detectedNs, decidedNs } = noticedAt(start, answer, over.afterMs);
  if (over.as === 'backchannel')
    return { acts: [{ atNs: detectedNs, act: 'backchannel' }], truth: { backchannels: 1 } };
  return {
    acts: [
      { atNs: detectedNs, act: 'bargeIn', onsetTick },
      { atNs: decidedNs, act: 'bargeInDecided' },
      { atNs: decidedNs + ms(RESUME_AFTER_MS), act: 'bargeInResumed' },
    ],
    truth: {
      bargeIn: { onsetNs: mouthNs(onsetTick), detectedNs, decidedNs, outcome: 'resumed' },
    },
  };
}
