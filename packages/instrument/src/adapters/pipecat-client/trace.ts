// One line for Pipecat's client (`@pipecat-ai/client-js`, any transport):
//
//   tracePipecatClient(client);                        a call of its own
//   tracePipecatClient(client, { session: call });     part of a call
//
// The server needs no change: it tells its clients by RTVI when the user and the
// bot speak, what the model and the voice do, and how long each service took.

import type { Stream } from '../../hop/stream.ts';
import type { Attributes } from '../../ports.ts';
import type { Stage } from '../../turn/stage.ts';
import { BoundedMap, listAt, numberAt, textAt } from '../common/foreign.ts';
import {
  follow,
  type AdapterTrace,
  type Following,
  type OfScope,
  type OfSession,
} from '../common/session-of.ts';
import { plainOptions } from '../../transport/plain-options.ts';
import { SpokenTurns } from '../common/spoken-turns.ts';

/** `PipecatClient`. */
export interface PipecatClientLike {
  on(event: never, listener: never): unknown;
}

/** Which streams a Pipecat client's audio is. */
/** Streams of yours, and what the client cannot know of its server. */
export interface PipecatStreams {
  /** The user's stream; default `mic`. */
  readonly mic?: Stream;
  /** The bot's stream; default `agent`. */
  readonly agent?: Stream;
  /** `stop_secs` of the server's VAD, in ms: how long the user had been silent when it says so. Default 200. */
  readonly vadStopMs?: number;
}

/** A page that follows a bot it does not run is the turn authority: `startSession({ authority: true })`. */
export type PipecatOptions = (OfSession | OfScope) & PipecatStreams;

const VAD_STOP_MS = 200;
const TEXT_LENGTH_MAX = 4_000;
const TOOLS_MAX = 32;
/** The network between the server's event and us, and its VAD's window. */
const EVENT_ERROR_MS = 100;

/**
 * Traces a Pipecat client: turns, waits, words, tools, and the stages of the services with the times
 * that the server measured. What the user's ear hears is not in these events: trace the peer
 * connection as well. Costs microseconds an event. Never throws; nothing the client does changes.
 */
export function tracePipecatClient(
  client: PipecatClientLike,
  options: PipecatOptions = {},
): AdapterTrace {
  return follow(
    'pipecat-client',
    options,
    following => start(client, plainOptions(options), following),
    { role: 'client', isAuthority: true },
  );
}

function start(
  client: unknown,
  streams: PipecatStreams,
  { hooks, session, gone }: Following,
): void {
  const port = session.port();
  const turns = new SpokenTurns({
    session,
    port,
    source: 'rtvi',
    mic: streams.mic,
    agent: streams.agent,
  });
  const bot = new Bot(turns, streams.vadStopMs ?? VAD_STOP_MS);
  const handlers = bot.handlers();
  const first = handlers[0];
  if (first === undefined || !hooks.listen(client, first[0], first[1])) return;
  for (const [event, handler] of handlers.slice(1)) hooks.listen(client, event, handler);
  hooks.listen(client, 'disconnected', () => {
    bot.settle();
    gone();
  });
  hooks.onStop(port.onEnd(() => hooks.run(() => bot.settle())));
}

type Handler = readonly [event: string, handler: (data?: unknown) => void];

class Bot {
  readonly #turns: SpokenTurns;
  readonly #vadStopMs: number;
  readonly #tools = new BoundedMap<Stage>(TOOLS_MAX);
  #llm: Stage | undefined;
  #tts: Stage | undefined;
  #spoken = '';
  /** What the server measured and no stage has taken yet. */
  #metrics: Record<string, number> = {};

  constructor(turns: SpokenTurns, vadStopMs: number) {
    this.#turns = turns;
    this.#vadStopMs = Number.isFinite(vadStopMs) && vadStopMs >= 0 ? vadStopMs : VAD_STOP_MS;
  }

  handlers(): readonly Handler[] {
    const turns = this.#turns;
    return [
      ['userStartedSpeaking', () => this.#userBegan()],
      ['userStoppedSpeaking', () => turns.userEnded(this.#vadStopMs, EVENT_ERROR_MS)],
      ['botStartedSpeaking', () => this.#botBegan()],
      ['botStoppedSpeaking', () => this.#botEnded()],
      ['userTranscript', data => this.#heard(data)],
      ['botLlmStarted', () => this.#llmStarted()],
      ['botLlmText', () => this.#llm?.first()],
      ['botLlmStopped', () => this.#llmStopped()],
      ['botTtsStarted', () => this.#ttsStarted()],
      ['botTtsText', data => this.#said(data)],
      ['botTtsStopped', () => this.#ttsStopped()],
      ['llmFunctionCallInProgress', data => this.#toolStarted(data)],
      ['llmFunctionCallStopped', data => this.#toolStopped(data)],
      ['metrics', data => this.#measured(data)],
    ];
  }

  settle(): void {
    this.#tell();
    for (const stage of [this.#llm, this.#tts, ...this.#tools.values()]) stage?.end();
    this.#turns.settle();
  }

  #userBegan(): void {
    this.#tell();
    this.#turns.userBegan();
  }

  #botBegan(): void {
    this.#tts?.first();
    this.#turns.agentBegan();
  }

  #botEnded(): void {
    this.#tell();
    this.#turns.agentEnded();
  }

  #heard(data: unknown): void {
    const text = textAt(data, 'text');
    if (text === undefined || Reflect.get(data as object, 'final') !== true) return;
    this.#turns.heard(text);
  }

  #llmStarted(): void {
    this.#llm?.end();
    this.#llm = this.#turns.current.stage('llm');
  }

  #llmStopped(): void {
    this.#llm?.end({ attributes: this.#takeMetrics(/llm/i) });
    this.#llm = undefined;
  }

  #ttsStarted(): void {
    this.#tts?.end();
    this.#tts = this.#turns.current.stage('tts');
  }

  #ttsStopped(): void {
    this.#tts?.end({ attributes: this.#takeMetrics(/tts/i) });
    this.#tts = undefined;
  }

  #said(data: unknown): void {
    const text = textAt(data, 'text') ?? '';
    const isWord = this.#spoken !== '' && !/\s$/.test(this.#spoken) && !/^\s/.test(text);
    if (this.#spoken.length < TEXT_LENGTH_MAX) this.#spoken += isWord ? ` ${text}` : text;
  }

  #tell(): void {
    if (this.#spoken !== '') this.#turns.said(this.#spoken);
    this.#spoken = '';
  }

  #toolStarted(data: unknown): void {
    const callId = textAt(data, 'tool_call_id');
    if (callId === undefined || this.#tools.get(callId) !== undefined) return;
    const name = textAt(data, 'function_name') ?? 'tool';
    const attributes = { 'gen_ai.tool.name': name.slice(0, 200), 'gen_ai.tool.call.id': callId };
    this.#tools.set(callId, this.#turns.current.stage('tool', { attributes }))?.end();
    this.#turns.current.tool(name);
  }

  #toolStopped(data: unknown): void {
    const callId = textAt(data, 'tool_call_id');
    const stage = this.#tools.get(callId);
    if (stage === undefined || callId === undefined) return;
    this.#tools.delete(callId);
    stage.end({ discarded: Reflect.get(data as object, 'cancelled') === true });
  }

  /** Seconds by processor, as the server's own clock took them. */
  #measured(data: unknown): void {
    for (const kind of ['ttfb', 'ttfa', 'ttfat', 'processing'])
      for (const one of listAt(data, kind)) {
        const [processor, seconds] = [textAt(one, 'processor'), numberAt(one, 'value')];
        // 0 stands for "not measured" in what Pipecat sends first.
        if (processor === undefined || seconds === undefined || seconds <= 0 || seconds > 60)
          continue;
        this.#keep(`pipecat.${kind}_s.${processor.slice(0, 100)}`, seconds);
      }
  }

  #keep(name: string, seconds: number): void {
    const isRoom = Object.keys(this.#metrics).length < 32;
    if (isRoom) this.#metrics[name] = seconds;
  }

  /** Those of a kind of service; what is taken is told once. */
  #takeMetrics(service: RegExp): Attributes {
    const taken = Object.entries(this.#metrics).filter(([name]) => service.test(name));
    for (const [name] of taken) Reflect.deleteProperty(this.#metrics, name);
    const [, firstS] = taken.find(([name]) => name.startsWith('pipecat.ttfb_s.')) ?? [];
    const isModel = service.test('llm');
    return {
      ...Object.fromEntries(taken),
      ...(firstS === undefined || !isModel
        ? {}
        : { 'gen_ai.response.time_to_first_chunk': firstS }),
    };
  }
}
