// What a recogniser makes of the telemetry of its source: turns with their waits,
// moments, stages and words, in the shape in which our own instrument tells them, and
// a little more, for what only others know (a figure of the framework's own; a time
// where we would have a sample).
//
// All times are `DomainNs` of one clock: Unix time minus a zero that assembly hands in,
// so that they are exact in a double. A recogniser reads nothing else and keeps nothing.

import type {
  Attributes,
  BargeInState,
  DomainNs,
  DurationNs,
  TurnState,
} from '@framescope/protocol';
import type { StoredSpan } from '../store/store.ts';
import type { Profile, PipelineFacts } from './edges.ts';

/** Whose telemetry it is. */
export type SourceName =
  | 'framescope'
  | 'pipecat'
  | 'livekit-agents'
  | 'openinference'
  | 'gen_ai'
  | 'logfire'
  | 'vapi'
  | 'retell'
  | 'deepgram'
  | 'elevenlabs';

/** A time at which a wait opened or closed, by one's own word, where our instrument has a tick. */
export interface KnownMoment {
  readonly at: DomainNs;
  /** How it was taken. */
  readonly source: string;
  readonly errorNs: DurationNs;
}

type OwnWait = TurnState['waits'][number];

export interface KnownWait extends Omit<OwnWait, 'opens' | 'closes'> {
  /** Absent: when it began nobody can tell; it is shown as "at least so long" and not charted. */
  readonly opens?: OwnWait['opens'];
  /** `at`: when the first frame of the answer left (`first_frame_sent`). */
  readonly closes?: NonNullable<OwnWait['closes']> | (KnownMoment & { readonly filler?: boolean });
  /** An answer came, but nobody says when: no end is made up for it. */
  readonly isAnsweredUnseen?: boolean;
  /** Where a wait without an answer was given up, where that is not the turn's end. */
  readonly gaveUpAt?: DomainNs;
  /** Figures of the framework's own for this wait, kept beside ours. */
  readonly reported?: readonly ReportedFigure[];
}

/** A latency as a framework reports it itself. */
export interface ReportedFigure {
  /** The attribute it stood in. */
  readonly name: string;
  readonly valueNs: DurationNs;
  /** Between which two moments the framework takes it, in a few words. */
  readonly meaning: string;
}

/** An interval of speech as a framework saw it. */
export interface KnownSpeech {
  readonly startsAt: DomainNs;
  readonly endsAt: DomainNs;
}

/** Barge-in where there are times and no ticks. */
export interface KnownBargeIn {
  readonly onsetAt: DomainNs;
  readonly detectedAt?: DomainNs;
  /** The last agent sample heard, if known; else when sending was cancelled. */
  readonly stoppedAt?: DomainNs;
}

/** A turn as some source tells it; `TurnState` of our own instrument is one. */
export interface KnownTurn extends Omit<TurnState, 'waits' | 'bargeIn'> {
  readonly waits: readonly KnownWait[];
  readonly bargeIn?: BargeInState | KnownBargeIn;
  readonly user?: KnownSpeech;
  readonly agent?: KnownSpeech;
  /** Models, voices, tokens, characters, tools, versions: what turns are grouped and filtered by. */
  readonly features?: Attributes;
}

export interface Recognition {
  /**
   * In any order. `tick` names a turn in its session for ever: the milliseconds of its start on
   * the Unix clock, whichever of its spans came first.
   */
  readonly turns: readonly KnownTurn[];
  /** Attributes of the session: framework, its version as far as it shows, and what it says of the call. */
  readonly attributes: Attributes;
  /** What was not understood, or not plotted, and why; one sentence each. */
  readonly notes: readonly string[];
  /** The span that ends with the call has come. */
  readonly isOver: boolean;
}

export interface RecogniseContext {
  /** Unix time of DomainNs 0. */
  readonly zeroUnixNs: bigint;
  /** Nothing more is expected: what waits for its parent is shown without it. */
  readonly isOver: boolean;
}

/** One source of telemetry. Pure; costs a few microseconds a span at most. */
export interface Recogniser {
  readonly name: SourceName;
  /** By its instrumentation scope; by its attributes only where the scope says nothing. */
  owns(span: Pick<StoredSpan, 'scope' | 'name' | 'attributes'>): boolean;
  /** `spans`: all of one session that it owns, by arrival. Strange data must not make it throw. */
  recognise(spans: readonly StoredSpan[], context: RecogniseContext): Recognition;
  /** Which moment waits for which in the pipelines of this source. */
  profile(facts: PipelineFacts): Profile;
}
