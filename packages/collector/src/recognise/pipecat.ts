// Telemetry of Pipecat's own tracing (scopes `pipecat` and `pipecat.turn`).
//
//   conversation ┬ turn ┬ stt     from the onset of speech to the final transcript; metrics.ttfb
//                │      │         from the end of speech to it: so the end of speech is known
//                │      ├ llm     around the inference; metrics.ttfb to its first chunk
//                │      └ tts     from text handed over; metrics.ttfb to the first audio
//                └ turn …         turn.user_bot_latency_seconds: end of speech → first frame out
//
// Versions say nothing of themselves, so each is told by what it writes. Before 1.2.0
// an stt or tts span has no length: only metrics.ttfb means something. What realtime
// services write (`llm_setup`, `llm_response`, …) is the time of an event handler, no
// generation's: it is never drawn.

import type {
  Attributes,
  DomainNs,
  MomentState,
  StageState,
  WordsState,
} from '@framescope/protocol';
import { durationNs, tick } from '@framescope/protocol';
import type { StoredSpan } from '../store/store.ts';
import { pipecatProfile } from './pipecat-edges.ts';
import type {
  KnownTurn,
  KnownWait,
  Recogniser,
  RecogniseContext,
  Recognition,
} from './source.types.ts';
import {
  flagAt,
  later,
  numberAt,
  secondsAt,
  shown,
  textAt,
  timed,
  unixMs,
  type TimedSpan,
} from './span-reader.ts';
import { addFeatures, type FeatureDraft } from './features.ts';

const SCOPE = 'pipecat';
const TURN_SCOPE = 'pipecat.turn';

/** Pipecat's VAD looks at 32 ms at a time: an end of speech is good to that. */
const VAD_ERROR_NS = 32_000_000;
/** Between two reads of the wall clock that stand beside the same event. */
const READ_ERROR_NS = 1_000_000;
/** Spans of a length that no speech and no synthesis has: those of before 1.2.0. */
const NO_LENGTH_NS = 5_000_000;
/** A turn runs on so long behind the agent's last word, unless the user speaks. */
const TURN_END_TIMEOUT_NS = 2_500_000_000;
/** Ends of two spans that one event closed are no further apart. */
const SAME_EVENT_NS = 50_000_000;

export const pipecat: Recogniser = {
  name: 'pipecat',
  owns: ({ scope }) => scope === SCOPE || scope === TURN_SCOPE,
  recognise,
  profile: pipecatProfile,
};

/** How this version writes. */
interface Dialect {
  /** stt and tts spans last as long as what they are of (1.2.0 and later). */
  readonly hasLengths: boolean;
}

interface Conversation {
  readonly dialect: Dialect;
  readonly zeroUnixNs: bigint;
  readonly notes: Set<string>;
}

function recognise(spans: readonly StoredSpan[], context: RecogniseContext): Recognition {
  const { zeroUnixNs } = context;
  const all = spans.map(span => timed(span, zeroUnixNs));
  const named = (name: string): TimedSpan[] =>
    all.filter(one => one.span.name === name).toSorted((a, b) => a.startAt - b.startAt);
  const conversations = named('conversation');
  const turns = named('turn');
  const services = all.filter(one => one.span.scope === SCOPE);
  const conversation: Conversation = {
    dialect: { hasLengths: hasLengths(services) },
    zeroUnixNs,
    notes: new Set(notesOf(services, turns)),
  };
  const children = byTurn(services, turns, context.isOver);
  return {
    turns: [
      ...turns.map((turn, i) => turnOf(turn, children.get(turn) ?? [], turns[i + 1], conversation)),
      ...children.orphans.map(group => orphanTurn(group, conversation)),
    ],
    attributes: attributesOf(conversations, services, conversation.dialect),
    notes: [...conversation.notes],
    isOver: conversations.length > 0,
  };
}

// ---- which spans are of which turn ----------------------------------------------------------

/** By parent; a span whose parent is no turn is of the turn in whose time it began. */
class Children extends Map<TimedSpan, TimedSpan[]> {
  readonly orphans: TimedSpan[][] = [];
}

function byTurn(
  services: readonly TimedSpan[],
  turns: readonly TimedSpan[],
  isOver: boolean,
): Children {
  const byId = new Map(turns.map(turn => [turn.span.spanId as string, turn]));
  const children = new Children();
  const orphans = new Map<string, TimedSpan[]>();
  const push = <K>(map: Map<K, TimedSpan[]>, key: K, one: TimedSpan): void => {
    const group = map.get(key);
    if (group === undefined) map.set(key, [one]);
    else group.push(one);
  };
  for (const one of services) {
    const parent = one.span.parentSpanId ?? '';
    const turn =
      byId.get(parent) ??
      turns.findLast(({ startAt, endAt }) => startAt <= one.startAt && one.startAt < endAt);
    if (turn !== undefined) push(children, turn, one);
    else if (parent !== '') push(orphans, parent, one);
  }
  // A turn ends last: while it may still come, its children wait for it.
  if (isOver) children.orphans.push(...orphans.values());
  return children;
}

/** A turn whose own span never came: the process died, or its last batch was lost. */
function orphanTurn(group: readonly TimedSpan[], conversation: Conversation): KnownTurn {
  conversation.notes.add('A turn span never arrived: its turn is told by what lay in it.');
  const startAt = Math.min(...group.map(one => one.startAt)) as DomainNs;
  const endAt = Math.max(...group.map(one => one.endAt)) as DomainNs;
  const [{ span }] = group as readonly [TimedSpan, ...TimedSpan[]];
  const spanId = span.parentSpanId ?? span.spanId;
  const parent: TimedSpan = {
    span: { ...span, spanId, name: 'turn', scope: TURN_SCOPE, attributes: {} },
    startAt,
    endAt,
  };
  const { endedAt: _, ...turn } = turnOf(parent, group, undefined, conversation);
  return turn;
}

// ---- a turn ---------------------------------------------------------------------------------

function turnOf(
  turn: TimedSpan,
  children: readonly TimedSpan[],
  next: TimedSpan | undefined,
  conversation: Conversation,
): KnownTurn {
  const { span, startAt, endAt } = turn;
  const of = (name: string): TimedSpan[] =>
    children.filter(one => one.span.name === name).toSorted((a, b) => a.startAt - b.startAt);
  const heard = of('stt').map(one => heardOf(one, conversation.dialect));
  const llms = of('llm').map(generationOf);
  const spoken = of('tts').map(one => spokenOf(one, conversation.dialect));
  const facts: Facts = { turn, heard, llms, spoken };
  const waits = waitsOf(facts);
  const isHungUp = flagAt(span.attributes, 'turn.ended_by_conversation_end') === true;
  const isInterrupted = flagAt(span.attributes, 'turn.was_interrupted') === true && !isHungUp;
  const speech = heard.filter(one => one.startsAt < one.endsAt);
  const agent = agentSpeech(facts, waits, next);
  return {
    tick: tick(unixMs(startAt, conversation.zeroUnixNs)),
    stream: SCOPE,
    traceId: span.traceId,
    spanId: span.spanId,
    rev: 0,
    startedAt: startAt,
    endedAt: endAt,
    ...(isInterrupted ? { outcome: 'interrupted' } : {}),
    ...(isHungUp && waits.at(-1)?.closes === undefined && waits.length > 0
      ? { outcome: 'abandoned' }
      : {}),
    ...(!isHungUp && !isInterrupted ? { outcome: 'completed' } : {}),
    waits,
    stages: stagesOf(facts),
    words: wordsOf(facts),
    ...(speech.length > 0 && {
      user: { startsAt: speech[0]!.startsAt, endsAt: speech.at(-1)!.endsAt },
    }),
    ...(agent && { agent }),
    features: featuresOf(turn, children),
  };
}

interface Facts {
  readonly turn: TimedSpan;
  readonly heard: readonly Heard[];
  readonly llms: readonly Generation[];
  readonly spoken: readonly Spoken[];
}

/** One stretch of the user's speech, to its transcript. */
interface Heard {
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

function heardOf({ span, startAt, endAt }: TimedSpan, { hasLengths }: Dialect): Heard {
  const { attributes } = span;
  const ttfbNs = secondsAt(attributes, 'metrics.ttfb');
  // Closed by UserStoppedSpeaking with no transcript that said it was the last one.
  const isIncomplete = flagAt(attributes, 'stt.incomplete') === true;
  const transcriptAt = isIncomplete ? undefined : hasLengths ? endAt : startAt;
  const isEndKnown = transcriptAt !== undefined && ttfbNs !== undefined;
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

interface Generation extends TimedSpan {
  /** Its first chunk. */
  readonly firstAt: DomainNs | undefined;
  /** It said something: its first chunk is a word, not a tool call. */
  readonly isSpeakable: boolean;
  /** It was asked with the result of a tool. */
  readonly hasToolResult: boolean;
}

function generationOf(one: TimedSpan): Generation {
  const { attributes } = one.span;
  const ttfbNs = secondsAt(attributes, 'metrics.ttfb');
  const firstAt = ttfbNs === undefined ? undefined : later(one.startAt, ttfbNs);
  // A thinking model's first chunk is no word: where the first word is nobody says.
  const isThinking = (numberAt(attributes, 'gen_ai.usage.reasoning.output_tokens') ?? 0) > 0;
  return {
    ...one,
    firstAt: firstAt !== undefined && firstAt <= one.endAt ? firstAt : undefined,
    isSpeakable: textAt(attributes, 'output') !== undefined && !isThinking,
    hasToolResult: (textAt(attributes, 'input') ?? '').includes('"tool_call_id"'),
  };
}

interface Spoken extends TimedSpan {
  readonly firstAt: DomainNs | undefined;
  readonly isCut: boolean;
}

function spokenOf(one: TimedSpan, { hasLengths }: Dialect): Spoken {
  const { attributes } = one.span;
  const ttfbNs = secondsAt(attributes, 'metrics.ttfb');
  const firstAt = ttfbNs === undefined ? undefined : later(one.startAt, ttfbNs);
  return {
    ...one,
    endAt: hasLengths ? one.endAt : (firstAt ?? one.startAt),
    firstAt: !hasLengths || (firstAt !== undefined && firstAt <= one.endAt) ? firstAt : undefined,
    isCut: flagAt(attributes, 'tts.interrupted') === true,
  };
}

// ---- its waits ------------------------------------------------------------------------------

/** One stretch of speech and what was done to answer it. */
interface Answering {
  readonly heard: Heard | undefined;
  readonly next: Heard | undefined;
  readonly llms: readonly Generation[];
  readonly spoken: readonly Spoken[];
}

function waitsOf(facts: Facts): KnownWait[] {
  const answers = answersOf(facts);
  return answers.flatMap((one, i) => waitOf(one, i === answers.length - 1, facts));
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

function waitOf(one: Answering, isLast: boolean, { turn }: Facts): KnownWait[] {
  const { heard, next, llms, spoken } = one;
  const { attributes } = turn.span;
  const latencyNs = secondsAt(attributes, 'turn.user_bot_latency_seconds');
  const moments = momentsOf(one);
  // What is said before anybody spoke: when the user came nobody says, so it has no measure.
  if (heard === undefined)
    return moments.length === 0 ? [] : [{ kind: 'greeting', moments, isAnsweredUnseen: true }];
  const isAnswered = isLast && latencyNs !== undefined;
  const first = spoken[0];
  const filler = first !== undefined && isFiller(first, one);
  const opens = opening(heard, first, isAnswered ? latencyNs : undefined);
  const sentAt = isAnswered && opens !== undefined ? later(opens.at, latencyNs) : undefined;
  const isSoundKnown = first?.firstAt !== undefined;
  return [
    {
      kind: 'response',
      moments,
      ...(opens && { opens }),
      ...(sentAt !== undefined && {
        closes: {
          at: sentAt,
          source: 'turn.user_bot_latency_seconds',
          errorNs: durationNs(READ_ERROR_NS),
          ...(filler && { filler }),
        },
      }),
      ...(isAnswered && {
        reported: [
          {
            name: 'turn.user_bot_latency_seconds',
            valueNs: latencyNs,
            meaning: 'end of speech by its VAD → first frame written by the output transport',
          },
        ],
      }),
      ...(sentAt === undefined && isLast && isSoundKnown ? { isAnsweredUnseen: true } : {}),
      ...(!isLast ? { outcome: 'interrupted_before' as const } : {}),
      ...(!isLast && next !== undefined ? { gaveUpAt: next.startsAt } : {}),
      ...(llms.length === 0 && !isAnswered && !isSoundKnown && isLast ? {} : {}),
    },
  ];
}

/** The end of speech: by the STT's latency, else the agent's first sound less the reported latency. */
function opening(
  heard: Heard,
  first: Spoken | undefined,
  latencyNs: number | undefined,
):
  | {
      readonly at: DomainNs;
      readonly source: string;
      readonly errorNs: ReturnType<typeof durationNs>;
    }
  | undefined {
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
  add('speech_text_sent', first.startAt, {
    source: 'tts span',
    ...(generation !== undefined && isOfModel && { generation }),
    // Said by the application while a tool ran: no text of the model's was waited for.
    ...(!isOfModel && { after: ['tool_started'] }),
  });
  add('first_audio', first.firstAt, { source: 'tts metrics.ttfb' });
  return moments;
}

// ---- what else is shown of it ---------------------------------------------------------------

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

function featuresOf(turn: TimedSpan, children: readonly TimedSpan[]): Attributes {
  const draft: FeatureDraft = {};
  for (const { span } of children) addFeatures(draft, span.name, span.attributes);
  const number = numberAt(turn.span.attributes, 'turn.number');
  if (number !== undefined) draft['turn.number'] = number;
  return draft;
}

// ---- the call -------------------------------------------------------------------------------

function hasLengths(services: readonly TimedSpan[]): boolean {
  const measured = services.filter(({ span }) => span.name === 'stt' || span.name === 'tts');
  return measured.length === 0 || measured.some(one => one.endAt - one.startAt > NO_LENGTH_NS);
}

const REALTIME = new Set([
  'llm_setup',
  'llm_request',
  'llm_response',
  'llm_tool_call',
  'llm_tool_result',
]);

function notesOf(services: readonly TimedSpan[], turns: readonly TimedSpan[]): string[] {
  const notes: string[] = [];
  const has = (test: (span: StoredSpan) => boolean): boolean =>
    services.some(one => test(one.span));
  if (!hasLengths(services))
    notes.push(
      'Pipecat before 1.2.0: lengths of stt and tts spans mean nothing and are not drawn.',
    );
  if (has(span => REALTIME.has(span.name)))
    notes.push('Spans of a realtime service last as long as an event handler: they are not drawn.');
  const known = new Set(['stt', 'llm', 'tts', ...REALTIME]);
  const others = [
    ...new Set(services.flatMap(({ span }) => (known.has(span.name) ? [] : span.name))),
  ];
  if (others.length > 0)
    notes.push(`Not understood, shown as plain spans: ${others.slice(0, 8).join(', ')}.`);
  if (
    turns.length > 0 &&
    !turns.some(one => 'turn.user_bot_latency_seconds' in one.span.attributes)
  )
    notes.push(
      'No turn.user_bot_latency_seconds (Pipecat before 0.0.102, or nothing was answered): when an answer began is not known.',
    );
  if (has(span => span.name === 'llm') && !has(span => 'metrics.ttfb' in span.attributes))
    notes.push('No metrics.ttfb: set enable_metrics=True, or the parts of a wait are not known.');
  return notes;
}

/** The oldest version that writes what was seen. */
function versionOf(services: readonly TimedSpan[], { hasLengths: isReal }: Dialect): string {
  const has = (key: string): boolean => services.some(one => key in one.span.attributes);
  if (has('metrics.audio_seconds')) return '1.7.0 or later';
  if (has('gen_ai.usage.audio.input_tokens') || has('gen_ai.usage.audio.output_tokens'))
    return '1.6.0 or later';
  if (isReal && services.some(one => one.span.name === 'stt' || one.span.name === 'tts'))
    return '1.2.0 or later';
  if (has('gen_ai.provider.name')) return '0.0.107 or later';
  return has('gen_ai.system') ? '0.0.68 to 0.0.106' : 'unknown';
}

function attributesOf(
  conversations: readonly TimedSpan[],
  services: readonly TimedSpan[],
  dialect: Dialect,
): Attributes {
  const said = Object.assign({}, ...conversations.map(one => one.span.attributes)) as Attributes;
  return { framework: SCOPE, 'framework.version': versionOf(services, dialect), ...said };
}
