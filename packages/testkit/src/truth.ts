// What is true of a simulated call, in true nanoseconds from the call's zero.
// It is written before any code under test runs, and from the scenario alone.

import { type PartyName } from './scenario.ts';
import { type Stretch } from './wait-truth.ts';

/** One hop and every frame that was due there: `atNs` is NaN where a frame never passed. */
export interface HopTruth {
  /** As the API writes it: `mic.agent/receive`. */
  readonly key: string;
  readonly stream: 'mic' | 'agent';
  readonly host: PartyName;
  readonly name: string;
  readonly after?: string;
  readonly startTick: number[];
  readonly endTick: number[];
  readonly atNs: number[];
  /** Frames that left the hop before, and never came here. */
  lostCount: number;
}

/** Audio that a process says it made up or threw away. */
export interface RangeTruth {
  readonly kind: 'conceal' | 'drop' | 'silence';
  readonly key: string;
  readonly atNs: number;
  readonly startTick: number;
  readonly endTick: number;
}

export interface WaitTruth {
  readonly kind: 'response' | 'resume' | 'greeting';
  readonly outcome: 'answered' | 'filler_only' | 'interrupted_after' | 'abandoned';
  /** Last speech sample captured (or the filler's end) → first voiced sample audible (or the hang-up). */
  readonly openNs: number;
  readonly closeNs: number;
  /** The answer's first voiced tick on the agent stream; absent when none came. */
  readonly voicedTick?: number;
  /** A filler closed it. */
  readonly isFiller: boolean;
  /** The parts in order; they cover openNs to closeNs without a hole. Empty for an abandoned wait. */
  readonly parts: readonly Stretch[];
}

/** What the agent's own code does, and when. */
export type AgentAct =
  | { readonly atNs: number; readonly act: 'start' | 'greet' }
  | { readonly atNs: number; readonly act: 'speechEnded'; readonly tick: number }
  | {
      readonly atNs: number;
      readonly act: 'begin' | 'first';
      readonly stage: string;
      readonly id: string;
      readonly generation?: string;
    }
  | {
      readonly atNs: number;
      readonly act: 'finish';
      readonly stage: string;
      readonly id: string;
      readonly error?: string;
      readonly discarded?: boolean;
    }
  | {
      readonly atNs: number;
      readonly act: 'moment';
      readonly name: string;
      readonly after?: readonly string[];
      readonly generation?: string;
    }
  | {
      readonly atNs: number;
      readonly act: 'firstVoiced';
      readonly tick: number;
      readonly filler: boolean;
    }
  | { readonly atNs: number; readonly act: 'wait' }
  | {
      readonly atNs: number;
      readonly act: 'heard' | 'said';
      readonly text: string;
      readonly cut?: boolean;
    }
  | { readonly atNs: number; readonly act: 'bargeIn'; readonly onsetTick: number }
  | { readonly atNs: number; readonly act: 'bargeInDecided' }
  | { readonly atNs: number; readonly act: 'bargeInResumed' }
  | { readonly atNs: number; readonly act: 'bargeInEcho'; readonly correlation: number }
  | { readonly atNs: number; readonly act: 'backchannel' }
  | { readonly atNs: number; readonly act: 'bargeInCancelled'; readonly generatedTick: number }
  | {
      readonly atNs: number;
      readonly act: 'end';
      readonly outcome: 'completed' | 'interrupted' | 'abandoned';
    };

export interface TurnTruth {
  /** Start tick of the user's speech on `mic`; 0 for a greeting. */
  readonly tick: number;
  readonly userStartNs: number;
  readonly userEndNs: number;
  readonly outcome: 'completed' | 'interrupted' | 'abandoned';
  readonly waits: readonly WaitTruth[];
  readonly bargeIn?: {
    readonly onsetNs: number;
    readonly detectedNs: number;
    readonly decidedNs: number;
    readonly outcome: 'interrupted' | 'resumed' | 'echo';
    /** Absent: the agent went on. */
    readonly cancelled?: {
      readonly atNs: number;
      /** Last sample heard. */
      readonly stopNs: number;
      /** Generated and never heard. */
      readonly unheardNs: number;
    };
  };
  /** Short words over the answer; absent: none. */
  readonly backchannels?: number;
  /** First voiced sample audible → the last sample that the ear got of this turn; absent when none was. */
  readonly agentSpeech?: { readonly startNs: number; readonly endNs: number };
  readonly acts: readonly AgentAct[];
}

export interface CallTruth {
  readonly sessionId: string;
  readonly startUnixMs: number;
  readonly endNs: number;
  readonly turns: readonly TurnTruth[];
  readonly hops: readonly HopTruth[];
  readonly ranges: readonly RangeTruth[];
}

/** The hop of that key; a scenario that has none is a mistake of the test. */
export function hopOf(truth: Pick<CallTruth, 'hops'>, key: string): HopTruth {
  const hop = truth.hops.find(one => one.key === key);
  if (hop === undefined)
    throw new Error(
      `no hop ${key} in this call; it has ${truth.hops.map(one => one.key).join(' ')}`,
    );
  return hop;
}

/** True time at which the frame that holds `tick` passed; NaN if it never did. */
export function passed(hop: HopTruth, tick: number): number {
  const row = hop.endTick.findIndex(endTick => tick < endTick);
  return row < 0 || hop.startTick[row]! > tick ? Number.NaN : hop.atNs[row]!;
}
