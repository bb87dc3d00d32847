// Context over a request: HTTP, server-sent events, a gRPC stream. It goes once,
// at the start, in headers (gRPC: metadata); after that both sides count samples.
//
//   traceparent         the trace of the turn, for any tracer           (W3C)
//   baggage             session.id=…, so that both are in one session   (W3C)
//   framescope-anchor   whose audio follows, where it stands, the sender's clock

import {
  decodeAnchor,
  encodeAnchor,
  fromBase64,
  sessionStartSpanId,
  toBase64,
  type Anchor,
} from '@framescope/protocol';
import { Stream } from '../../hop/stream.ts';
import { contextOfIds, extracted, idsOf, injected, type TraceIds } from '../../otel/propagate.ts';
import type { OtelContext } from '../../otel/context.ts';
import type { Problems } from '../../problems.ts';
import { Session } from '../../session.ts';
import { Stage } from '../../turn/stage.ts';
import { Turn } from '../../turn/turn.ts';
import { AnchorExchange } from '../../transport/anchor-exchange.ts';
import { propertyOf } from '../common/hooks.ts';

const ANCHOR = 'framescope-anchor';
const NAMES = ['traceparent', 'tracestate', 'baggage', ANCHOR, 'b3', 'uber-trace-id'];
/** A session ID that takes more, encoded, does not fit the 8 kB of baggage with others'. */
const BAGGAGE_ID_MAX = 4_096;
const HEADER_MAX = 8_192;

/** What goes with a request. */
/** Whose request it is, and whose audio goes along. */
export interface OutgoingOptions {
  /** Whose work the request is: its span becomes the parent of the other side's. Default the session. */
  readonly of?: Turn | Stage;
  /** The stream whose audio follows in the body, if any. */
  readonly stream?: Stream;
  /** First sample that follows; default: where the stream's `send` hop stands. */
  readonly tick?: number;
}

/** `IncomingHttpHeaders`, `Headers`, gRPC `Metadata`, or a plain object. */
export type HeadersLike = object;

/** The context that came with a request. */
/** What a request brought. */
export interface IncomingContext {
  /** `session.id` of the call: start a session with it, and both sides are one. */
  readonly sessionId?: string;
  /** Trace and span of the sender. */
  readonly parent?: TraceIds;
  /** The sender's context for OpenTelemetry: `context.with(incoming.context, …)`. */
  readonly context: OtelContext;
  readonly anchor?: Anchor;
}

/**
 * Headers (lower case) to send with a request of this call. For gRPC set each as metadata. Some
 * 10 µs. Never throws.
 */
export function contextHeaders(
  session: Session,
  options?: OutgoingOptions,
): Readonly<Record<string, string>> {
  // Nobody's call: what went along would join the calls of all who forgot theirs.
  if (!(session instanceof Session)) return {};
  const port = session.port();
  const make = (): Record<string, string> => {
    const of = propertyOf(options, 'of');
    const stream = propertyOf(options, 'stream');
    const isOfTurn = of instanceof Turn || of instanceof Stage;
    const context = isOfTurn ? of.context : contextOfIds(idsOfSession(session));
    const headers = { ...traceHeaders(context, port.problems) };
    const baggage = withSession(headers['baggage'], session.id, port.problems);
    if (baggage !== undefined) headers['baggage'] = baggage;
    if (!(stream instanceof Stream)) return headers;
    const tick = propertyOf(options, 'tick');
    const place = tick === undefined ? undefined : { tick: tick as number };
    const anchor = new AnchorExchange(port, 'contextHeaders').due(stream, place);
    if (anchor !== undefined) headers[ANCHOR] = toBase64(encodeAnchor(anchor));
    return headers;
  };
  return port.problems.guard('contextHeaders', make, () => ({}));
}

/** What came with a request: whose call it is, its trace, and where its audio stands. Never throws. */
export function readContext(headers: HeadersLike): IncomingContext {
  const found: Record<string, string> = {};
  for (const name of NAMES) {
    const value = headerOf(headers, name);
    if (value !== undefined) found[name] = value;
  }
  const sessionId = sessionIn(found['baggage']);
  const context = contextIn(found);
  const parent = idsOf(context);
  const anchor = anchorIn(found[ANCHOR]);
  return {
    context,
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(parent === undefined ? {} : { parent }),
    ...(anchor === undefined ? {} : { anchor }),
  };
}

/**
 * The stream whose audio follows, set to where it stands. `undefined` where no anchor came, or that
 * of another session (told as a problem). Never throws.
 */
export function followContext(session: Session, incoming: IncomingContext): Stream | undefined {
  if (!(session instanceof Session)) return undefined;
  const port = session.port();
  const take = (): Stream | undefined => {
    const { anchor } = incoming;
    if (anchor === undefined) return undefined;
    const stream = new AnchorExchange(port, 'followContext').heard(anchor);
    stream?.follow(anchor.tick);
    return stream;
  };
  return port.problems.guard('followContext', take);
}

/** The session's own trace: between turns everything belongs to it. */
const idsOfSession = ({ traceId }: Session): TraceIds => ({
  traceId,
  spanId: sessionStartSpanId(traceId),
});

function traceHeaders(context: OtelContext, problems: Problems): Record<string, string> {
  try {
    return injected(context);
  } catch {
    problems.report('propagator_threw', 'contextHeaders: the propagator that is registered threw');
    return {};
  }
}

function contextIn(headers: Readonly<Record<string, string>>): OtelContext {
  try {
    return extracted(headers);
  } catch {
    return extracted({});
  }
}

function withSession(
  baggage: string | undefined,
  id: string,
  problems: Problems,
): string | undefined {
  const value = encodeText(id);
  if (value === undefined || value.length > BAGGAGE_ID_MAX) {
    problems.report(
      'session_id_too_long',
      `contextHeaders: a session ID of over ${BAGGAGE_ID_MAX} encoded characters does not fit a header; hand it on another way`,
    );
    return baggage;
  }
  const entry = `session.id=${value}`;
  return baggage === undefined || baggage === '' ? entry : `${baggage},${entry}`;
}

/** A lone surrogate cannot be encoded. */
function encodeText(text: string): string | undefined {
  try {
    return encodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function sessionIn(baggage: string | undefined): string | undefined {
  const entry = baggage
    ?.split(',')
    .map(one => one.split(';')[0]!.trim())
    .findLast(one => one.startsWith('session.id='));
  if (entry === undefined) return undefined;
  try {
    const id = decodeURIComponent(entry.slice('session.id='.length));
    return id === '' ? undefined : id;
  } catch {
    return undefined;
  }
}

function anchorIn(text: string | undefined): Anchor | undefined {
  const bytes = text === undefined ? undefined : fromBase64(text);
  if (bytes === undefined || !bytes.ok) return undefined;
  const anchor = decodeAnchor(bytes.value);
  return anchor.ok ? anchor.value : undefined;
}

/** The first value of a header, wherever it is kept. */
function headerOf(headers: unknown, name: string): string | undefined {
  try {
    const get = propertyOf(headers, 'get');
    const found =
      typeof get === 'function'
        ? (Reflect.apply(get, headers, [name]) as unknown)
        : propertyOf(headers, name);
    const first: unknown = Array.isArray(found) ? found[0] : found;
    return typeof first === 'string' && first.length <= HEADER_MAX ? first : undefined;
  } catch {
    return undefined;
  }
}
