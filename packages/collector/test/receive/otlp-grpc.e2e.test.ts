import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { startCollector, type Collector } from 'framescope';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Admission } from '../../src/receive/admission.ts';
import { startGrpc } from '../../src/receive/otlp-grpc.ts';
import { Health } from '../../src/serve/metrics.ts';
import type { Writer } from '../../src/writer/writer.ts';
import { protobufBody, sdkSpans } from '../support/otlp-bodies.ts';

const TRACES = 'opentelemetry.proto.collector.trace.v1.TraceService';
const LOGS = 'opentelemetry.proto.collector.logs.v1.LogsService';
const METRICS = 'opentelemetry.proto.collector.metrics.v1.MetricsService';

let collector: Collector;
const data = mkdtempSync(join(tmpdir(), 'framescope-grpc-'));

beforeAll(async () => {
  collector = await startCollector({ data, grpcPort: 0 });
});

afterAll(async () => {
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

interface Answered {
  readonly error?: ServiceError;
  readonly body?: Buffer;
}

/** One unary call with bytes in and out. `compression`: 1 deflate, 2 gzip. */
function exportTo(
  port: number | undefined,
  service: string,
  body: Uint8Array,
  {
    compression = 0,
    headers = {},
  }: { compression?: number; headers?: Record<string, string> } = {},
): Promise<Answered> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compression,
    'grpc.max_send_message_length': -1,
  });
  onTestFinished(() => client.close());
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise(resolve => {
    client.makeUnaryRequest(
      `/${service}/Export`,
      same,
      same,
      Buffer.from(body),
      metadata,
      (error, answer) => resolve(error ? { error } : { body: answer! }),
    );
  });
}

const sessions = async (): Promise<string[]> => {
  const answer = await fetch(`${collector.url}/api/v1/search?q=grpc`);
  const hits = (await answer.json()) as { items: { kind: string; label?: string }[] };
  return hits.items.map(hit => JSON.stringify(hit));
};

test.each([
  ['as it is', 0],
  ['deflated', 1],
  ['in gzip', 2],
])('spans over gRPC %s are stored before the answer, which is empty', async (how, compression) => {
  const id = `grpc ${how}`;
  const { error, body } = await exportTo(collector.grpcPort, TRACES, protobufBody(sdkSpans(id)), {
    compression,
  });
  expect([error, body?.length]).toEqual([undefined, 0]);
  await expect.poll(sessions, { timeout: 5_000 }).toContainEqual(expect.stringContaining(id));
});

test('logs and metrics have their services; an unknown one is UNIMPLEMENTED', async () => {
  for (const service of [LOGS, METRICS])
    expect(await exportTo(collector.grpcPort, service, new Uint8Array())).toEqual({
      body: Buffer.alloc(0),
    });
  const { error } = await exportTo(collector.grpcPort, 'opentelemetry.Nothing', new Uint8Array());
  expect(error?.code).toBe(status.UNIMPLEMENTED);
});

test('a body that is no request is INVALID_ARGUMENT with its path, and is not to be retried', async () => {
  const { error } = await exportTo(collector.grpcPort, TRACES, Buffer.from([0x0a, 0xff]));
  expect([error?.code, error?.details]).toEqual([
    status.INVALID_ARGUMENT,
    expect.stringContaining('resourceSpans[0]'),
  ]);
  expect(error?.metadata.get('grpc-status-details-bin')).toEqual([]);
});

test('a bad span among good ones is a partial success with the count and the path', async () => {
  const good = Buffer.from(protobufBody(sdkSpans('grpc partial')));
  // ResourceSpans { ScopeSpans { Span { trace_id: 2 bytes } } }
  const bad = Buffer.from([0x0a, 8, 0x12, 6, 0x12, 4, 0x0a, 2, 1, 2]);
  const { body } = await exportTo(collector.grpcPort, TRACES, Buffer.concat([good, bad]));
  // partial_success { rejected_spans: 1, error_message }
  expect(body?.subarray(2, 5).toString('hex')).toBe('080112');
  expect(body?.toString()).toContain('resourceSpans[1].scopeSpans[0].spans[0].traceId');
});

test('a message that unpacks to more than the limit is refused before it is unpacked whole', async () => {
  const bomb = Buffer.alloc(17 * 1024 * 1024);
  const { error } = await exportTo(collector.grpcPort, TRACES, bomb, { compression: 2 });
  expect(error?.code).toBe(status.RESOURCE_EXHAUSTED);
  expect((await fetch(`${collector.url}/healthz`)).status).toBe(200);
});

/** A receiver whose writer answers what the test says. */
async function portWith(submit: Writer['submit']): Promise<number> {
  const counts = new Health();
  const receiver = await startGrpc(
    { host: '127.0.0.1', port: 0 },
    {
      admission: new Admission({ writer: { submit }, counts }),
      counts,
      access: { mayWrite: () => ({ kind: 'all' }) },
    },
  );
  onTestFinished(() => receiver.close());
  return receiver.port;
}

test('a full queue and a disk without room say when to come again, in RetryInfo', async () => {
  const full = await exportTo(await portWith(() => 'full'), TRACES, new Uint8Array());
  const noRoom = await exportTo(
    await portWith(() => Promise.resolve({ kind: 'unavailable', message: 'disk is full' })),
    TRACES,
    new Uint8Array(),
  );
  expect([full.error?.code, noRoom.error?.code]).toEqual([
    status.RESOURCE_EXHAUSTED,
    status.UNAVAILABLE,
  ]);
  const [details] = noRoom.error?.metadata.get('grpc-status-details-bin') ?? [];
  // Status { code: 14, message, details { RetryInfo { retry_delay { seconds: 5 } } } }
  expect(
    Buffer.from(details as Buffer)
      .subarray(0, 2)
      .toString('hex'),
  ).toBe('080e');
  expect(Buffer.from(details as Buffer).toString('latin1')).toContain('google.rpc.RetryInfo');
  expect(
    Buffer.from(details as Buffer)
      .subarray(-6)
      .toString('hex'),
  ).toBe('12040a020805');
});
