// The vendor's own client, over a transport on which a server's messages are played.

import { LogLevel, PipecatClient } from '@pipecat-ai/client-js';
import { tracePipecatClient } from '@framescope/instrument/pipecat-client';
import { NS_PER_MS, turnTraceId, type TurnState } from '@framescope/protocol';
import { expect, test, vi } from 'vitest';
import { PlayedTransport } from './support/pipecat-transport.ts';
import { World } from './support/world.ts';

// The vendor's client wants to say in which browser it runs.
vi.stubGlobal('window', { navigator: { userAgent: 'test' } });

const MS = NS_PER_MS;

interface Bot {
  readonly world: World;
  readonly client: PipecatClient;
  readonly says: (type: string, data?: unknown) => void;
  readonly turns: () => Promise<TurnState[]>;
}

async function bot(): Promise<Bot> {
  const world = new World();
  const session = world.scope({ role: 'client' }).startSession({ id: 'call', authority: true });
  const transport = new PlayedTransport();
  const client = new PipecatClient({ transport, enableMic: true });
  client.setLogLevel(LogLevel.NONE);
  tracePipecatClient(client, { session });
  await client.connect();
  const turns = async (): Promise<TurnState[]> => {
    const ended = session.end();
    await world.pass(6_000);
    await ended;
    const last = new Map<string, TurnState>();
    for (const turn of world.states().flatMap(state => state.turns ?? []))
      last.set(`${turn.stream} ${turn.tick}`, turn);
    return [...last.values()].toSorted((a, b) => a.startedAt - b.startedAt);
  };
  return { world, client, says: (type, data) => transport.says(type, data), turns };
}

test('what the server tells of a turn is a turn with its wait, stages, words and times', async () => {
  const { world, says, turns, client } = await bot();
  const heard: string[] = [];
  client.on('userTranscript', ({ text }) => heard.push(text));
  await world.pass(1_000);
  says('user-started-speaking');
  await world.pass(1_500);
  says('user-transcription', { text: 'wh', final: false, timestamp: '', user_id: 'u' });
  says('user-transcription', { text: 'what time', final: true, timestamp: '', user_id: 'u' });
  await world.pass(100);
  says('user-stopped-speaking');
  says('bot-llm-started');
  await world.pass(300);
  says('bot-llm-text', { text: 'It' });
  says('metrics', { ttfb: [{ processor: 'OpenAILLMService#0', model: 'm', value: 0.28 }] });
  says('bot-llm-stopped');
  says('bot-tts-started');
  await world.pass(200);
  says('metrics', {
    ttfb: [
      { processor: 'CartesiaTTSService#0', value: 0.15 },
      { processor: 'x', value: 0 },
    ],
  });
  says('bot-started-speaking');
  says('bot-tts-text', { text: 'It is' });
  says('bot-tts-text', { text: 'noon.' });
  says('bot-tts-stopped');
  await world.pass(900);
  says('bot-stopped-speaking');
  await world.pass(4_000);
  const all = await turns();
  expect(all.length).toBe(1);
  const [turn] = all;
  expect(turn).toMatchObject({ outcome: 'completed', endedAt: 4_000 * MS });
  expect(turn!.tick / 16).toBe(1_000);
  // Silent for the 200 ms of its VAD when it said so at 2,600.
  expect(turn!.waits).toMatchObject([
    { opens: { tick: 2_400 * 16, source: 'rtvi' }, closes: { tick: 3_100 * 16, source: 'rtvi' } },
  ]);
  expect(turn!.waits[0]!.moments.map(({ name, at }) => [name, at / MS])).toEqual([
    ['transcript_final', 2_500],
    ['turn_decided', 2_600],
    ['model_requested', 2_600],
    ['first_speakable', 2_900],
    ['speech_text_sent', 2_900],
    ['first_audio', 3_100],
    ['first_frame_sent', 3_100],
  ]);
  expect(turn!.words.map(({ who, text }) => [who, text])).toEqual([
    ['user', 'what time'],
    ['agent', 'It is noon.'],
  ]);
  expect(turn!.stages.map(({ name, attributes }) => [name, attributes])).toMatchObject([
    ['llm', { 'pipecat.ttfb_s.OpenAILLMService#0': 0.28 }],
    ['tts', { 'pipecat.ttfb_s.CartesiaTTSService#0': 0.15 }],
  ]);
  expect(heard).toEqual(['wh', 'what time']);
  expect(world.codes()).toEqual([]);
});

test('a bot that greets owes its first word from the beginning', async () => {
  const { world, says, turns } = await bot();
  await world.pass(800);
  says('bot-tts-started');
  says('bot-started-speaking');
  says('bot-tts-text', { text: 'Hello' });
  await world.pass(500);
  says('bot-stopped-speaking');
  const [turn] = await turns();
  expect(turn).toMatchObject({
    stream: 'agent',
    waits: [{ kind: 'greeting', opens: { at: 0 }, closes: { tick: 800 * 16 } }],
  });
});

test('a user who speaks over the bot interrupts it when it stops', async () => {
  const { world, says, turns } = await bot();
  says('user-started-speaking');
  await world.pass(500);
  says('user-stopped-speaking');
  await world.pass(500);
  says('bot-started-speaking');
  says('bot-tts-text', { text: 'Well, you see' });
  await world.pass(700);
  says('user-started-speaking');
  await world.pass(250);
  says('bot-stopped-speaking');
  await world.pass(600);
  says('user-stopped-speaking');
  await world.pass(400);
  says('bot-started-speaking');
  await world.pass(300);
  says('bot-stopped-speaking');
  const [first, second] = await turns();
  expect(first).toMatchObject({
    outcome: 'interrupted',
    words: [{ text: 'Well, you see', cut: true }],
    bargeIn: { detectedAt: 1_700 * MS, cancelledAt: 1_950 * MS },
  });
  expect(second).toMatchObject({ outcome: 'completed', waits: [{ kind: 'response' }] });
});

test('a tool that the bot calls is a stage between its answers', async () => {
  const { world, says, turns } = await bot();
  says('user-started-speaking');
  await world.pass(500);
  says('user-stopped-speaking');
  says('llm-function-call-in-progress', {
    function_name: 'look',
    tool_call_id: 'c1',
    arguments: {},
  });
  await world.pass(700);
  says('llm-function-call-stopped', {
    function_name: 'look',
    tool_call_id: 'c1',
    cancelled: false,
  });
  says('bot-started-speaking');
  const [turn] = await turns();
  expect(turn!.stages).toMatchObject([
    { name: 'tool', attributes: { 'gen_ai.tool.name': 'look' }, endedAt: 1_200 * MS },
  ]);
});

test('where the audio itself is marked, its media clock places the turn', async () => {
  const world = new World();
  const session = world.scope({ role: 'client' }).startSession({ id: 'call', authority: true });
  const transport = new PlayedTransport();
  const client = new PipecatClient({ transport });
  client.setLogLevel(LogLevel.NONE);
  tracePipecatClient(client, { session });
  session.stream('mic').hop('capture').markAt(0, 48_000);
  transport.says('user-started-speaking');
  const turn = turnTraceId(session.traceId, 'mic', 48_000);
  expect(session.traceIdOf(session.stream('mic'), 48_000)).toBe(turn);
});
