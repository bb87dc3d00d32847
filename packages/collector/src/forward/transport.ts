// OTLP out: over HTTP, over gRPC.

import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { gzipSync } from 'node:zlib';
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { accepted, grpcOutcome, httpOutcome, type Outcome, type Transport } from './outcome.ts';
import type { ForwardTarget } from './target.ts';

/** An answer that does not come is a failure: the body is sent again. */
const TIMEOUT_MS = 10_000;

/** Of an answer; a proxy's page of an error is cut. */
const ANSWER_BYTES_MAX = 65_536;

/** The fastest level: over a network it pays, on one machine it costs little. */
const GZIP_LEVEL = 1;

/** @throws when the file of the certificate authority cannot be read. */
export const openTransport = (target: ForwardTarget): Transport =>
  target.protocol === 'http' ? new HttpTransport(target) : new GrpcTransport(target);

class HttpTransport implements Transport {
  readonly #target: ForwardTarget;
  readonly #agent: HttpAgent;

  constructor(target: ForwardTarget) {
    this.#target = target;
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent = target.isTls
      ? new HttpsAgent({ ...options, ...(target.caFile && { ca: readFileSync(target.caFile) }) })
      : new HttpAgent(options);
  }

  send(body: Buffer): Promise<Outcome> {
    const { isTls, authority, path, headers, isGzip } = this.#target;
    const content = isGzip ? gzipSync(body, { level: GZIP_LEVEL }) : body;
    return new Promise(resolve => {
      const fail = (problem: Error): void => resolve({ kind: 'retry', why: problem.message });
      const request = (isTls ? httpsRequest : httpRequest)(
        `${isTls ? 'https' : 'http'}://${authority}${path}/v1/traces`,
        {
          method: 'POST',
          agent: this.#agent,
          timeout: TIMEOUT_MS,
          headers: {
            ...headers,
            'content-type': 'application/x-protobuf',
            'content-length': content.length,
            ...(isGzip && { 'content-encoding': 'gzip' }),
          },
        },
        response => {
          readAnswer(response).then(
            answer =>
              resolve(
                httpOutcome(response.statusCode ?? 0, answer, response.headers['retry-after']),
              ),
            fail,
          );
        },
      );
      request.on('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)));
      request.on('error', fail);
      request.end(content);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function readAnswer(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= ANSWER_BYTES_MAX) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const GZIP = 2;

class GrpcTransport implements Transport {
  readonly #client: Client;
  readonly #metadata = new Metadata();

  constructor({ authority, isTls, caFile, headers, isGzip }: ForwardTarget) {
    const channel = isTls
      ? credentials.createSsl(caFile === undefined ? null : readFileSync(caFile))
      : credentials.createInsecure();
    this.#client = new Client(authority, channel, {
      ...(isGzip && { 'grpc.default_compression_algorithm': GZIP }),
      // Our own backoff asks again; a channel that waits longer than it would hold bodies back.
      'grpc.max_reconnect_backoff_ms': 1_000,
    });
    for (const [name, value] of Object.entries(headers)) this.#metadata.set(name, value);
  }

  send(body: Buffer): Promise<Outcome> {
    const same = (bytes: Buffer): Buffer => bytes;
    const deadline = Date.now() + TIMEOUT_MS;
    return new Promise(resolve => {
      this.#client.makeUnaryRequest(
        METHOD,
        same,
        same,
        body,
        this.#metadata,
        { deadline },
        (problem, answer) =>
          resolve(problem ? failed(problem) : accepted(answer ?? Buffer.alloc(0))),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

function failed(problem: ServiceError): Outcome {
  const [details] = problem.metadata?.get('grpc-status-details-bin') ?? [];
  return grpcOutcome(
    problem.code,
    problem.message,
    details instanceof Buffer ? details : undefined,
  );
}
