// HTTP on Node: `node:http` with connections kept open, so that a clock probe
// does not time a handshake. Sockets do not keep the process alive; `onExit`
// holds it for the last flush.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Http, HttpRequest, HttpResponse } from '../../ports.ts';

/** An answer longer than this is no OTLP answer. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** A collector on the same machine needs few; idle ones close before common server timeouts. */
const AGENT = { keepAlive: true, maxSockets: 4, timeout: 30_000 } as const;

export function makeNodeHttp(): Http {
  const plain = new HttpAgent(AGENT);
  const secure = new HttpsAgent(AGENT);
  return request => {
    const isSecure = request.url.startsWith('https:');
    return exchange(request, isSecure ? secure : plain, isSecure ? httpsRequest : httpRequest);
  };
}

function exchange(
  request: HttpRequest,
  agent: HttpAgent,
  start: typeof httpRequest,
): Promise<HttpResponse> {
  const { url, method, headers, body, timeoutMs } = request;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const outgoing = start(url, { method, agent, headers: { ...headers, ...length } });
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
    timer.unref();
    const fail = (cause: Error): void => {
      clearTimeout(timer);
      reject(cause);
    };
    outgoing.on('socket', socket => socket.unref());
    outgoing.on('error', fail);
    outgoing.on('response', answer => {
      read(answer).then(bytes => {
        clearTimeout(timer);
        resolve(responseOf(answer, bytes, !outgoing.reusedSocket));
      }, fail);
    });
    outgoing.end(body);
  });
}

function responseOf(answer: IncomingMessage, body: Uint8Array, isCold: boolean): HttpResponse {
  const retryAfterS = Number(answer.headers['retry-after']);
  return {
    status: answer.statusCode ?? 0,
    body,
    isCold,
    ...(Number.isFinite(retryAfterS) ? { retryAfterS } : {}),
  };
}

async function read(answer: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new Error(`an answer over ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
