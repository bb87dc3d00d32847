// Live state: what a process knows now of its sessions and turns.
//
// Open sessions, turns and stages are state, not spans. Each flush carries the
// turns that changed, as JSON in `framescope.state` on an `audio.frames` span: a
// turn is told whole at first, every tenth flush, and after a flush that was lost;
// else what changed since the revision told before (patch.ts). The collector
// upserts turns by (session, turn tick), higher `rev` wins. The final state of a
// turn also rides on its OpenTelemetry `turn` span (`framescope.turn.state`), so
// that a turn that reached us through another exporter is not lost.
//
// All times are `DomainNs` of the sending process: raw, uncorrected. Nobody
// sends a part of a wait: parts are computed in the collector.

import type { DomainNs, DurationNs, Tick } from './units.ts';
import type { MomentName, SetupName } from './moments.ts';
import type { JsonObject } from './patch.ts';

/** What one process says in one flush. */
export interface StateMessage {
  /** Version of this shape: 2 where there are changes. */
  readonly v: 1 | 2;
  /** Present in the first flush of a session, every tenth, and when it changed. */
  readonly session?: SessionState;
  readonly turns?: readonly TurnState[];
  /** Turns that were told before. */
  readonly changes?: readonly TurnChange[];
  /** What media stacks and players measured since the flush before. */
  readonly media?: readonly MediaIntervalState[];
  /** Where media axes bend, and what came of which media, since the flush before. */
  readonly lineage?: readonly LineageState[];
  /** How the call came about and what became of its connection, since the flush before. */
  readonly setup?: readonly SetupState[];
  /** Cumulative counts of what this process could not deliver, by reason. */
  readonly dropped?: Readonly<Record<string, number>>;
}

/** Something before the first word, or of the connection; the first of a name in a session counts. */
export interface SetupState {
  readonly name: SetupName;
  readonly at: DomainNs;
  /** How it was taken: `webrtc`, `livekit`, `socket`. */
  readonly source?: string;
}

export type LineageState = SegmentState | DerivationState;

/**
 * From sample `sample` of a hop on, counted by the hop itself, its `samples` samples are `ticks` ticks of
 * the stream, the first of them at `tick`: sample n lies at tick + floor((n − sample) × ticks / samples).
 * Written where that changes: at a resampler's start, at a splice.
 */
export interface SegmentState {
  readonly kind: 'segment';
  readonly stream: string;
  readonly role: string;
  readonly hop: string;
  /** 0 for the first of that name in its process. */
  readonly nth: number;
  readonly sample: number;
  readonly tick: Tick;
  readonly samples: number;
  readonly ticks: number;
  readonly at: DomainNs;
}

/** How sure a derivation is: counted, told by somebody, or guessed. */
export type DerivationQuality = 'exact' | 'reported' | 'inferred';

/** Where modality changes: this text came from these ticks (user), these ticks came from this text (agent). */
export interface DerivationState {
  readonly kind: 'derived';
  readonly who: 'user' | 'agent';
  readonly stream: string;
  readonly fromTick: Tick;
  /** Behind the last one. */
  readonly toTick: Tick;
  /** At most 4,000 characters. */
  readonly text: string;
  /** Where `text` stands in what was said, in characters (UTF-16), if only a part of it is meant. */
  readonly fromChar?: number;
  readonly quality: DerivationQuality;
  readonly at: DomainNs;
}

/** A turn that changed since this process told it last. */
export interface TurnChange {
  readonly tick: Tick;
  readonly stream: string;
  /** The revision that it was told in, on which `set` is made. */
  readonly base: number;
  readonly rev: number;
  /** As `changeOf` of patch.ts makes it of the two states. */
  readonly set: JsonObject;
}

/** One look at a media stack: what it counted of one stream in an interval, in one process. */
export interface MediaIntervalState {
  readonly stream: string;
  /** The first half of the process's hop names. */
  readonly role: string;
  readonly fromAt: DomainNs;
  readonly toAt: DomainNs;
  readonly figures: MediaFigures;
}

/** Means and counts over an interval, never the truth of one frame. What is not known is absent. */
export interface MediaFigures {
  /** Mean time in the jitter buffer of what left it. */
  readonly jitterBufferNs?: DurationNs;
  /** Mean of what the jitter buffer aimed at. */
  readonly jitterBufferTargetNs?: DurationNs;
  /** Mean from decoder to device. */
  readonly playoutNs?: DurationNs;
  /** Round trip to the peer, by RTCP, else by ICE. */
  readonly rttNs?: DurationNs;
  /** Of packets' arrival, by RTP's own reckoning, as it stood at the end. */
  readonly jitterNs?: DurationNs;
  /** Samples played, made up ones included, and those made up. */
  readonly totalSamples?: number;
  readonly concealedSamples?: number;
  readonly concealmentEvents?: number;
  /** Samples added and taken out to play slower or faster: the buffer moves toward its target. */
  readonly insertedSamples?: number;
  readonly removedSamples?: number;
  /** Silence that a device played because nothing came. */
  readonly synthesizedNs?: DurationNs;
  readonly packets?: number;
  readonly packetsLost?: number;
  readonly packetsDiscarded?: number;
  /** A player ran dry and went on, and samples of silence in between. */
  readonly underrunCount?: number;
  readonly missingSamples?: number;
  /** Least number of samples that waited in a player. */
  readonly fillSamplesMin?: number;
}

export interface SessionState {
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** True for the process that decides turns. */
  readonly authority: boolean;
  readonly startedAt: DomainNs;
  /** Set when this process ended its part of the session. */
  readonly endedAt?: DomainNs;
  /** How often this process flushes; three missed ones mean broken off. */
  readonly flushNs: DurationNs;
  readonly streams: readonly StreamState[];
}

export interface StreamState {
  readonly name: string;
  readonly sampleRate: number;
  /** `up`: from the user toward the agent. `down`: toward the user. */
  readonly direction: 'up' | 'down';
}

export interface TurnState {
  /** Start tick of the user's speech on `stream`: with the session, the turn's identity. */
  readonly tick: Tick;
  readonly stream: string;
  /** 32 and 16 hex digits: the trace of this turn and its root span. */
  readonly traceId: string;
  readonly spanId: string;
  /** Rises with each change; the higher one wins. */
  readonly rev: number;
  readonly startedAt: DomainNs;
  readonly endedAt?: DomainNs;
  readonly outcome?: TurnOutcome;
  readonly waits: readonly WaitState[];
  readonly stages: readonly StageState[];
  readonly words: readonly WordsState[];
  readonly bargeIn?: BargeInState;
  /** Short speech of the user over the agent that did not change who has the floor. */
  readonly backchannels?: number;
}

export type TurnOutcome = 'completed' | 'interrupted' | 'abandoned' | 'failed';

export type WaitKind = 'response' | 'greeting' | 'resume';

export interface WaitState {
  readonly kind: WaitKind;
  /** What opened it: the last voiced user sample, or (greeting, resume) a moment. */
  readonly opens:
    | {
        readonly stream: string;
        readonly tick: Tick;
        readonly source: string;
        readonly errorNs: DurationNs;
      }
    | { readonly at: DomainNs; readonly source: string; readonly errorNs: DurationNs };
  /** The first voiced agent sample that ended it; absent while open or when never answered. */
  readonly closes?: {
    readonly stream: string;
    readonly tick: Tick;
    readonly source: string;
    readonly errorNs: DurationNs;
    /** A filler ("let me check"): ends `voice_to_voice`, not `time_to_answer`. */
    readonly filler?: boolean;
  };
  readonly moments: readonly MomentState[];
  /** Said by the authority when it knows better than the marks. */
  readonly outcome?: 'interrupted_after' | 'interrupted_before' | 'abandoned' | 'failed' | 'none';
}

export interface MomentState {
  readonly name: MomentName;
  readonly at: DomainNs;
  /** How it was taken, e.g. `vad`, `timer`, `service`. */
  readonly source?: string;
  readonly errorNs?: DurationNs;
  /** Moments of the same wait that this one waited for; the latest of them owns the stretch. */
  readonly after?: readonly MomentName[];
  /** Which generation (speech) it belongs to; moments of discarded ones are off the path. */
  readonly generation?: string;
}

export interface StageState {
  readonly name: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly startedAt: DomainNs;
  /** First useful output: first word, first speakable token, first audio byte. */
  readonly firstAt?: DomainNs;
  readonly endedAt?: DomainNs;
  readonly generation?: string;
  /** True for work whose result was thrown away (speculation, a failed attempt). */
  readonly discarded?: boolean;
  readonly error?: string;
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

export interface WordsState {
  readonly who: 'user' | 'agent' | 'tool';
  /** At most 4,000 characters. */
  readonly text: string;
  readonly at: DomainNs;
  /** True when the user never heard its end. */
  readonly cut?: boolean;
}

export interface BargeInState {
  /** Onset of the user's speech over the agent, on the turn's mic stream. */
  readonly onsetTick: Tick;
  readonly detectedAt?: DomainNs;
  readonly decidedAt?: DomainNs;
  readonly cancelledAt?: DomainNs;
  /** The agent went on with the same speech: it was no interruption after all. */
  readonly resumedAt?: DomainNs;
  /** 0 to 1: how much what was taken for the user resembles the agent's own sound (envelopes, best delay). */
  readonly echo?: number;
  /** Last agent tick generated; what lies beyond the last one played was never heard. */
  readonly generatedTick?: Tick;
}
