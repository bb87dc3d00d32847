// One turn of Pipecat: its waits, and what else is shown of it.

import {
  tick,
  type Attributes,
  type DurationNs,
  type StageState,
  type WordsState,
} from '@framescope/protocol';
import { addFeatures, type FeatureDraft } from './features.ts';
import {
  generationOf,
  heardOf,
  SAME_EVENT_NS,
  spokenOf,
  type Dialect,
  type Facts,
} from './pipecat-spans.ts';
import { waitsOf } from './pipecat-waits.ts';
import type { KnownTurn, KnownWait, ReportedFigure } from './source.types.ts';
import {
  flagAt,
  later,
  numberAt,
  secondsAt,
  shown,
  textAt,
  unixMs,
  type TimedSpan,
} from './span-reader.ts';

const STREAM = 'pipecat';
/** A turn runs on so long behind the agent's last word, unless the user speaks. */
const TURN_END_TIMEOUT_NS = 2_500_000_000;

/** A turn begins when its user is known to speak: a moment after they do. */
const TURN_SLACK_NS = 1_000_000_000;

/** What the spans of one call have in common. */
export interface CallFacts {
  readonly dialect: Dialect;
  /** Unix time of DomainNs 0. */
  readonly zeroUnixNs: bigint;
}

/** A turn of Pipecat's own tracing. */
export function turnOf(
  turn: TimedSpan,
  children: readonly TimedSpan[],
  next: TimedSpan | undefined,
  call: CallFacts,
): KnownTurn {
  const { attributes } = turn.span;
  const inOrder = children.toSorted((a, b) => a.startAt - b.startAt);
  const of = (name: string): TimedSpan[] => inOrder.filter(one => one.span.name === name);
  const latencyNs = secondsAt(attributes, LATENCY);
  const facts: Facts = {
    turn,
    latency: latencyNs === undefined ? undefined : reportedLatency(LATENCY, latencyNs),
    isLatencyUnusable: latencyNs === undefined && LATENCY in attributes,
    saysInterrupted: flagAt(attributes, 'turn.was_interrupted') === true,
    heard: of('stt').map(one => heardOf(one, call.dialect, later(turn.startAt, -TURN_SLACK_NS))),
    llms: of('llm').map(generationOf),
    spoken: of('tts').map(one => spokenOf(one, call.dialect)),
  };
  const features = featuresOf(children, numberAt(attributes, 'turn.number'));
  return { ...turnFrom(facts, next, call), features };
}

export const LATENCY = 'turn.user_bot_latency_seconds';

export const reportedLatency = (name: string, valueNs: DurationNs): ReportedFigure => ({
  name,
  valueNs,
  meaning: 'end of speech by its VAD → first frame written by the output transport',
});

/** A turn from what was heard, generated and said in it, whoever traced that. */
export function turnFrom(facts: Facts, next: TimedSpan | undefined, call: CallFacts): KnownTurn {
  const { turn, heard, saysInterrupted } = facts;
  const { span, startAt, endAt } = turn;
  const waits = waitsOf(facts, call.dialect);
  const isFollowed = next !== undefined && next.startAt - endAt < SAME_EVENT_NS;
  const isInterrupted = saysInterrupted && isFollowed;
  const isUnanswered = waits.length > 0 && waits.at(-1)!.closes === undefined;
  const isHungUp = next === undefined && isUnanswered && waits.at(-1)!.isAnsweredUnseen !== true;
  const speech = heard.filter(one => one.startsAt < one.endsAt);
  const agent = agentSpeech(facts, waits, next);
  return {
    tick: tick(unixMs(startAt, call.zeroUnixNs)),
    stream: STREAM,
    traceId: span.traceId,
    spanId: span.spanId,
    rev: 0,
    startedAt: startAt,
    endedAt: endAt,
    outcome: isInterrupted ? 'interrupted' : isHungUp ? 'abandoned' : 'completed',
    waits,
    stages: stagesOf(facts),
    words: wordsOf(facts),
    ...(speech.length > 0 && {
      user: { startsAt: speech[0]!.startsAt, endsAt: speech.at(-1)!.endsAt },
    }),
    ...(agent && { agent }),
  };
}

function stagesOf({ heard, llms, spoken }: Facts): StageState[] {
  const stages: StageState[] = heard.map(one => ({
    name: 'stt',
    spanId: one.span.spanId,
    startedAt: one.endsAt,
    endedAt: one.transcriptAt ?? one.decidedAt ?? one.endsAt,
    attributes: plain(one.span.attributes, STT_ATTRIBUTES),
  }));
  for (const [i, llm] of llms.entries()) {
    stages.push({
      name: 'llm',
      spanId: llm.span.spanId,
      startedAt: llm.startAt,
      ...(llm.firstAt !== undefined && { firstAt: llm.firstAt }),
      endedAt: llm.endAt,
      ...(llm.span.statusCode === 2 && { error: llm.span.statusMessage || 'error' }),
      attributes: plain(llm.span.attributes, LLM_ATTRIBUTES),
    });
    const next = llms[i + 1];
    if (next?.hasToolResult === true && llm.endAt <= next.startAt)
      stages.push({
        name: 'tool',
        spanId: next.span.spanId,
        startedAt: llm.endAt,
        endedAt: next.startAt,
        attributes: { 'framescope.inferred': 'between two llm spans' },
      });
  }
  for (const one of spoken)
    stages.push({
      name: 'tts',
      spanId: one.span.spanId,
      startedAt: one.startAt,
      ...(one.firstAt !== undefined && { firstAt: one.firstAt }),
      endedAt: one.endAt,
      attributes: plain(one.span.attributes, TTS_ATTRIBUTES),
    });
  return stages;
}

const SERVICE_ATTRIBUTES: readonly string[] = [
  'gen_ai.provider.name',
  'gen_ai.system',
  'gen_ai.request.model',
  'metrics.ttfb',
];
const STT_ATTRIBUTES: readonly string[] = [
  ...SERVICE_ATTRIBUTES,
  'language',
  'is_final',
  'stt.incomplete',
];
const LLM_ATTRIBUTES: readonly string[] = [
  ...SERVICE_ATTRIBUTES,
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'tool_count',
];
const TTS_ATTRIBUTES: readonly string[] = [
  ...SERVICE_ATTRIBUTES,
  'voice_id',
  'metrics.character_count',
  'tts.interrupted',
];

function plain(
  attributes: Attributes,
  keys: readonly string[],
): Record<string, string | number | boolean> {
  const kept: Record<string, string | number | boolean> = {};
  for (const key of keys) {
    const value = attributes[key];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      kept[key] = typeof value === 'string' ? shown(value) : value;
  }
  return kept;
}

function wordsOf({ heard, llms, spoken }: Facts): WordsState[] {
  const words: WordsState[] = [];
  for (const one of heard) {
    const text = textAt(one.span.attributes, 'transcript');
    if (text !== undefined) words.push({ who: 'user', text: shown(text), at: one.endsAt });
  }
  for (const one of spoken) {
    const text = textAt(one.span.attributes, 'text');
    if (text !== undefined)
      words.push({
        who: 'agent',
        text: shown(text),
        at: one.firstAt ?? one.startAt,
        ...(one.isCut && { cut: true }),
      });
  }
  // Without a voice of its own what the model wrote is what was said, as far as anybody knows.
  if (spoken.length === 0)
    for (const llm of llms) {
      const text = textAt(llm.span.attributes, 'output');
      if (text !== undefined)
        words.push({ who: 'agent', text: shown(text), at: llm.firstAt ?? llm.endAt });
    }
  return words.toSorted((a, b) => a.at - b.at);
}

/** From its first frame to where Pipecat took it for silent. */
function agentSpeech(
  { turn, spoken }: Facts,
  waits: readonly KnownWait[],
  next: TimedSpan | undefined,
): KnownTurn['agent'] {
  const closes = waits.at(-1)?.closes;
  const startsAt = closes !== undefined && 'at' in closes ? closes.at : spoken[0]?.firstAt;
  if (startsAt === undefined) return undefined;
  const isEndedByUser =
    (next !== undefined && next.startAt - turn.endAt < SAME_EVENT_NS) ||
    flagAt(turn.span.attributes, 'turn.ended_by_conversation_end') === true;
  const endsAt = isEndedByUser ? turn.endAt : later(turn.endAt, -TURN_END_TIMEOUT_NS);
  return { startsAt, endsAt: endsAt < startsAt ? startsAt : endsAt };
}

function featuresOf(children: readonly TimedSpan[], number: number | undefined): Attributes {
  const draft: FeatureDraft = {};
  for (const { span } of children) addFeatures(draft, span.name, span.attributes);
  return number === undefined ? draft : { ...draft, 'turn.number': number };
}

/**
 * The user speaks over the agent: their onset, by the span of what they then said, and when
 * Pipecat decided to stop. Turns in order of time; each that was interrupted gets its own.
 */
export function withBargeIns(turns: readonly KnownTurn[]): KnownTurn[] {
  return turns.map((turn, i) => {
    const next = turns[i + 1];
    const onsetAt = next?.user?.startsAt;
    if (turn.outcome !== 'interrupted' || next === undefined || onsetAt === undefined) return turn;
    return { ...turn, bargeIn: { onsetAt, detectedAt: next.startedAt, stoppedAt: turn.endedAt! } };
  });
}
