// The waits of a Pipecat turn: each stretch of speech that was answered, or that
// something was done to answer, with the moments on its way.

import { durationNs, type DomainNs, type MomentState } from '@framescope/protocol';
import {
  SAME_EVENT_NS,
  type Dialect,
  type Facts,
  type Generation,
  type Heard,
  type Spoken,
} from './pipecat-spans.ts';
import type { KnownMoment, KnownWait } from './source.types.ts';
import { later, type TimedSpan } from './span-reader.ts';

/** Pipecat's VAD looks at 32 ms at a time: an end of speech is good to that. */
const VAD_ERROR_NS = 32_000_000;
/** Between two reads of the wall clock that stand beside the same event. */
const READ_ERROR_NS = 1_000_000;

/** One stretch of speech and what was done to answer it. */
interface Answering {
  readonly heard: Heard | undefined;
  readonly next: Heard | undefined;
  readonly llms: readonly Generation[];
  readonly spoken: readonly Spoken[];
}

export function waitsOf(facts: Facts, dialect: Dialect): KnownWait[] {
  const answers = answersOf(facts);
  return answers.flatMap((one, i) =>
    waitOf(one, { isLast: i === answers.length - 1, facts, dialect }),
  );
}

/** Speech that nothing was done about went on: a pause in a turn is no wait. */
function answersOf({ heard, llms, spoken }: Facts): Answering[] {
  const stretches: (Heard | undefined)[] = [undefined, ...heard];
  const startOf = (one: Heard): number => one.transcriptAt ?? one.endsAt;
  const all = stretches.map((one, i): Answering => {
    const fromAt = one === undefined ? -Infinity : startOf(one) - SAME_EVENT_NS;
    const next = heard[i];
    const untilAt = next === undefined ? Infinity : startOf(next) - SAME_EVENT_NS;
    const isIn = ({ startAt }: TimedSpan): boolean => startAt >= fromAt && startAt < untilAt;
    return { heard: one, next, llms: llms.filter(isIn), spoken: spoken.filter(isIn) };
  });
  const isLast = (one: Answering): boolean => one.heard !== undefined && one.next === undefined;
  return all.filter(one => one.llms.length > 0 || one.spoken.length > 0 || isLast(one));
}

interface WaitPlace {
  readonly isLast: boolean;
  readonly facts: Facts;
  readonly dialect: Dialect;
}

function waitOf(one: Answering, { isLast, facts, dialect }: WaitPlace): KnownWait[] {
  const { heard, next, spoken } = one;
  const moments = momentsOf(one);
  // What is said before anybody spoke: when the user came nobody says, so it has no measure.
  if (heard === undefined)
    return moments.length === 0 ? [] : [{ kind: 'greeting', moments, isAnsweredUnseen: true }];
  const first = spoken[0];
  const filler = first !== undefined && isFiller(first, one);
  const { turn, latency } = facts;
  const said = isLast ? latency : undefined;
  const opens = opening(heard, first, said?.valueNs);
  // An answer that begins after its turn ended is in another unit than promised.
  const mostNs = turn.endAt - (opens?.at ?? turn.startAt);
  const answered = said !== undefined && said.valueNs <= mostNs ? said : undefined;
  const sentAt = answered && opens && later(opens.at, answered.valueNs);
  // Without that figure text that was handed to a voice is all that tells of an answer.
  const isUntold =
    isLast && first !== undefined && (!dialect.hasLatency || facts.isLatencyUnusable);
  const isAnsweredUnseen = isUntold || (said !== undefined && sentAt === undefined);
  return [
    {
      kind: 'response',
      moments,
      ...(opens && { opens }),
      ...(sentAt !== undefined && {
        closes: {
          at: sentAt,
          source: answered!.name,
          errorNs: durationNs(READ_ERROR_NS),
          ...(filler && { filler }),
        },
      }),
      ...(answered && { reported: [answered] }),
      ...(isAnsweredUnseen && { isAnsweredUnseen }),
      ...(!isLast ? { outcome: 'interrupted_before' as const } : {}),
      ...(!isLast && next !== undefined ? { gaveUpAt: next.startsAt } : {}),
    },
  ];
}

/** The end of speech: by the STT's latency, else the agent's first sound less the reported latency. */
function opening(
  heard: Heard,
  first: Spoken | undefined,
  latencyNs: number | undefined,
): KnownMoment | undefined {
  const errorNs = durationNs(VAD_ERROR_NS);
  if (heard.isEndKnown) return { at: heard.endsAt, source: 'vad, by stt metrics.ttfb', errorNs };
  if (latencyNs === undefined || first?.firstAt === undefined) return undefined;
  // From the first audio to the first frame out is a hop of the pipeline.
  const at = later(first.firstAt, -latencyNs);
  return { at, source: 'vad, by user_bot_latency', errorNs: durationNs(2 * VAD_ERROR_NS) };
}

/** Said while a tool ran, before the answer that its result went into. */
const isFiller = (spoken: Spoken, { llms }: Answering): boolean =>
  llms.some(llm => llm.hasToolResult && llm.startAt > spoken.startAt);

function momentsOf({ heard, llms, spoken }: Answering): MomentState[] {
  const moments: MomentState[] = [];
  const add = (
    name: string,
    at: DomainNs | undefined,
    more: Omit<MomentState, 'name' | 'at'>,
  ): void => {
    if (at !== undefined) moments.push({ name, at, errorNs: durationNs(READ_ERROR_NS), ...more });
  };
  add('transcript_final', heard?.transcriptAt, { source: 'stt span' });
  add('turn_decided', heard?.decidedAt, { source: 'stt span closed by it' });
  const first = spoken[0];
  const endAt = first?.firstAt ?? Infinity;
  for (const [i, llm] of llms.entries()) {
    if (llm.startAt > endAt) break;
    const generation = llm.span.spanId;
    add('model_requested', llm.startAt, { source: 'llm span', generation });
    if (llm.isSpeakable)
      add('first_speakable', llm.firstAt, { source: 'llm metrics.ttfb', generation });
    const next = llms[i + 1];
    if (next?.hasToolResult !== true || llm.endAt > next.startAt) continue;
    add('tool_started', llm.endAt, { source: 'between llm spans' });
    if (next.startAt <= endAt) add('tool_ended', next.startAt, { source: 'between llm spans' });
  }
  if (first === undefined) return moments;
  const by = llms.findLast(llm => llm.startAt <= first.startAt);
  const isOfModel = by === undefined || by.isSpeakable;
  const generation = by?.span.spanId;
  // Said by the application while a tool ran: no text of the model's was waited for.
  if (isOfModel)
    add('speech_text_sent', first.startAt, {
      source: 'tts span',
      ...(generation !== undefined && { generation }),
    });
  else add('filler_text_sent', first.startAt, { source: 'tts span' });
  add('first_audio', first.firstAt, { source: 'tts metrics.ttfb' });
  return moments;
}
