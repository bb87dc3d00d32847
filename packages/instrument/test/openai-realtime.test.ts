import { NS_PER_MS, type TurnState, type WaitState } from '@framescope/protocol';
import { sound } from '@framescope/testkit/sound';
import { expect, test } from 'vitest';
import { RealtimeCall } from './support/realtime-client.ts';

const MS = NS_PER_MS;
/** Ticks of 24 kHz. */
const ticks = (ms: number): number => ms * 24;

const tickOf = (end: WaitState['opens'] | WaitState['closes']): number | undefined =>
  end !== undefined && 'tick' in end ? end.tick : undefined;

const momentsOf = (wait: WaitState | undefined): Record<string, number> =>
  Object.fromEntries((wait?.moments ?? []).map(({ name, at }) => [name, at / MS]));

const only = (turns: readonly TurnState[]): TurnState => {
  expect(turns.length).toBe(1);
  return turns[0]!;
};

test('a turn has its end of speech without the window, its request and its first voiced sample', async () => {
  const call = new RealtimeCall();
  await call.mic(400);
  const item = await call.says(1_000);
  const response = call.engine.respond();
  await call.world.pass(300);
  call.engine.audio(sound(100, false));
  call.engine.audio(sound(200, true), 'Hello.');
  call.engine.done();
  call.engine.transcribed(item, 'hi there');
  await call.mic(1_000);
  const turn = only(await call.turns());
  expect(turn.tick).toBe(ticks(400));
  expect(turn.outcome).toBe('completed');
  const [wait] = turn.waits;
  expect(tickOf(wait!.opens)).toBe(ticks(1_400));
  expect(wait!.opens).toMatchObject({ source: 'server_vad', stream: 'mic' });
  expect(tickOf(wait!.closes)).toBe(ticks(100));
  expect(wait!.closes).toMatchObject({ source: 'energy', stream: 'agent' });
  expect(momentsOf(wait)).toEqual({
    turn_decided: 1_900,
    model_requested: 1_900,
    first_audio: 2_200,
    first_frame_sent: 2_200,
  });
  expect(turn.words.map(({ who, text }) => [who, text])).toEqual([
    ['agent', 'Hello.'],
    ['user', 'hi there'],
  ]);
  const [stage] = turn.stages;
  expect(stage).toMatchObject({ name: 'realtime_inference', generation: response.id });
  expect(stage!.attributes).toMatchObject({
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-realtime',
    'gen_ai.usage.output_tokens': 60,
    'gen_ai.usage.audio.output_tokens': 48,
  });
  expect(call.engine.refusals).toEqual([]);
  expect(call.world.codes()).toEqual([]);
});

test('it ends when the answer has been heard out, not when it was generated', async () => {
  const call = new RealtimeCall();
  await call.says(600);
  call.engine.respond();
  await call.world.pass(200);
  call.engine.audio(sound(3_000, true));
  call.engine.done();
  await call.world.pass(10_000);
  const turn = only(await call.turns());
  expect(turn.endedAt! / MS).toBe(600 + 500 + 200 + 3_000);
});

test('the names of the beta say the same', async () => {
  const call = new RealtimeCall({ isBeta: true });
  await call.says(600);
  call.engine.respond();
  await call.world.pass(200);
  call.engine.audio(sound(200, true), 'Yes.');
  call.engine.done();
  const turn = only(await call.turns());
  expect(tickOf(turn.waits[0]!.opens)).toBe(ticks(600));
  expect(tickOf(turn.waits[0]!.closes)).toBe(0);
  expect(turn.words).toMatchObject([{ who: 'agent', text: 'Yes.' }]);
});

test('semantic VAD leaves an interval, as wide as its eagerness allows', async () => {
  const call = new RealtimeCall({
    audio: { input: { turn_detection: { type: 'semantic_vad', eagerness: 'high' } } },
  });
  await call.mic(1_000);
  await call.says(4_000);
  const turn = only(await call.turns());
  // It ended at 5.5 s of audio at the latest and 2 s before that at the earliest.
  expect(turn.waits[0]!.opens).toMatchObject({
    tick: ticks(4_500),
    source: 'semantic_vad',
    errorNs: 1_000 * MS,
  });
  expect(turn.waits[0]!.moments).toMatchObject([{ name: 'turn_decided', source: 'semantic_vad' }]);
});

test('push to talk: the turn is what was appended, and ends with the commit', async () => {
  const call = new RealtimeCall({ audio: { input: { turn_detection: null } } });
  await call.mic(500);
  call.client.send({ type: 'input_audio_buffer.clear' });
  await call.mic(800, true);
  call.client.send({ type: 'input_audio_buffer.commit' });
  await call.world.pass(40);
  call.client.send({ type: 'response.create' });
  await call.world.pass(300);
  call.engine.audio(sound(200, true));
  call.engine.done();
  const turn = only(await call.turns());
  expect(turn.tick).toBe(ticks(500));
  expect(turn.waits[0]!.opens).toMatchObject({ tick: ticks(1_300), source: 'push_to_talk' });
  expect(momentsOf(turn.waits[0])).toMatchObject({ turn_decided: 1_300, model_requested: 1_340 });
});

test('a barge-in is noticed, decided and cancelled, and the text of the answer is cut', async () => {
  const call = new RealtimeCall();
  await call.says(600);
  call.engine.respond();
  call.engine.audio(sound(4_000, true), 'A long answer that nobody wants');
  await call.mic(1_000);
  await call.says(700);
  call.engine.respond();
  call.engine.audio(sound(100, true), 'Sorry.');
  call.engine.done();
  await call.mic(1_000);
  const [first, second] = await call.turns();
  expect(first!.outcome).toBe('interrupted');
  expect(first!.waits[0]).toMatchObject({ outcome: 'interrupted_after' });
  expect(first!.bargeIn).toMatchObject({
    onsetTick: second!.tick,
    detectedAt: 2_200 * MS,
    decidedAt: 2_200 * MS,
    cancelledAt: 2_200 * MS,
    generatedTick: ticks(4_000),
  });
  expect(first!.words).toMatchObject([{ text: 'A long answer that nobody wants', cut: true }]);
  expect(second!.tick).toBe(ticks(2_100));
  expect(second!.outcome).toBe('completed');
});

test('an answer that is generated but not heard out is cut by a truncation', async () => {
  const call = new RealtimeCall();
  await call.says(600);
  const { itemId } = call.engine.respond();
  call.engine.audio(sound(5_000, true), 'Generated in no time.');
  call.engine.done();
  await call.mic(1_000);
  await call.mic(100, true);
  call.engine.speechStarted(call.engine.receivedMs - 400);
  await call.mic(200, true);
  call.client.send({
    type: 'conversation.item.truncate',
    item_id: itemId,
    content_index: 0,
    audio_end_ms: 1_100,
  });
  await call.mic(500);
  call.engine.speechStopped(call.engine.receivedMs);
  const [first, second] = await call.turns();
  expect(first!.outcome).toBe('interrupted');
  expect(first!.bargeIn?.cancelledAt).toBeGreaterThan(first!.bargeIn!.detectedAt!);
  expect(first!.words).toMatchObject([{ text: 'Generated in no time.', cut: true }]);
  expect(second!.waits.length).toBe(1);
  expect(call.engine.refusals).toEqual([]);
});

test('a user who goes on before anything was heard is in the same turn', async () => {
  const call = new RealtimeCall();
  await call.mic(400);
  await call.says(600);
  call.engine.respond();
  await call.mic(300);
  await call.says(900);
  call.engine.respond();
  await call.world.pass(250);
  call.engine.audio(sound(200, true));
  call.engine.done();
  const turn = only(await call.turns());
  expect(turn.tick).toBe(ticks(400));
  expect(tickOf(turn.waits[0]!.opens)).toBe(ticks(400 + 600 + 500 + 300 + 900));
  expect(turn.stages.map(stage => stage.discarded === true)).toEqual([true, false]);
});

test('a user who asks again after 4 s without an answer leaves a wait that was never answered', async () => {
  const call = new RealtimeCall();
  await call.says(600);
  await call.mic(4_000);
  await call.says(400);
  call.engine.respond();
  call.engine.audio(sound(200, true));
  call.engine.done();
  const [first, second] = await call.turns();
  expect(first!.waits).toMatchObject([{ kind: 'response', outcome: 'interrupted_before' }]);
  expect(second!.waits[0]!.closes).toBeDefined();
});

test('a filler, a tool and an answer are one turn of two waits', async () => {
  const call = new RealtimeCall();
  await call.says(600);
  call.engine.respond();
  await call.world.pass(300);
  call.engine.audio(sound(500, true), 'Let me check.');
  const callId = call.engine.call('lookup', '{"book":"Emma"}');
  call.engine.done();
  await call.world.pass(2_000);
  call.client.send({
    type: 'conversation.item.create',
    item: { type: 'function_call_output', call_id: callId, output: 'found' },
  });
  call.client.send({ type: 'response.create' });
  await call.world.pass(200);
  call.engine.audio(sound(300, true), 'It is here.');
  call.engine.done();
  await call.world.pass(2_000);
  const turn = only(await call.turns());
  expect(turn.waits.map(({ kind, closes }) => [kind, closes?.filler])).toEqual([
    ['response', true],
    ['resume', undefined],
  ]);
  // The filler was over at 1.9 s; from there on the agent owed the answer.
  expect(turn.waits[1]!.opens).toMatchObject({ at: 1_900 * MS });
  expect(momentsOf(turn.waits[1])).toMatchObject({
    tool_ended: 3_400,
    model_requested: 3_400,
    first_audio: 3_600,
  });
  expect(turn.stages.map(stage => stage.name)).toEqual([
    'realtime_inference',
    'tool',
    'realtime_inference',
  ]);
  expect(turn.words.filter(({ who }) => who === 'tool').map(({ text }) => text)).toEqual([
    'lookup({"book":"Emma"})',
    'found',
  ]);
  expect(call.engine.refusals).toEqual([]);
});

test('a transcript that comes after the answer still belongs to its turn', async () => {
  const call = new RealtimeCall();
  const item = await call.says(600);
  call.engine.respond();
  call.engine.audio(sound(200, true));
  call.engine.done();
  await call.world.pass(2_500);
  const next = await call.says(500);
  call.engine.transcribed(item, 'the first thing');
  call.engine.transcribed(next, 'the second thing');
  const turns = await call.turns();
  expect(turns.map(turn => turn.words.map(({ text }) => text))).toEqual([
    ['the first thing'],
    ['the second thing'],
  ]);
  // It waited for its words, and says when it was over all the same.
  expect(turns[0]!.endedAt! / MS).toBe(1_300);
});

test('a transcript that never comes holds a turn for 5 s and no longer', async () => {
  const call = new RealtimeCall();
  await call.says(600);
  call.engine.respond();
  call.engine.audio(sound(200, true));
  call.engine.done();
  await call.world.pass(20_000);
  const ended = call.world.states().flatMap(state => state.turns ?? []);
  expect(ended.at(-1)).toMatchObject({ outcome: 'completed', endedAt: 1_300 * MS });
});

test('the agent that speaks first owes a greeting from the request on', async () => {
  const call = new RealtimeCall();
  await call.world.pass(100);
  call.client.send({ type: 'response.create' });
  await call.world.pass(400);
  call.engine.audio(sound(60, false));
  call.engine.audio(sound(300, true), 'Good morning.');
  call.engine.done();
  const turn = only(await call.turns());
  expect(turn).toMatchObject({ stream: 'agent', outcome: 'completed' });
  expect(turn.waits).toMatchObject([
    { kind: 'greeting', opens: { at: 100 * MS }, closes: { tick: ticks(60) } },
  ]);
});

test('a response that makes no sound outside a turn is none; a greeting that never comes is a wait', async () => {
  const quiet = new RealtimeCall();
  quiet.client.send({ type: 'response.create' });
  await quiet.world.pass(300);
  quiet.engine.done();
  await quiet.world.pass(300);
  expect(await quiet.turns()).toEqual([]);
  const silent = new RealtimeCall();
  await silent.world.pass(100);
  silent.client.send({ type: 'response.create' });
  await silent.world.pass(2_000);
  expect(await silent.turns()).toMatchObject([
    { outcome: 'abandoned', waits: [{ kind: 'greeting', opens: { at: 100 * MS } }] },
  ]);
});

test('a connection that is lost and made anew goes on with the same streams', async () => {
  const call = new RealtimeCall();
  await call.mic(400);
  await call.says(600);
  call.engine.respond();
  call.engine.audio(sound(200, true));
  call.connect();
  await call.mic(1_000);
  await call.says(800);
  call.engine.respond();
  await call.world.pass(100);
  call.engine.audio(sound(200, true));
  call.engine.done();
  const turns = await call.turns();
  // The vendor's clock began again at 0; ours did not.
  expect(turns.map(turn => turn.tick)).toEqual([ticks(400), ticks(1_500 + 1_000)]);
  expect(tickOf(turns[1]!.waits[0]!.opens)).toBe(ticks(1_500 + 1_800));
  expect(tickOf(turns[1]!.waits[0]!.closes)).toBe(ticks(200));
  expect(call.world.codes()).toEqual([]);
});

test('a client that recovers by itself begins a new clock of the vendor, on the same media clock', async () => {
  const call = new RealtimeCall();
  await call.mic(400);
  await call.says(600);
  call.engine.respond();
  await call.world.pass(100);
  call.client.recover();
  await call.mic(2_000);
  await call.says(500);
  const [first, second] = await call.turns();
  expect(first!.stages).toMatchObject([{ error: 'the connection was lost', discarded: true }]);
  expect(second!.tick).toBe(ticks(1_500 + 2_000));
  expect(tickOf(second!.waits[0]!.opens)).toBe(ticks(1_500 + 2_500));
});

test('a response that fails is an attempt of its provider, and the wait fails with it', async () => {
  const call = new RealtimeCall();
  await call.says(600);
  call.engine.respond();
  await call.world.pass(900);
  call.engine.done({ status: 'failed', error: 'rate_limit_exceeded' });
  await call.mic(3_000);
  const turn = only(await call.turns());
  expect(turn).toMatchObject({ outcome: 'failed' });
  expect(turn.waits).toMatchObject([{ outcome: 'failed' }]);
  expect(turn.stages).toMatchObject([{ error: 'rate_limit_exceeded' }]);
});

test('every sample that was appended or came is marked once', async () => {
  const call = new RealtimeCall();
  await call.says(600);
  call.engine.respond();
  for (let i = 0; i < 5; i++) call.engine.audio(sound(100, true));
  call.engine.done();
  await call.turns();
  const columns = call.world
    .records()
    .flatMap(record => record.blocks)
    .flatMap(block => block.columns.map(column => ({ stream: block.stream, column })));
  const passed = (stream: string): number =>
    columns
      .filter(one => one.stream === stream)
      .reduce((sum, { column }) => {
        let own = 0;
        for (let i = 0; i < column.length; i++) own += column.endTick[i]! - column.startTick[i]!;
        return sum + own;
      }, 0);
  expect([passed('mic'), passed('agent')]).toEqual([ticks(1_100), ticks(500)]);
});
