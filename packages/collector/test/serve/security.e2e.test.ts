// What a user may take for granted, line by line: each by the real command or
// the real ports. What is tested elsewhere: compression and decompression
// bombs, hostile bodies, the Content-Security-Policy and Host (http.e2e), full
// queues and disks (receive/), a port in use (process.e2e), forwarding (forward/).

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import { startCollector, type Collector, type CollectorOptions } from 'framescope';
import { expect, onTestFinished, test } from 'vitest';
import { attribute, bodyOf, protobufBody, sdkSpans, spanJson } from '../support/otlp-bodies.ts';
import { CollectorProcess, runCommand } from '../support/process.ts';

const TOKEN = 'write-write-write-write';
const READ = 'read-read-read-read';
const tls = (file: string): Buffer =>
  readFileSync(new URL(`../support/tls/${file}`, import.meta.url));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'framescope-security-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function started(options: Partial<CollectorOptions> = {}): Promise<Collector> {
  const collector = await startCollector({ data: folder(), ...options });
  onTestFinished(() => collector.close());
  return collector;
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

const postTo = (
  url: string,
  headers: Record<string, string> = {},
  body: Uint8Array = bodyOf(spanJson()),
): Promise<Response> =>
  fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(body),
  });

const statusesOf = (
  paths: readonly string[],
  url: string,
  headers: Record<string, string> = {},
): Promise<number[]> =>
  Promise.all(
    paths.map(async path => {
      const response = await fetch(url + path, { headers });
      await response.body?.cancel();
      return response.status;
    }),
  );

const READING = ['/api/v1/sessions', '/api/v1/forward', '/api/v1/openapi.json', '/metrics', '/'];
const OPEN = ['/healthz', '/readyz', '/v1/clock'];

test('beyond this machine it listens only with a token, or when told twice', async () => {
  const { code, stderr } = await runCommand('--host', '0.0.0.0', '--port', '0', '--data', folder());
  expect([code, stderr]).toEqual([1, expect.stringMatching(/--token SECRET.*--allow-remote/)]);
  const guarded = new CollectorProcess(['--host', '0.0.0.0', '--port', '0', '--data', folder()], {
    FRAMESCOPE_TOKEN: TOKEN,
  });
  const url = await guarded.ready();
  expect((await fetch(`${url}/api/v1/sessions`)).status).toBe(401);
  expect((await guarded.kill('SIGTERM')).stdout + guarded.stderr).not.toContain(TOKEN);
});

test('with tokens, writing takes one and reading the other; health and the clock are open', async () => {
  const { url } = await started({ token: TOKEN, readToken: READ });
  const refused = await postTo(url);
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  expect(await refused.json()).toMatchObject({ code: 16 });
  expect((await postTo(url, bearer(READ))).status).toBe(401);
  expect((await postTo(url, bearer(TOKEN))).status).toBe(200);
  expect(await statusesOf(READING, url)).toEqual(READING.map(() => 401));
  expect(await statusesOf(READING, url, bearer(TOKEN))).toEqual(READING.map(() => 401));
  expect(await statusesOf(READING, url, bearer(READ))).not.toContain(401);
  expect(await statusesOf(OPEN, url)).toEqual([200, 200, 200]);
});

test('gRPC asks for the same token', async () => {
  const { grpcPort } = await started({ token: TOKEN, grpcPort: 0 });
  const client = new Client(`127.0.0.1:${grpcPort}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const codeWith = (token?: string): Promise<number> => {
    const metadata = new Metadata();
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
    return new Promise(resolve => {
      const body = Buffer.from(protobufBody(sdkSpans()));
      client.makeUnaryRequest(path, same, same, body, metadata, error =>
        resolve(error?.code ?? status.OK),
      );
    });
  };
  expect([await codeWith(), await codeWith('wrong-wrong-wrong'), await codeWith(TOKEN)]).toEqual([
    status.UNAUTHENTICATED,
    status.UNAUTHENTICATED,
    status.OK,
  ]);
});

test('gRPC refuses by the headers: nothing of a body has to come', async () => {
  const { grpcPort } = await started({ token: TOKEN, grpcPort: 0 });
  const session = connectHttp2(`http://127.0.0.1:${grpcPort}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: 'Bearer wrong-wrong-wrong',
  });
  const [headers] = (await once(stream, 'response')) as [Record<string, string>];
  expect(headers['grpc-status']).toBe(String(status.UNAUTHENTICATED));
  expect(decodeURI(headers['grpc-message'] ?? '')).toMatch(/the token is not the one of --token/);
});

test('the link printed at start opens the pages to one browser, by a cookie that no script and no other site has', async () => {
  const process = new CollectorProcess(['--port', '0', '--data', folder(), '--token', TOKEN]);
  const url = await process.ready();
  const link = /open (http\S+\/login\/\S+) in a browser/.exec(process.stderr)?.[1] ?? '';
  const first = await fetch(link);
  const cookie = first.headers.get('set-cookie') ?? '';
  expect(first.status).toBe(200);
  expect(cookie).toMatch(/^framescope_read=\S+; Path=\/; HttpOnly; SameSite=Strict$/);
  expect((await fetch(link)).status).toBe(403);
  const headers = { cookie: cookie.split(';')[0]! };
  expect(await statusesOf(READING, url, headers)).not.toContain(401);
  expect((await postTo(url, headers)).status).toBe(401);
  await process.kill('SIGTERM');
});

test('TLS: HTTPS and gRPC with the certificate given, and nothing in the clear', async () => {
  const { port, url, grpcPort } = await started({
    grpcPort: 0,
    tls: { cert: tls('cert.pem'), key: tls('key.pem') },
  });
  expect(url).toBe(`https://127.0.0.1:${port}`);
  const answered = await new Promise<number | undefined>((resolve, reject) => {
    httpsRequest(`${url}/healthz`, { ca: tls('cert.pem') }, response => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
  expect(answered).toBe(200);
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  const client = new Client(`localhost:${grpcPort}`, credentials.createSsl(tls('cert.pem')));
  onTestFinished(() => client.close());
  await new Promise<void>((resolve, reject) => {
    client.waitForReady(Date.now() + 5_000, error => (error ? reject(error) : resolve()));
  });
});

test('pages elsewhere may post telemetry only when named, and never change or read the API', async () => {
  const { url } = await started({ corsOrigins: ['https://app.example'] });
  const from = (origin: string): Record<string, string> => ({ origin });
  const named = await postTo(url, from('https://app.example'));
  expect([named.status, named.headers.get('access-control-allow-origin')]).toEqual([
    200,
    'https://app.example',
  ]);
  const other = await postTo(url, from('https://app.example.evil'));
  expect([other.status, await other.text()]).toEqual([
    403,
    expect.stringContaining('--cors-origin'),
  ]);
  const api = await fetch(`${url}/api/v1/sessions`, { headers: from('https://app.example') });
  expect(api.headers.get('access-control-allow-origin')).toBeNull();
  // A form on a foreign page needs no permission to send; it is known by its Origin.
  const form = await fetch(`${url}/api/v1/ingest-tokens`, {
    method: 'POST',
    headers: { ...from('http://localhost:3000'), 'content-type': 'application/json' },
    body: '{"sessionId":"x"}',
  });
  expect([form.status, await form.json()]).toEqual([
    403,
    expect.objectContaining({ code: 'foreign_origin' }),
  ]);
});

test('an ingest token writes its own session and nothing else', async () => {
  const { url } = await started({ token: TOKEN, readToken: READ });
  const ask = (headers: Record<string, string>, body: object): Promise<Response> =>
    fetch(`${url}/api/v1/ingest-tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  expect((await ask({}, { sessionId: 'mine' })).status).toBe(401);
  expect((await ask(bearer(TOKEN), { sessionId: '' })).status).toBe(400);
  const made = await ask(bearer(TOKEN), { sessionId: 'mine', seconds: 60 });
  const { token, expiresUnixNs } = (await made.json()) as { token: string; expiresUnixNs: string };
  expect(Number(BigInt(expiresUnixNs) / 1_000_000n) - Date.now()).toBeLessThanOrEqual(60_000);
  const of = (sessionId: string, spanId: string): object =>
    spanJson({
      spanId: spanId.repeat(16),
      attributes: [attribute('session.id', { stringValue: sessionId })],
    });
  const mixed = await postTo(
    url,
    bearer(token),
    bodyOf(of('mine', 'a'), of('yours', 'b'), spanJson()),
  );
  expect(await mixed.json()).toMatchObject({ partialSuccess: { rejectedSpans: '2' } });
  const read = await fetch(`${url}/api/v1/traces/${'0123456789abcdef'.repeat(2)}`, {
    headers: bearer(READ),
  });
  expect(((await read.json()) as { spans: unknown[] }).spans).toHaveLength(1);
  expect((await ask(bearer(token), { sessionId: 'yours' })).status).toBe(403);
  expect((await ask(bearer(READ), { sessionId: 'mine' })).status).toBe(401);
});

test('the ingest port takes telemetry and serves nothing else', async () => {
  const { ingestPort, url } = await started({ ingestPort: 0 });
  const ingest = `http://127.0.0.1:${ingestPort}`;
  expect((await postTo(ingest)).status).toBe(200);
  expect(await statusesOf(OPEN, ingest)).toEqual([200, 200, 200]);
  expect(await statusesOf(READING, ingest)).toEqual(READING.map(() => 404));
  expect(await statusesOf(['/api/v1/sessions'], url)).toEqual([200]);
});

test('the secret that signs ingest tokens is for its owner alone, and outlives a restart', async () => {
  const data = folder();
  await (await startCollector({ data })).close();
  const path = join(data, 'ingest.key');
  const before = readFileSync(path);
  expect([statSync(path).mode & 0o777, before.length]).toEqual([0o600, 32]);
  await (await startCollector({ data })).close();
  expect(readFileSync(path)).toEqual(before);
});

test('paths with dots, escapes or another form of a name do not leave the viewer', async () => {
  const { port } = await started({ token: TOKEN });
  const raw = (path: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      httpRequest({ port, path, host: '127.0.0.1', headers: bearer(TOKEN) }, response => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
  for (const path of [
    '/../package.json',
    '/..%2fpackage.json',
    '/%2e%2e/package.json',
    '/assets/../../package.json',
    '/.%00/package.json',
    '/..\\package.json',
  ])
    expect([path, await raw(path)]).toEqual([path, expect.toSatisfy((s: number) => s >= 400)]);
  const guessed = (path: string): Promise<number[]> =>
    statusesOf([path], `http://127.0.0.1:${port}`);
  // Neither case nor a doubled slash is a way around the token.
  for (const path of ['/API/v1/sessions', '//api/v1/sessions', '/api//v1/sessions', '/Metrics'])
    expect([path, await guessed(path)]).toEqual([path, [401]]);
});

test('headers of more than 16 KiB are refused, and two lengths of one body', async () => {
  const { url, port } = await started();
  const long = await fetch(`${url}/healthz`, { headers: { 'x-long': 'x'.repeat(17_000) } });
  expect(long.status).toBe(431);
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    socket.on('data', chunk => (text += String(chunk)));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
    socket.write(
      'POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
        'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
  });
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test('with --redact transcripts the words of a call are gone before they are stored', async () => {
  const collector = await started({ redact: ['transcripts'] });
  const SECRET = 'forty-one-eleven';
  const said = attribute('lk.user_transcript', { stringValue: SECRET });
  const sent = await postTo(collector.url, {}, bodyOf(spanJson({ attributes: [said] })));
  expect(sent.status).toBe(200);
  const trace = await fetch(`${collector.url}/api/v1/traces/${'0123456789abcdef'.repeat(2)}`);
  expect(
    ((await trace.json()) as { spans: { attributes: object }[] }).spans[0]?.attributes,
  ).toEqual({ 'lk.user_transcript': '[redacted]' });
});

test('a taken gRPC port is named, with its likely holder and the flags that move ours', async () => {
  const { grpcPort } = await started({ grpcPort: 0 });
  await expect(startCollector({ data: folder(), grpcPort: grpcPort! })).rejects.toThrow(
    /port \d+ on 127\.0\.0\.1 is in use\..*--grpc-port 4417.*--grpc-port off/,
  );
});
