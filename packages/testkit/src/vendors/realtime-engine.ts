// The server side of OpenAI's Realtime API, as far as a client can tell: a state
// machine without a network. It refuses what the vendor refuses (unknown types,
// unknown fields, orders that make no sense), and will not itself send an order
// of events that the vendor never sends. Types are the vendor's own.
//
//   client event ─▶ take ─▶ refused: `error` event, kept in `refusals`
//                     └──▶ state ─▶ server events through `emit`
//   script ─▶ speech, respond, … ─▶ server events

import type {
  ConversationItem,
  RealtimeClientEvent,
  RealtimeResponse,
  RealtimeServerEvent,
  RealtimeSessionCreateRequest,
} from 'openai/resources/realtime/realtime';
import { asBeta } from './realtime-beta.ts';
import { sessionOf } from './realtime-session.ts';
import { FIELDS, type ClientEvent, type ClientType } from './realtime-fields.ts';

/** A client event that the vendor would have answered with an error. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly type: string;
}

export interface EngineOptions {
  readonly emit: (event: RealtimeServerEvent) => void;
  /** Laid over the vendor's defaults. */
  readonly audio?: RealtimeSessionCreateRequest['audio'];
  /** Told of audio the client appended, in its format. */
  readonly onAudio?: (base64: string, format: string) => void;
  /** Send the names of the API's beta. */
  readonly isBeta?: boolean;
}

export interface ResponseEnd {
  readonly status?: 'completed' | 'cancelled' | 'failed' | 'incomplete';
  readonly reason?: 'turn_detected' | 'client_cancelled' | 'max_output_tokens' | 'content_filter';
  readonly error?: string;
}

interface Item {
  readonly item: ConversationItem;
  /** Audio that was sent for it, ms. */
  audioMs: number;
}

/** A response under way, as the script holds it. */
export interface LiveResponse {
  readonly id: string;
  readonly itemId: string;
}

interface Active extends LiveResponse {
  /** What has been announced of its spoken item. */
  hasItem: boolean;
  text: string;
  readonly output: ConversationItem[];
}

export class RealtimeEngine {
  readonly refusals: Refusal[] = [];
  /** Accepted client events, in order. */
  readonly taken: string[] = [];
  readonly #options: EngineOptions;
  readonly #items = new Map<string, Item>();
  readonly #calls = new Set<string>();
  #session: RealtimeSessionCreateRequest;
  #active: Active | undefined;
  #bufferMs = 0;
  #receivedMs = 0;
  #speaking: string | undefined;
  #serial = 0;
  #lastItemId: string | null = null;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#session = sessionOf(options.audio);
  }

  /** Audio received since the connection began, ms: the vendor's media clock. */
  get receivedMs(): number {
    return this.#receivedMs;
  }

  /** How the session stands: what `session.updated` said last. */
  get session(): RealtimeSessionCreateRequest {
    return this.#session;
  }

  /** The response under way. */
  get activeId(): string | undefined {
    return this.#active?.id;
  }

  /** The connection is open. */
  open(): void {
    this.#emit({ type: 'session.created', event_id: this.#id('event'), session: this.#session });
  }

  // ---- what the client sends ----------------------------------------------------------------

  /** Takes one client event; an error event answers what the vendor refuses. */
  take(raw: unknown): void {
    const type = typeOf(raw);
    if (type === undefined) return this.#refuse('invalid_type', 'an event has a type', '');
    if (!Object.hasOwn(FIELDS, type))
      return this.#refuse('invalid_value', `unknown event type ${type}`, type);
    const known = FIELDS[type as ClientType];
    const unknown = Object.keys(raw as object).find(name => !Object.hasOwn(known, name));
    if (unknown !== undefined)
      return this.#refuse('unknown_parameter', `Unknown parameter: '${unknown}'.`, type);
    const before = this.refusals.length;
    this.#apply(raw as RealtimeClientEvent);
    if (this.refusals.length === before) this.taken.push(type);
  }

  #apply(event: RealtimeClientEvent): void {
    switch (event.type) {
      case 'input_audio_buffer.append':
        return this.#append(event.audio);
      case 'input_audio_buffer.commit':
        return this.#commit();
      case 'input_audio_buffer.clear':
        this.#bufferMs = 0;
        return this.#emit({ type: 'input_audio_buffer.cleared', event_id: this.#id('event') });
      case 'session.update':
        return this.#update(event.session);
      case 'conversation.item.create':
        return this.#create(event.item);
      case 'conversation.item.truncate':
        return this.#truncate(event);
      case 'response.create':
        if (this.#active !== undefined)
          return this.#refuse(
            'conversation_already_has_active_response',
            `response ${this.#active.id} is in progress`,
            event.type,
          );
        return void this.respond();
      case 'response.cancel':
        if (this.#active === undefined)
          return this.#refuse('response_cancel_not_active', 'no active response', event.type);
        return this.done({ status: 'cancelled', reason: 'client_cancelled' });
      case 'conversation.item.delete':
      case 'conversation.item.retrieve':
        if (this.#items.has(event.item_id)) return undefined;
        return this.#refuse('item_not_found', `no item ${event.item_id}`, event.type);
      case 'output_audio_buffer.clear':
        return this.#refuse('invalid_value', 'only over WebRTC', event.type);
    }
  }

  #append(audio: string): void {
    if (typeof audio !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(audio))
      return this.#refuse('invalid_value', 'audio is base64', 'input_audio_buffer.append');
    const ms = this.#msOf(audio, this.#session.audio?.input?.format?.type);
    this.#receivedMs += ms;
    this.#bufferMs += ms;
    this.#options.onAudio?.(audio, this.#session.audio?.input?.format?.type ?? 'audio/pcm');
  }

  #commit(): void {
    if (this.#bufferMs < 100)
      return this.#refuse(
        'input_audio_buffer_commit_empty',
        `the buffer has ${this.#bufferMs} ms; it needs 100`,
        'input_audio_buffer.commit',
      );
    this.#committed(this.#id('item'));
  }

  #update(session: unknown): void {
    const { audio, ...rest } = session as RealtimeSessionCreateRequest;
    const { input, output } = this.#session.audio ?? {};
    this.#session = {
      ...this.#session,
      ...rest,
      audio: { input: { ...input, ...audio?.input }, output: { ...output, ...audio?.output } },
    };
    this.#emit({ type: 'session.updated', event_id: this.#id('event'), session: this.#session });
  }

  #create(item: ConversationItem): void {
    if (item.type === 'function_call_output') {
      if (!this.#calls.delete(item.call_id))
        return this.#refuse(
          'invalid_tool_call_id',
          `no call ${item.call_id} waits for an answer`,
          'conversation.item.create',
        );
    }
    this.#add(item.id ?? this.#id('item'), item);
  }

  #truncate(event: ClientEvent<'conversation.item.truncate'>): void {
    const item = this.#items.get(event.item_id);
    if (item === undefined)
      return this.#refuse('item_not_found', `no item ${event.item_id}`, event.type);
    if (!Number.isInteger(event.audio_end_ms))
      return this.#refuse('invalid_type', 'audio_end_ms is a whole number', event.type);
    if (event.audio_end_ms > item.audioMs)
      return this.#refuse(
        'invalid_value',
        `Audio content of ${item.audioMs}ms is already shorter than ${event.audio_end_ms}ms`,
        event.type,
      );
    const { content_index, audio_end_ms, item_id } = event;
    this.#emit({
      type: 'conversation.item.truncated',
      event_id: this.#id('event'),
      item_id,
      content_index,
      audio_end_ms,
    });
  }

  // ---- what the script makes it say -----------------------------------------------------------

  /** Speech was noticed; `audioStartMs` includes the padding, as the vendor's does. */
  speechStarted(audioStartMs: number): string {
    this.#must(this.#speaking === undefined, 'speech has started already');
    const itemId = this.#id('item');
    this.#speaking = itemId;
    this.#emit({
      type: 'input_audio_buffer.speech_started',
      event_id: this.#id('event'),
      audio_start_ms: audioStartMs,
      item_id: itemId,
    });
    if (this.#active !== undefined) this.done({ status: 'cancelled', reason: 'turn_detected' });
    return itemId;
  }

  /** Silence was long enough: `audioEndMs` includes the window. Commits the item. */
  speechStopped(audioEndMs: number): string {
    const itemId = this.#speaking;
    if (itemId === undefined) throw new Error('the vendor never stops what has not started');
    this.#speaking = undefined;
    this.#emit({
      type: 'input_audio_buffer.speech_stopped',
      event_id: this.#id('event'),
      audio_end_ms: audioEndMs,
      item_id: itemId,
    });
    this.#committed(itemId);
    return itemId;
  }

  transcribed(itemId: string, transcript: string): void {
    this.#must(this.#items.has(itemId), 'only committed items are transcribed');
    this.#emit({
      type: 'conversation.item.input_audio_transcription.completed',
      event_id: this.#id('event'),
      item_id: itemId,
      content_index: 0,
      transcript,
      usage: { type: 'duration', seconds: 1 },
    });
  }

  /** Begins a response. */
  respond(): LiveResponse {
    this.#must(this.#active === undefined, 'one response at a time');
    const active = {
      id: this.#id('resp'),
      itemId: this.#id('item'),
      hasItem: false,
      text: '',
      output: [],
    };
    this.#active = active;
    const response = this.#response(active, { status: 'in_progress' });
    this.#emit({ type: 'response.created', event_id: this.#id('event'), response });
    return active;
  }

  /** The next piece of spoken answer. */
  audio(base64: string, text = ''): void {
    const active = this.#spoken();
    const item = this.#items.get(active.itemId)!;
    item.audioMs += this.#msOf(base64, this.#session.audio?.output?.format?.type);
    const place = { response_id: active.id, item_id: active.itemId, output_index: 0 };
    if (text !== '') {
      active.text += text;
      this.#emit({
        type: 'response.output_audio_transcript.delta',
        event_id: this.#id('event'),
        ...place,
        content_index: 0,
        delta: text,
      });
    }
    this.#emit({
      type: 'response.output_audio.delta',
      event_id: this.#id('event'),
      ...place,
      content_index: 0,
      delta: base64,
    });
  }

  /** The model calls a tool. */
  call(name: string, args: string): string {
    const active = this.#mustRespond();
    const callId = this.#id('call');
    this.#calls.add(callId);
    const id = this.#id('item');
    const item: ConversationItem = {
      type: 'function_call',
      id,
      call_id: callId,
      name,
      arguments: args,
    };
    active.output.push(item);
    const output_index = active.hasItem ? 1 : 0;
    this.#emit({
      type: 'response.output_item.added',
      event_id: this.#id('event'),
      response_id: active.id,
      output_index,
      item: { ...item, arguments: '', status: 'in_progress' },
    });
    this.#emit({
      type: 'response.output_item.done',
      event_id: this.#id('event'),
      response_id: active.id,
      output_index,
      item: { ...item, status: 'completed' },
    });
    return callId;
  }

  done(end: ResponseEnd = {}): void {
    const active = this.#mustRespond();
    const { status = 'completed' } = end;
    if (active.hasItem) this.#closeItem(active);
    this.#active = undefined;
    const response = this.#response(active, { ...end, status });
    this.#emit({ type: 'response.done', event_id: this.#id('event'), response });
  }

  #closeItem({ id, itemId, text }: Active): void {
    const place = { response_id: id, item_id: itemId, output_index: 0, content_index: 0 };
    this.#emit({ type: 'response.output_audio.done', event_id: this.#id('event'), ...place });
    this.#emit({
      type: 'response.output_audio_transcript.done',
      event_id: this.#id('event'),
      ...place,
      transcript: text,
    });
  }

  // ---- how it says it -------------------------------------------------------------------------

  #committed(itemId: string): void {
    this.#bufferMs = 0;
    this.#emit({
      type: 'input_audio_buffer.committed',
      event_id: this.#id('event'),
      item_id: itemId,
      previous_item_id: this.#lastItemId,
    });
    this.#add(itemId, {
      type: 'message',
      role: 'user',
      content: [{ type: 'input_audio', transcript: '' }],
    });
  }

  #add(id: string, item: ConversationItem): void {
    this.#items.set(id, { item, audioMs: 0 });
    this.#emit({
      type: 'conversation.item.added',
      event_id: this.#id('event'),
      previous_item_id: this.#lastItemId,
      item: { ...item, id },
    });
    this.#lastItemId = id;
  }

  #spoken(): Active {
    const active = this.#mustRespond();
    if (active.hasItem) return active;
    active.hasItem = true;
    const item: ConversationItem = {
      type: 'message',
      id: active.itemId,
      role: 'assistant',
      status: 'in_progress',
      content: [],
    };
    this.#emit({
      type: 'response.output_item.added',
      event_id: this.#id('event'),
      response_id: active.id,
      output_index: 0,
      item,
    });
    this.#add(active.itemId, item);
    return active;
  }

  #response(active: Active, end: ResponseEnd | { status: 'in_progress' }): RealtimeResponse {
    const { status } = end;
    const base: RealtimeResponse = {
      id: active.id,
      object: 'realtime.response',
      output: [...active.output],
      output_modalities: ['audio'],
      ...(status === undefined ? {} : { status }),
    };
    if (status === 'in_progress' || status === undefined) return base;
    const { reason, error } = end as ResponseEnd;
    return {
      ...base,
      status_details: {
        type: status,
        ...(reason === undefined ? {} : { reason }),
        ...(error === undefined ? {} : { error: { code: error, type: 'server_error' } }),
      },
      usage: {
        input_tokens: 120,
        output_tokens: 60,
        total_tokens: 180,
        input_token_details: { audio_tokens: 100, text_tokens: 20, cached_tokens: 64 },
        output_token_details: { audio_tokens: 48, text_tokens: 12 },
      },
    };
  }

  #msOf(base64: string, format: string | undefined): number {
    const bytes = Buffer.byteLength(base64, 'base64');
    return Math.floor(bytes / (format === undefined || format === 'audio/pcm' ? 48 : 8));
  }

  #mustRespond(): Active {
    if (this.#active === undefined) throw new Error('the vendor says nothing outside a response');
    return this.#active;
  }

  #must(isSo: boolean, rule: string): void {
    if (!isSo) throw new Error(`a script the vendor would not follow: ${rule}`);
  }

  #refuse(code: string, message: string, type: string): void {
    this.refusals.push({ code, message, type });
    this.#emit({
      type: 'error',
      event_id: this.#id('event'),
      error: { type: 'invalid_request_error', code, message, param: null, event_id: null },
    });
  }

  #emit(event: RealtimeServerEvent): void {
    this.#options.emit(this.#options.isBeta === true ? asBeta(event) : event);
  }

  #id(kind: string): string {
    this.#serial += 1;
    return `${kind}_${String(this.#serial).padStart(4, '0')}`;
  }
}

function typeOf(raw: unknown): string | undefined {
  if (typeof raw !== 'object' || raw === null || !('type' in raw)) return undefined;
  return typeof raw.type === 'string' ? raw.type : undefined;
}
