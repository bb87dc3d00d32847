import { startCollector, type Collector } from 'framescope';
import type { LiveEvent, Page, SessionSummary, Trace } from '@framescope/protocol';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { protobufBody, sdkSpans } from '../support/otlp-bodies.ts';
import { schemaProblems } from '../support/json-schema.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let collector: Collector;
let session: SessionSummary;
const data = mkdtempSync(join(tmpdir(), 'framescope-api-'));

const get = async <T>(path: string): Promise<T> =>
  (await (await fetch(`${collector.url}/api/v1${path}`)).json()) as T;

const send = (sessionId: string): Promise<Response> =>
  fetch(`${collector.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Buffer.from(protobufBody(sdkSpans(sessionId))),
  });

beforeAll(async () => {
  collector = await startCollector({ data });
  await send('call-1');
  session = await vi.waitFor(async () => {
    const [first] = (await get<Page<SessionSummary>>('/sessions')).items;
    if (!first) throw new Error('no session yet');
    return first;
  });
});

afterAll(async () => {
  await collector.close();
  rmSync(data, { recursive: true, force: true });
});

test('spans with session.id are a session, with those of its traces that name none', async () => {
  expect(session).toMatchObject({ services: ['agent'], spanCount: 3, status: 'live' });
  const detail = await get<{ traceIds: string[] }>(`/sessions/${session.key}`);
  const trace = await get<Trace>(`/traces/${detail.traceIds[0]}`);
  expect(trace).toMatchObject({ sessionId: 'call-1', durationNs: 3_000_000_003 - 123_456_789 - 0 });
  expect(trace.spans.map(span => [span.name, span.startNs, span.durationNs])).toEqual([
    ['turn', 0, 2_876_543_214],
    ['tts', 0, 1_876_543_213],
    ['llm', 0, 876_543_212],
  ]);
});

test('every route of the OpenAPI document answers, and as the document says', async () => {
  const document = await get<OpenApi>('/openapi.json');
  const trace = (await get<Page<{ traceId: string }>>('/traces')).items[0]!.traceId;
  const problems: string[] = [];
  for (const [path, { get: operation }] of Object.entries(document.paths)) {
    // One streams for ever; what is only posted has tests of its own.
    if (path === '/live' || operation === undefined) continue;
    const query = NEEDED[path] ?? '';
    const url = `/api/v1${path.replace('{key}', session.key).replace('{traceId}', trace)}${query}`;
    const response = await fetch(collector.url + url, { headers: { accept: 'application/json' } });
    const schema = operation.responses['200']?.content['application/json']?.schema;
    // A call without frames has no timeline and no measures: a problem, which has a schema too.
    const expected = response.ok ? schema : { $ref: '#/components/schemas/Problem' };
    if (![200, 404].includes(response.status)) problems.push(`${url}: ${response.status}`);
    else problems.push(...schemaProblems(await response.json(), expected ?? {}, document, url));
  }
  expect(problems).toEqual([]);
  expect(Object.keys(document.paths)).toContain('/sessions/{key}/turns');
});

/** Parameters without which a route has nothing to answer. */
const NEEDED: Readonly<Record<string, string>> = {
  '/search': '?q=call',
  '/tail/whatif': '?part=inference',
  '/traces/{traceId}/span': '?spanId=0000000000000001',
};

interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
  readonly paths: Readonly<
    Record<
      string,
      { get?: { responses: Record<string, { content: Record<string, { schema?: object }> }> } }
    >
  >;
}

test('lists go on where their cursor says', async () => {
  for (const id of ['call-2', 'call-3']) await send(id);
  await expect.poll(async () => (await get<Page<unknown>>('/sessions')).items.length).toBe(3);
  const first = await get<Page<SessionSummary>>('/sessions?limit=2');
  const second = await get<Page<SessionSummary>>(`/sessions?limit=2&cursor=${first.nextCursor}`);
  const ids = [...first.items, ...second.items].map(one => one.id);
  expect([ids.toSorted(), second.nextCursor]).toEqual([['call-1', 'call-2', 'call-3'], null]);
});

test('any ID or words find what they name', async () => {
  const kinds = async (q: string): Promise<string[]> =>
    (
      await get<{ items: { kind: string; title: string }[] }>(`/search?q=${encodeURIComponent(q)}`)
    ).items.map(hit => `${hit.kind} ${hit.title}`);
  const trace = (await get<Page<{ traceId: string }>>('/traces')).items[0]!.traceId;
  expect(await kinds('call-1')).toEqual(['session call-1']);
  expect(await kinds('ALL-1')).toEqual(['session call-1']);
  expect(await kinds(session.key)).toEqual(['session call-1']);
  expect(await kinds(trace)).toEqual([`trace ${trace}`]);
  expect(await kinds('nowhere to be found')).toEqual([]);
});

test('live starts with a snapshot, tells changes, and resumes without gap or repeat', async () => {
  const first = new LiveReader();
  await first.open();
  expect(await first.next()).toMatchObject({ type: 'snapshot' });
  await send('call-live-1');
  const told = await first.next();
  expect(told).toMatchObject({ type: 'session', session: { id: 'call-live-1' } });
  first.close();
  await send('call-live-2');
  await expect.poll(async () => JSON.stringify(await get('/sessions'))).toContain('call-live-2');
  const second = new LiveReader(first.lastId);
  await second.open();
  expect(await second.next()).toMatchObject({ type: 'session', session: { id: 'call-live-2' } });
  second.close();
});

test('an ID that is too old, or of another run, gets a new snapshot', async () => {
  const reader = new LiveReader('12');
  await reader.open();
  expect((await reader.next()).type).toBe('snapshot');
  reader.close();
});

test('the page of a collector without a viewer says so, and loads nothing from elsewhere', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'framescope-page-'));
  const other = await startCollector({ data: folder, viewerFolder: join(folder, 'none') });
  const response = await fetch(`${other.url}/sessions/abc`);
  expect(await response.text()).toContain('the viewer is not built');
  expect(response.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self';/,
  );
  await other.close();
  rmSync(folder, { recursive: true, force: true });
});

class LiveReader {
  readonly #abort = new AbortController();
  readonly #lastId: string | undefined;
  #body: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #text = '';
  lastId = '';

  constructor(lastId?: string) {
    this.#lastId = lastId;
  }

  async open(): Promise<void> {
    const response = await fetch(`${collector.url}/api/v1/live`, {
      headers: this.#lastId === undefined ? {} : { 'last-event-id': this.#lastId },
      signal: this.#abort.signal,
    });
    this.#body = response.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  async next(): Promise<LiveEvent> {
    for (;;) {
      const match = /id: (\d+)\ndata: (.*)\n\n/.exec(this.#text);
      if (match) {
        this.#text = this.#text.slice(match.index + match[0].length);
        this.lastId = match[1]!;
        return JSON.parse(match[2]!) as LiveEvent;
      }
      const { value } = await this.#body!.read();
      this.#text += Buffer.from(value!).toString();
    }
  }

  close(): void {
    this.#abort.abort();
  }
}
