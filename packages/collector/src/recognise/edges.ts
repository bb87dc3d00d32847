// The words in which a source states its edges: which moment waits for which.
//
// Pipelines do not run in one order, so a ledger is a walk through a graph, and each
// recogniser states the edges of its source. A moment that says `after` itself is
// believed; for the others these hold. Read "turn_decided, if before" as: if it had come
// by then, it was waited for; if it came later, the work was begun without it
// (preemptive generation).

import type { PartName } from '../assemble/ledger/parts.ts';

/** How an input is meant. */
export type InputKind =
  /** Waited for. If nobody saw it, its own inputs stand in for it and the parts merge. */
  | 'always'
  /** Waited for if it was seen to come first. */
  | 'if before'
  /** The same, but one that nobody saw is taken to have come first. */
  | 'if before or unseen';

export interface EdgeInput {
  readonly name: string;
  readonly kind: InputKind;
}

export interface EdgeRule {
  /** What is under way between the latest input and this moment. */
  readonly part: PartName;
  readonly inputs: readonly EdgeInput[];
}

/** What the moments of one wait tell of its pipeline. */
export interface PipelineFacts {
  readonly kind: 'response' | 'greeting' | 'resume';
  /** Names of the moments that are known. */
  readonly known: ReadonlySet<string>;
  readonly decidedBy: string | undefined;
  /** Source of `first_audio`: a realtime model speaks without text. */
  readonly audioFrom: string | undefined;
}

/** Rules by moment name. A moment without a rule is nobody's work: `unattributed`. */
export type Profile = ReadonlyMap<string, EdgeRule>;

export const always = (name: string): EdgeInput => ({ name, kind: 'always' });
export const ifBefore = (name: string): EdgeInput => ({ name, kind: 'if before' });
export const ifBeforeOrUnseen = (name: string): EdgeInput => ({
  name,
  kind: 'if before or unseen',
});
export const rule = (part: PartName, ...inputs: EdgeInput[]): EdgeRule => ({ part, inputs });

/** From the first frame of an answer to the ear: the same for all who speak. */
export const TO_THE_EAR: readonly (readonly [string, EdgeRule])[] = [
  ['first_voiced_sent', rule('leading_silence', always('first_frame_sent'))],
  ['first_voiced_carried', rule('downlink', always('first_voiced_sent'))],
  ['first_voiced_received', rule('downlink', always('first_voiced_sent'))],
  ['first_voiced_unbuffered', rule('jitter_buffer', always('first_voiced_received'))],
  ['first_voiced_audible', rule('playout', always('first_voiced_unbuffered'))],
];
