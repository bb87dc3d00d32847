// OpenInference's instrumentation of Pipecat: a trace a turn, all of a call with one
// `session.id`; no root of the call.
//
//   pipecat.conversation.turn ┬ pipecat.stt   from Pipecat's VAD start;
//                             │               stt.time_to_last_transcription_seconds from there
//                             ├ pipecat.llm   from the context to the end of the response
//                             └ pipecat.tts   from TTSStarted
//
// stt and tts spans end with their turn: their lengths say nothing and are not drawn.
// `conversation.user_to_bot_latency` stays from turn to turn: one that is exactly that of
// the turn before is no figure of this one.

import { type Attributes, type DomainNs } from '@framescope/protocol';
import type { StoredSpan } from '../store/store.ts';
import { addFeatures, type FeatureDraft } from './features.ts';
import { pipecatProfile } from './pipecat-edges.ts';
import { generationOf, type Facts, type Heard, type Spoken } from './pipecat-spans.ts';
import { reportedLatency, turnFrom, withBargeIns, type CallFacts } from './pipecat-turn.ts';
import type { KnownTurn, Recogniser, RecogniseContext, Recognition } from './source.types.ts';
import {
  flagAt,
  later,
  numberAt,
  secondsAt,
  textAt,
  timed,
  type TimedSpan,
} from './span-reader.ts';

const SCOPE = 'openinference.instrumentation.pipecat';
const TURN = 'pipecat.conversation.turn';
const LATENCY = 'conversation.user_to_bot_latency';
const TTFB = 'service.ttfb_seconds';

export const openinference: Recogniser = {
  name: 'openinference',
  owns: ({ scope }) => scope === SCOPE,
  recognise,
  profile: pipecatProfile,
};

function recognise(spans: readonly StoredSpan[], { zeroUnixNs }: RecogniseContext): Recognition {
  const all = spans.map(span => timed(span, zeroUnixNs));
  const turns = all.filter(one => one.span.name === TURN).toSorted((a, b) => a.startAt - b.startAt);
  const call: CallFacts = { zeroUnixNs, dialect: { hasLengths: false, hasLatency: true } };
  const byTrace = new Map<string, TimedSpan[]>();
  for (const one of all) {
    const group = byTrace.get(one.span.traceId);
    if (one.span.name === TURN) continue;
    if (group === undefined) byTrace.set(one.span.traceId, [one]);
    else group.push(one);
  }
  const told = turns.map((turn, i): KnownTurn => {
    const children = (byTrace.get(turn.span.traceId) ?? []).toSorted(
      (a, b) => a.startAt - b.startAt,
    );
    const stale = numberAt(turns[i - 1]?.span.attributes ?? {}, LATENCY);
    return { ...turnOf(turn, { children, stale, next: turns[i + 1] }, call), stream: SCOPE };
  });
  return {
    turns: withBargeIns(told),
    attributes: { framework: 'pipecat', 'framework.tracing': 'openinference' },
    notes:
      turns.length === 0
        ? []
        : ['OpenInference ends stt and tts spans with their turn: their lengths are not drawn.'],
    isOver: false,
  };
}

interface Around {
  readonly children: readonly TimedSpan[];
  /** The latency of the turn before. */
  readonly stale: number | undefined;
  readonly next: TimedSpan | undefined;
}

function turnOf(turn: TimedSpan, { children, stale, next }: Around, call: CallFacts): KnownTurn {
  const { attributes } = turn.span;
  const of = (name: string): TimedSpan[] => children.filter(one => one.span.name === name);
  const latencyNs =
    numberAt(attributes, LATENCY) === stale ? undefined : secondsAt(attributes, LATENCY);
  const facts: Facts = {
    turn,
    latency: latencyNs === undefined ? undefined : reportedLatency(LATENCY, latencyNs),
    isLatencyUnusable: false,
    saysInterrupted: flagAt(attributes, 'conversation.was_interrupted') === true,
    heard: of('pipecat.stt').flatMap(heardOf),
    llms: of('pipecat.llm').map(one => generationOf(inPipecatWords(one))),
    spoken: of('pipecat.tts').map(spokenOf),
  };
  return { ...turnFrom(facts, next, call), features: featuresOf(children) };
}

/** Without a transcript after the end of speech nothing of it can be placed. */
function heardOf(one: TimedSpan): Heard[] {
  const { span, startAt } = one;
  const lastNs = secondsAt(span.attributes, 'stt.time_to_last_transcription_seconds');
  if (lastNs === undefined) return [];
  const transcriptAt = later(startAt, lastNs);
  const ttfbNs = secondsAt(span.attributes, TTFB);
  const endsAt = ttfbNs === undefined ? transcriptAt : later(transcriptAt, -ttfbNs);
  return [
    {
      span: inPipecatWords(one).span,
      startsAt: startAt < endsAt ? startAt : endsAt,
      endsAt,
      isEndKnown: ttfbNs !== undefined,
      transcriptAt,
      decidedAt: undefined,
    },
  ];
}

function spokenOf(one: TimedSpan): Spoken {
  const ttfbNs = secondsAt(one.span.attributes, TTFB);
  const firstAt: DomainNs | undefined =
    ttfbNs === undefined ? undefined : later(one.startAt, ttfbNs);
  return { ...inPipecatWords(one), endAt: firstAt ?? one.startAt, firstAt, isCut: false };
}

/** The same attributes as Pipecat itself would have called them. */
function inPipecatWords(one: TimedSpan): TimedSpan {
  const { attributes } = one.span;
  const kind = one.span.name.replace('pipecat.', '');
  const words: Readonly<Record<string, string | undefined>> = {
    transcript: textAt(attributes, 'output.value') ?? textAt(attributes, 'input.value'),
    text: textAt(attributes, 'output.value') ?? textAt(attributes, 'input.value'),
    output: kind === 'llm' ? textAt(attributes, 'output.value') : undefined,
    input: kind === 'llm' ? textAt(attributes, 'input.value') : undefined,
    'gen_ai.request.model': textAt(attributes, 'service.model'),
    'gen_ai.provider.name': textAt(attributes, 'service.provider'),
  };
  const ttfb = numberAt(attributes, TTFB);
  const known = Object.entries(words).filter(([, value]) => value !== undefined);
  const renamed = {
    ...attributes,
    ...Object.fromEntries(known),
    ...(ttfb !== undefined && { 'metrics.ttfb': ttfb }),
  } as Attributes;
  return { ...one, span: { ...one.span, name: kind, attributes: renamed } };
}

function featuresOf(children: readonly TimedSpan[]): Attributes {
  const draft: FeatureDraft = {};
  for (const one of children) {
    const { name, attributes } = inPipecatWords(one).span;
    addFeatures(draft, name, attributes);
  }
  return draft;
}
