// The real transport against real servers: one that stores, one that is not
// there, one that never answers.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Framescope, type Problem } from '@framescope/instrument';
import { sessionTraceId, turnSpanId, turnTraceId } from '@framescope/protocol';
import { afterEach, expect, test } from 'vitest';

const servers: Server[] = [];

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly type: string;
  readonly body: Buffer;
}

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(request, response, Buffer.concat(chunks)));
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A collector that answers as ours does. */
async function collector(seen: Seen[]): Promise<string> {
  return serve((request, response, body) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, type: headers['content-type'] ?? '', body });
    if (method === 'POST') return void response.end();
    const t2 = Number(process.hrtime.bigint());
    response.end(JSON.stringify({ domain: '00000000000000dd', epoch: 0, t1: 0, t2, t3: t2 + 1 }));
  });
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  }
});

test('records reach a collector as protobuf, are acknowledged, and the clock is probed', async () => {
  const seen: Seen[] = [];
  const acknowledged: string[] = [];
  const problems: Problem[] = [];
  const scope = new Framescope({
    serviceName: 'agent',
    endpoint: await collector(seen),
    flushMs: 50,
    tracerProvider: false,
    onProblem: problem => problems.push(problem),
    onAcknowledged: ids => acknowledged.push(...ids),
  });
  const call = scope.startSession({ id: 'call' });
  call.stream('mic').hop('receive').mark(320);
  await scope.flush();
  await call.end();
  await scope.shutdown();
  const posts = seen.filter(({ method }) => method === 'POST');
  expect(posts.map(({ url, type }) => [url, type])[0]).toEqual([
    '/v1/traces',
    'application/x-protobuf',
  ]);
  expect(posts[0]?.body.includes('audio.frames')).toBe(true);
  expect(seen.some(({ url }) => url.startsWith('/v1/clock?t1='))).toBe(true);
  expect(acknowledged.map(id => id.split('/')[1])).toContain(sessionTraceId('call'));
  expect(problems).toEqual([]);
});

test('our own provider writes turn and stage spans with the derived IDs', async () => {
  const seen: Seen[] = [];
  const scope = new Framescope({ serviceName: 'agent', endpoint: await collector(seen) });
  const call = scope.startSession({ id: 'call' });
  const turn = call.startTurn({ stream: call.stream('mic'), at: 4_800 });
  const stage = turn.stage('llm');
  stage.end();
  turn.end();
  await scope.shutdown();
  const json = seen
    .filter(({ type }) => type === 'application/json')
    .map(({ body }) => body.toString());
  const body = JSON.parse(json[0] ?? '{}') as {
    resourceSpans: {
      scopeSpans: {
        spans: { name: string; traceId: string; spanId: string; parentSpanId?: string }[];
      }[];
    }[];
  };
  const spans = body.resourceSpans.flatMap(one => one.scopeSpans).flatMap(one => one.spans);
  const traceId = turnTraceId(call.traceId, 'mic', 4_800);
  const root = turnSpanId(call.traceId, 'mic', 4_800);
  expect(
    spans.map(({ name, traceId: trace, spanId, parentSpanId }) => [
      name,
      trace,
      spanId,
      parentSpanId,
    ]),
  ).toEqual([
    ['session.start', call.traceId, expect.any(String), undefined],
    ['llm', traceId, stage.state.spanId, root],
    ['turn', traceId, root, undefined],
  ]);
});

test('a collector that is not there costs the audio path nothing but counted records', async () => {
  const url = await collector([]);
  const gone = servers.pop()!;
  await new Promise(resolve => gone.close(resolve));
  const problems: Problem[] = [];
  const scope = new Framescope({
    serviceName: 'agent',
    endpoint: url,
    flushMs: 20,
    tracerProvider: false,
    outboxBytesMax: 3_000,
    onProblem: problem => problems.push(problem),
  });
  const hop = scope.startSession({ id: 'call' }).stream('mic').hop('receive');
  const slowestMs = await markFor(600, () => hop.mark(320));
  expect(problems.map(problem => problem.code)).toEqual(['collector_unreachable', 'outbox_full']);
  // Far above a mark (60 ns), far below anything that waits for a network.
  expect(slowestMs).toBeLessThan(20);
});

test('a collector that never answers holds up neither marks nor shutdown for long', async () => {
  const url = await serve(() => undefined);
  const scope = new Framescope({
    serviceName: 'agent',
    endpoint: url,
    flushMs: 20,
    tracerProvider: false,
  });
  const hop = scope.startSession({ id: 'call' }).stream('mic').hop('receive');
  expect(await markFor(300, () => hop.mark(320))).toBeLessThan(20);
  const startMs = performance.now();
  await scope.shutdown();
  expect(performance.now() - startMs).toBeLessThan(2_500);
});

test('a process that is done sends its last records and ends, without shutdown', async () => {
  const seen: Seen[] = [];
  const entry = fileURLToPath(new URL('../out/index.node.js', import.meta.url));
  const program = `
    import { Framescope } from ${JSON.stringify(entry)};
    const scope = new Framescope({ serviceName: 'short', endpoint: ${JSON.stringify(await collector(seen))}, tracerProvider: false });
    scope.startSession({ id: 'short call' }).stream('mic').hop('receive').mark(320);`;
  const startMs = performance.now();
  expect(await run(program)).toBe(0);
  expect(performance.now() - startMs).toBeLessThan(5_000);
  const records = seen.filter(({ body }) => body.includes('framescope.record'));
  expect(records.length).toBe(1);
});

test('a process with spans of our own whose collector hangs ends within two seconds and its start', async () => {
  const entry = fileURLToPath(new URL('../out/index.node.js', import.meta.url));
  const url = await serve(() => undefined);
  const program = `
    import { Framescope } from ${JSON.stringify(entry)};
    const scope = new Framescope({ serviceName: 'short', endpoint: ${JSON.stringify(url)} });
    scope.startSession({ id: 'short call' }).startTurn().end();`;
  const startMs = performance.now();
  expect(await run(program)).toBe(0);
  expect(performance.now() - startMs).toBeLessThan(5_000);
});

function run(program: string): Promise<number | null> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: 'inherit',
  });
  return new Promise(resolve => child.on('exit', resolve));
}

/** Marks every 5 ms for so long; the slowest mark. */
async function markFor(ms: number, mark: () => void): Promise<number> {
  let slowestMs = 0;
  const endMs = performance.now() + ms;
  while (performance.now() < endMs) {
    const startMs = performance.now();
    mark();
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  return slowestMs;
}
