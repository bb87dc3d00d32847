// OpenTelemetry's conventions for generative AI, with the open proposals for voice: an
// `invoke_agent` span is a turn, its operations are what was done in it.
//
//   invoke_agent ┬ user_speech         VAD start to stop (proposal #394)
//                ├ speech_to_text      (#390)
//                ├ chat                gen_ai.response.time_to_first_chunk, s; Pydantic AI 2.68 gives it the
//                │                     name that the conventions have for the metric
//                ├ execute_tool
//                ├ text_to_speech      (#390)
//                └ realtime_inference  from the first output of a realtime model (#394)
//
// There is no word in them for the end of speech, for the decision that a turn is over, nor
// for the first frame of an answer: `user_speech` ends where the VAD stopped, its window
// included. So a wait is shown with its parts as "at least so long" and is not charted.

import {
  domainNs,
  durationNs,
  tick,
  type Attributes,
  type DomainNs,
  type MomentState,
  type StageState,
} from '@framescope/protocol';
import type { StoredSpan } from '../store/store.ts';
import { addFeatures, type FeatureDraft } from './features.ts';
import { framescopeProfile } from './framescope-edges.ts';
import type { KnownTurn, Recogniser, RecogniseContext, Recognition } from './source.types.ts';
import { later, secondsAt, textAt, timed, unixMs, type TimedSpan } from './span-reader.ts';

const OPERATION = 'gen_ai.operation.name';
const TURN = 'invoke_agent';
const FIRST_CHUNK = 'gen_ai.response.time_to_first_chunk';
const FIRST_CHUNK_METRIC = 'gen_ai.client.operation.time_to_first_chunk';

export const genAi: Recogniser = {
  name: 'gen_ai',
  owns: ({ attributes }) => OPERATION in attributes,
  recognise: (spans, context) => recogniseOperations(spans, context, 'gen_ai'),
  profile: framescopeProfile,
};

/** `stream`: whose turns they are called. */
export function recogniseOperations(
  spans: readonly StoredSpan[],
  { zeroUnixNs }: RecogniseContext,
  stream: string,
): Recognition {
  const all = spans.map(span => timed(span, zeroUnixNs));
  const byId = new Map(all.map(one => [one.span.spanId as string, one]));
  const children = new Map<TimedSpan, TimedSpan[]>();
  for (const one of all) {
    const turn = turnAbove(one, byId);
    if (turn === undefined) continue;
    const group = children.get(turn);
    if (group === undefined) children.set(turn, [one]);
    else group.push(one);
  }
  const turns = all
    .filter(one => operationOf(one) === TURN && turnAbove(one, byId) === undefined)
    .map(turn => turnOf(turn, children.get(turn) ?? [], { stream, zeroUnixNs }));
  return {
    turns,
    attributes: {},
    notes:
      turns.length === 0
        ? []
        : [
            'These conventions do not say when speech ended nor when an answer began: waits are at least so long.',
          ],
    isOver: false,
  };
}

const operationOf = ({ span }: TimedSpan): string | undefined => textAt(span.attributes, OPERATION);

/** The outermost `invoke_agent` above a span; agents call agents. */
function turnAbove(one: TimedSpan, byId: ReadonlyMap<string, TimedSpan>): TimedSpan | undefined {
  let found: TimedSpan | undefined;
  let at = byId.get(one.span.parentSpanId ?? '');
  // A chain longer than that goes round.
  for (let depth = 0; at !== undefined && depth < 64; depth++) {
    if (operationOf(at) === TURN) found = at;
    at = byId.get(at.span.parentSpanId ?? '');
  }
  return found;
}

interface Place {
  readonly stream: string;
  readonly zeroUnixNs: bigint;
}

function turnOf(
  turn: TimedSpan,
  children: readonly TimedSpan[],
  { stream, zeroUnixNs }: Place,
): KnownTurn {
  const { span, startAt, endAt } = turn;
  const inOrder = children.toSorted((a, b) => a.startAt - b.startAt);
  const tools = inOrder.filter(one => operationOf(one) === 'execute_tool');
  const moments = inOrder.flatMap(one =>
    momentsOf(
      one,
      tools.some(tool => tool.endAt <= one.startAt),
    ),
  );
  const heard = inOrder.find(one => operationOf(one) === 'user_speech');
  const outcome = textAt(span.attributes, 'gen_ai.agent.invocation.end_reason');
  const first = moments.find(one => one.name === 'first_audio');
  const features: FeatureDraft = {};
  for (const one of inOrder) addFeatures(features, operationOf(one) ?? '', one.span.attributes);
  return {
    tick: tick(unixMs(startAt, zeroUnixNs)),
    stream,
    traceId: span.traceId,
    spanId: span.spanId,
    rev: 0,
    startedAt: startAt,
    endedAt: endAt,
    outcome: outcome === 'interrupted' ? 'interrupted' : 'completed',
    waits: moments.length === 0 ? [] : [{ kind: 'response', moments, isAnsweredUnseen: true }],
    stages: inOrder.flatMap(stageOf),
    words: [],
    ...(heard && { user: { startsAt: heard.startAt, endsAt: heard.endAt } }),
    ...(first && { agent: { startsAt: first.at, endsAt: endAt < first.at ? first.at : endAt } }),
    features,
  };
}

const firstChunkOf = ({ span, startAt, endAt }: TimedSpan): DomainNs | undefined => {
  const ns =
    secondsAt(span.attributes, FIRST_CHUNK) ?? secondsAt(span.attributes, FIRST_CHUNK_METRIC);
  return ns === undefined || startAt + ns > endAt ? undefined : later(startAt, ns);
};

/** It asked for a tool: its first chunk is no word. */
const callsTool = ({ attributes }: StoredSpan): boolean =>
  JSON.stringify(attributes['gen_ai.response.finish_reasons'] ?? '').includes('tool');

/** `isAfterTool`: a tool had ended before it: it was asked because of that, whatever of the hearing is unseen. */
function momentsOf(one: TimedSpan, isAfterTool: boolean): MomentState[] {
  const { span, startAt, endAt } = one;
  const at = (name: string, when: DomainNs | undefined, source: string): MomentState[] =>
    when === undefined
      ? []
      : [{ name, at: domainNs(when), source, errorNs: durationNs(0), generation: span.spanId }];
  const bare = (name: string, when: DomainNs, source: string): MomentState[] => [
    { name, at: when, source, errorNs: durationNs(0) },
  ];
  const firstAt = firstChunkOf(one);
  switch (operationOf(one)) {
    case 'speech_to_text':
      return bare('transcript_final', endAt, 'speech_to_text span');
    case 'chat':
      return [
        ...at('model_requested', startAt, 'chat span').map(moment =>
          isAfterTool ? { ...moment, after: ['tool_ended'] } : moment,
        ),
        ...(callsTool(span) ? [] : at('first_speakable', firstAt, FIRST_CHUNK)),
      ];
    case 'execute_tool':
      return [
        ...bare('tool_started', startAt, 'execute_tool span'),
        ...bare('tool_ended', endAt, 'execute_tool span'),
      ];
    case 'text_to_speech':
      return [
        ...bare('speech_text_sent', startAt, 'text_to_speech span'),
        ...(firstAt === undefined ? [] : bare('first_audio', firstAt, FIRST_CHUNK)),
      ];
    case 'realtime_inference':
      return bare('first_audio', startAt, 'realtime');
    default:
      return [];
  }
}

const STAGES: Readonly<Record<string, string>> = {
  speech_to_text: 'stt',
  chat: 'llm',
  realtime_inference: 'llm',
  execute_tool: 'tool',
  text_to_speech: 'tts',
};
const ATTRIBUTES: readonly string[] = [
  'gen_ai.provider.name',
  'gen_ai.request.model',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'gen_ai.tool.name',
];

function stageOf(one: TimedSpan): StageState[] {
  const { span, startAt, endAt } = one;
  const operation = operationOf(one) ?? '';
  const name = Object.hasOwn(STAGES, operation) ? STAGES[operation] : undefined;
  if (name === undefined) return [];
  const firstAt = firstChunkOf(one);
  return [
    {
      name,
      spanId: span.spanId,
      startedAt: startAt,
      ...(firstAt !== undefined && { firstAt }),
      endedAt: endAt,
      ...(span.statusCode === 2 && { error: span.statusMessage || 'error' }),
      attributes: plain(span.attributes),
    },
  ];
}

function plain(attributes: Attributes): Record<string, string | number | boolean> {
  const kept = ATTRIBUTES.flatMap(key => {
    const value = attributes[key];
    const isPlain = typeof value === 'string' || typeof value === 'number';
    return isPlain ? [[key, value] as const] : [];
  });
  return Object.fromEntries(kept);
}
