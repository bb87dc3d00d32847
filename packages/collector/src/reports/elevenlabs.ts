// ElevenLabs: the webhook `post_call_transcription`, or a conversation as
// `GET /v1/convai/conversations/{id}` answers it.
//
//   { type: 'post_call_transcription', data: { conversation_id, metadata, transcript } }
//   transcript[]: { role, message, time_in_call_secs, interrupted, conversation_turn_metrics }
//
// Metrics are seconds. Those of the recogniser stand with the user's words, those of the model
// and the voice with the agent's; an entry that goes on after a tool repeats the metrics of the one
// before and is part of its turn. Times within the call are whole seconds: they say where a
// turn stands, never how long a wait was. Older payloads have the metrics without the level `metrics`.

import { decoded, rejected, type Attributes, type Decoded } from '@framescope/protocol';
import { exchangesOf, joinedSpeech, type Said } from './exchanges.ts';
import { isObject, listAt, numberAt, objectAt, taken, textAt, type Json } from './json.ts';
import type { ReportedCall, ReportedTurn } from './report.types.ts';

const PREFIX = 'convai_';

export const isElevenLabs = (json: Json): boolean =>
  (textAt(json, 'type') ?? '').startsWith('post_call_') ||
  ('conversation_id' in json && Array.isArray(json['transcript']));

interface Entry extends Said {
  readonly json: Json;
}

/** Another event (the audio of a call) is no report: undefined. */
export function elevenLabsCall(json: Json): Decoded<ReportedCall> | undefined {
  const isEvent = typeof json['type'] === 'string' && isObject(json['data']);
  if (isEvent && json['type'] !== 'post_call_transcription') return undefined;
  const call = isEvent ? objectAt(json, 'data') : json;
  const path = isEvent ? 'data.' : '';
  const id = textAt(call, 'conversation_id');
  if (id === undefined) return rejected(`${path}conversation_id`, 'no ID of the conversation');
  const metadata = objectAt(call, 'metadata');
  const startSeconds = numberAt(metadata, 'start_time_unix_secs');
  if (startSeconds === undefined || startSeconds < 1e9 || startSeconds > 4e9)
    return rejected(
      `${path}metadata.start_time_unix_secs`,
      'no time at which the call began, in Unix seconds',
    );
  const startMs = startSeconds * 1e3;
  const entries = listAt(call, 'transcript').flatMap(one => entryOf(one, startMs));
  return decoded({
    vendor: 'elevenlabs',
    id,
    startMs,
    endMs: startMs + Math.max(0, numberAt(metadata, 'call_duration_secs') ?? 0) * 1e3,
    attributes: {
      ...taken(call, {
        'agent.id': 'agent_id',
        'agent.name': 'agent_name',
        'agent.version': 'version_id',
        environment: 'environment',
      }),
      ...taken(metadata, { 'call.end_reason': 'termination_reason', language: 'main_language' }),
    },
    turns: exchangesOf(entries).map(({ user, agent }): ReportedTurn => {
      const [heard, spoken] = [joinedSpeech(user), joinedSpeech(agent)];
      const all = [...user, ...agent].map(one => one.json);
      return {
        ...(heard && { user: heard }),
        ...(spoken && { agent: spoken }),
        isInterrupted: agent.some(one => one.json['interrupted'] === true),
        figures: Object.assign({}, ...all.toReversed().map(metricsOf)) as Record<string, number>,
        features: Object.assign({}, ...all.map(featuresOf)) as Attributes,
        tools: [],
      };
    }),
    notes: [],
  });
}

function entryOf(json: Json, callMs: number): Entry[] {
  const { role } = json;
  if (role !== 'user' && role !== 'agent') return [];
  const text = textAt(json, 'message');
  const at = numberAt(json, 'time_in_call_secs');
  return [
    {
      who: role,
      json,
      speech: {
        ...(text !== undefined && { text }),
        ...(at !== undefined && { startMs: callMs + at * 1e3 }),
      },
    },
  ];
}

/** By name; of several entries of a turn the first counts. */
function metricsOf(entry: Json): Record<string, number> {
  const around = objectAt(entry, 'conversation_turn_metrics');
  const metrics = isObject(around['metrics']) ? around['metrics'] : around;
  const found: Record<string, number> = {};
  for (const name of Object.keys(metrics)) {
    const seconds = numberAt(objectAt(metrics, name), 'elapsed_time');
    if (name.startsWith(PREFIX) && seconds !== undefined) found[name] = seconds;
  }
  return found;
}

function featuresOf(entry: Json): Attributes {
  const usage = Object.entries(objectAt(objectAt(entry, 'llm_usage'), 'model_usage'));
  const tokens = (category: string): number =>
    usage.reduce(
      (sum, [, one]) =>
        sum + (isObject(one) ? (numberAt(objectAt(one, category), 'tokens') ?? 0) : 0),
      0,
    );
  const [model] = usage[0] ?? [];
  const tools = listAt(entry, 'tool_calls').flatMap(call => textAt(call, 'tool_name') ?? []);
  return {
    ...taken(objectAt(entry, 'conversation_turn_metrics'), {
      'stt.provider': 'convai_asr_provider',
      'tts.model': 'convai_tts_model',
      'tts.voice': 'voice_id',
    }),
    ...taken(entry, { 'llm.model': 'producing_llm' }),
    ...(model !== undefined && !('producing_llm' in entry) && { 'llm.model': model.slice(0, 256) }),
    ...(usage.length > 0 && {
      'llm.input_tokens': tokens('input') + tokens('input_cache_read'),
      'llm.cached_tokens': tokens('input_cache_read'),
      'llm.output_tokens': tokens('output_total'),
    }),
    ...(tools.length > 0 && {
      'tool.name': tools.join(', ').slice(0, 256),
      'tool.calls': tools.length,
    }),
  };
}
