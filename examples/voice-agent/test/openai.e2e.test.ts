// The OpenAI services against a local server that speaks the vendor's shape.
// The vendor itself is not reached from here.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeWav } from '../src/common/wav.ts';
import { openAiServices } from '../src/models/openai.ts';
import type { LlmEvent, Services } from '../src/models/services.ts';

const seen: { path: string; auth: string; body: Buffer }[] = [];
let server: Server;
let services: Services;
const signal = new AbortController().signal;

const chunk = (delta: object): string => `data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`;

function answer(path: string, response: ServerResponse): void {
  if (path === '/v1/audio/transcriptions') {
    response.setHeader('content-type', 'application/json').end('{"text":"ten of clubs"}');
  } else if (path === '/v1/chat/completions') {
    response.setHeader('content-type', 'text/event-stream');
    const text = chunk({ content: 'Hel' }) + chunk({ content: 'lo.' });
    // Cut in the middle of a line, as networks do.
    response.write(text.slice(0, 30));
    const call = (input: object): object => ({ tool_calls: [{ function: input }] });
    const tool =
      chunk(call({ name: 'search_catalogue', arguments: '{"q"' })) +
      chunk(call({ arguments: ':1}' }));
    setTimeout(() => response.end(`${text.slice(30)}${tool}data: [DONE]\n\n`), 10);
  } else if (path === '/v1/audio/speech') {
    response.write(Buffer.alloc(13_001, 1));
    response.end(Buffer.alloc(34_999, 1));
  } else {
    response.writeHead(404).end('no such path');
  }
}

beforeAll(async () => {
  server = createServer((request: IncomingMessage, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = request.url ?? '';
      seen.push({ path, auth: request.headers.authorization ?? '', body: Buffer.concat(parts) });
      answer(path, response);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  services = openAiServices({ apiKey: 'k', baseUrl: `http://127.0.0.1:${port}/v1` });
});
afterAll(() => server.close());

test('an utterance goes to transcription as a WAV file and comes back as words', async () => {
  services.stt.begin(0);
  for (let i = 0; i < 5; i += 1) services.stt.audio(new Int16Array(1_600).fill(7), () => undefined);
  expect(await services.stt.finalize(signal)).toBe('ten of clubs');
  const { auth, body } = seen.at(-1) ?? { auth: '', body: Buffer.alloc(0) };
  expect(auth).toBe('Bearer k');
  const wav = decodeWav(body.subarray(body.indexOf('RIFF')), 'upload');
  expect(wav.sampleRateHz).toBe(16_000);
  expect(wav.pcm.length).toBe(8_000);
  expect(body.toString('latin1')).toContain('gpt-4o-mini-transcribe');
});

test('tokens stream out of chat completions, a tool call after them', async () => {
  const events: LlmEvent[] = [];
  const messages = [
    { role: 'user', content: 'hello' },
    { role: 'tool', content: '2' },
  ] as const;
  for await (const event of services.chat(messages, true, signal)) events.push(event);
  expect(events).toEqual([
    { kind: 'token', text: 'Hel' },
    { kind: 'token', text: 'lo.' },
    { kind: 'tool', name: 'search_catalogue', input: '{"q":1}' },
  ]);
  expect(JSON.parse(seen.at(-1)?.body.toString() ?? '')).toMatchObject({
    stream: true,
    messages: [{ role: 'system' }, { role: 'user', content: 'hello' }, { role: 'system' }],
  });
});

test('speech streams in as 24 kHz and comes out as 16', async () => {
  let samples = 0;
  for await (const pcm of services.speak('Hello.', signal)) samples += pcm.length;
  expect(samples).toBe(16_000);
});

test('an error of the vendor is told with its path, status and text', async () => {
  const broken = openAiServices({ apiKey: 'k', baseUrl: `${urlOf()}/wrong` });
  await expect(broken.speak('x', signal)[Symbol.asyncIterator]().next()).rejects.toThrow(
    '/audio/speech answered 404: no such path',
  );
});

function urlOf(): string {
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}
