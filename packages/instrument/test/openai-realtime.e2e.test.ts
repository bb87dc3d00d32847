// The vendor's own clients, over a real WebSocket, against a stand-in that
// refuses what the vendor refuses; compiled against the vendor's types.

import { connect as createSocket, type Socket } from 'node:net';
import { OpenAIRealtimeWebSocket as AgentsTransport } from '@openai/agents-realtime';
import { RealtimeAgent, RealtimeSession } from '@openai/agents-realtime';
import { Framescope } from '@framescope/instrument';
import { traceOpenAIRealtime } from '@framescope/instrument/openai-realtime';
import { ATTR, type StateMessage, type TurnState } from '@framescope/protocol';
import { RealtimeServer, type Connection } from '@framescope/testkit/realtime-server';
import { sound } from '@framescope/testkit/sound';
import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { afterEach, expect, test } from 'vitest';
import { wholeTurns } from './support/whole-turns.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

async function vendor(): Promise<RealtimeServer> {
  const server = await RealtimeServer.start();
  closing.push(() => server.close());
  return server;
}

/** A scope whose turns are kept instead of sent. */
function capturing(): { scope: Framescope; turns: () => TurnState[]; problems: string[] } {
  const states: StateMessage[] = [];
  const problems: string[] = [];
  const scope = new Framescope({
    serviceName: 'agent',
    endpoint: 'http://collector.test',
    encoding: 'json',
    tracerProvider: false,
    flushMs: 50,
    onProblem: ({ code, message }) => problems.push(`${code}: ${message}`),
    http: ({ method, body }) => {
      const text = Buffer.from(body ?? []).toString();
      const found = text.matchAll(/"key":"([^"]+)","value":\{"stringValue":("(?:[^"\\]|\\.)*")/g);
      for (const [, key, value] of found)
        if (key === ATTR.state)
          states.push(JSON.parse(JSON.parse(value!) as string) as StateMessage);
      return Promise.resolve({ status: method === 'GET' ? 404 : 200, body: new Uint8Array() });
    },
  });
  closing.push(() => scope.shutdown());
  const turns = (): TurnState[] => {
    const last = new Map<number, TurnState>();
    for (const turn of wholeTurns(states).flatMap(state => state.turns ?? []))
      last.set(turn.tick, turn);
    return [...last.values()].toSorted((a, b) => a.tick - b.tick);
  };
  return { scope, turns, problems };
}

/** The vendor's client asks for TLS whatever the URL says: here it gets a plain socket. */
function connect(server: RealtimeServer): OpenAIRealtimeWS {
  const client = new OpenAI({ apiKey: 'sk-test', baseURL: server.baseUrl });
  const createConnection = (): Socket => createSocket(server.port, '127.0.0.1');
  return new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { createConnection } }, client);
}

/** 20 ms pieces of microphone, in real time. */
async function speak(ms: number, isVoiced: boolean, send: (audio: string) => void): Promise<void> {
  for (let at = 0; at < ms; at += 20) {
    send(sound(20, isVoiced));
    await pause(20);
  }
}

/** One utterance, with the vendor's VAD following it. */
async function utter(connection: Connection, send: (audio: string) => void): Promise<string> {
  const { engine } = connection;
  const startMs = engine.receivedMs;
  await speak(300, true, send);
  engine.speechStarted(Math.max(0, startMs - 300));
  await speak(300, true, send);
  await speak(500, false, send);
  return engine.speechStopped(engine.receivedMs);
}

test('OpenAIRealtimeWS of openai: a turn, a barge-in and a truncation', async () => {
  const server = await vendor();
  const { scope, turns, problems } = capturing();
  const call = scope.startSession({ id: 'call' });
  const connecting = server.connection();
  const realtime = connect(server);
  traceOpenAIRealtime(realtime, { session: call });
  const heard: string[] = [];
  realtime.on('event', event => heard.push(event.type));
  const connection = await connecting;
  const send = (audio: string): void => realtime.send({ type: 'input_audio_buffer.append', audio });
  await speak(400, false, send);
  const item = await utter(connection, send);
  const first = connection.engine.respond();
  await pause(150);
  connection.engine.audio(sound(60, false));
  connection.engine.audio(sound(4_000, true), 'A long story.');
  connection.engine.transcribed(item, 'tell me a story');
  connection.engine.done();
  await speak(300, false, send);
  await speak(200, true, send);
  const second = connection.engine.speechStarted(connection.engine.receivedMs - 500);
  await pause(30);
  realtime.send({
    type: 'conversation.item.truncate',
    item_id: first.itemId,
    content_index: 0,
    audio_end_ms: 500,
  });
  await speak(600, false, send);
  connection.engine.speechStopped(connection.engine.receivedMs);
  connection.engine.respond();
  connection.engine.audio(sound(200, true), 'Yes?');
  connection.engine.done();
  connection.engine.transcribed(second, 'stop');
  await pause(400);
  realtime.close();
  await call.end();
  const [one, two] = turns();
  expect(one).toMatchObject({ outcome: 'interrupted', words: [{}, {}] });
  expect(one!.words.map(({ who, text, cut }) => [who, text, cut === true]).toSorted()).toEqual([
    ['agent', 'A long story.', true],
    ['user', 'tell me a story', false],
  ]);
  expect(one!.bargeIn?.generatedTick).toBe(4_060 * 24);
  expect(two).toMatchObject({ outcome: 'completed', waits: [{ kind: 'response' }] });
  // The way to the model is known by pings over the client's own socket.
  expect(two!.stages[0]!.attributes?.[ATTR.vendorName]).toBe('openai');
  expect(two!.stages[0]!.attributes?.[ATTR.vendorRttNs]).toBeGreaterThan(0);
  expect(one!.waits[0]!.opens).toMatchObject({ tick: 1_000 * 24, source: 'server_vad' });
  expect(one!.waits[0]!.closes).toMatchObject({ tick: 60 * 24, source: 'energy' });
  expect(connection.engine.refusals).toEqual([]);
  // The client's own listeners heard everything, and its errors are its own.
  expect(heard).toContain('conversation.item.truncated');
  expect(problems).toEqual([]);
});

test('a client that reconnects is traced again on the same call', async () => {
  const server = await vendor();
  const { scope, turns, problems } = capturing();
  const call = scope.startSession({ id: 'call' });
  for (let attempt = 0; attempt < 2; attempt++) {
    const connecting = server.connection();
    const realtime = connect(server);
    realtime.on('error', () => undefined);
    traceOpenAIRealtime(realtime, { session: call });
    const connection = await connecting;
    const send = (audio: string): void =>
      realtime.send({ type: 'input_audio_buffer.append', audio });
    await speak(400, false, send);
    await utter(connection, send);
    connection.engine.respond();
    connection.engine.audio(sound(100, true));
    if (attempt === 1) connection.engine.done();
    await pause(150);
    const closed = new Promise(resolve => realtime.socket.once('close', resolve));
    connection.cut();
    await closed;
  }
  await call.end();
  const [one, two] = turns();
  expect(one!.stages).toMatchObject([{ error: 'the connection was lost' }]);
  expect(one!.waits[0]!.closes).toMatchObject({ tick: 0 });
  expect(two!.tick).toBe((400 + 1_100 + 400) * 24);
  expect(two!.waits[0]!.closes).toMatchObject({ tick: 100 * 24 });
  expect(problems).toEqual([]);
});

test('a transport of @openai/agents-realtime, alone', async () => {
  const server = await vendor();
  const { scope, turns, problems } = capturing();
  const call = scope.startSession({ id: 'call' });
  const transport = new AgentsTransport({ url: `ws://127.0.0.1:${server.port}/v1/realtime` });
  traceOpenAIRealtime(transport, { session: call });
  const connecting = server.connection();
  await transport.connect({ apiKey: 'sk-test' });
  const connection = await connecting;
  const send = (audio: string): void => {
    const bytes = Buffer.from(audio, 'base64');
    transport.sendAudio(new Uint8Array(bytes).buffer);
  };
  await speak(400, false, send);
  await utter(connection, send);
  connection.engine.respond();
  connection.engine.audio(sound(200, true), 'Hello.');
  connection.engine.done();
  await pause(300);
  transport.close();
  await call.end();
  const [turn] = turns();
  // This client asks for semantic VAD, whose padding nobody tells: the start is the vendor's.
  expect(turn).toMatchObject({
    tick: 100 * 24,
    outcome: 'completed',
    waits: [{ opens: { source: 'semantic_vad' }, closes: { tick: 0 } }],
    words: [{ who: 'agent', text: 'Hello.' }],
  });
  expect(connection.engine.refusals).toEqual([]);
  expect(problems).toEqual([]);
});

test('a RealtimeSession of @openai/agents-realtime: its own barge-in truncates', async () => {
  const server = await vendor();
  const { scope, turns, problems } = capturing();
  const call = scope.startSession({ id: 'call' });
  const transport = new AgentsTransport({ url: `ws://127.0.0.1:${server.port}/v1/realtime` });
  const session = new RealtimeSession(new RealtimeAgent({ name: 'agent' }), {
    transport,
    tracingDisabled: true,
  });
  session.on('error', () => undefined);
  traceOpenAIRealtime(session, { session: call });
  const connecting = server.connection();
  await session.connect({ apiKey: 'sk-test' });
  const connection = await connecting;
  const send = (audio: string): void =>
    session.sendAudio(new Uint8Array(Buffer.from(audio, 'base64')).buffer);
  await speak(400, false, send);
  await utter(connection, send);
  connection.engine.respond();
  connection.engine.audio(sound(3_000, true), 'On and on.');
  await speak(400, true, send);
  connection.engine.speechStarted(connection.engine.receivedMs - 600);
  await speak(400, false, send);
  session.close();
  await call.end();
  const [one, two] = turns();
  expect(one).toMatchObject({ outcome: 'interrupted' });
  expect(one!.bargeIn?.cancelledAt).toBeDefined();
  expect(two!.tick).toBeGreaterThan(one!.tick);
  expect(connection.engine.taken).toContain('conversation.item.truncate');
  expect(problems).toEqual([]);
});
