// The spans of a Pipecat turn by what they are of: speech heard, text generated, speech
// made, with the moments that each tells.

import type { DomainNs } from '@framescope/protocol';
import type { StoredSpan } from '../store/store.ts';
import type { ReportedFigure } from './source.types.ts';
import { flagAt, later, numberAt, secondsAt, textAt, type TimedSpan } from './span-reader.ts';

/** Ends of two spans that one event closed are no further apart. */
export const SAME_EVENT_NS = 50_000_000;

/** How this version writes. */
export interface Dialect {
  /** stt and tts spans last as long as what they are of (1.2.0 and later). */
  readonly hasLengths: boolean;
  /** It says when an answer began (0.0.102 and later). */
  readonly hasLatency: boolean;
}

export interface Facts {
  readonly turn: TimedSpan;
  /** End of speech to first frame out, by Pipecat's own count. */
  readonly latency: ReportedFigure | undefined;
  /** It is there and cannot be: an answer came, and nobody says when. */
  readonly isLatencyUnusable: boolean;
  /** It says of itself that it was interrupted: so does the last one of a call. */
  readonly saysInterrupted: boolean;
  readonly heard: readonly Heard[];
  readonly llms: readonly Generation[];
  readonly spoken: readonly Spoken[];
}

/** One stretch of the user's speech, to its transcript. */
export interface Heard {
  readonly span: StoredSpan;
  readonly startsAt: DomainNs;
  /** End of speech; where it is not known, the transcript's time. */
  readonly endsAt: DomainNs;
  readonly isEndKnown: boolean;
  /** Absent: the span was closed by the end of the turn, not by a transcript. */
  readonly transcriptAt: DomainNs | undefined;
  /** The end of the turn closed the span: that is when it was decided. */
  readonly decidedAt: DomainNs | undefined;
}

/** `notBefore`: an end of speech that lies before it is in another unit than promised. */
export function heardOf(
  { span, startAt, endAt }: TimedSpan,
  { hasLengths }: Dialect,
  notBefore: DomainNs,
): Heard {
  const { attributes } = span;
  const ttfbNs = secondsAt(attributes, 'metrics.ttfb');
  // Closed by UserStoppedSpeaking with no transcript that said it was the last one.
  const isIncomplete = flagAt(attributes, 'stt.incomplete') === true;
  const transcriptAt = isIncomplete ? undefined : hasLengths ? endAt : startAt;
  const earliestAt = hasLengths ? startAt : notBefore;
  const isEndKnown =
    transcriptAt !== undefined && ttfbNs !== undefined && transcriptAt - ttfbNs >= earliestAt;
  const endsAt = isEndKnown ? later(transcriptAt, -ttfbNs) : (transcriptAt ?? endAt);
  return {
    span,
    startsAt: hasLengths && startAt < endsAt ? startAt : endsAt,
    endsAt,
    isEndKnown,
    transcriptAt,
    decidedAt: isIncomplete ? endAt : undefined,
  };
}

export interface Generation extends TimedSpan {
  /** Its first chunk. */
  readonly firstAt: DomainNs | undefined;
  /** It said something: its first chunk is a word, not a tool call. */
  readonly isSpeakable: boolean;
  /** It was asked with the result of a tool. */
  readonly hasToolResult: boolean;
}

export function generationOf(one: TimedSpan): Generation {
  const { attributes } = one.span;
  const ttfbNs = secondsAt(attributes, 'metrics.ttfb');
  const firstAt = ttfbNs === undefined ? undefined : later(one.startAt, ttfbNs);
  // A thinking model's first chunk is no word: where the first word is nobody says.
  const isThinking = (numberAt(attributes, 'gen_ai.usage.reasoning.output_tokens') ?? 0) > 0;
  return {
    span: one.span,
    startAt: one.startAt,
    endAt: one.endAt,
    firstAt: firstAt !== undefined && firstAt <= one.endAt ? firstAt : undefined,
    isSpeakable: textAt(attributes, 'output') !== undefined && !isThinking,
    hasToolResult: endsInTool(textAt(attributes, 'input') ?? ''),
  };
}

/** Since the user's last words a tool answered; the messages before hold those of other turns. */
function endsInTool(input: string): boolean {
  const user = input.lastIndexOf('"user"');
  return input.indexOf('"tool_call_id"', Math.max(0, user)) !== -1;
}

export interface Spoken extends TimedSpan {
  readonly firstAt: DomainNs | undefined;
  readonly isCut: boolean;
}

export function spokenOf(one: TimedSpan, { hasLengths }: Dialect): Spoken {
  const { attributes } = one.span;
  const ttfbNs = secondsAt(attributes, 'metrics.ttfb');
  const firstAt = ttfbNs === undefined ? undefined : later(one.startAt, ttfbNs);
  return {
    span: one.span,
    startAt: one.startAt,
    endAt: hasLengths ? one.endAt : (firstAt ?? one.startAt),
    firstAt: !hasLengths || (firstAt !== undefined && firstAt <= one.endAt) ? firstAt : undefined,
    isCut: flagAt(attributes, 'tts.interrupted') === true,
  };
}
