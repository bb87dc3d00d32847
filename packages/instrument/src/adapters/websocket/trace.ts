// One line for a WebSocket whose binary messages are audio, of `ws` or of the
// platform:
//
//   traceWebSocket(ws);                                             a call of its own
//   traceWebSocket(ws, { session: call, isPeerTraced: true });      both ends, one call
//
// What comes is marked `receive`, what is sent `send`. Where both ends are traced
// an anchor, a text message, goes before the audio about once a second: the
// other end takes it out before the application hears of it.

import { anchorFromText, anchorToText } from '@framescope/protocol';
import type { Stream } from '../../hop/stream.ts';
import { AnchorExchange } from '../../transport/anchor-exchange.ts';
import { plainOptions } from '../../transport/plain-options.ts';
import { propertyOf } from '../common/hooks.ts';
import { PCM16, SampleCount, type SampleFormat } from '../common/sample-format.ts';
import {
  follow,
  type AdapterTrace,
  type Following,
  type OfScope,
  type OfSession,
} from '../common/session-of.ts';
import { readContext, type HeadersLike } from '../http/context.ts';
import { textOf } from './link.ts';

/** A WebSocket of `ws`, of a browser, or of Node. */
export interface AudioSocket {
  send(data: never): unknown;
}

/** Which streams a WebSocket's audio is, and what its other end is. */
export interface WebSocketStreams {
  /** What comes. Default: `mic`, at a client `agent`, at 16 kHz. */
  readonly incoming?: Stream;
  /** What is sent. Default: `agent`, at a client `mic`, at 16 kHz. */
  readonly outgoing?: Stream;
  /** How samples lie in binary messages, both ways. Default 16-bit PCM, mono. */
  readonly format?: SampleFormat;
  /**
   * The other end is traced with this too: anchors are sent, so that ticks and clocks of both ends are
   * joined. Default false: an end that does not know them would hand them to its application.
   */
  readonly isPeerTraced?: boolean;
  /**
   * Headers of the request that opened the socket (`request.headers` on a server): the call's ID is
   * read off `baggage`, where `contextHeaders` of the other end put it, unless `session` or `id` say it.
   */
  readonly headers?: HeadersLike;
}

/** The call that a socket belongs to, and its streams. */
export type WebSocketOptions = (OfSession | OfScope) & WebSocketStreams;

/**
 * Traces a WebSocket that carries audio in binary messages. Call it where the socket is made or given,
 * before other listeners: a browser hands messages to whoever listened first. Costs a microsecond a
 * message. Never throws; what the application sends and hears is as before, anchors of a traced peer
 * apart, which it never sees. Messages with audio inside JSON: `JsonLink`.
 */
export function traceWebSocket(socket: AudioSocket, options: WebSocketOptions = {}): AdapterTrace {
  const streams = plainOptions<WebSocketOptions>(options);
  return follow('websocket', streams, following => start(socket, streams, following), {
    id: () => (streams.headers === undefined ? undefined : readContext(streams.headers).sessionId),
  });
}

/** `readyState` of a socket that takes messages. */
const OPEN = 1;

function start(
  socket: AudioSocket,
  streams: Partial<WebSocketStreams>,
  { hooks, session, gone }: Following,
): void {
  const port = session.port();
  const anchors = new AnchorExchange(port, 'traceWebSocket');
  /** The stream that the peer's last anchor named: what comes next is its audio. */
  let heard: Stream | undefined;
  const isClient = port.role === 'client';
  const { format = PCM16, isPeerTraced } = streams;
  // Made when there is audio: a traced peer says before it at which rate its own is.
  const incoming = (): Stream =>
    streams.incoming ?? heard ?? session.stream(isClient ? 'agent' : 'mic');
  const outgoing = (): Stream => streams.outgoing ?? session.stream(isClient ? 'mic' : 'agent');
  const [came, left] = [new SampleCount(format), new SampleCount(format)];
  const isHeard = hooks.intercept(socket, (data, isBinary) => {
    const anchor = anchorFromText(textOf(data) ?? '');
    if (anchor !== undefined) {
      const named = anchors.heard(anchor);
      named?.follow(anchor.tick);
      heard = named ?? heard;
      return true;
    }
    // `ws` hands text over as bytes, and says so.
    const samples = isBinary === false ? 0 : came.add(audioBytesOf(data));
    if (samples > 0) incoming().hop('receive').mark(samples);
    return false;
  });
  if (!isHeard) return;
  hooks.wrap(
    socket,
    'send',
    ([data]) => {
      const samples = left.add(audioBytesOf(data));
      if (samples > 0) outgoing().hop('send').mark(samples);
    },
    (args, send) => {
      const isOpen = propertyOf(socket, 'readyState') === OPEN;
      if (isPeerTraced !== true || !isOpen || audioBytesOf(args[0]) === 0) return;
      const anchor = anchors.due(outgoing());
      if (anchor !== undefined) send(anchorToText(anchor));
    },
  );
  hooks.listen(socket, 'close', gone);
}

/** Length of a binary message; 0 for text, and for what is told only later (a `Blob`). */
function audioBytesOf(data: unknown): number {
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return data.byteLength;
  if (typeof data !== 'object' || data === null) return 0;
  // Fragments of `ws` (`binaryType: 'fragments'`), and a browser's Blob, whose size is known at once.
  if (Array.isArray(data)) return data.reduce<number>((sum, one) => sum + audioBytesOf(one), 0);
  const size = propertyOf(data, 'size');
  return typeof size === 'number' ? size : 0;
}
