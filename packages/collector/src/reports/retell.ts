// Retell: the webhook `call_ended` or `call_analyzed`, or a call as `GET /v2/get-call/{id}` answers it.
//
//   { event: 'call_ended', call: { call_id, start_timestamp, latency, transcript_object } }
//
// `latency` holds lists of ms over the call (`values`), without saying which is of which
// answer: the n-th is taken for the n-th answer's where a list has as many values as there
// are answers. Times of words are seconds of audio time and, by Retell's own word, approximate:
// they say where a turn stands, never how long a wait was.

import { decoded, rejected, type Decoded } from '@framescope/protocol';
import { answeredOf, exchangesOf, joinedSpeech, type Said } from './exchanges.ts';
import {
  isObject,
  listAt,
  numberAt,
  numbersAt,
  objectAt,
  taken,
  textAt,
  unixMsAt,
  type Json,
} from './json.ts';
import type { ReportedCall, ReportedTurn } from './report.types.ts';

const FIGURES = ['e2e', 'asr', 'llm', 'tts', 's2s', 'knowledge_base'] as const;
/** Sent when a call is over; the second comes later, with an analysis, and says the same again. */
const ENDED = ['call_ended', 'call_analyzed'];

export const isRetell = (json: Json): boolean =>
  (typeof json['event'] === 'string' && isObject(json['call'])) ||
  ('call_id' in json && 'call_status' in json);

/** Another event (a call that begins) is no report: undefined. */
export function retellCall(json: Json): Decoded<ReportedCall> | undefined {
  const isEvent = typeof json['event'] === 'string';
  if (isEvent && !ENDED.includes(textAt(json, 'event') ?? '')) return undefined;
  const call = isEvent ? objectAt(json, 'call') : json;
  const path = isEvent ? 'call.' : '';
  const id = textAt(call, 'call_id');
  if (id === undefined) return rejected(`${path}call_id`, 'no ID of the call');
  const startMs = unixMsAt(call, 'start_timestamp');
  if (startMs === undefined)
    return rejected(`${path}start_timestamp`, 'no time at which the call began, in Unix ms');
  const exchanges = exchangesOf(saidOf(call, startMs));
  const answered = answeredOf(exchanges);
  const { lists, notes } = listsOf(objectAt(call, 'latency'), answered.length);
  const endMs = unixMsAt(call, 'end_timestamp') ?? startMs + (numberAt(call, 'duration_ms') ?? 0);
  return decoded({
    vendor: 'retell',
    id,
    startMs,
    endMs: Math.max(startMs, endMs),
    attributes: taken(call, {
      'agent.id': 'agent_id',
      'agent.name': 'agent_name',
      'agent.version': 'agent_version',
      'call.type': 'call_type',
      'call.direction': 'direction',
      'call.end_reason': 'disconnection_reason',
    }),
    turns: exchanges.map((exchange): ReportedTurn => {
      const [user, agent] = [joinedSpeech(exchange.user), joinedSpeech(exchange.agent)];
      const nth = answered.indexOf(exchange);
      const figures = [...lists].flatMap(([name, values]) =>
        nth === -1 ? [] : [[name, values[nth]!] as const],
      );
      return {
        ...(user && { user }),
        ...(agent && { agent }),
        figures: Object.fromEntries(figures),
        features: {},
        tools: [],
      };
    }),
    notes,
  });
}

/** Lists that can be laid beside the answers, and what is said of the others. */
function listsOf(
  latency: Json,
  answers: number,
): { lists: ReadonlyMap<string, readonly number[]>; notes: string[] } {
  const lists = new Map<string, readonly number[]>();
  const notes: string[] = [];
  for (const name of FIGURES) {
    const values = numbersAt(objectAt(latency, name), 'values');
    if (values.length === 0) continue;
    if (values.length === answers) lists.set(name, values);
    else
      notes.push(
        `Retell reports ${values.length} values of ${name} for ${answers} answers: whose they are cannot be told, and they are not plotted.`,
      );
  }
  return { lists, notes };
}

function saidOf(call: Json, callMs: number): Said[] {
  return listAt(call, 'transcript_object').flatMap((entry): Said[] => {
    const role = entry['role'];
    if (role !== 'user' && role !== 'agent') return [];
    const words = listAt(entry, 'words');
    const starts = words.flatMap(word => numberAt(word, 'start') ?? []);
    const ends = words.flatMap(word => numberAt(word, 'end') ?? []);
    const text = textAt(entry, 'content');
    return [
      {
        who: role,
        speech: {
          ...(text !== undefined && { text }),
          ...(starts.length > 0 && { startMs: callMs + Math.min(...starts) * 1e3 }),
          ...(ends.length > 0 && { endMs: callMs + Math.max(...ends) * 1e3 }),
        },
      },
    ];
  });
}
