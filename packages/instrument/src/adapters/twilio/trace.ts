// One line for a WebSocket that Twilio opened:
//
//   traceTwilioMediaStream(ws);                        a call of its own, named by `callSid`
//   traceTwilioMediaStream(ws, { session: call });     part of a call

import { decodeUtf8 } from '@framescope/protocol';
import { textAt } from '../common/foreign.ts';
import { plainOptions } from '../../transport/plain-options.ts';
import type { Stream } from '../../hop/stream.ts';
import { propertyOf } from '../common/hooks.ts';
import {
  follow,
  type AdapterTrace,
  type Following,
  type OfScope,
  type OfSession,
} from '../common/session-of.ts';
import { sharedCall } from '../common/shared.ts';
import { Line } from './line.ts';

/** A WebSocket of `ws` or of the platform. */
export interface MediaStreamSocket {
  send(data: never): unknown;
}

/** The call. Default: one of its own, whose ID is the `callSid` that Twilio tells in `start`. */
export type TwilioOptions = (OfSession | OfScope) & TwilioStreams;

/** Which streams a call's audio is. */
/** Streams of yours, and what may be sent. */
export interface TwilioStreams {
  /** The caller's stream; default `mic`, at the rate of `start.mediaFormat`. */
  readonly mic?: Stream;
  /** The agent's stream; default `agent`. */
  readonly agent?: Stream;
  /**
   * Send marks of our own (named `framescope-…`), so that it is known when the caller heard the first
   * of an answer even where the application sends none. Their echoes reach the application as well.
   * Default false.
   */
  readonly playoutMarks?: boolean;
}

/** Longer messages than any of the protocol's are not read. */
const MESSAGE_LENGTH_MAX = 1_000_000;

/**
 * Traces a Twilio media stream: the caller's audio by Twilio's media clock, what is sent back, and
 * what of it was played, by the marks that come back and were not cleared. Call it when the socket is
 * open, at the latest while `start` is handled. Some 10 µs a message, for its JSON. Never throws;
 * nothing that the socket does changes.
 */
export function traceTwilioMediaStream(
  socket: MediaStreamSocket,
  options: TwilioOptions = {},
): AdapterTrace {
  let callSid: string | undefined;
  const given = plainOptions(options);
  return follow(
    'twilio',
    options,
    following =>
      start({ socket, streams: given, following, isNamed: isNamed(given) }, sid => (callSid = sid)),
    { isAuthority: true, id: () => callSid },
  );
}

/** It is known at once which call this is; else Twilio says so in `start`. */
const isNamed = (options: object): boolean =>
  propertyOf(options, 'session') !== undefined || propertyOf(options, 'id') !== undefined;

interface Setting {
  readonly socket: MediaStreamSocket;
  readonly streams: TwilioStreams;
  readonly following: Following;
  readonly isNamed: boolean;
}

function start(
  { socket, streams, following, isNamed }: Setting,
  named: (callSid: string) => void,
): void {
  const { hooks } = following;
  let line = isNamed ? lineOf(socket, streams, following) : undefined;
  hooks.listen(socket, 'message', message => {
    const read = messageOf(message);
    if (read === undefined) return;
    const sid = textAt(read, 'start', 'callSid');
    if (line === undefined && sid !== undefined) named(sid);
    // `connected` comes before `start`, and says nothing.
    if (textAt(read, 'event') === 'connected') return;
    (line ??= lineOf(socket, streams, following)).received(read);
  });
  hooks.wrap(socket, 'send', ([message]) => {
    const read = messageOf(message);
    if (read !== undefined) (line ??= lineOf(socket, streams, following)).sent(read);
  });
  hooks.listen(socket, 'close', following.gone);
}

function lineOf(
  socket: MediaStreamSocket,
  { mic, agent, playoutMarks }: TwilioStreams,
  { hooks, session }: Following,
): Line {
  const { clock } = session.port();
  const shared = sharedCall(session);
  shared.hasSender = true;
  hooks.onStop(() => {
    shared.hasSender = false;
  });
  return new Line({
    session,
    shared,
    mic,
    agent,
    now: () => clock.now(),
    sendMark: playoutMarks === true ? markSender(socket) : undefined,
  });
}

/** Goes through the wrapped `send`, so that the mark is noted like any other. */
const markSender =
  (socket: MediaStreamSocket) =>
  (streamSid: string, name: string): void => {
    const send = socket.send as (data: string) => unknown;
    send.call(socket, JSON.stringify({ event: 'mark', streamSid, mark: { name } }));
  };

/** JSON of a message: text, bytes of text (`ws`), or a `MessageEvent` that holds it. */
function messageOf(message: unknown): unknown {
  const isEvent = typeof message === 'object' && message !== null && 'data' in message;
  const data = isEvent ? propertyOf(message, 'data') : message;
  const text = typeof data === 'string' ? data : bytesAsText(data);
  if (text === undefined || text.length > MESSAGE_LENGTH_MAX || text[0] !== '{') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** The protocol's messages are ASCII: base64, digits and names. */
function bytesAsText(data: unknown): string | undefined {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
  if (!(bytes instanceof Uint8Array) || bytes.length > MESSAGE_LENGTH_MAX) return undefined;
  return decodeUtf8(bytes);
}
