// The Realtime API's events, as turns, waits and stages. Server events carry no
// time: everything is stamped on arrival, and `audio_…_ms` are places on the
// media clock.

import { NS_PER_S, type DomainNs } from '@framescope/protocol';
import type { Stream } from '../../hop/stream.ts';
import type { SessionPort } from '../../ports.ts';
import type { Session } from '../../session.ts';
import { at, BoundedMap, numberAt, textAt } from '../common/foreign.ts';
import { tellWords, type TickRange } from '../common/lineage.ts';
import type { SharedCall } from '../common/shared.ts';
import type { VendorLine } from '../vendor/line.ts';
import { configOf, DEFAULT_CONFIG, type RealtimeConfig } from './config.ts';
import { Answer, type Exchange } from './exchange.ts';
import { Exchanges } from './exchanges.ts';
import { Downlink, Uplink } from './media.ts';
import { errorOf, requestAttributes, responseAttributes } from './usage.ts';

const ANSWERS_MAX = 64;
const REQUESTS_MAX = 8;
/** A request that no response followed in this time was refused. */
const REQUEST_NS: number = 10 * NS_PER_S;
/** How exact a server's own voice detector is: one of its windows. */
const VAD_ERROR_MS = 32;
const RELEASE_ERROR_MS = 50;
const ENERGY_ERROR_MS = 20;
/** Nothing voiced was found: it is somewhere in what was looked at. */
const UNVOICED_ERROR_MS = 1_500;

export interface ConversationOptions {
  readonly session: Session;
  readonly port: SessionPort;
  readonly shared: SharedCall;
  readonly mic: Stream | undefined;
  readonly agent: Stream | undefined;
  /** The way to the model; undefined where it is not measured. */
  readonly line: VendorLine | undefined;
}

type Handler = (event: unknown) => void;

export class Conversation {
  readonly #shared: SharedCall;
  readonly #port: SessionPort;
  readonly #up: Uplink;
  readonly #down: Downlink;
  readonly #exchanges: Exchanges;
  readonly #line: VendorLine | undefined;
  readonly #answers = new BoundedMap<Answer>(ANSWERS_MAX);
  readonly #answerOfItem = new BoundedMap<Answer>(ANSWERS_MAX);
  readonly #handlers: ReadonlyMap<string, Handler>;
  /** Responses outside any turn that have made no sound, by when they were asked for. */
  readonly #unheard = new BoundedMap<DomainNs>(ANSWERS_MAX);
  /** Where the user's items stand on the stream. */
  readonly #spoken = new BoundedMap<TickRange>(ANSWERS_MAX);
  /** Committed by the application; the vendor has not named it yet. */
  #released: TickRange | undefined;
  #requests: DomainNs[] = [];
  #config: RealtimeConfig = DEFAULT_CONFIG;
  /** The agent's audio was begun, and its first frame has not been sent on. */
  #unsent: { readonly exchange: Exchange; readonly generation: string } | undefined;

  constructor({ session, port, shared, mic, agent, line }: ConversationOptions) {
    this.#shared = shared;
    this.#line = line;
    this.#port = port;
    const media = { session, shared, now: () => port.clock.now() };
    this.#up = new Uplink({ ...media, stream: mic }, this.#config.input);
    this.#down = new Downlink({ ...media, stream: agent }, this.#config.output);
    this.#exchanges = new Exchanges({ session, port, up: this.#up, down: this.#down });
    this.#handlers = new Map([...this.#received(), ...this.#sent()]);
  }

  /** An event of the server, or (`sent`) one that the application sent. */
  handle(type: string, event: unknown, isSent: boolean): void {
    this.#handlers.get(isSent ? `> ${type}` : type)?.(event);
  }

  /** The connection is gone: what was under way will not come. */
  disconnected(): void {
    for (const answer of this.#answers.values()) {
      if (answer.isDone) continue;
      answer.isDone = true;
      answer.exchange.hasFailed = true;
      answer.stage.end({ error: 'the connection was lost', discarded: !answer.hasSpoken });
      if (answer.hasSpoken) this.#exchanges.look(answer.exchange);
    }
  }

  /** The line threw away what was queued toward the user. */
  cleared(): void {
    const speaking = this.#exchanges.speaking();
    if (speaking !== undefined) this.#exchanges.interrupted(speaking);
  }

  /** The line sent the first of the agent's audio on. */
  passedOn(): void {
    const unsent = this.#unsent;
    if (unsent === undefined) return;
    this.#unsent = undefined;
    const { exchange, generation } = unsent;
    exchange.turn.moment('first_frame_sent', { source: 'line', generation });
  }

  settle(): void {
    // A greeting that was asked for and never came is a wait all the same.
    const [first] = this.#exchanges.current === undefined ? this.#unheard.entries() : [];
    if (first !== undefined) this.#begin(...first);
    for (const answer of this.#answers.values()) if (!answer.isDone) answer.stage.end();
    this.#exchanges.settle();
  }

  #received(): [string, Handler][] {
    return [
      ['session.created', event => this.#connected(event)],
      ['session.updated', event => this.#configured(event)],
      ['input_audio_buffer.speech_started', event => this.#speechStarted(event)],
      ['input_audio_buffer.speech_stopped', event => this.#speechStopped(event)],
      ['input_audio_buffer.committed', event => this.#committed(event)],
      ['conversation.item.input_audio_transcription.completed', event => this.#heard(event)],
      ['conversation.item.input_audio_transcription.failed', event => this.#heard(event)],
      ['response.created', event => this.#responseCreated(event)],
      ['response.output_item.done', event => this.#itemDone(event)],
      ['response.output_audio.delta', event => this.#audio(event)],
      ['response.output_audio_transcript.delta', event => this.#text(event)],
      ['response.output_text.delta', event => this.#text(event)],
      ['response.done', event => this.#responseDone(event)],
      ['output_audio_buffer.started', event => this.#playing(event)],
      ['output_audio_buffer.stopped', event => this.#played(event)],
      ['output_audio_buffer.cleared', () => this.cleared()],
    ];
  }

  #sent(): [string, Handler][] {
    return [
      ['> input_audio_buffer.append', event => this.#up.append(textAt(event, 'audio') ?? '')],
      ['> input_audio_buffer.clear', () => void this.#up.takeBuffer()],
      ['> input_audio_buffer.commit', () => this.#letGo()],
      ['> response.create', () => this.#requested()],
      ['> response.cancel', () => this.#stopped()],
      ['> output_audio_buffer.clear', () => this.cleared()],
      ['> conversation.item.truncate', event => this.#truncated(event)],
      ['> conversation.item.create', event => this.#created(event)],
    ];
  }

  // ---- the session ------------------------------------------------------------------------

  #connected(event: unknown): void {
    this.disconnected();
    this.#up.connected();
    this.#configured(event);
  }

  #configured(event: unknown): void {
    this.#config = configOf(at(event, 'session'), this.#config);
    this.#up.formatIs(this.#config.input);
    this.#down.formatIs(this.#config.output);
  }

  // ---- the user ---------------------------------------------------------------------------

  #speechStarted(event: unknown): void {
    const { detection } = this.#config;
    const startMs = numberAt(event, 'audio_start_ms');
    // The vendor's start lies before the speech by the padding that it hands to the model.
    const paddingMs = detection.kind === 'server_vad' ? detection.prefixMs : 0;
    const tick = startMs === undefined ? this.#up.tick : this.#up.tickAtMs(startMs + paddingMs);
    const itemId = textAt(event, 'item_id');
    if (itemId !== undefined) this.#spoken.set(itemId, { from: tick, to: tick });
    this.#exchanges.speechBegan(tick, itemId);
  }

  #speechStopped(event: unknown): void {
    const itemId = textAt(event, 'item_id');
    const endMs = numberAt(event, 'audio_end_ms');
    const exchange = this.#exchanges.ofItem(itemId);
    if (exchange === undefined || endMs === undefined) return;
    const { detection } = this.#config;
    if (detection.kind !== 'semantic_vad') {
      const silenceMs = detection.kind === 'server_vad' ? detection.silenceMs : 0;
      const tick = this.#up.tickAtMs(Math.max(0, endMs - silenceMs));
      const how = { source: 'server_vad', errorMs: VAD_ERROR_MS };
      const end = Math.max(tick, exchange.startTick);
      this.#spokenUntil(itemId, end);
      return this.#exchanges.speechEnded(exchange, end, how);
    }
    this.#spokenUntil(itemId, this.#up.tickAtMs(endMs));
    this.#endedWithin(exchange, endMs, detection.withinMs);
  }

  #spokenUntil(itemId: string | undefined, to: number): void {
    const range = this.#spoken.get(itemId);
    if (itemId !== undefined && range !== undefined)
      this.#spoken.set(itemId, { from: range.from, to });
  }

  /** No window to take off: speech ended somewhere between its start and the decision. */
  #endedWithin(exchange: Exchange, endMs: number, withinMs: number): void {
    const latest = this.#up.tickAtMs(endMs);
    const earliest = this.#up.tickAtMs(Math.max(0, endMs - withinMs));
    const from = Math.min(latest, Math.max(exchange.startTick, earliest));
    const half = (latest - from) / 2;
    const errorMs = (half / this.#up.stream.sampleRate) * 1_000;
    const how = { source: 'semantic_vad', errorMs };
    this.#exchanges.speechEnded(exchange, Math.round(from + half), how);
  }

  #committed(event: unknown): void {
    const itemId = textAt(event, 'item_id');
    const exchange = this.#exchanges.ofItem(itemId);
    if (exchange === undefined || itemId === undefined) return;
    this.#up.takeBuffer();
    if (this.#released !== undefined) this.#spoken.set(itemId, this.#released);
    this.#released = undefined;
    this.#exchanges.belongs(itemId, exchange);
    if (this.#config.isTranscribed) exchange.pendingTranscripts++;
  }

  /** Push to talk: the application commits when the user lets go. */
  #letGo(): void {
    const tick = this.#up.takeBuffer();
    if (this.#config.detection.kind !== 'none' || tick === undefined) return;
    this.#released = { from: tick, to: this.#up.tick };
    const exchange = this.#exchanges.begin(tick);
    const how = { source: 'push_to_talk', errorMs: RELEASE_ERROR_MS };
    this.#exchanges.speechEnded(exchange, Math.max(tick, this.#up.tick), how);
  }

  #heard(event: unknown): void {
    const exchange = this.#exchanges.ofItem(textAt(event, 'item_id'));
    if (exchange === undefined) return;
    exchange.pendingTranscripts--;
    const text = textAt(event, 'transcript');
    if (exchange.turn.isEnded)
      return this.#port.problems.report(
        'late_transcript',
        'openai-realtime: a transcript came over 5 s after its turn; it is not shown',
      );
    if (text !== undefined) exchange.turn.heard(text);
    const range = this.#spoken.get(textAt(event, 'item_id'));
    tellWords(this.#port, this.#up.stream, range, { text: text ?? '', quality: 'reported' });
    if (exchange.ending !== undefined) this.#exchanges.look(exchange);
  }

  // ---- the model --------------------------------------------------------------------------

  #requested(): void {
    this.#requests.push(this.#exchanges.now);
    if (this.#requests.length > REQUESTS_MAX) this.#requests.shift();
  }

  #responseCreated(event: unknown): void {
    const id = textAt(event, 'response', 'id');
    if (id === undefined) return;
    const { now } = this.#exchanges;
    this.#requests = this.#requests.filter(atNs => now - atNs < REQUEST_NS);
    const began = this.#requests.shift() ?? now;
    // Outside a turn it may be out of band (a classification, a title): only sound makes it one.
    if (this.#exchanges.isOpen) this.#begin(id, began);
    else this.#unheard.set(id, began);
  }

  #begin(id: string, began: DomainNs): Answer {
    const exchange = this.#exchanges.forResponse(began);
    const stage = exchange.turn.stage('realtime_inference', {
      generation: id,
      at: began,
      attributes: requestAttributes(id, this.#config.model),
    });
    exchange.turn.moment('model_requested', { source: 'realtime', generation: id, at: began });
    const answer = new Answer(id, exchange, stage);
    this.#unheard.delete(id);
    this.#answers.set(id, answer);
    exchange.answers.set(id, answer);
    return answer;
  }

  /** One that was begun before we listened is begun now. */
  #answerOf(event: unknown): Answer | undefined {
    const id = textAt(event, 'response_id');
    if (id === undefined) return undefined;
    const known = this.#answers.get(id);
    return known ?? this.#begin(id, this.#unheard.get(id) ?? this.#exchanges.now);
  }

  /** Over without a sound: nothing of a call, unless it failed. */
  #doneUnheard(id: string, response: unknown): Answer | undefined {
    const began = this.#unheard.get(id);
    if (began === undefined) return undefined;
    this.#unheard.delete(id);
    return errorOf(response) === undefined ? undefined : this.#begin(id, began);
  }

  #audio(event: unknown): void {
    const delta = textAt(event, 'delta');
    const answer = this.#answerOf(event);
    if (delta === undefined || answer === undefined) return;
    const silentSince = this.#down.playoutEnd;
    const { tick, length } = this.#down.take(delta);
    answer.endTick = tick + length;
    const itemId = textAt(event, 'item_id');
    if (itemId !== undefined && this.#answerOfItem.get(itemId) === undefined)
      this.#answerOfItem.set(itemId, answer);
    if (!answer.hasSpoken) this.#firstAudio(answer, tick, silentSince);
    const { onset } = answer;
    if (onset === undefined) return;
    const found = onset.push(this.#down.decode(delta));
    if (found !== undefined) this.#voiced(answer, this.#down.ticksOf(found), ENERGY_ERROR_MS);
    else if (onset.isExhausted) this.#voiced(answer, 0, UNVOICED_ERROR_MS);
  }

  #firstAudio(answer: Answer, tick: number, silentSince: DomainNs): void {
    const { exchange, id } = answer;
    answer.startTick = tick;
    answer.onset = this.#down.search();
    answer.stage.first();
    const hasSilence = exchange.hasSpoken && !exchange.isWaiting;
    if (hasSilence && this.#exchanges.wasSilent(silentSince))
      this.#exchanges.owesAgain(exchange, silentSince);
    exchange.turn.moment('first_audio', { source: 'realtime', generation: id });
    if (this.#shared.hasSender) this.#unsent = { exchange, generation: id };
    else exchange.turn.moment('first_frame_sent', { source: 'realtime', generation: id });
    exchange.hasSpoken = true;
  }

  /** The first voiced sample is known: it closes the wait. */
  #voiced(answer: Answer, offsetTicks: number, errorMs: number): void {
    answer.onset = undefined;
    const { exchange, startTick = 0 } = answer;
    if (!exchange.isWaiting) return;
    exchange.isWaiting = false;
    const tick = startTick + offsetTicks;
    exchange.turn.firstVoiced({ tick, stream: this.#down.stream, source: 'energy', errorMs });
  }

  #text(event: unknown): void {
    const delta = textAt(event, 'delta');
    if (delta !== undefined) this.#answers.get(textAt(event, 'response_id'))?.adds(delta);
  }

  #itemDone(event: unknown): void {
    const item = at(event, 'item');
    const callId = textAt(item, 'call_id');
    if (textAt(item, 'type') !== 'function_call' || callId === undefined) return;
    const answer = this.#answerOf(event);
    if (answer === undefined) return;
    const { exchange } = answer;
    const name = textAt(item, 'name') ?? 'tool';
    // What was said before a tool is called is no answer yet.
    if (answer.hasSpoken) exchange.turn.filler();
    answer.hasCalledTool = true;
    exchange.turn.tool(`${name}(${textAt(item, 'arguments') ?? ''})`);
    const attributes = { 'gen_ai.tool.name': name.slice(0, 200), 'gen_ai.tool.call.id': callId };
    exchange.tools.set(callId, exchange.turn.stage('tool', { attributes }))?.end();
    this.#exchanges.look(exchange);
  }

  /** The application hands the answer of a tool to the model. */
  #created(event: unknown): void {
    const item = at(event, 'item');
    const callId = textAt(item, 'call_id');
    if (textAt(item, 'type') !== 'function_call_output' || callId === undefined) return;
    for (const answer of this.#answers.values()) {
      const stage = answer.exchange.tools.get(callId);
      if (stage === undefined) continue;
      stage.end();
      answer.exchange.tools.delete(callId);
      answer.exchange.turn.tool(textAt(item, 'output') ?? '');
      return;
    }
  }

  #responseDone(event: unknown): void {
    const response = at(event, 'response');
    const id = textAt(response, 'id') ?? '';
    const answer = this.#answers.get(id) ?? this.#doneUnheard(id, response);
    if (answer === undefined || answer.isDone) return;
    answer.isDone = true;
    if (answer.onset !== undefined) this.#voiced(answer, 0, UNVOICED_ERROR_MS);
    const { exchange } = answer;
    const status = textAt(response, 'status');
    const error = errorOf(response);
    const isCut = answer.isCut || status === 'cancelled' || status === 'incomplete';
    const text = answer.takeText();
    if (text !== '') exchange.turn.said(text, { cut: isCut });
    const { startTick: from, endTick: to } = answer;
    if (from !== undefined && to !== undefined)
      tellWords(this.#port, this.#down.stream, { from, to }, { text, quality: 'reported' });
    answer.stage.end({
      ...(this.#line?.rttMs === undefined ? {} : { vendor: this.#line.told() }),
      ...(error === undefined ? {} : { error }),
      discarded: error === undefined && !answer.hasSpoken && !answer.hasCalledTool,
      attributes: responseAttributes(response),
    });
    if (error !== undefined) exchange.hasFailed = true;
    else if (status === 'completed') exchange.hasFailed = false;
    if (status === 'cancelled' && answer.hasSpoken) this.#exchanges.interrupted(exchange);
    this.#exchanges.look(exchange);
  }

  // ---- the agent is cut off ---------------------------------------------------------------

  #stopped(): void {
    const speaking = this.#exchanges.speaking();
    if (speaking !== undefined)
      speaking.bargeIn?.decided().cancelled({ generatedTick: this.#down.tick });
  }

  #truncated(event: unknown): void {
    const itemId = textAt(event, 'item_id');
    const answer = this.#answerOfItem.get(itemId);
    if (answer?.startTick === undefined) return;
    answer.isCut = true;
    this.#exchanges.interrupted(answer.exchange);
  }

  // ---- WebRTC and SIP: the audio goes past us, the vendor says when it plays -----------------

  #playing(event: unknown): void {
    const answer = this.#answerOf(event);
    if (answer === undefined) return;
    const silentSince = this.#down.playoutEnd;
    this.#down.says(true);
    if (answer.hasSpoken) return;
    this.#firstAudio(answer, this.#down.stream.position, silentSince);
    this.#voiced(answer, 0, 0);
  }

  #played(event: unknown): void {
    this.#down.says(false);
    const answer = this.#answers.get(textAt(event, 'response_id'));
    if (answer !== undefined) this.#exchanges.look(answer.exchange);
  }
}
