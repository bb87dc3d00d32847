// Three collectors that were all told to hand on to the same place: one does, and when it dies another
// goes on. A token that one of them made is good at each.

import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bodyOf, spanJson } from '../../packages/collector/test/support/otlp-bodies.ts';
import { decodeSignal } from '../../packages/collector/src/decode/by-signal.ts';
import { Fleet } from './fleet.ts';
import { ClickHouse } from './server.ts';

/** What was stored is handed on after 20 s, when no commit before it can come any more. */
const HANDED_ON_MS = 90_000;
const SPANS = 30;

let server: ClickHouse;
beforeAll(async () => {
  server = await ClickHouse.start();
});
afterAll(() => server.stop());

/** Takes OTLP, and counts the spans it was sent. */
async function sink(): Promise<{ readonly url: string; readonly counts: Map<string, number> }> {
  const counts = new Map<string, number>();
  const take = (body: Buffer): void => {
    const result = decodeSignal(body, 'protobuf', 'traces');
    if (!result.ok) throw new Error(result.problem);
    for (const { spanId } of result.value.spans) counts.set(spanId, (counts.get(spanId) ?? 0) + 1);
  };
  const http: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      take(Buffer.concat(chunks));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, counts };
}

const idOf = (i: number): string => i.toString(16).padStart(16, '0');

async function send(urls: readonly string[], from: number): Promise<void> {
  for (let i = from; i < from + SPANS; i++) {
    const span = spanJson({ traceId: i.toString(16).padStart(32, '0'), spanId: idOf(i) });
    const answer = await fetch(`${urls[i % urls.length]}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(bodyOf(span)),
    });
    expect(answer.status).toBe(200);
  }
}

test('of three that hand on one does, each span once; when it dies another goes on', async () => {
  const { url, counts } = await sink();
  const forward = `otlp+${url}?from=start&send=all&delay=0&compression=none`;
  const fleet = await Fleet.start(server.storeUrl(), 3, ['--forward', forward]);
  const handedOn = async (first: number): Promise<void> => {
    const wanted = Array.from({ length: SPANS }, (_, i) => idOf(first + i));
    await expect
      .poll(() => wanted.filter(id => !counts.has(id)).length, { timeout: HANDED_ON_MS })
      .toBe(0);
  };
  await send(fleet.urls, 1);
  await handedOn(1);
  expect([...counts.values()].filter(n => n > 1)).toEqual([]);

  const sending = async (i: number): Promise<number> => {
    const answer = await fetch(`${fleet.urls[i]}/api/v1/forward`);
    const { items } = (await answer.json()) as { items: readonly { sentSpans: number }[] };
    return items.reduce((sum, one) => sum + one.sentSpans, 0);
  };
  const sent = await Promise.all([0, 1, 2].map(sending));
  const owner = sent.findIndex(n => n > 0);
  expect(sent.filter(n => n > 0).length).toBe(1);
  await send(fleet.urls, 1_001);
  await fleet.stopOne(owner);
  await handedOn(1_001);
  expect((await Promise.all([0, 1].map(sending))).some(n => n > 0)).toBe(true);
}, 300_000);

test('a token for one session that one collector made is good at the others', async () => {
  const token = 'a-secret-of-some-length';
  const fleet = await Fleet.start(server.storeUrl(), 2, ['--token', token]);
  const [one, other] = fleet.urls;
  const made = await fetch(`${one}/api/v1/ingest-tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ sessionId: 'call' }),
  });
  expect(made.status).toBe(201);
  const ingest = ((await made.json()) as { token: string }).token;
  const post = async (bearer: string): Promise<number> => {
    const call = { key: 'session.id', value: { stringValue: 'call' } };
    const answer = await fetch(`${other}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
      body: Buffer.from(bodyOf(spanJson({ attributes: [call] }))),
    });
    return answer.status;
  };
  expect(await post(ingest)).toBe(200);
  expect(await post(`${ingest.slice(0, -2)}xx`)).toBe(401);
});
