// Context in band over a WebSocket: an anchor is a JSON text message between
// the binary ones. It tells the peer which session, stream and tick follow, and
// carries a clock exchange on the media path itself (transport/anchor-exchange.ts).

import { anchorFromText, anchorToText, decodeUtf8 } from '@framescope/protocol';
import type { Stream } from '../../hop/stream.ts';
import type { SessionPort } from '../../ports.ts';
import type { Session } from '../../session.ts';
import { AnchorExchange, type AnchorOptions } from '../../transport/anchor-exchange.ts';
import { sessionOr } from '../common/session-or.ts';

/** `{"framescope":"`: an audio message begins like this once in 10^36. */
const TEXT_START = new Uint8Array([
  0x7b, 0x22, 0x66, 0x72, 0x61, 0x6d, 0x65, 0x73, 0x63, 0x6f, 0x70, 0x65, 0x22, 0x3a, 0x22,
]);
const ANCHOR_TEXT_MAX = 1_024;

/**
 * Context in band over one WebSocket with binary frames: `new Link(session)`, one for each
 * connection; a few hundred nanoseconds a message. Never throws.
 */
export class Link {
  readonly #port: SessionPort;
  readonly #anchors: AnchorExchange;

  /** One for each WebSocket. */
  constructor(session: Session) {
    this.#port = sessionOr(session).port();
    this.#anchors = new AnchorExchange(this.#port, 'link');
  }

  /**
   * The text message to send before the next frame of `stream`, when one is due: at the start, each
   * second, after a discontinuity; else `undefined` (some 200 ns). Where frames were left out, say
   * the `tick` of the next one. Never throws.
   */
  anchor(stream: Stream, options?: AnchorOptions): string | undefined {
    const make = (): string | undefined => {
      const anchor = this.#anchors.due(stream, options);
      return anchor === undefined ? undefined : anchorToText(anchor);
    };
    return this.#port.problems.guard('link.anchor', make);
  }

  /**
   * Takes an anchor out of what came: `undefined` if the message was only an anchor, else the
   * message as it is. Call it for every message, before `mark`. Never throws.
   */
  untag<T>(message: T): T | undefined {
    const read = (): T | undefined => (this.#isAnchor(message) ? undefined : message);
    return this.#port.problems.guard('link.untag', read, () => message);
  }

  #isAnchor(message: unknown): boolean {
    const text = textOf(message);
    const anchor = text === undefined ? undefined : anchorFromText(text);
    if (anchor === undefined) return false;
    this.#anchors.heard(anchor)?.follow(anchor.tick);
    return true;
  }
}

/** The text of a message that may be an anchor; `ws` hands text over as bytes. */
export function textOf(message: unknown): string | undefined {
  if (typeof message === 'string') return message.length <= ANCHOR_TEXT_MAX ? message : undefined;
  const bytes = message instanceof ArrayBuffer ? new Uint8Array(message) : message;
  if (!(bytes instanceof Uint8Array) || bytes.length > ANCHOR_TEXT_MAX) return undefined;
  for (let i = 0; i < TEXT_START.length; i++) if (bytes[i] !== TEXT_START[i]) return undefined;
  return decodeUtf8(bytes);
}
