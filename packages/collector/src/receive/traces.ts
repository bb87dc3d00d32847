// `POST /v1/traces`: admission, body, the writer's answer, as OTLP/HTTP says it.

import type { Request, Response } from 'express';
import type { Encoding } from '../decode/decode.ts';
import type { Answer, Body } from '../writer/messages.ts';
import type { Writer } from '../writer/writer.ts';
import { BodyError, readBody } from './body.ts';
import { READING_BYTES_MAX, RETRY_AFTER_DISK_SECONDS, RETRY_AFTER_SECONDS } from './limits.ts';
import { CONTENT_TYPE, exportResponse, RPC, status } from './otlp-answer.ts';

/** What receiving counts; reasons are a closed set. */
export interface ReceiveCounts {
  requests(status: number): void;
  refusedBody(reason: string): void;
  bodyBytes(count: number): void;
  /** False after a commit that the disk refused, true after one that it took. */
  storing(isStoring: boolean): void;
}

export interface ReceivePorts {
  readonly writer: Pick<Writer, 'submit'>;
  readonly counts: ReceiveCounts;
}

interface Reply {
  readonly status: number;
  readonly body: Buffer;
  readonly retryAfterSeconds?: number;
}

export class TraceReceiver {
  readonly #ports: ReceivePorts;
  /** Announced or assumed sizes of the bodies being read now. */
  #readingBytes = 0;

  constructor(ports: ReceivePorts) {
    this.#ports = ports;
  }

  readonly handle = async (request: Request, response: Response): Promise<void> => {
    const encoding = encodingOf(request.headers['content-type']);
    const reply = await this.#reply(request, encoding);
    const { counts } = this.#ports;
    counts.requests(reply.status);
    if (reply.retryAfterSeconds !== undefined)
      response.setHeader('Retry-After', String(reply.retryAfterSeconds));
    // What is left of a refused body is not read: the connection cannot be used again.
    if (!request.complete) response.setHeader('Connection', 'close');
    response
      .status(reply.status)
      .type(CONTENT_TYPE[encoding ?? 'json'])
      .end(reply.body);
  };

  async #reply(request: Request, encoding: Encoding | undefined): Promise<Reply> {
    if (encoding === undefined) {
      this.#ports.counts.refusedBody('content_type');
      return {
        status: 415,
        body: status('json', RPC.invalidArgument, unknownType(request.headers['content-type'])),
      };
    }
    const size = Number(request.headers['content-length'] ?? 0);
    if (this.#readingBytes > 0 && this.#readingBytes + size > READING_BYTES_MAX)
      return this.#full(encoding);
    this.#readingBytes += size;
    try {
      return await this.#store({ bytes: await readBody(request), encoding });
    } catch (problem) {
      if (!(problem instanceof BodyError)) throw problem;
      this.#ports.counts.refusedBody(problem.reason);
      return {
        status: problem.status,
        body: status(encoding, RPC.invalidArgument, problem.message),
      };
    } finally {
      this.#readingBytes -= size;
    }
  }

  async #store(body: Body): Promise<Reply> {
    const { encoding } = body;
    this.#ports.counts.bodyBytes(body.bytes.length);
    const submitted = this.#ports.writer.submit(body);
    if (submitted === 'full') return this.#full(encoding);
    const answer = await submitted;
    if (answer.kind !== 'malformed') this.#ports.counts.storing(answer.kind === 'stored');
    return replyTo(answer, encoding);
  }

  #full(encoding: Encoding): Reply {
    this.#ports.counts.refusedBody('queue_full');
    const message = 'more is waiting to be stored than memory allows; send it again';
    return {
      status: 429,
      body: status(encoding, RPC.resourceExhausted, message),
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    };
  }
}

function replyTo(answer: Answer, encoding: Encoding): Reply {
  if (answer.kind === 'stored')
    return { status: 200, body: exportResponse(encoding, answer.rejectedCount, answer.message) };
  if (answer.kind === 'unavailable')
    return {
      status: 503,
      body: status(encoding, RPC.unavailable, answer.message),
      retryAfterSeconds: RETRY_AFTER_DISK_SECONDS,
    };
  const { path, problem } = answer;
  const message = path === '' ? problem : `${path}: ${problem}`;
  return { status: 400, body: status(encoding, RPC.invalidArgument, message) };
}

/** `POST /v1/logs` and `/v1/metrics`: said plainly, so that nobody believes that they are kept. */
export const notYet =
  (signal: 'logs' | 'metrics') =>
  (request: Request, response: Response): void => {
    const encoding = encodingOf(request.headers['content-type']) ?? 'json';
    const message =
      `OTLP ${signal} are not taken by this version; they come with a later one. ` +
      `Traces go to /v1/traces. Set OTEL_${signal.toUpperCase()}_EXPORTER=none to stop sending them.`;
    response.setHeader('Connection', 'close');
    response
      .status(501)
      .type(CONTENT_TYPE[encoding])
      .end(status(encoding, RPC.unimplemented, message));
  };

function encodingOf(contentType: string | undefined): Encoding | undefined {
  const type = (contentType ?? '').split(';')[0]!.trim().toLowerCase();
  if (type === 'application/json') return 'json';
  if (type === 'application/x-protobuf' || type === 'application/protobuf') return 'protobuf';
  return undefined;
}

function unknownType(contentType: string | undefined): string {
  const got = contentType === undefined ? 'none' : `"${contentType.slice(0, 80)}"`;
  return `Content-Type must be application/x-protobuf or application/json, got ${got}`;
}
