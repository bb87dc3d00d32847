import { gzipSync, deflateSync, deflateRawSync } from 'node:zlib';
import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { startCollector, type Collector } from 'framescope';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  attribute,
  bodyOf,
  jsonBody,
  protobufBody,
  sdkSpans,
  spanJson,
} from '../support/otlp-bodies.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

let collector: Collector;
const data = mkdtempSync(join(tmpdir(), 'framescope-http-'));

beforeAll(async () => {
  collector = await startCollector({ data });
});

afterAll(async () => {
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

const post = (body: Uint8Array, headers: Record<string, string>): Promise<Response> =>
  fetch(`${collector.url}/v1/traces`, { method: 'POST', headers, body: Buffer.from(body) });

const json = async (response: Response): Promise<Record<string, unknown>> =>
  (await response.json()) as Record<string, unknown>;

test.each([
  ['JSON', jsonBody(sdkSpans('in json')), { 'content-type': JSON_TYPE }],
  [
    'JSON with a charset',
    jsonBody(sdkSpans('charset')),
    { 'content-type': 'application/json; charset=utf-8' },
  ],
  ['protobuf', protobufBody(sdkSpans('in protobuf')), { 'content-type': PROTOBUF }],
  [
    'gzip',
    gzipSync(protobufBody(sdkSpans('gzip'))),
    { 'content-type': PROTOBUF, 'content-encoding': 'gzip' },
  ],
  [
    'deflate',
    deflateSync(jsonBody(sdkSpans('zlib'))),
    { 'content-type': JSON_TYPE, 'content-encoding': 'deflate' },
  ],
  [
    'bare deflate',
    deflateRawSync(jsonBody(sdkSpans('bare'))),
    { 'content-type': JSON_TYPE, 'content-encoding': 'deflate' },
  ],
])('a body in %s is taken, and answered in its own encoding', async (_what, body, headers) => {
  const response = await post(body, headers);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain(headers['content-type'].split(';')[0]);
});

test('a bad span among good ones is a partial success with count, path and reason', async () => {
  const response = await post(
    bodyOf(spanJson({ spanId: 'a'.repeat(16) }), spanJson({ traceId: '12' })),
    {
      'content-type': JSON_TYPE,
    },
  );
  expect(await json(response)).toEqual({
    partialSuccess: {
      rejectedSpans: '1',
      errorMessage:
        'resourceSpans[0].scopeSpans[0].spans[1].traceId: expected 32 hex digits, got 2 characters',
    },
  });
});

test('a malformed body is 400 with a Status that names the path, in its encoding', async () => {
  const response = await post(Buffer.from('{"resourceSpans":7}'), { 'content-type': JSON_TYPE });
  expect(response.status).toBe(400);
  expect(await json(response)).toEqual({
    code: 3,
    message: 'resourceSpans: expected a list, got number',
  });
  const binary = await post(Buffer.from([0x0a, 0xff]), { 'content-type': PROTOBUF });
  expect([binary.status, binary.headers.get('content-type')]).toEqual([400, PROTOBUF]);
  // Status { code = 1: 3, message = 2: … }
  const bytes = Buffer.from(await binary.arrayBuffer());
  expect(bytes.subarray(0, 3).toString('hex')).toBe('080312');
  expect(bytes.toString()).toContain('resourceSpans[0]: the message ends inside a varint');
});

test.each([
  ['an unknown content type', 415, { 'content-type': 'text/plain' }, Buffer.from('x')],
  [
    'an unknown compression',
    415,
    { 'content-type': JSON_TYPE, 'content-encoding': 'br' },
    Buffer.from('x'),
  ],
  [
    'gzip that is none',
    400,
    { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
    Buffer.from('x'),
  ],
  [
    'a decompression bomb',
    413,
    { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' },
    gzipSync(Buffer.alloc(65 * 1024 * 1024)),
  ],
] as const)('%s is answered %i, and the collector lives', async (_what, status, headers, body) => {
  const response = await post(body, headers);
  expect(response.status).toBe(status);
  expect((await json(response))['message']).toMatch(/\w{3}/);
  expect((await fetch(`${collector.url}/healthz`)).status).toBe(200);
});

test('a body announced too large is 413 before it is sent', async () => {
  const status = await new Promise(resolve => {
    const request = httpRequest(`${collector.url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE, 'content-length': 16 * 1024 * 1024 + 1 },
    });
    request.on('response', response => {
      resolve(response.statusCode);
      request.destroy();
    });
    request.on('error', () => undefined);
    request.write('{');
  });
  expect(status).toBe(413);
});

test('whatever bytes come, the answer is 200, 400 or 415', async () => {
  const good = protobufBody(sdkSpans('mutated'));
  const body = fc
    .tuple(fc.nat(good.length - 1), fc.uint8Array({ maxLength: 20 }))
    .map(([at, added]) => Buffer.concat([good.subarray(0, at), added, good.subarray(at + 1)]));
  const type = fc.constantFrom(PROTOBUF, JSON_TYPE, 'application/octet-stream');
  await fc.assert(
    fc.asyncProperty(body, type, async (bytes, contentType) => {
      const response = await post(bytes, { 'content-type': contentType });
      expect([200, 400, 415]).toContain(response.status);
      await response.arrayBuffer();
    }),
    { numRuns: 200 },
  );
});

test('a name that is not ours is refused with the flag that allows it', async () => {
  const body = await new Promise<string>((resolve, reject) => {
    httpRequest(
      `${collector.url}/api/v1/sessions`,
      { headers: { host: 'evil.example' } },
      response => {
        let text = `${response.statusCode} `;
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(text));
      },
    )
      .on('error', reject)
      .end();
  });
  expect(body).toMatch(/^421 .*--allowed-host evil\.example/);
});

test('pages of this machine may post telemetry, others may not, and none reads the API', async () => {
  const preflight = (origin: string, path: string): Promise<Response> =>
    fetch(collector.url + path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-headers': 'content-type' },
    });
  const local = await preflight('http://localhost:5173', '/v1/traces');
  expect([local.status, local.headers.get('access-control-allow-origin')]).toEqual([
    204,
    'http://localhost:5173',
  ]);
  const foreign = await preflight('https://example.com', '/v1/traces');
  expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  const api = await preflight('http://localhost:5173', '/api/v1/sessions');
  expect(api.headers.get('access-control-allow-origin')).toBeNull();
});

test('the clock answers four-stamp probes in order', async () => {
  const before = Number(process.hrtime.bigint());
  const { t1, t2, t3, domain } = (await json(
    await fetch(`${collector.url}/v1/clock?t1=${before}`),
  )) as Record<string, number>;
  const after = Number(process.hrtime.bigint());
  expect(t1).toBe(before);
  expect([before, t2, t3, after]).toEqual([before, t2, t3, after].toSorted((a, b) => a! - b!));
  expect(domain).toMatch(/^[0-9a-f]{16}$/);
});

const send = (signal: string, body: object): Promise<Response> =>
  fetch(`${collector.url}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': JSON_TYPE },
    body: JSON.stringify(body),
  });

test('logs without a place and metrics that are not kept are taken, and counted', async () => {
  const log = await send('logs', {
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'hello' } }] }] }],
  });
  const gauge = { name: 'x', gauge: { dataPoints: [{ asInt: '1' }, { asInt: '2' }] } };
  const metric = await send('metrics', {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [gauge] }] }],
  });
  for (const answer of [log, metric])
    expect([answer.status, await json(answer)]).toEqual([200, { partialSuccess: {} }]);
  const metrics = async (): Promise<string> => (await fetch(`${collector.url}/metrics`)).text();
  await expect
    .poll(metrics)
    .toMatch(/^framescope_collector_not_kept_total\{kind="metric_gauge"\} 2$/m);
  expect(await metrics()).toMatch(/not_kept_total\{kind="log_without_context"\} 1$/m);
});

test('a histogram of time that another program sent is a measure with a heatmap', async () => {
  const endMs = Date.now() - 60_000;
  const point = {
    startTimeUnixNano: `${endMs - 60_000}000000`,
    timeUnixNano: `${endMs}000000`,
    count: '3',
    sum: 1.2,
    scale: 5,
    // (2^(-32/32), 2^(-31/32)] s: half a second.
    positive: { offset: -32, bucketCounts: ['3'] },
  };
  const exponentialHistogram = { aggregationTemporality: 1, dataPoints: [point] };
  const metrics = [{ name: 'llm.ttft', unit: 's', exponentialHistogram }];
  const body = { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] };
  for (let i = 0; i < 2; i++)
    expect(await json(await send('metrics', body))).toEqual({ partialSuccess: {} });
  const measures = await json(await fetch(`${collector.url}/api/v1/measures`));
  expect(measures['items']).toContainEqual(
    expect.objectContaining({ name: 'metric.llm.ttft', title: 'llm.ttft', kind: 'frame', n: 3 }),
  );
  const heatmap = await fetch(`${collector.url}/api/v1/heatmap?measure=metric.llm.ttft`);
  expect(await json(heatmap)).toMatchObject({ coverage: { covered: 3 } });
});

test('a log record of a stored trace is found in it', async () => {
  const traceId = 'c'.repeat(32);
  await post(bodyOf(spanJson({ traceId })), { 'content-type': JSON_TYPE });
  const logRecords = [
    {
      timeUnixNano: '1700000000500000000',
      traceId,
      spanId: '0123456789abcdef',
      severityNumber: 13,
      body: { stringValue: 'slow answer' },
    },
  ];
  const sent = await send('logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
  expect(await json(sent)).toEqual({ partialSuccess: {} });
  const trace = await json(await fetch(`${collector.url}/api/v1/traces/${traceId}`));
  expect(trace['spans']).toMatchObject([
    {
      name: 'work',
      events: [
        { name: 'slow answer', atNs: 500_000_000, attributes: { 'framescope.log': 'warn' } },
      ],
    },
  ]);
});

test.each([
  [
    '/api/v1/sessions?limit=0',
    400,
    'bad_parameter',
    'must be a whole number from 1 to 500, got "0"',
  ],
  ['/api/v1/sessions?limt=5', 400, 'unknown_parameter', 'it takes limit, cursor'],
  ['/api/v1/sessions?cursor=zzz', 400, 'bad_cursor', 'leave it out'],
  ['/api/v1/sessions?limit=1&limit=2', 400, 'bad_parameter', 'more than once'],
  ['/api/v1/sessions/nope', 404, 'not_found', 'there is no key "nope"'],
  ['/api/v1/traces/xyz', 400, 'bad_trace_id', '32 hex digits'],
  ['/api/v1/search', 400, 'bad_parameter', '"q" is missing'],
  ['/api/v1/nothing', 404, 'not_found', 'openapi.json'],
  ['/api/v1/sessions/%E0%A4%A', 400, 'bad_request', 'escapes'],
])('%s is %i %s', async (path, status, code, words) => {
  const response = await fetch(collector.url + path);
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = await json(response);
  expect([response.status, problem['code'], problem['detail']]).toEqual([
    status,
    code,
    expect.stringContaining(words),
  ]);
});

test('counts of what was refused and stored are on /metrics', async () => {
  await post(Buffer.from('{'), { 'content-type': JSON_TYPE });
  await expect
    .poll(async () => (await fetch(`${collector.url}/metrics`)).text())
    .toMatch(/refused_bodies_total\{reason="malformed"\} [1-9]/);
  const text = await (await fetch(`${collector.url}/metrics`)).text();
  expect(text).toMatch(/framescope_collector_spans_total [1-9]/);
  expect(text).toMatch(/refused_bodies_total\{reason="decompressed_too_large"\} 1/);
});

test('a record with a wrong checksum is refused, counted, and nothing of it is shown', async () => {
  const text = (key: string, stringValue: string): object => attribute(key, { stringValue });
  const attributes = [
    text('session.id', 'torn'),
    text('framescope.producer', 'ab'.repeat(8)),
    text('framescope.clock.domain', 'cd'.repeat(8)),
    text('framescope.clock.zero_unix_ns', '0'),
    attribute('framescope.seq', { intValue: 1 }),
    text('framescope.record', 'RlIBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'),
  ];
  const response = await post(bodyOf(spanJson({ name: 'audio.frames', attributes })), {
    'content-type': JSON_TYPE,
  });
  expect(response.status).toBe(400);
  expect((await json(response))['message']).toMatch(
    /spans\[0\]\.attributes\["framescope\.record"\]/,
  );
  const { items } = (await json(await fetch(`${collector.url}/api/v1/search?q=torn`))) as {
    items: unknown[];
  };
  expect(items).toEqual([]);
});
