// Context at the start of a request, over real transports: HTTP with an answer
// as server-sent events, and a gRPC stream in both directions.

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import { Framescope } from '@framescope/instrument';
import { contextHeaders, followContext, readContext } from '@framescope/instrument/http';
import { afterEach, expect, test } from 'vitest';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A process of its own, as far as the instrumentation can tell; nothing is sent. */
function scope(role: string): { scope: Framescope; problems: string[] } {
  const problems: string[] = [];
  const made = new Framescope({
    serviceName: role,
    role,
    tracerProvider: false,
    endpoint: 'http://collector.test',
    http: () => Promise.resolve({ status: 200, body: new Uint8Array() }),
    onProblem: ({ code }) => problems.push(code),
  });
  closing.push(() => made.shutdown());
  return { scope: made, problems };
}

const ID = 'a call, with “anything”; in=it';

test('an HTTP request and its server-sent audio are one session, one trace, one media clock', async () => {
  const agent = scope('agent');
  const voice = scope('voice');
  let received: IncomingMessage['headers'] = {};
  const server = createServer((request, response) => {
    received = request.headers;
    const incoming = readContext(request.headers);
    const call = voice.scope.startSession({ id: incoming.sessionId ?? 'nobody', authority: false });
    const speech = followContext(call, incoming)!;
    response.setHeader('content-type', 'text/event-stream');
    for (let i = 0; i < 3; i++) {
      response.write(`data: ${Buffer.alloc(960).toString('base64')}\n\n`);
      speech.hop('tts').mark(480);
    }
    response.end(`data: ${speech.name} ${speech.sampleRate} ${speech.hop('tts').nextTick}\n\n`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());

  const call = agent.scope.startSession({ id: ID });
  const speech = call.stream('agent', { sampleRate: 24_000 });
  const turn = call.startTurn();
  const tts = turn.stage('tts');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/speak`, {
    headers: contextHeaders(call, { of: tts, stream: speech, tick: 48_000 }),
  });
  const events = (await answer.text()).split('\n\n').filter(event => event !== '');
  // The other side stood where our stream stands, and counted on from there.
  expect(events.at(-1)).toBe(`data: agent 24000 ${48_000 + 3 * 480}`);
  expect(received['traceparent']).toBe(`00-${turn.traceId}-${tts.state.spanId}-01`);
  const incoming = readContext(received);
  expect(incoming.sessionId).toBe(ID);
  expect(incoming.parent).toEqual({ traceId: turn.traceId, spanId: tts.state.spanId });
  expect(trace.getSpanContext(incoming.context)?.traceId).toBe(turn.traceId);
  expect([...agent.problems, ...voice.problems]).toEqual([]);
});

const METHOD = {
  path: '/voice.Recogniser/Listen',
  requestStream: true,
  responseStream: true,
  requestSerialize: (bytes: Buffer): Buffer => bytes,
  requestDeserialize: (bytes: Buffer): Buffer => bytes,
  responseSerialize: (bytes: Buffer): Buffer => bytes,
  responseDeserialize: (bytes: Buffer): Buffer => bytes,
} as const;

test('a gRPC stream carries the context in its metadata, and both count bytes from there', async () => {
  const agent = scope('agent');
  const recogniser = scope('recogniser');
  const server = new grpc.Server();
  server.addService(
    { listen: METHOD },
    {
      listen: (stream: grpc.ServerDuplexStream<Buffer, Buffer>) => {
        const incoming = readContext(stream.metadata);
        const call = recogniser.scope.startSession({ id: incoming.sessionId!, authority: false });
        const mic = followContext(call, incoming)!;
        stream.on('data', (pcm: Buffer) => mic.hop('receive').mark(pcm.length / 2));
        stream.on('end', () => {
          stream.write(Buffer.from(`${call.id} ${mic.hop('receive').nextTick}`));
          stream.end();
        });
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  closing.push(() => server.forceShutdown());
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  closing.push(() => client.close());

  const call = agent.scope.startSession({ id: ID });
  const mic = call.stream('mic', { sampleRate: 16_000 });
  mic.hop('send').markAt(0, 32_000);
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(contextHeaders(call, { stream: mic })))
    metadata.set(name, value);
  const stream = client.makeBidiStreamRequest(
    METHOD.path,
    METHOD.requestSerialize,
    METHOD.responseDeserialize,
    metadata,
  );
  for (let i = 0; i < 5; i++) stream.write(Buffer.alloc(640));
  stream.end();
  const [answer] = (await once(stream, 'data')) as [Buffer];
  expect(answer.toString()).toBe(`${ID} ${32_000 + 5 * 320}`);
  expect([...agent.problems, ...recogniser.problems]).toEqual([]);
});
