// One turn of a LiveKit session as it is shown: its waits, bars, words, features.

import {
  domainNs,
  tick,
  type Attributes,
  type DomainNs,
  type StageState,
  type WordsState,
} from '@framescope/protocol';
import { addFeatures, type FeatureDraft } from './features.ts';
import { contentAt, under, type Session } from './livekit-spans.ts';
import { type Speech } from './livekit-speech.ts';
import { waitsOf, type Exchange } from './livekit-waits.ts';
import type { KnownBargeIn, KnownTurn } from './source.types.ts';
import { later, numberAt, shown, textAt, unixMs, type TimedSpan } from './span-reader.ts';

const STREAM = 'livekit';
/** After the session began to close, what was still under way is given up. */
const GIVEN_UP_WITHIN_NS = 1_500_000_000;

export interface TurnPlace {
  readonly session: Session;
  readonly zeroUnixNs: bigint;
  /** The turn after, if there is one. */
  readonly next: Exchange | undefined;
  /** When the session began to close. */
  readonly closedAt: DomainNs | undefined;
  /** Nothing more is expected. */
  readonly isOver: boolean;
}

export function turnOf(exchange: Exchange, place: TurnPlace): KnownTurn {
  const { user, speeches, utterances } = exchange;
  const { session, zeroUnixNs } = place;
  const startedAt = user?.startsAt ?? speeches[0]!.startsAt;
  const root = user ?? {
    traceId: traceOf(speeches[0]!, session),
    spanId: spanOf(speeches[0]!, session),
  };
  const endedAt = endOf(exchange, place);
  const outcome = endedAt === undefined ? undefined : outcomeOf(exchange, place);
  const [first] = utterances;
  const last = utterances.at(-1);
  const bargeIn = bargeInOf(exchange, place);
  const backchannels = backchannelsOf(exchange, session);
  return {
    tick: tick(unixMs(startedAt, zeroUnixNs)),
    stream: STREAM,
    traceId: root.traceId,
    spanId: root.spanId,
    rev: 0,
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    ...(outcome && { outcome }),
    waits: owesAnything(exchange) ? waitsOf(exchange, session, zeroUnixNs) : [],
    stages: stagesOf(exchange, session),
    words: wordsOf(exchange),
    ...(user && { user: { startsAt: user.startsAt, endsAt: user.endsAt ?? user.closedAt } }),
    ...(first &&
      last && { agent: { startsAt: first.speaking.startAt, endsAt: last.speaking.endAt } }),
    ...(bargeIn && { bargeIn }),
    ...(backchannels > 0 && { backchannels }),
    features: featuresOf(exchange, session),
  };
}

const spanOf = ({ spans, speaking, voices, llms }: Speech, session: Session): string => {
  const any = spans[0] ?? [...speaking, ...voices, ...llms][0];
  return any === undefined
    ? session.spans[0]!.span.spanId
    : (spans[0]?.span.spanId ?? any.span.parentSpanId ?? any.span.spanId);
};

const traceOf = (speech: Speech, session: Session): string =>
  (speech.spans[0] ?? speech.speaking[0] ?? session.spans[0]!).span.traceId;

/** Noise that nobody answered, in which there was no word, is owed nothing. */
const owesAnything = ({ user, speeches, kind }: Exchange): boolean =>
  kind === 'greeting' ||
  user?.isByModel === true ||
  speeches.length > 0 ||
  (user !== undefined &&
    (contentAt(user.attributes, 'user_transcript') !== undefined ||
      numberAt(user.attributes, 'lk.transcript_confidence') !== undefined));

function endOf(exchange: Exchange, { next, isOver, closedAt }: TurnPlace): DomainNs | undefined {
  const { user, speeches } = exchange;
  if (speeches.some(speech => speech.endsAt === undefined) && !isOver && next === undefined)
    return undefined;
  const ends = [
    ...speeches.flatMap(speech => speech.endsAt ?? speech.speaking.map(one => one.endAt)),
    ...speeches.flatMap(speech => speech.llms.map(one => one.endAt)),
  ];
  if (ends.length > 0) return domainNs(Math.max(...ends));
  if (user === undefined) return undefined;
  // Nobody did anything about it: until the user spoke again, or the call was over.
  const until = next?.user?.startsAt ?? (isOver ? closedAt : undefined);
  if (until !== undefined) return until > user.closedAt ? until : user.closedAt;
  return isOver ? user.closedAt : undefined;
}

function outcomeOf(
  exchange: Exchange,
  { next, closedAt }: TurnPlace,
): KnownTurn['outcome'] | undefined {
  const { user, speeches, utterances } = exchange;
  const last = speeches.at(-1);
  const endsAt = last?.endsAt ?? user?.closedAt;
  const isClosing =
    closedAt !== undefined && endsAt !== undefined && endsAt >= closedAt - GIVEN_UP_WITHIN_NS;
  const isCutOff =
    next?.user !== undefined && endsAt !== undefined && next.user.startsAt <= later(endsAt, 50e6);
  if (utterances.length > 0) {
    if (last?.isInterrupted !== true) return 'completed';
    if (isCutOff) return 'interrupted';
    return isClosing ? 'abandoned' : 'interrupted';
  }
  if (user === undefined) return undefined;
  if (isCutOff || (last === undefined && next?.user !== undefined)) return 'interrupted';
  if (last !== undefined && last.llms.some(llm => llm.span.statusCode === 2)) return 'failed';
  if (last !== undefined && last.llms.length > 0 && last.llms.every(isHopeless)) return 'failed';
  if (isClosing || (last === undefined && closedAt !== undefined)) return 'abandoned';
  return undefined;
}

/** All its tries failed. */
const isHopeless = (llm: Speech['llms'][number]): boolean =>
  llm.firstAt === undefined && llm.failed.length > 0;

/** Speech over the agent that LiveKit's own model took for no interruption. */
const backchannelsOf = ({ utterances }: Exchange, { spans }: Session): number =>
  spans.filter(
    ({ span, startAt }) =>
      span.name === 'user_speaking' &&
      span.attributes['lk.is_interruption'] === 'false' &&
      utterances.some(({ speaking }) => startAt >= speaking.startAt && startAt < speaking.endAt),
  ).length;

/** The user spoke over the agent, and it fell silent. */
function bargeInOf(
  { speeches, utterances }: Exchange,
  { next }: TurnPlace,
): KnownBargeIn | undefined {
  const last = utterances.at(-1);
  const onset = next?.user?.startsAt;
  if (last === undefined || onset === undefined || speeches.at(-1)?.isInterrupted !== true)
    return undefined;
  const { startAt, endAt } = last.speaking;
  if (onset < startAt || onset > endAt) return undefined;
  return { onsetAt: onset, stoppedAt: endAt };
}

// ---- bars -------------------------------------------------------------------------------------

function stagesOf(exchange: Exchange, session: Session): StageState[] {
  const { user, speeches, discarded } = exchange;
  const stages: StageState[] = [];
  if (user?.endsAt !== undefined) {
    const delayed = waitsMoment(exchange, session);
    const { spanId, endsAt, decidedAt } = user;
    if (delayed !== undefined)
      stages.push({ name: 'stt', spanId, startedAt: endsAt, endedAt: delayed });
    if (decidedAt !== undefined)
      stages.push({
        name: 'endpointing',
        spanId: under(session, spanId, 'eou_wait', 'eou_detection').at(-1)?.span.spanId ?? spanId,
        startedAt: endsAt,
        endedAt: decidedAt,
        attributes: plain(
          under(session, spanId, 'eou_wait', 'eou_detection').at(-1)?.span.attributes ?? {},
          EOU_ATTRIBUTES,
        ),
      });
  }
  for (const speech of speeches) stages.push(...stagesOfSpeech(speech, false));
  for (const speech of discarded) stages.push(...stagesOfSpeech(speech, true));
  return stages;
}

const waitsMoment = (exchange: Exchange, session: Session): DomainNs | undefined => {
  const { user } = exchange;
  if (user?.endsAt === undefined) return undefined;
  const delay = numberAt(user.attributes, 'lk.transcription_delay');
  if (delay === undefined || session.unit === 'unknown' || !(delay > 0)) return undefined;
  const ns = delay * (session.unit === 's' ? 1e9 : 1e6);
  return ns > 60e9 ? undefined : later(user.endsAt, ns);
};

function stagesOfSpeech(speech: Speech, isDiscarded: boolean): StageState[] {
  const thrown = { discarded: true, generation: speech.id };
  const stages: StageState[] = [];
  for (const llm of speech.llms) {
    const isThrown = isDiscarded || llm.isDiscarded;
    if (!isThrown) for (const run of llm.failed) stages.push(failedStage('llm', run));
    stages.push({
      name: 'llm',
      spanId: llm.span.spanId,
      startedAt: llm.requestedAt < llm.startAt ? llm.startAt : llm.requestedAt,
      ...(llm.firstAt !== undefined && { firstAt: llm.firstAt }),
      endedAt: llm.endAt,
      ...(isThrown && { ...thrown, generation: llm.span.spanId }),
      attributes: plain(llm.span.attributes, SERVICE_ATTRIBUTES),
    });
  }
  for (const tool of speech.tools)
    stages.push({
      name: 'tool',
      spanId: tool.span.spanId,
      startedAt: tool.startAt,
      endedAt: tool.endAt,
      attributes: plain(tool.span.attributes, TOOL_ATTRIBUTES),
    });
  for (const voice of speech.voices) {
    for (const run of voice.failed) stages.push(failedStage('tts', run));
    stages.push({
      name: 'tts',
      spanId: voice.span.spanId,
      startedAt: voice.sentAt ?? voice.startAt,
      ...(voice.firstAt !== undefined && { firstAt: voice.firstAt }),
      endedAt: voice.endAt,
      ...(isDiscarded && thrown),
      attributes: plain(voice.span.attributes, SERVICE_ATTRIBUTES),
    });
  }
  return stages;
}

const failedStage = (name: string, { span, startAt, endAt }: TimedSpan): StageState => ({
  name,
  spanId: span.spanId,
  startedAt: startAt,
  endedAt: endAt,
  error: shown(textAt(span.attributes, 'exception.message') ?? (span.statusMessage || 'error')),
});

const SERVICE_ATTRIBUTES: readonly string[] = [
  'gen_ai.provider.name',
  'gen_ai.request.model',
  'lk.response.ttft',
  'lk.response.ttfb',
];
const TOOL_ATTRIBUTES: readonly string[] = ['lk.function_tool.name', 'lk.function_tool.is_error'];
const EOU_ATTRIBUTES: readonly string[] = [
  'lk.eou.source',
  'lk.eou.outcome',
  'lk.eou.probability',
  'lk.eou.unlikely_threshold',
  'lk.eou.endpointing_delay',
  'lk.eou.resume_count',
];

function plain(
  attributes: Attributes,
  keys: readonly string[],
): Record<string, string | number | boolean> {
  const kept: Record<string, string | number | boolean> = {};
  for (const key of keys) {
    const value = attributes[key];
    if (typeof value === 'string') kept[key] = shown(value);
    else if (typeof value === 'number' || typeof value === 'boolean') kept[key] = value;
  }
  return kept;
}

// ---- words and features -----------------------------------------------------------------------

function wordsOf({ user, speeches, utterances }: Exchange): WordsState[] {
  const words: WordsState[] = [];
  const said = user && contentAt(user.attributes, 'user_transcript');
  if (user !== undefined && said !== undefined)
    words.push({ who: 'user', text: shown(said), at: user.endsAt ?? user.closedAt });
  for (const speech of speeches) {
    const spoken = utterances.filter(one => one.speech === speech);
    for (const [i, attributes] of speech.attributes.entries()) {
      const text = contentAt(attributes, 'response.text');
      if (text === undefined) continue;
      const at = spoken[i]?.speaking.startAt ?? spoken[0]?.speaking.startAt ?? speech.startsAt;
      words.push({
        who: 'agent',
        text: shown(text),
        at,
        ...(attributes['lk.interrupted'] === true && { cut: true }),
      });
    }
    for (const { span, startAt } of speech.tools) {
      const name = textAt(span.attributes, 'lk.function_tool.name');
      if (name !== undefined) words.push({ who: 'tool', text: shown(name), at: startAt });
    }
  }
  return words.toSorted((a, b) => a.at - b.at);
}

function featuresOf(exchange: Exchange, session: Session): Attributes {
  const { user, speeches, discarded } = exchange;
  const draft: FeatureDraft = {};
  if (user !== undefined) addFeatures(draft, 'stt', user.attributes);
  for (const speech of speeches) {
    for (const { span } of speech.llms) {
      const requests = under(session, span.spanId, 'llm_request');
      for (const request of requests) addFeatures(draft, 'llm_request', request.span.attributes);
      if (requests.length === 0) addFeatures(draft, 'llm', span.attributes);
    }
    for (const voice of speech.voices) {
      addFeatures(draft, 'tts', voice.span.attributes);
      if (voice.characters !== undefined)
        draft['tts.characters'] = Number(draft['tts.characters'] ?? 0) + voice.characters;
    }
    for (const one of speech.realtime)
      addFeatures(draft, 'realtime_inference', one.span.attributes);
    for (const attributes of speech.attributes) {
      const agent = textAt(attributes, 'gen_ai.agent.name');
      if (agent !== undefined) draft['agent'] ??= agent.slice(0, 256);
    }
  }
  const tools = speeches.flatMap(({ tools: all }) =>
    all.flatMap(({ span }) => textAt(span.attributes, 'lk.function_tool.name') ?? []),
  );
  if (tools.length > 0) draft['tools'] = [...new Set(tools)].join(',').slice(0, 256);
  const asked = speeches.flatMap(one => one.llms);
  const first = asked.find(llm => !llm.isDiscarded);
  if (user?.decidedAt !== undefined && first !== undefined)
    draft['preemptive'] = first.requestedAt < user.decidedAt;
  const thrown = discarded.length + asked.filter(llm => llm.isDiscarded).length;
  if (thrown > 0) draft['discarded_generations'] = thrown;
  return draft;
}
