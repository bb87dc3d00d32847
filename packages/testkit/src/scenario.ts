// A simulated call, as its author writes it: who runs where on which clock, how
// long every leg and every piece of work takes. Everything else follows.
//
// All times here are true milliseconds from the call's zero (the moment the
// microphone starts). Where a part of a wait is named, the word is the ledger's.

import type { SetupName } from '@framescope/protocol';

export const HOSTS = ['client', 'edge', 'agent', 'models'] as const;
export type HostName = (typeof HOSTS)[number];

/** Whoever takes part: the hosts, and the relay that takes over when the first one dies. */
export type PartyName = HostName | 'edge2';

/** The network legs, in the direction audio takes. */
export const LEGS = [
  'client>edge',
  'edge>agent',
  'agent>models',
  'models>agent',
  'agent>edge',
  'edge>client',
] as const;
export type LegName = (typeof LEGS)[number];

export interface HostSpec {
  /** What its clock shows more than true time when the call starts. */
  readonly offsetMs: number;
  /** How much faster than true time it runs. */
  readonly driftPpm: number;
  /** The clock leaps once: a suspend, a step. Opens a new epoch. */
  readonly jump?: { readonly atMs: number; readonly byMs: number };
  /** Resource attributes of its process, beside service and instance. */
  readonly resource?: Readonly<Record<string, string>>;
}

export interface LegSpec {
  readonly baseMs: number;
  /** Mean of an exponential on top. */
  readonly jitterMs: number;
  /** Share of frames that never arrive, 0–1. */
  readonly loss: number;
  /** Share of frames that are overtaken: they come so much later than the others. Mic legs only. */
  readonly reorder?: { readonly share: number; readonly byMs: number };
  /** While it lasts, each frame takes `addMs` more and `loss` of them vanish. */
  readonly incident?: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly addMs: number;
    readonly loss: number;
  };
}

/** How long the pieces of one answer take: from the request to the first voiced sample sent. */
export interface AnswerSpec {
  readonly preparationMs: number;
  /** A first try at the model that fails after so long. */
  readonly failedAttemptMs?: number;
  readonly inferenceMs: number;
  readonly aggregationMs: number;
  readonly synthesisMs: number;
  readonly deliveryMs: number;
  /** Silence at the head of the synthesised audio; a multiple of 40. */
  readonly leadingSilenceMs: number;
  /** Length of the audio with its leading silence; a multiple of 200. */
  readonly audioMs: number;
  readonly text?: string;
}

export interface TurnSpec {
  /** When the user starts to speak, a multiple of 20; absent: `gapMs` after the last answer was heard, or at its barge-in. */
  readonly startMs?: number;
  readonly gapMs?: number;
  /** How long the user speaks; a multiple of 20. */
  readonly speechMs: number;
  /** Last speech sample at the agent → end of turn decided. */
  readonly endpointingMs: number;
  /** The same → final transcript. */
  readonly transcriptionMs: number;
  /** The detector needs the final transcript before it decides, and then so long (Pipecat's smart turn). */
  readonly detectorMs?: number;
  /** The model is asked as soon as the transcript is final; the decision only holds the first frame (LiveKit). */
  readonly preemptive?: boolean;
  /** A generation started so long after the speech end on an interim transcript and thrown away. */
  readonly discardedAfterMs?: number;
  readonly answer: AnswerSpec;
  /** With it, `answer` is the filler that announces the tool; the tool starts when the filler's text is out. */
  readonly tool?: { readonly toolMs: number; readonly answer: AnswerSpec };
  /** The user speaks over the answer so long after its first audible sample: the next turn starts there. */
  readonly bargeIn?: {
    readonly afterMs: number;
    /** It was the agent's own sound: so alike (0 to 1). The turn that begins there says nothing. */
    readonly echo?: number;
  };
  /** Something is said over the answer, which goes on: a short word, or a stop that was taken back. */
  readonly spokenOver?: { readonly afterMs: number; readonly as: 'backchannel' | 'resumed' };
  /** The agent talks on while the user speaks: this answer waits until the one before it is over. */
  readonly waitsForFloor?: boolean;
  /** The user hangs up so long after falling silent, unanswered; the last turn of a call. */
  readonly abandonedAfterMs?: number;
  /** What the VAD says too late (+) or too early (−), within `vadErrorMs`. */
  readonly vadOffMs?: number;
  readonly text?: string;
}

/** What is known of the service that every answer asks for its words. */
export interface VendorSpec {
  readonly name: string;
  /** Round trip to it, a part of `inferenceMs`, as its queue is. */
  readonly rttMs: number;
  /** Of what it takes itself, how much a request waits there, 0 to 1. */
  readonly queueShare: number;
}

/** Something that came before the first word, or happened to the connection: negative before the microphone runs. */
export interface SetupSpec {
  readonly host: 'client' | 'agent';
  readonly name: SetupName;
  readonly atMs: number;
}

/** The agent speaks first: from the moment the call is answered. */
export interface GreetingSpec {
  readonly atMs: number;
  /** `inferenceMs` and `aggregationMs` do not count: the words are fixed. */
  readonly answer: AnswerSpec;
}

export interface Scenario {
  readonly id: string;
  readonly seed: number;
  /** Unix time, in ms, of the call's zero: what a right clock shows there. */
  readonly startUnixMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly hosts: Readonly<Record<HostName, HostSpec>>;
  readonly legs: Readonly<Record<LegName, LegSpec>>;
  /** Blocks of the capture callback: frames due in one are all stamped when it ends. */
  readonly stalls: readonly { readonly atMs: number; readonly forMs: number }[];
  /** A hop that holds every frame so much longer, by hop key. */
  readonly slowHops: Readonly<Record<string, number>>;
  /** Jitter buffer of the client, and the delay of its audio device. */
  readonly jitterBufferMs: number;
  readonly playoutMs: number;
  /** Size of VAD's stated error, and so of the error of the wait's start. */
  readonly vadErrorMs: number;
  /** Mic frames at capture, after the agent's regrouping, and as handed to STT; agent frames as sent. */
  readonly frameMs: {
    readonly capture: 20;
    readonly regroup: 100;
    readonly stt: 40;
    readonly send: 40;
    readonly playout: 20;
  };
  readonly turns: readonly TurnSpec[];
  readonly greeting?: GreetingSpec;
  /** Absent: nobody tells anything of the model's service. */
  readonly vendor?: VendorSpec;
  /** Absent: nobody tells how the call came about. */
  readonly setup?: readonly SetupSpec[];
  /** The relay dies without a word; after so long without one, another goes on. */
  readonly relay?: { readonly diesAtMs: number; readonly gapMs: number };
  /**
   * The client sends no frames of silence, only of speech and of so long after it, and says so. Needs
   * `isLean`: nobody regroups what is not there.
   */
  readonly dtx?: { readonly hangoverMs: number };
  /** STT takes audio of this rate, in hertz: the agent resamples what it hands over. */
  readonly sttRate?: number;
  /** The call ends so long after its last sound. */
  readonly tailMs: number;
  /** Without them, `models` sends no marks and the mic is not regrouped: half the marks. */
  readonly isLean?: boolean;
  readonly flushMs: number;
}

const ANSWER: AnswerSpec = {
  preparationMs: 12,
  inferenceMs: 360,
  aggregationMs: 90,
  synthesisMs: 150,
  deliveryMs: 6,
  leadingSilenceMs: 80,
  audioMs: 1_200,
};

/** An answer of ordinary length, but for what is said. */
export const answerOf = (changes: Partial<AnswerSpec> = {}): AnswerSpec => ({
  ...ANSWER,
  ...changes,
});

/** A turn of ordinary lengths, but for what is said. */
export const turnOf = (changes: Partial<TurnSpec> = {}): TurnSpec => ({
  speechMs: 1_000,
  endpointingMs: 500,
  transcriptionMs: 280,
  answer: ANSWER,
  ...changes,
});

const leg = (baseMs: number, jitterMs: number): LegSpec => ({ baseMs, jitterMs, loss: 0 });

/** A home line: unequal ways, some jitter. */
export const HOME_LEGS: Scenario['legs'] = {
  'client>edge': leg(28, 2.5),
  'edge>agent': leg(4, 0.4),
  'agent>models': leg(0.8, 0.1),
  'models>agent': leg(0.8, 0.1),
  'agent>edge': leg(3, 0.4),
  'edge>client': leg(17, 2),
};

/** One building: so little round trip that the clocks are known to a millisecond. */
export const LAN_LEGS: Scenario['legs'] = {
  'client>edge': leg(0.9, 0.05),
  'edge>agent': leg(0.4, 0.05),
  'agent>models': leg(0.3, 0.05),
  'models>agent': leg(0.3, 0.05),
  'agent>edge': leg(0.4, 0.05),
  'edge>client': leg(0.7, 0.05),
};

/** Each on a clock of its own, as far off as clocks of unlike machines are. */
export const SKEWED_HOSTS: Scenario['hosts'] = {
  client: { offsetMs: 3_700, driftPpm: 40 },
  edge: { offsetMs: -250, driftPpm: -12 },
  agent: { offsetMs: 18, driftPpm: 6 },
  models: { offsetMs: 900, driftPpm: -25 },
};

/** A whole scenario out of what matters in it. */
export function scenarioOf(changes: Partial<Scenario> & { readonly id: string }): Scenario {
  return {
    seed: 1,
    startUnixMs: 1_780_000_000_000,
    attributes: {},
    hosts: SKEWED_HOSTS,
    legs: HOME_LEGS,
    stalls: [],
    slowHops: {},
    jitterBufferMs: 60,
    playoutMs: 12,
    vadErrorMs: 20,
    frameMs: { capture: 20, regroup: 100, stt: 40, send: 40, playout: 20 },
    turns: [turnOf()],
    tailMs: 3_000,
    flushMs: 1_000,
    ...changes,
  };
}
