// Deepgram's Voice Agent: the events of its WebSocket, as a client wrote them down, one a line.
//
//   {"received_at": "2026-11-30T12:00:00.000Z", "event": {"type": "LatencyReport", …}}
//   {"received_at": 1790000000000, "type": "LatencyReport", …}
//
// There is no report after a call, and its events carry no time: whoever writes them down adds
// `received_at` (Unix ms or ISO 8601). Latencies are seconds, once an answer: `LatencyReport`, in older
// set-ups `AgentStartedSpeaking`. An event's arrival says where a turn stands, never how long a wait was.

import { decoded, rejected, type Attributes, type Decoded } from '@framescope/protocol';
import {
  figuresOf,
  isObject,
  listAt,
  objectAt,
  taken,
  textAt,
  unixMsAt,
  type Json,
} from './json.ts';
import type { ReportedCall, ReportedSpeech, ReportedTool, ReportedTurn } from './report.types.ts';

const FIGURES = [
  'total_latency',
  'stt_latency',
  'ttt_latency',
  'ttt_token_latency',
  'ttt_text_latency',
  'ttt_tool_latency',
  'ttt_thinking_latency',
  'tts_latency',
] as const;

interface Event {
  readonly type: string;
  readonly json: Json;
  readonly atMs: number | undefined;
}

/** What a turn is put together from. */
interface Draft {
  user?: ReportedSpeech;
  agent?: ReportedSpeech;
  isInterrupted: boolean;
  figures: Record<string, number>;
  tools: ReportedTool[];
  toolNames: string[];
}

export const isDeepgram = (lines: readonly unknown[]): boolean =>
  lines.length > 0 &&
  lines.every(isObject) &&
  lines.some(line =>
    ['LatencyReport', 'AgentStartedSpeaking', 'SettingsApplied'].includes(eventOf(line).type),
  );

function eventOf(line: Json): Event {
  const json = isObject(line['event']) ? line['event'] : line;
  return { type: textAt(json, 'type') ?? '', json, atMs: unixMsAt(line, 'received_at') };
}

export function deepgramCall(lines: readonly unknown[]): Decoded<ReportedCall> {
  const events = lines.filter(isObject).map(eventOf);
  const timeless = events.findIndex(one => one.atMs === undefined);
  if (timeless !== -1)
    return rejected(
      `line ${timeless + 1}.received_at`,
      'events of Deepgram carry no time: write down when each was received, as Unix ms or ISO 8601',
    );
  const welcome = events.find(one => one.type === 'Welcome');
  const id = textAt(welcome?.json ?? {}, 'request_id');
  if (id === undefined)
    return rejected('Welcome.request_id', 'no event Welcome with the ID of the request');
  const reader = new EventReader();
  for (const event of events) reader.take(event, event.atMs!);
  const times = events.map(one => one.atMs!);
  return decoded({
    vendor: 'deepgram',
    id,
    startMs: Math.min(...times),
    endMs: Math.max(...times),
    attributes: {},
    turns: reader.turns(),
    notes: [],
  });
}

class EventReader {
  readonly #drafts: Draft[] = [];
  readonly #asked = new Map<string, { name: string; startMs: number }>();
  #features: Attributes = {};
  #isSpeaking = false;
  #now: Draft | undefined;

  take({ type, json }: Event, atMs: number): void {
    switch (type) {
      case 'Settings':
        this.#features = featuresOf(objectAt(json, 'agent'));
        break;
      case 'UserStartedSpeaking':
        if (this.#isSpeaking && this.#now) this.#now.isInterrupted = true;
        this.#isSpeaking = false;
        this.#begin({ startMs: atMs });
        break;
      case 'ConversationText':
        this.#words(json, atMs);
        break;
      case 'AgentStartedSpeaking':
      case 'LatencyReport':
        this.#answer(figuresOf(json, FIGURES), atMs);
        break;
      case 'AgentAudioDone':
        this.#isSpeaking = false;
        if (this.#now?.agent) this.#now.agent = { ...this.#now.agent, endMs: atMs };
        break;
      default:
        this.#tools(type, json, atMs);
    }
  }

  turns(): ReportedTurn[] {
    return this.#drafts
      .filter(({ user, agent }) => user?.text !== undefined || agent !== undefined)
      .map(({ toolNames, ...draft }) => ({
        ...draft,
        features: {
          ...this.#features,
          ...(toolNames.length > 0 && {
            'tool.name': toolNames.join(', ').slice(0, 256),
            'tool.calls': toolNames.length,
          }),
        },
      }));
  }

  #begin(user?: ReportedSpeech): Draft {
    // Speech that was heard and said nothing is gone on with.
    const isEmpty =
      this.#now !== undefined &&
      this.#now.agent === undefined &&
      this.#now.user?.text === undefined;
    if (this.#now !== undefined && isEmpty) {
      if (user) this.#now.user = user;
      return this.#now;
    }
    this.#now = {
      isInterrupted: false,
      figures: {},
      tools: [],
      toolNames: [],
      ...(user && { user }),
    };
    this.#drafts.push(this.#now);
    return this.#now;
  }

  #words(json: Json, atMs: number): void {
    const text = textAt(json, 'content');
    if (text === undefined) return;
    if (json['role'] === 'user') {
      const draft = this.#now?.agent === undefined && this.#now ? this.#now : this.#begin();
      const before = draft.user?.text;
      draft.user = { startMs: atMs, ...draft.user, text: before ? `${before} ${text}` : text };
      return;
    }
    const draft = this.#now ?? this.#begin();
    const before = draft.agent?.text;
    draft.agent = { startMs: atMs, ...draft.agent, text: before ? `${before} ${text}` : text };
  }

  /** The first that comes stands nearest to the first audio. */
  #answer(figures: Record<string, number>, atMs: number): void {
    const draft = this.#now ?? this.#begin();
    this.#isSpeaking = true;
    if (Object.keys(draft.figures).length === 0) draft.agent = { ...draft.agent, startMs: atMs };
    draft.figures = { ...figures, ...draft.figures };
  }

  #tools(type: string, json: Json, atMs: number): void {
    if (type === 'FunctionCallRequest')
      for (const call of listAt(json, 'functions')) {
        const name = textAt(call, 'name') ?? 'tool';
        this.#asked.set(textAt(call, 'id') ?? name, { name, startMs: atMs });
        this.#now?.toolNames.push(name);
      }
    if (type !== 'FunctionCallResponse') return;
    const asked = this.#asked.get(textAt(json, 'id') ?? textAt(json, 'name') ?? '');
    if (asked !== undefined) this.#now?.tools.push({ ...asked, endMs: atMs });
  }
}

function featuresOf(agent: Json): Attributes {
  const provider = (stage: string): Json => {
    const its = agent[stage];
    const first: unknown = Array.isArray(its) ? its[0] : its;
    return isObject(first) ? objectAt(first, 'provider') : {};
  };
  return {
    ...taken(provider('listen'), { 'stt.provider': 'type', 'stt.model': 'model' }),
    ...taken(provider('think'), { 'llm.provider': 'type', 'llm.model': 'model' }),
    ...taken(provider('speak'), { 'tts.provider': 'type', 'tts.model': 'model' }),
  };
}
