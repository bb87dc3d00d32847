// `POST /v1/traces`, `/v1/logs`, `/v1/metrics`: admission, body, the writer's
// answer, as OTLP/HTTP says it.

import type { Request, RequestHandler, Response } from 'express';
import type { Signal } from '../decode/by-signal.ts';
import type { Encoding } from '../decode/decode.ts';
import type { Admission, ReceiveCounts, Verdict } from './admission.ts';
import { BodyError, readBody } from './body.ts';
import { CONTENT_TYPE, exportResponse, RPC, status } from './otlp-answer.ts';

interface Reply {
  readonly status: number;
  readonly body: Buffer;
  readonly retryAfterSeconds?: number;
}

/** Takes one signal. */
export const otlpHttp =
  (signal: Signal, admission: Admission, counts: ReceiveCounts): RequestHandler =>
  async (request: Request, response: Response): Promise<void> => {
    const encoding = encodingOf(request.headers['content-type']);
    const reply = encoding
      ? await replyTo(request, { encoding, signal, admission, counts, ...rightOf(response) })
      : unknownType(request, counts);
    counts.requests(reply.status, signal);
    if (reply.retryAfterSeconds !== undefined)
      response.setHeader('Retry-After', String(reply.retryAfterSeconds));
    // What is left of a refused body is not read: the connection cannot be used again.
    if (!request.complete) response.setHeader('Connection', 'close');
    response
      .status(reply.status)
      .type(CONTENT_TYPE[encoding ?? 'json'])
      .end(reply.body);
  };

interface Call {
  readonly encoding: Encoding;
  readonly signal: Signal;
  readonly admission: Admission;
  readonly counts: ReceiveCounts;
  /** The one session that the sender's token writes. */
  readonly onlySession?: string;
}

/** Left there by `mayWrite`. */
function rightOf(response: Response): Pick<Call, 'onlySession'> {
  const onlySession: unknown = response.locals['onlySession'];
  return typeof onlySession === 'string' ? { onlySession } : {};
}

async function replyTo(request: Request, call: Call): Promise<Reply> {
  const { admission, counts, ...body } = call;
  const { encoding, signal } = body;
  try {
    const bytes = await readBody(request, admission);
    const verdict = bytes === 'full' ? admission.full() : await admission.store({ bytes, ...body });
    return replyOf(verdict, encoding, signal);
  } catch (problem) {
    if (!(problem instanceof BodyError)) throw problem;
    counts.refusedBody(problem.reason);
    const body = status(encoding, RPC.invalidArgument, problem.message);
    return { status: problem.status, body };
  }
}

function replyOf(verdict: Verdict, encoding: Encoding, signal: Signal): Reply {
  if (verdict.kind === 'taken')
    return { status: 200, body: exportResponse(encoding, signal, verdict) };
  if (verdict.kind === 'malformed')
    return { status: 400, body: status(encoding, RPC.invalidArgument, verdict.message) };
  const isFull = verdict.kind === 'full';
  const code = isFull ? RPC.resourceExhausted : RPC.unavailable;
  return {
    status: isFull ? 429 : 503,
    body: status(encoding, code, verdict.message),
    retryAfterSeconds: verdict.retryAfterSeconds,
  };
}

function encodingOf(contentType: string | undefined): Encoding | undefined {
  const type = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  if (type === 'application/json') return 'json';
  if (type === 'application/x-protobuf' || type === 'application/protobuf') return 'protobuf';
  return undefined;
}

function unknownType(request: Request, counts: ReceiveCounts): Reply {
  counts.refusedBody('content_type');
  const contentType = request.headers['content-type'];
  const got = contentType === undefined ? 'none' : `"${contentType.slice(0, 80)}"`;
  const message = `Content-Type must be application/x-protobuf or application/json, got ${got}`;
  return { status: 415, body: status('json', RPC.invalidArgument, message) };
}
