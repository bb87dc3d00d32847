// The collector's stand-in for cost figures, in a process of its own: takes every
// body, answers success, tells clock probes the time, counts what came.
//
//   fork ──▶ { url } ; 'count' ──▶ { requests, bytes } ; 'stop' ends it

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

let requests = 0;
let bytes = 0;

const server = createServer((request, response) => {
  if (request.url?.startsWith('/v1/clock') === true) return probe(response);
  take(request, response);
});

function take(request: IncomingMessage, response: ServerResponse): void {
  request.on('data', (chunk: Buffer) => (bytes += chunk.length));
  request.on('end', () => {
    requests += 1;
    const type = request.headers['content-type'] ?? 'application/json';
    response.setHeader('content-type', type);
    // An empty protobuf message, and an empty JSON object: full success.
    response.end(type.includes('json') ? '{}' : undefined);
  });
}

function probe(response: ServerResponse): void {
  const now = Number(process.hrtime.bigint());
  response.setHeader('content-type', 'application/json');
  response.end(`{"domain":"00000000000000aa","epoch":0,"t1":null,"t2":${now},"t3":${now}}`);
}

process.on('message', message => {
  if (message === 'count') process.send?.({ requests, bytes });
  if (message === 'stop') process.exitCode = 0;
  if (message === 'stop') process.disconnect();
});
process.on('disconnect', () => {
  server.close();
  server.closeAllConnections();
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
