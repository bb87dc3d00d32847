// One line for a realtime client: it is listened to and its `send` is watched.
//
//   traceOpenAIRealtime(client);                        a call of its own
//   traceOpenAIRealtime(client, { session: call });     part of a call
//
// Which API is spoken (Realtime, its beta, Live) shows in the events.

import type { Stream } from '../../hop/stream.ts';
import type { Session } from '../../session.ts';
import { propertyOf } from '../common/hooks.ts';
import {
  follow,
  type AdapterTrace,
  type Following,
  type OfScope,
  type OfSession,
} from '../common/session-of.ts';
import { textAt } from '../common/foreign.ts';
import { sharedCall } from '../common/shared.ts';
import { VendorLine, type PingSocket } from '../vendor/line.ts';
import { plainOptions } from '../../transport/plain-options.ts';
import { Conversation } from './conversation.ts';
import { Live } from './live.ts';

/** `OpenAIRealtimeWS`, `OpenAIRealtimeWebSocket`, `LiveWS` of `openai`. */
export interface RealtimeClient {
  on(event: never, listener: never): unknown;
  send(event: never): unknown;
}

/** A transport of `@openai/agents-realtime`. */
export interface RealtimeTransport {
  on(event: never, listener: never): unknown;
  sendEvent(event: never): unknown;
}

/** A `RealtimeSession` of `@openai/agents-realtime`. */
export interface HasRealtimeTransport {
  readonly transport: RealtimeTransport;
}

/** Its process should be the turn authority (role `agent`, or `authority: true`). */
export type OpenAIRealtimeOptions = (OfSession | OfScope) &
  OpenAIRealtimeStreams & {
    /**
     * Whether the way to the model is measured: a WebSocket ping of 6 bytes every two seconds, where the client's
     * socket can (`OpenAIRealtimeWS` over `ws`). Default true.
     */
    readonly pings?: boolean;
  };

/** Streams of yours, where the default names do not do. */
export interface OpenAIRealtimeStreams {
  /** The user's stream; default `mic`, made at the rate of the input format. */
  readonly mic?: Stream;
  /** The agent's stream; default `agent`, made at the rate of the output format. */
  readonly agent?: Stream;
}

/** Names of the beta, as they are called now. */
const RENAMED: Readonly<Record<string, string>> = {
  'response.audio.delta': 'response.output_audio.delta',
  'response.audio_transcript.delta': 'response.output_audio_transcript.delta',
  'response.text.delta': 'response.output_text.delta',
};

const LIVE =
  /^session\.(start$|started$|closed$|input_audio\.|output_audio\.|input_transcript\.|output_transcript\.)/;

/**
 * Traces an OpenAI realtime client: turns, waits, responses, tools and barge-ins, and the audio that
 * passes. Call it before audio is sent; for each new client of a call that reconnects, again. Costs
 * some microseconds an event; of audio, the first of each answer is decoded (all of it for the Live
 * API, whose turns are inferred from energy). Never throws; nothing the client does changes.
 */
export function traceOpenAIRealtime(
  client: RealtimeClient | RealtimeTransport | HasRealtimeTransport,
  options: OpenAIRealtimeOptions = {},
): AdapterTrace {
  return follow(
    'openai-realtime',
    options,
    following => start(client, plainOptions(options), following),
    { isAuthority: true },
  );
}

function start(
  client: unknown,
  { mic, agent, pings }: OpenAIRealtimeOptions,
  { hooks, session, gone }: Following,
): void {
  const port = session.port();
  const shared = sharedCall(session);
  const line = pings === false ? undefined : lineOf(client, session);
  if (line !== undefined) hooks.onStop(() => line.stop());
  const host = { session, port, shared, mic, agent, line };
  const conversation = new Conversation(host);
  const live = new Live(host);
  const handle = (event: unknown, isSent: boolean): void => {
    const type = textAt(event, 'type');
    if (type === undefined) return;
    if (LIVE.test(type)) live.handle(type, event, isSent);
    else conversation.handle(RENAMED[type] ?? type, event, isSent);
  };
  const transport = propertyOf(client, 'transport') ?? client;
  const isTransport = typeof propertyOf(transport, 'sendEvent') === 'function';
  const isHeard = hooks.listen(transport, isTransport ? '*' : 'event', event =>
    handle(event, false),
  );
  hooks.wrap(transport, isTransport ? 'sendEvent' : 'send', ([event]) => handle(event, true));
  if (!isHeard) return;
  const closed = (): void => {
    hooks.run(() => conversation.disconnected());
    gone();
  };
  if (isTransport) hooks.listen(transport, 'disconnected', closed);
  else if (propertyOf(client, 'socket') !== undefined)
    hooks.listen(propertyOf(client, 'socket'), 'close', closed);
  hooks.onStop(shared.onSent(() => hooks.run(() => conversation.passedOn())));
  hooks.onStop(shared.onCleared(() => hooks.run(() => conversation.cleared())));
  const settle = (): void => {
    conversation.settle();
    live.settle();
  };
  hooks.onStop(port.onEnd(() => hooks.run(settle)));
}

/** The way to the model, where the client has a socket that can ping. */
function lineOf(client: unknown, session: Session): VendorLine | undefined {
  const socket = socketOf(client);
  if (typeof propertyOf(socket, 'ping') !== 'function') return undefined;
  return new VendorLine(socket as PingSocket, { session, name: 'openai' });
}

function socketOf(client: unknown): unknown {
  try {
    return propertyOf(client, 'socket');
  } catch {
    return undefined;
  }
}
