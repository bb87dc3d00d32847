// Vapi: the `end-of-call-report` that its server sends, or a call as `GET /call/{id}` answers it.
//
//   { message: { type: 'end-of-call-report', call: { id }, startedAt, artifact, assistant } }
//   { id, startedAt, artifact: { messages, performanceMetrics: { turnLatencies } }, assistant }
//
// `turnLatencies` (ms) name no turn and no time: they are taken for those of the answers, in
// order, where there are as many of them as answers to the user; else nobody can tell whose they are.

import { decoded, rejected, type Attributes, type Decoded } from '@framescope/protocol';
import { answeredOf, exchangesOf, joinedSpeech, type Exchange, type Said } from './exchanges.ts';
import {
  figuresOf,
  isObject,
  isUnixMs,
  listAt,
  numberAt,
  objectAt,
  taken,
  textAt,
  unixMsAt,
  type Json,
} from './json.ts';
import type { ReportedCall, ReportedTool, ReportedTurn } from './report.types.ts';

const FIGURES = [
  'turnLatency',
  'transcriberLatency',
  'endpointingLatency',
  'modelLatency',
  'voiceLatency',
] as const;

export const isVapi = (json: Json): boolean =>
  textAt(objectAt(json, 'message'), 'type') !== undefined ||
  ('artifact' in json && ('orgId' in json || 'assistantId' in json || 'endedReason' in json));

/** Another message of the server (a status, a transcript) is none: undefined. */
export function vapiCall(json: Json): Decoded<ReportedCall> | undefined {
  const isMessage = isObject(json['message']);
  const message = isMessage ? objectAt(json, 'message') : json;
  if (isMessage && message['type'] !== 'end-of-call-report') return undefined;
  const call = isMessage ? objectAt(message, 'call') : json;
  const path = isMessage ? 'message' : 'call';
  const id = textAt(call, 'id');
  if (id === undefined) return rejected(`${path}.id`, 'no ID of the call');
  const artifact = objectAt(message, 'artifact');
  const messages = listAt(artifact, 'messages');
  const startMs =
    unixMsAt(message, 'startedAt') ?? unixMsAt(call, 'startedAt') ?? firstMs(messages);
  if (startMs === undefined)
    return rejected(`${path}.startedAt`, 'no time at which the call began, nor of any message');
  const said = messages.flatMap(one => saidOf(one, startMs));
  const exchanges = exchangesOf(said);
  const latencies = listAt(objectAt(artifact, 'performanceMetrics'), 'turnLatencies');
  const answered = answeredOf(exchanges);
  const isJoined = latencies.length === answered.length;
  const tools = toolsOf(messages);
  const features = featuresOf(message, call);
  return decoded({
    vendor: 'vapi',
    id,
    startMs,
    endMs: unixMsAt(message, 'endedAt') ?? unixMsAt(call, 'endedAt') ?? lastMs(messages, startMs),
    attributes: attributesOf(message, call, artifact),
    turns: exchanges.map((exchange): ReportedTurn => ({
      ...sidesOf(exchange),
      figures: isJoined ? figuresOf(latencies[answered.indexOf(exchange)] ?? {}, FIGURES) : {},
      features,
      tools: toolsWithin(exchange, tools),
    })),
    notes: isJoined
      ? []
      : [
          `Vapi reports ${latencies.length} turnLatencies for ${answered.length} answers: whose they are cannot be told, and they are not plotted.`,
        ],
  });
}

const sidesOf = ({ user, agent }: Exchange<Said>): Pick<ReportedTurn, 'user' | 'agent'> => {
  const [heard, spoken] = [joinedSpeech(user), joinedSpeech(agent)];
  return { ...(heard && { user: heard }), ...(spoken && { agent: spoken }) };
};

/** `time` and `endTime` are Unix ms; `secondsFromStart` and `duration` seconds. */
function saidOf(message: Json, callMs: number): Said[] {
  const who = message['role'] === 'user' ? 'user' : 'agent';
  if (who === 'agent' && !['bot', 'assistant'].includes(textAt(message, 'role') ?? '')) return [];
  const fromStart = numberAt(message, 'secondsFromStart');
  const startMs =
    unixMsAt(message, 'time') ?? (fromStart === undefined ? undefined : callMs + fromStart * 1e3);
  const seconds = numberAt(message, 'duration');
  const lastsMs =
    seconds === undefined || startMs === undefined ? undefined : startMs + seconds * 1e3;
  const endMs = unixMsAt(message, 'endTime') ?? lastsMs;
  const text = textAt(message, 'message');
  return [
    {
      who,
      speech: {
        ...(text !== undefined && { text }),
        ...(startMs !== undefined && { startMs }),
        ...(endMs !== undefined && { endMs }),
      },
    },
  ];
}

function toolsOf(messages: readonly Json[]): ReportedTool[] {
  const asked = new Map<string, { name: string; startMs: number }>();
  for (const message of messages) {
    const startMs = unixMsAt(message, 'time');
    if (startMs === undefined) continue;
    for (const call of listAt(message, 'toolCalls')) {
      const id = textAt(call, 'id');
      const name = textAt(objectAt(call, 'function'), 'name') ?? textAt(call, 'name') ?? 'tool';
      if (id !== undefined) asked.set(id, { name, startMs });
    }
  }
  return messages.flatMap(message => {
    const call = asked.get(textAt(message, 'toolCallId') ?? '');
    const endMs = unixMsAt(message, 'time');
    return call === undefined || endMs === undefined ? [] : { ...call, endMs };
  });
}

/** Begun after the user began, before the answer to somebody else. */
function toolsWithin(exchange: Exchange<Said>, tools: readonly ReportedTool[]): ReportedTool[] {
  const { user, agent } = sidesOf(exchange);
  const fromMs = user?.startMs ?? agent?.startMs ?? Infinity;
  const toMs = agent?.endMs ?? agent?.startMs ?? -Infinity;
  return tools.filter(({ startMs }) => startMs >= fromMs && startMs <= toMs);
}

function featuresOf(message: Json, call: Json): Attributes {
  const own = objectAt(message, 'assistant');
  const assistant = Object.keys(own).length > 0 ? own : objectAt(call, 'assistant');
  return {
    ...taken(objectAt(assistant, 'model'), { 'llm.model': 'model', 'llm.provider': 'provider' }),
    ...taken(objectAt(assistant, 'voice'), {
      'tts.voice': 'voiceId',
      'tts.model': 'model',
      'tts.provider': 'provider',
    }),
    ...taken(objectAt(assistant, 'transcriber'), {
      'stt.model': 'model',
      'stt.provider': 'provider',
      'stt.language': 'language',
    }),
  };
}

const attributesOf = (message: Json, call: Json, artifact: Json): Attributes => ({
  ...taken(call, { 'call.type': 'type', 'agent.id': 'assistantId' }),
  ...taken(message, { 'call.end_reason': 'endedReason', 'agent.version': 'assistantVersion' }),
  ...taken(objectAt(artifact, 'performanceMetrics'), {
    'vapi.user_interrupted': 'numUserInterrupted',
    'vapi.assistant_interrupted': 'numAssistantInterrupted',
    'vapi.from_transport_latency_average_ms': 'fromTransportLatencyAverage',
    'vapi.to_transport_latency_average_ms': 'toTransportLatencyAverage',
  }),
});

const timesOf = (messages: readonly Json[]): number[] =>
  messages
    .flatMap(message => [numberAt(message, 'time'), numberAt(message, 'endTime')])
    .filter(ms => ms !== undefined)
    .filter(isUnixMs);

const firstMs = (messages: readonly Json[]): number | undefined => {
  const times = timesOf(messages);
  return times.length === 0 ? undefined : Math.min(...times);
};
const lastMs = (messages: readonly Json[], startMs: number): number =>
  Math.max(startMs, ...timesOf(messages));
