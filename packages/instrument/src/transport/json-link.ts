// Context in messages that are JSON anyway, over a WebSocket or anything that
// keeps order: a field beside the application's own.
//
//   {"type":"audio","data":"…","framescope":{"anchor":"<base64>","traceparent":"00-…"}}
//
// About once a second; the messages between carry nothing more. For a peer of
// your own: a vendor may refuse a field that it does not know.

import { decodeAnchor, encodeAnchor, fromBase64, toBase64 } from '@framescope/protocol';
import { textAt } from '../adapters/common/foreign.ts';
import { propertyOf } from '../adapters/common/hooks.ts';
import { sessionOr } from '../adapters/common/session-or.ts';
import type { Stream } from '../hop/stream.ts';
import type { SessionPort } from '../ports.ts';
import type { Session } from '../session.ts';
import { AnchorExchange, type AnchorOptions } from './anchor-exchange.ts';

/** The field that carries context. */
export interface ContextField {
  readonly anchor: string;
  /** W3C: the trace of the sample that follows (its turn's, else the session's). */
  readonly traceparent: string;
}

const FIELD = 'framescope';
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/**
 * Context in band over one WebSocket with JSON messages: a field in the message. One for each
 * connection. Never throws.
 */
export class JsonLink {
  readonly #session: Session;
  readonly #port: SessionPort;
  readonly #anchors: AnchorExchange;
  #traceparent: string | undefined;

  /** One for each connection. */
  constructor(session: Session) {
    this.#session = sessionOr(session);
    this.#port = this.#session.port();
    this.#anchors = new AnchorExchange(this.#port, 'jsonLink');
  }

  /** `traceparent` of the peer's last context, for a request made on its behalf. */
  get traceparent(): string | undefined {
    return this.#traceparent;
  }

  /**
   * The message to send for the next frame of `stream`: a copy with the field when an anchor is due,
   * else the message itself. Mark `send` just after. Where frames were left out, say the `tick` of the
   * next one. Never throws.
   */
  tag<T extends object>(
    stream: Stream,
    message: T,
    options?: AnchorOptions,
  ): T | (T & { readonly framescope: ContextField }) {
    const make = (): T | (T & { readonly framescope: ContextField }) => {
      const anchor = this.#anchors.due(stream, options);
      if (anchor === undefined) return message;
      const traceparent = this.#session.traceparent(stream, anchor.tick);
      const framescope = { anchor: toBase64(encodeAnchor(anchor)), traceparent };
      return { ...message, framescope };
    };
    return this.#port.problems.guard('jsonLink.tag', make, () => message);
  }

  /**
   * The message without the field, if it had one; call it for every message that was parsed, before
   * `mark`. What is no context of ours stays where it is. Never throws.
   */
  untag<T>(message: T): T {
    const read = (): T => {
      const field = propertyOf(message, FIELD);
      if (field === undefined || !this.#take(field)) return message;
      const { [FIELD]: _taken, ...rest } = message as Record<string, unknown>;
      return rest as T;
    };
    return this.#port.problems.guard('jsonLink.untag', read, () => message);
  }

  #take(field: unknown): boolean {
    const bytes = fromBase64(textAt(field, 'anchor') ?? '');
    const anchor = bytes.ok ? decodeAnchor(bytes.value) : bytes;
    if (!anchor.ok) return false;
    const traceparent = textAt(field, 'traceparent');
    if (traceparent !== undefined && TRACEPARENT.test(traceparent)) this.#traceparent = traceparent;
    this.#anchors.heard(anchor.value)?.follow(anchor.value.tick);
    return true;
  }
}
