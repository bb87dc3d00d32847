import type { TurnState } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { MS, World } from './support/world.ts';

function calling(world: World) {
  const call = world.scope().startSession({ id: 'call' });
  return { call, mic: call.stream('mic'), agent: call.stream('agent') };
}

const ms = (ns: number): string => String(ns / MS);

/** Waits as lines: `response mic:3200 vad±20 | turn_decided@500 … | agent:1600 energy±20`. */
function waits(turn: TurnState): string[] {
  return turn.waits.map(({ kind, opens, closes, moments, outcome }) => {
    const place = 'tick' in opens ? `${opens.stream}:${opens.tick}` : `@${ms(opens.at)}`;
    const happened = moments.map(({ name, at, generation }) =>
      [name, '@', ms(at), generation === undefined ? '' : `/${generation}`].join(''),
    );
    const end =
      closes === undefined
        ? ''
        : `${closes.stream}:${closes.tick}${closes.filler ? ' filler' : ''}`;
    return [
      `${kind} ${place} ${opens.source}±${ms(opens.errorNs)}`,
      happened.join(' '),
      [end, outcome].join(' ').trim(),
    ].join(' | ');
  });
}

test('stages double as moments of the wait, those from before it opened as well', async () => {
  const world = new World();
  const { call, mic, agent } = calling(world);
  const turn = call.startTurn({ stream: mic, at: 0 });
  const stt = turn.stage('stt');
  await world.pass(380);
  stt.end();
  const llm = turn.stage('llm', { generation: 'g1' });
  await world.pass(120);
  turn.speechEnded({ tick: 3_200, source: 'vad', errorMs: 20 });
  turn.stage('endpointing').end();
  llm.first();
  const tts = turn.stage('tts');
  await world.pass(190);
  tts.first();
  turn.firstVoiced({ stream: agent, tick: 1_600 });
  expect(waits(turn.snapshot())).toEqual([
    'response mic:3200 vad±20 | ' +
      'transcript_final@380 model_requested@380/g1 turn_decided@500 first_speakable@500/g1 speech_text_sent@500 first_audio@690 | ' +
      'agent:1600',
  ]);
});

test('a moment that the user tells wins over the one a stage implies, in either order', async () => {
  const world = new World();
  const { call, mic } = calling(world);
  const turn = call.startTurn({ stream: mic, at: 0 });
  turn.speechEnded({ tick: 3_200 });
  turn.moment('model_requested');
  await world.pass(10);
  const llm = turn.stage('llm');
  llm.first();
  await world.pass(10);
  turn.moment('first_speakable', { source: 'service' });
  expect(waits(turn.snapshot())).toEqual([
    'response mic:3200 vad±20 | model_requested@0 first_speakable@20 | ',
  ]);
});

test('when the user goes on, the last end of speech counts and the decision is void', async () => {
  const world = new World();
  const { call, mic } = calling(world);
  const turn = call.startTurn({ stream: mic, at: 0 });
  turn.speechEnded({ tick: 3_200 });
  turn.moment('turn_decided');
  turn.speechEnded({ tick: 9_600 });
  turn.moment('turn_decided', { at: world.clock().now() });
  expect(waits(turn.snapshot())).toEqual(['response mic:9600 vad±20 | turn_decided@0 | ']);
});

test('a filler ends the response; the resume wait is another one', async () => {
  const world = new World();
  const { call, mic, agent } = calling(world);
  const turn = call.startTurn({ stream: mic, at: 0 });
  turn.speechEnded({ tick: 3_200 });
  turn.firstVoiced({ stream: agent, tick: 100, filler: true });
  await world.pass(900);
  turn.wait('resume', { source: 'filler' });
  const tool = turn.stage('tool');
  await world.pass(400);
  tool.end();
  turn.firstVoiced({ stream: agent, tick: 20_000 });
  turn.end();
  expect(waits(turn.snapshot())).toEqual([
    'response mic:3200 vad±20 |  | agent:100 filler',
    'resume @900 filler±0 | tool_started@900 tool_ended@1300 | agent:20000',
  ]);
});

test.each([
  ['completed', 'none'],
  ['abandoned', 'abandoned'],
  ['failed', 'failed'],
  ['interrupted', 'interrupted_before'],
] as const)('a turn that ends %s before the agent spoke leaves its wait %s', (outcome, wait) => {
  const { call } = calling(new World());
  const turn = call.startTurn({ at: 0 });
  turn.speechEnded({ tick: 3_200 });
  turn.end({ outcome });
  expect(turn.snapshot().waits[0]?.outcome).toBe(wait);
});

test('a barge-in that was decided makes the turn interrupted, the wait valid', async () => {
  const world = new World();
  const { call, agent } = calling(world);
  const turn = call.startTurn({ at: 0 });
  turn.speechEnded({ tick: 3_200 });
  turn.firstVoiced({ stream: agent, tick: 1_600 });
  const bargeIn = turn.bargeIn({ onsetTick: 40_000 });
  await world.pass(120);
  bargeIn.detected();
  await world.pass(80);
  bargeIn.decided().cancelled({ generatedTick: 64_000 });
  turn.end();
  const state = turn.snapshot();
  expect(state.bargeIn).toEqual({
    onsetTick: 40_000,
    detectedAt: 120 * MS,
    decidedAt: 200 * MS,
    cancelledAt: 200 * MS,
    generatedTick: 64_000,
  });
  expect([state.outcome, state.waits[0]?.outcome]).toEqual(['interrupted', 'interrupted_after']);
});

test('a greeting is a turn of its own whose wait is open from the start', async () => {
  const world = new World();
  const { call, agent } = calling(world);
  const greeting = call.greeting({ source: 'answered' });
  await world.pass(700);
  greeting.firstVoiced({ stream: agent, tick: 800 });
  expect(waits(greeting.snapshot())).toEqual(['greeting @0 answered±0 |  | agent:800']);
  expect(call.startTurn({ at: 0 }).tick).not.toBe(greeting.tick);
});

test('an open turn is told while it runs, whole, and again when it changed', async () => {
  const world = new World();
  const { call } = calling(world);
  const turn = call.startTurn({ at: 0 });
  await world.pass(1_000);
  await world.pass(1_000);
  turn.heard('Hello?');
  turn.said('Good morning, how', { cut: true });
  turn.end();
  await world.pass(1_000);
  const told = world.states().flatMap(state => state.turns ?? []);
  expect(told.map(one => one.words.map(({ who, text, cut }) => ({ who, text, cut })))).toEqual([
    [],
    [
      { who: 'user', text: 'Hello?', cut: undefined },
      { who: 'agent', text: 'Good morning, how', cut: true },
    ],
  ]);
  expect(told[1]!.rev).toBeGreaterThan(told[0]!.rev);
  expect(told[1]!.endedAt).toBe(2_000 * MS);
});

test('a turn that was told is told by what changed, each tenth time whole', async () => {
  const world = new World();
  const { call } = calling(world);
  const turn = call.startTurn({ at: 0 });
  for (let second = 0; second < 12; second++) {
    turn.heard(`word ${second}`);
    await world.pass(1_000);
  }
  const told = world.toldStates();
  expect(told.map(({ turns = [], changes = [] }) => `${turns.length} ${changes.length}`)).toEqual([
    '1 0',
    ...Array.from({ length: 9 }, () => '0 1'),
    '1 0',
    '0 1',
  ]);
  const [change] = told[3]!.changes!;
  expect(told[3]!.v).toBe(2);
  expect(change).toMatchObject({
    base: change!.rev - 1,
    set: { words: { 3: { text: 'word 3' } } },
  });
  expect(Object.keys(change!.set)).toEqual(['words']);
  expect(
    world
      .states()
      .at(-1)!
      .turns![0]!.words.map(({ text }) => text),
  ).toEqual(Array.from({ length: 12 }, (_, i) => `word ${i}`));
});

test('after a flush that was refused, a turn is told whole, and changes that stood on it tell nothing', async () => {
  const world = new World();
  const { call } = calling(world);
  const turn = call.startTurn({ at: 0 });
  await world.pass(1_000);
  turn.heard('lost');
  world.answers.push({ status: 400 });
  await world.pass(1_000);
  turn.heard('kept');
  await world.pass(1_000);
  turn.end();
  await world.pass(2_000);
  const last = world.toldStates().slice(1);
  expect(last[0]!.turns?.[0]?.words.map(({ text }) => text)).toEqual(['lost', 'kept']);
  expect(
    last
      .slice(1)
      .flatMap(({ changes = [] }) => changes)
      .at(-1)!.set,
  ).toMatchObject({
    outcome: 'completed',
  });
});

test('words over 4,000 characters are cut', () => {
  const turn = calling(new World()).call.startTurn({ at: 0 });
  turn.heard('a'.repeat(4_000));
  turn.heard('b'.repeat(4_001));
  expect(turn.snapshot().words.map(({ text }) => text.length)).toEqual([4_000, 4_000]);
});

test('samples of a turn are in its trace; those between turns in the trace of the session', () => {
  const { call, mic } = calling(new World());
  mic.hop('receive').mark(16_000);
  const turn = call.startTurn({ stream: mic, at: 8_000 });
  mic.hop('receive').mark(16_000);
  turn.end();
  expect(
    [7_999, 8_000, 31_999, 32_000].map(at => call.traceIdOf(mic, at) === turn.traceId),
  ).toEqual([false, true, true, false]);
  expect(call.traceIdOf(mic, 0)).toBe(call.traceId);
  expect(call.traceparent(mic, 8_000)).toBe(`00-${turn.traceId}-${turn.spanId}-01`);
});

test('nothing changes in a turn that has ended', () => {
  const world = new World();
  const turn = calling(world).call.startTurn({ at: 0 });
  turn.end();
  const before = turn.snapshot();
  turn.heard('late');
  turn.moment('turn_decided');
  turn.end({ outcome: 'failed' });
  expect(turn.snapshot()).toEqual(before);
  expect(world.codes()).toEqual(['turn_ended']);
});

test('the session is told first, each tenth time, and when it changed', async () => {
  const world = new World();
  const { call } = calling(world);
  await world.pass(12_000);
  call.stream('second', { sampleRate: 48_000, direction: 'down' });
  await world.pass(1_000);
  const flushes = world.received.flatMap(({ state }, i) =>
    state?.session === undefined ? [] : [i],
  );
  expect(flushes).toEqual([0, 10, 12]);
  expect(world.states().at(-1)?.session).toMatchObject({
    authority: true,
    flushNs: 1_000 * MS,
    streams: [
      { name: 'mic', sampleRate: 16_000, direction: 'up' },
      { name: 'agent', sampleRate: 16_000, direction: 'down' },
      { name: 'second', sampleRate: 48_000, direction: 'down' },
    ],
  });
});
