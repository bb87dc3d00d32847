// What people set over HTTP: pins, budgets, annotations.

import { startCollector, type Collector } from 'framescope';
import type { BudgetList, LiveEvent, Page, SessionSummary } from '@framescope/protocol';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { protobufBody, sdkSpans } from '../support/otlp-bodies.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let collector: Collector;
let session: SessionSummary;
const data = mkdtempSync(join(tmpdir(), 'framescope-set-'));

interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly body: unknown;
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${collector.url}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    etag: response.headers.get('etag'),
    body: text === '' ? null : JSON.parse(text),
  };
}

beforeAll(async () => {
  collector = await startCollector({ data });
  await fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Buffer.from(protobufBody(sdkSpans('call-1'))),
  });
  session = await vi.waitFor(async () => {
    const [first] = ((await ask('GET', '/sessions')).body as Page<SessionSummary>).items;
    if (!first) throw new Error('no session yet');
    return first;
  });
});

afterAll(async () => {
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

/** Events until one passes. */
async function eventWhen(passes: (event: LiveEvent) => boolean, then: () => Promise<unknown>) {
  const response = await fetch(`${collector.url}/api/v1/live`);
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  await reader.read();
  await then();
  for (let text = ''; ;) {
    text += decoder.decode((await reader.read()).value, { stream: true });
    for (const line of text.split('\n'))
      if (line.startsWith('data: ') && line.endsWith('}')) {
        const event = JSON.parse(line.slice(6)) as LiveEvent;
        if (!passes(event)) continue;
        await reader.cancel();
        return event;
      }
  }
}

test('a call is pinned with a note, listed, told to every page, and let go', async () => {
  const path = `/sessions/${session.key}/pin`;
  const told = await eventWhen(
    event => event.type === 'session' && event.session.pinned === true,
    async () => {
      const { status, body } = await ask('POST', path, { note: 'the slow one' });
      expect([status, body]).toMatchObject([
        201,
        { sessionKey: session.key, sessionId: 'call-1', note: 'the slow one', isWhole: true },
      ]);
    },
  );
  expect(told).toMatchObject({ session: { key: session.key } });
  expect((await ask('GET', '/pins')).body).toMatchObject({ items: [{ sessionId: 'call-1' }] });
  const kept = (await ask('GET', '/sessions?filter=pinned:true')).body as Page<SessionSummary>;
  expect(kept.items.map(one => one.id)).toEqual(['call-1']);
  expect((await ask('DELETE', path)).status).toBe(204);
  expect((await ask('DELETE', path)).status).toBe(404);
  expect((await ask('GET', '/pins')).body).toEqual({ items: [] });
  expect((await ask('GET', '/sessions?filter=pinned:true')).body).toMatchObject({ items: [] });
});

test('a pin of nothing, or with a body of its own making, says what is wrong', async () => {
  expect(await ask('POST', '/sessions/0000000000000/pin')).toMatchObject({
    status: 404,
    body: { detail: 'there is no session "0000000000000"' },
  });
  const path = `/sessions/${session.key}/pin`;
  for (const body of [[], { notes: 'x' }, { note: 3 }, { note: 'x'.repeat(501) }])
    expect((await ask('POST', path, body)).body).toMatchObject({ status: 400, code: 'bad_pin' });
});

test('budgets are set as a whole; the ETag tells the second of two', async () => {
  const before = await ask('GET', '/budgets');
  expect(before.body).toEqual({
    revision: 0,
    changedUnixNs: null,
    items: [
      { measure: 'frame', limitNs: 300e6, source: 'default', otherwiseNs: 300e6 },
      { measure: 'voice_to_voice', limitNs: 800e6, source: 'default', otherwiseNs: 800e6 },
    ],
  });
  const items = [{ measure: 'voice_to_voice', limitNs: 650e6 }];
  const seen = { 'if-match': before.etag! };
  const put = await ask('PUT', '/budgets', { items }, seen);
  expect(put.status).toBe(200);
  expect((put.body as BudgetList).items[1]).toEqual({
    measure: 'voice_to_voice',
    limitNs: 650e6,
    source: 'page',
    otherwiseNs: 800e6,
  });
  expect(put.etag).not.toBe(before.etag);
  // Applies at once, in the thread that answers too.
  expect((await ask('GET', `/sessions/${session.key}`)).body).toMatchObject({
    budgets: [
      { measure: 'frame', limitNs: 300e6 },
      { measure: 'voice_to_voice', limitNs: 650e6 },
    ],
  });
  expect(await ask('PUT', '/budgets', { items: [] }, seen)).toMatchObject({
    status: 412,
    body: { code: 'changed_meanwhile' },
  });
  expect((await ask('PUT', '/budgets', { items: [] }, { 'if-match': '*' })).status).toBe(200);
  expect(((await ask('GET', '/budgets')).body as BudgetList).items[1]!.limitNs).toBe(800e6);
});

test('a budget that is none is refused with its place', async () => {
  const detailOf = async (items: unknown): Promise<unknown> =>
    ((await ask('PUT', '/budgets', { items })).body as { detail: string }).detail;
  expect(await detailOf('x')).toMatch(/^the body must be/);
  expect(await detailOf([{ measure: '<b>', limitNs: 1e6 }])).toMatch(/^items\[0\].measure must/);
  const twice = { measure: 'frame', limitNs: 1e6 };
  expect(await detailOf([twice, twice])).toBe('items[1].measure "frame" is there twice');
  for (const limitNs of [999, 1.5, 600e9 + 1, '5', undefined])
    expect(await detailOf([{ measure: 'frame', limitNs }])).toMatch(/^items\[0\].limitNs must be/);
  expect(
    (await ask('PUT', '/budgets', { items: [{ measure: 'frame', limitNs: 1_000 }] })).status,
  ).toBe(200);
  await ask('PUT', '/budgets', { items: [] });
});

test('an annotation is made and taken away', async () => {
  const { body } = await ask('POST', '/annotations', { kind: 'deploy', text: '2.5.0' });
  const { id } = body as { id: string };
  expect((await ask('GET', '/annotations')).body).toMatchObject({ items: [{ id, text: '2.5.0' }] });
  expect((await ask('DELETE', `/annotations/${id}`)).status).toBe(204);
  expect((await ask('DELETE', `/annotations/${id}`)).status).toBe(404);
  expect((await ask('DELETE', '/annotations/x')).status).toBe(404);
});

test('a page of another origin changes nothing', async () => {
  const foreign = { origin: 'http://evil.example' };
  for (const [method, path] of [
    ['POST', `/sessions/${session.key}/pin`],
    ['DELETE', `/sessions/${session.key}/pin`],
    ['PUT', '/budgets'],
    ['DELETE', '/annotations/1'],
  ] as const)
    expect((await ask(method, path, undefined, foreign)).status).toBe(403);
});

test('with a token, a browser that opened the link may change; with a read token it may not', async () => {
  for (const readToken of [undefined, 'read-token-of-16-characters']) {
    const folder = mkdtempSync(join(tmpdir(), 'framescope-set-'));
    const token = 'write-token-of-16-characters';
    const guarded = await startCollector({ data: folder, token, ...(readToken && { readToken }) });
    const login = await fetch(guarded.loginUrl!);
    const cookie = login.headers.get('set-cookie')!.split(';')[0]!;
    const headers = { 'content-type': 'application/json', origin: guarded.url, cookie };
    const put = (more: object): Promise<Response> =>
      fetch(`${guarded.url}/api/v1/budgets`, {
        method: 'PUT',
        headers: { ...headers, ...more },
        body: '{"items":[]}',
      });
    expect((await put({})).status).toBe(readToken === undefined ? 200 : 401);
    expect((await put({ cookie: 'framescope_read=guess' })).status).toBe(401);
    expect((await put({ authorization: `Bearer ${token}` })).status).toBe(200);
    // A token is for programs that have one: a page does not make others.
    const mint = await fetch(`${guarded.url}/api/v1/ingest-tokens`, {
      method: 'POST',
      headers,
      body: '{"sessionId":"x"}',
    });
    expect(mint.status).toBe(401);
    await guarded.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
