// A call as its voice platform reports it when it is over: what the readers of this folder
// make of each vendor's JSON. Figures stay as they were sent, under the vendor's names and
// in the vendor's unit: what they mean is said by recognise/call-reports.ts, so that a
// better reading repairs what is stored.

import type { Attributes } from '@framescope/protocol';

export type Vendor = 'vapi' | 'retell' | 'deepgram' | 'elevenlabs';

/** What one side said, and when, as far as it is told. Times are Unix ms, fractions allowed. */
export interface ReportedSpeech {
  readonly text?: string;
  readonly startMs?: number;
  readonly endMs?: number;
}

export interface ReportedTool {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** A user's words and the answer to them; without `user`: the agent spoke by itself. */
export interface ReportedTurn {
  readonly user?: ReportedSpeech;
  readonly agent?: ReportedSpeech;
  /** The user spoke over it, by the vendor's word. */
  readonly isInterrupted?: boolean;
  /** Latencies by the vendor's name, in the vendor's unit. */
  readonly figures: Readonly<Record<string, number>>;
  /** What it was made with: `llm.model`, `tts.voice`, … */
  readonly features: Attributes;
  readonly tools: readonly ReportedTool[];
}

export interface ReportedCall {
  readonly vendor: Vendor;
  /** The vendor's ID of the call: it becomes `session.id`. */
  readonly id: string;
  readonly startMs: number;
  readonly endMs: number;
  /** Of the call: agent, version, why it ended. */
  readonly attributes: Attributes;
  readonly turns: readonly ReportedTurn[];
  /** What could not be told, one sentence each. */
  readonly notes: readonly string[];
}
