// OpenTelemetry's instrumentation of the client `openai`, and Logfire with Pydantic AI, as they are, asking a
// local server that speaks the protocol of chat completions: their spans become a turn with a ledger.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page, SessionDetail, SessionSummary, Turn } from '@framescope/protocol';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { installGenAi, pythonOf } from './genai/install.mjs';
import { Framescope } from './peers.ts';

beforeAll(() => installGenAi(), 1_200_000);

const PROGRAM = fileURLToPath(new URL('programs/genai.py', import.meta.url));
const FIRST_MS = 300;
const WORD_MS = 60;
const WORDS = ['It ', 'will ', 'rain.'];
/** genai.py's. */
const TOOL_MS = 200;
/** A timer may end so much early, by the clock that spans are taken with. */
const EARLY_MS = 2;

interface Asked {
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string }[];
}

const HEAD = { id: 'chatcmpl-1', created: 1, model: 'local-model' };
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } };
const USAGE = { prompt_tokens: 20, completion_tokens: 5, total_tokens: 25 };

/** Asks for the tool first, and with its answer says the words, one at a time where it streams. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const { stream = false, messages } = JSON.parse(text) as Asked;
  const isAfterTool = messages.at(-1)?.role === 'tool';
  await sleep(FIRST_MS);
  if (!stream) {
    const content = isAfterTool
      ? { content: WORDS.join('') }
      : { content: null, tool_calls: [CALL] };
    const choice = { index: 0, message: { role: 'assistant', ...content } };
    const finish_reason = isAfterTool ? 'stop' : 'tool_calls';
    response.setHeader('content-type', 'application/json');
    const choices = [{ ...choice, finish_reason }];
    response.end(JSON.stringify({ ...HEAD, object: 'chat.completion', choices, usage: USAGE }));
    return;
  }
  response.setHeader('content-type', 'text/event-stream');
  const send = (more: object): unknown =>
    response.write(
      `data: ${JSON.stringify({ ...HEAD, object: 'chat.completion.chunk', choices: [], ...more })}\n\n`,
    );
  const choice = (delta: object, finish_reason: string | null = null): object => ({
    choices: [{ index: 0, delta, finish_reason }],
  });
  if (isAfterTool)
    for (const content of WORDS) {
      send(choice({ role: 'assistant', content }));
      await sleep(WORD_MS);
    }
  else send(choice({ role: 'assistant', content: null, tool_calls: [{ index: 0, ...CALL }] }));
  send(choice({}, isAfterTool ? 'stop' : 'tool_calls'));
  send({ usage: USAGE });
  response.end('data: [DONE]\n\n');
}

async function modelServer(): Promise<string> {
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Called {
  readonly session: SessionDetail;
  readonly turns: readonly Turn[];
}

async function call(which: 'openai-v2' | 'logfire'): Promise<Called> {
  const framescope = await Framescope.start();
  const id = `call by ${which}`;
  const args = [PROGRAM, which, await modelServer(), framescope.url, id];
  const python = spawn(pythonOf(which), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  python.stderr.on('data', (chunk: Buffer) => (said = (said + String(chunk)).slice(-3_000)));
  const [code] = (await once(python, 'close')) as [number | null];
  if (code !== 0) throw new Error(`genai.py ${which} ended with ${code}: ${said}`);
  const counts = async (): Promise<unknown> => {
    const { items } = (await framescope.get('/api/v1/sessions')) as Page<SessionSummary>;
    return items.map(one => [one.id, one.spanCount, one.turnCount]);
  };
  await expect.poll(counts, { timeout: 30_000 }).toEqual([[id, 4, 1]]);
  const { items } = (await framescope.get('/api/v1/sessions')) as Page<SessionSummary>;
  const path = `/api/v1/sessions/${items[0]!.key}`;
  const { items: turns } = (await framescope.get(`${path}/turns`)) as Page<Turn>;
  return { session: (await framescope.get(path)) as SessionDetail, turns };
}

const msOf = (turn: Turn | undefined): [name: string, ms: number][] =>
  turn?.waits[0]?.parts.map(part => [part.name, part.exposedNs / 1e6]) ?? [];

const FEATURES = {
  'tool.name': 'weather',
  'tool.calls': 1,
  'llm.model': 'local-model',
  'llm.provider': 'openai',
  'llm.calls': 2,
  'llm.input_tokens': 40,
  'llm.output_tokens': 10,
};

test('Logfire and Pydantic AI: the model, the tool and the model again, to its first chunk', async () => {
  const { session, turns } = await call('logfire');
  expect(session.sources).toMatchObject([{ name: 'logfire', turnCount: 1 }]);
  expect(turns[0]?.features).toMatchObject(FEATURES);
  const wait = turns[0]!.waits[0]!;
  expect(wait.parts.reduce((sum, part) => sum + part.exposedNs, 0)).toBe(wait.waitNs);
  expect(wait.notSeen.join(' ')).toContain('at least so long');
  const parts = msOf(turns[0]);
  const named = (name: string): number[] =>
    parts.filter(part => part[0] === name).map(([, ms]) => ms);
  const [asked = 0, spoken = 0] = named('inference');
  expect(named('inference').length).toBe(2);
  expect(asked).toBeGreaterThan(FIRST_MS - EARLY_MS);
  expect(spoken).toBeGreaterThan(FIRST_MS - EARLY_MS);
  expect(named('tool')[0]).toBeGreaterThan(TOOL_MS - EARLY_MS);
  // The words that follow the first are no part of the wait.
  const stage = turns[0]!.stages.findLast(one => one.name === 'llm')!;
  const wholeMs = (stage.endNs! - stage.startNs) / 1e6;
  expect(spoken).toBeLessThan(wholeMs);
});

test('OpenTelemetry’s instrumentation of openai: what it does not tell has no number', async () => {
  const { session, turns } = await call('openai-v2');
  expect(session.sources).toMatchObject([{ name: 'gen_ai', turnCount: 1 }]);
  expect(turns[0]?.features).toMatchObject(FEATURES);
  const parts = msOf(turns[0]);
  // It has no first chunk: the second inference is a stage, and no part of a wait.
  expect(parts.filter(([name]) => name === 'inference').length).toBe(1);
  expect(parts.find(([name]) => name === 'tool')?.[1]).toBeGreaterThan(TOOL_MS - EARLY_MS);
  expect(turns[0]!.stages.map(one => one.name)).toEqual(['llm', 'tool', 'llm']);
});
