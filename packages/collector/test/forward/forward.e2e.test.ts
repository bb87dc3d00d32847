// Two real collectors, one handing on to the other.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCollector, type Collector } from 'framescope';
import { expect, onTestFinished, test } from 'vitest';
import { readTarget } from '../../src/forward/target.ts';
import { bodyOf, protobufBody, sdkSpans, spanJson } from '../support/otlp-bodies.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'framescope-forward-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function started(options: Partial<Parameters<typeof startCollector>[0]>): Promise<Collector> {
  const collector = await startCollector({ data: folder(), ...options });
  onTestFinished(() => collector.close());
  return collector;
}

const TARGETS = ['http', 'grpc'] as const;

const targetOf = (over: 'http' | 'grpc', port: number | undefined, more: string): string =>
  `otlp+${over}://127.0.0.1:${port}?delay=0&${more}`;

async function post(collector: Collector, body: Uint8Array, type: string): Promise<void> {
  const response = await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: Buffer.from(body),
  });
  expect(response.status).toBe(200);
}

const postJson = (collector: Collector, ...spans: object[]): Promise<void> =>
  post(collector, bodyOf(...spans), 'application/json');

async function traceOf(collector: Collector, traceId: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${collector.url}/api/v1/traces/${traceId}`);
  return (await response.json()) as Record<string, unknown>;
}

const namesOf = async (collector: Collector, traceId: string): Promise<string[]> => {
  const { spans = [] } = await traceOf(collector, traceId);
  return (spans as { name: string }[]).map(span => span.name);
};

async function statusOf(collector: Collector): Promise<Record<string, unknown> | undefined> {
  const response = await fetch(`${collector.url}/api/v1/forward`);
  return ((await response.json()) as { items: Record<string, unknown>[] }).items[0];
}

test.each(TARGETS)('over %s every kind of span arrives as it was sent', async over => {
  const there = await started({ grpcPort: 0, token: 'let-me-write-there' });
  const port = over === 'http' ? there.port : there.grpcPort;
  const query = 'send=all&header=authorization:Bearer%20let-me-write-there';
  const here = await started({ forward: [readTarget(targetOf(over, port, query))] });
  const spans = sdkSpans(`forwarded over ${over}`);
  await post(here, protobufBody(spans), 'application/x-protobuf');
  const { traceId } = spans[0]!.spanContext();
  const read = async (collector: Collector): Promise<unknown> => {
    const answer = await fetch(`${collector.url}/api/v1/traces/${traceId}`, {
      headers: { authorization: 'Bearer let-me-write-there' },
    });
    return ((await answer.json()) as { spans?: unknown }).spans;
  };
  await expect.poll(() => read(there), { timeout: 10_000 }).toEqual(await read(here));
  await expect
    .poll(() => statusOf(here), { timeout: 5_000 })
    .toMatchObject({ state: 'idle', sentSpans: 3, waitingBytes: 0, lagNs: 0, lastError: null });
  const metrics = await (await fetch(`${here.url}/metrics`)).text();
  expect(metrics).toMatch(/^framescope_forward_sent_spans_total\{target="otlp\+\w+:.*\} 3$/m);
});

test('send=turns leaves out what belongs to no session, and running spans and logs always', async () => {
  const there = await started({});
  const here = await started({ forward: [readTarget(targetOf('http', there.port, 'send=turns'))] });
  const traceId = 'd'.repeat(32);
  const session = { key: 'session.id', value: { stringValue: 'call-7' } };
  const pending = { key: 'logfire.span_type', value: { stringValue: 'pending_span' } };
  await postJson(
    here,
    spanJson({ traceId, spanId: 'a'.repeat(16), name: 'kept', attributes: [session] }),
    spanJson({ traceId, spanId: 'b'.repeat(16), name: 'p', attributes: [pending, session] }),
    spanJson({ traceId: 'e'.repeat(32), name: 'no session' }),
  );
  await expect.poll(() => namesOf(there, traceId), { timeout: 10_000 }).toEqual(['kept']);
  expect(await namesOf(there, 'e'.repeat(32))).toEqual([]);
});

test('a target that is away gets everything when it is back, once and in order, over a restart of ours', async () => {
  const data = folder();
  const first = await startCollector({ data: folder() });
  const { port } = first;
  await first.close();
  const forward = [readTarget(targetOf('http', port, 'send=all'))];
  const here = await startCollector({ data, forward });
  const traceId = 'f'.repeat(32);
  const name = (i: number): object =>
    spanJson({
      traceId,
      spanId: String(i).padStart(16, '0'),
      name: `n${i}`,
      startTimeUnixNano: String(1_700_000_000_000_000_000n + BigInt(i)),
    });
  await postJson(here, name(1));
  await expect.poll(() => statusOf(here), { timeout: 5_000 }).toMatchObject({ state: 'retrying' });
  await postJson(here, name(2));
  await here.close();
  const again = await startCollector({ data, forward });
  onTestFinished(() => again.close());
  await postJson(again, name(3));
  const there = await started({ port });
  await expect.poll(() => namesOf(there, traceId), { timeout: 20_000 }).toEqual(['n1', 'n2', 'n3']);
  await expect.poll(() => statusOf(again), { timeout: 5_000 }).toMatchObject({ lagNs: 0 });
});
