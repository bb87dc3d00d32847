// The Live API says nothing of turns: they are inferred from energy, and say so.

import { EventEmitter } from 'node:events';
import { traceOpenAIRealtime } from '@framescope/instrument/openai-realtime';
import { NS_PER_MS, type TurnState } from '@framescope/protocol';
import { sound } from '@framescope/testkit/sound';
import { expect, test } from 'vitest';
import { World } from './support/world.ts';

class LiveClient extends EventEmitter {
  send(_event: unknown): void {}
}

/** Both directions as rows of 100 ms: `#` is voiced, `.` is not. */
async function duplex(
  user: string,
  agent: string,
): Promise<{ turns: TurnState[]; codes: string[] }> {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const client = new LiveClient();
  traceOpenAIRealtime(client, { session: call });
  client.send({ type: 'session.start', session: { model: 'gpt-live-1' } });
  client.emit('event', { type: 'session.started', session: { model: 'gpt-live-1' } });
  for (let i = 0; i < user.length; i++) {
    await world.pass(100);
    client.send({ type: 'session.input_audio.append', audio: sound(100, user[i] === '#') });
    const delta = sound(100, agent[i] === '#');
    client.emit('event', { type: 'session.output_audio.delta', delta });
  }
  const ended = call.end();
  await world.pass(6_000);
  await ended;
  const last = new Map<number, TurnState>();
  for (const turn of world.states().flatMap(state => state.turns ?? [])) last.set(turn.tick, turn);
  return {
    turns: [...last.values()].toSorted((a, b) => a.startedAt - b.startedAt),
    codes: world.codes(),
  };
}

const ticks = (ms: number): number => ms * 24;
const transferOf = (turn: TurnState | undefined): number =>
  Number(
    turn?.stages.find(one => one.name === 'floor_transfer')?.attributes?.[
      'framescope.floor_transfer_ns'
    ],
  ) / NS_PER_MS;

test('an utterance and its answer are a turn, and every moment of it is called inferred', async () => {
  const { turns, codes } = await duplex(
    '....########................',
    '..................######....',
  );
  expect(turns.length).toBe(1);
  const [wait] = turns[0]!.waits;
  expect(turns[0]!.tick).toBe(ticks(400));
  expect(wait).toMatchObject({
    opens: { tick: ticks(1_200), source: 'inferred:energy' },
    closes: { tick: ticks(1_800), source: 'inferred:energy' },
  });
  expect(wait!.moments.map(({ name, source }) => [name, source])).toEqual([
    ['first_audio', 'realtime inferred:energy'],
    ['first_frame_sent', 'realtime inferred:energy'],
  ]);
  expect(transferOf(turns[0])).toBe(600);
  expect(codes).toEqual([]);
});

test('an agent that begins before the user is done owed nothing: the transfer is negative', async () => {
  const { turns } = await duplex('....########............', '..........##########....');
  expect(turns.length).toBe(1);
  expect(turns[0]!.waits).toEqual([]);
  expect(transferOf(turns[0])).toBe(-200);
});

test('a short word while the agent goes on is a backchannel and no turn', async () => {
  const { turns } = await duplex(
    '....####................####..................',
    '............######################............',
  );
  expect(turns.map(turn => [turn.tick, turn.outcome])).toEqual([[ticks(400), 'completed']]);
});

test('a user who takes the floor from the agent interrupts it', async () => {
  const { turns } = await duplex(
    '....####............############..............',
    '............#############.................####',
  );
  expect(turns.map(turn => [turn.tick, turn.outcome])).toEqual([
    [ticks(400), 'interrupted'],
    [ticks(2_000), 'completed'],
  ]);
  expect(turns[0]!.bargeIn).toMatchObject({ onsetTick: ticks(2_000) });
  expect(turns[1]!.waits).toMatchObject([
    { opens: { tick: ticks(3_200) }, closes: { tick: ticks(4_200) } },
  ]);
});

/** 20 ms a number: loudness of a tone, 0 to 9. */
function loudness(levels: readonly number[]): string[] {
  const chunks: string[] = [];
  for (let at = 0; at < levels.length; at += 5) {
    const samples = new Int16Array(2_400);
    for (let i = 0; i < samples.length; i++) {
      const level = levels[at + Math.floor(i / 480)] ?? 0;
      samples[i] = level * 1_200 * Math.sin((2 * Math.PI * 300 * i) / 24_000);
    }
    chunks.push(Buffer.from(samples.buffer).toString('base64'));
  }
  return chunks;
}

/** Syllables: loud and quiet by turns, never the same twice. */
function syllables(count: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length: count }, (_, i) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return i % 7 === 6 ? 1 : 3 + Math.floor((state / 2 ** 32) * 6);
  });
}

async function spokenOver(user: number[], agent: number[]): Promise<TurnState[]> {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const client = new LiveClient();
  traceOpenAIRealtime(client, { session: call });
  client.send({ type: 'session.start', session: { model: 'gpt-live-1' } });
  client.emit('event', { type: 'session.started', session: { model: 'gpt-live-1' } });
  const [up, down] = [loudness(user), loudness(agent)];
  for (let i = 0; i < up.length; i++) {
    await world.pass(100);
    client.send({ type: 'session.input_audio.append', audio: up[i]! });
    client.emit('event', { type: 'session.output_audio.delta', delta: down[i]! });
  }
  const ended = call.end();
  await world.pass(6_000);
  await ended;
  const last = new Map<number, TurnState>();
  for (const turn of world.states().flatMap(state => state.turns ?? [])) last.set(turn.tick, turn);
  return [...last.values()].toSorted((a, b) => a.startedAt - b.startedAt);
}

const silence = (count: number): number[] => Array.from({ length: count }, () => 0);

test('an agent that is stopped by its own sound, later and quieter, is told to have heard an echo', async () => {
  const question = [...silence(20), ...syllables(40, 1)];
  const answer = syllables(90, 2);
  const agent = [...silence(85), ...answer, ...silence(105)];
  const echoed = [...question, ...silence(40), ...answer.map(level => level * 0.5), ...silence(90)];
  const [first] = await spokenOver(echoed.slice(0, 280), agent.slice(0, 280));
  expect(first?.bargeIn?.echo).toBeGreaterThan(0.9);
  const spoken = [...question, ...silence(40), ...syllables(90, 3), ...silence(90)];
  const [other] = await spokenOver(spoken.slice(0, 280), agent.slice(0, 280));
  expect(other?.bargeIn?.echo).toBeLessThan(0.8);
});

test('a short word over the agent is counted as a backchannel', async () => {
  const { turns } = await duplex(
    '....####................####..................',
    '............######################............',
  );
  expect(turns.map(turn => [turn.backchannels, turn.bargeIn])).toEqual([[1, undefined]]);
});

test('a cough is no utterance, and an agent that speaks first greets', async () => {
  const { turns } = await duplex('..##......##........', '....########........');
  expect(turns).toMatchObject([
    { stream: 'agent', waits: [{ kind: 'greeting', closes: { tick: ticks(400) } }] },
  ]);
  expect(turns.length).toBe(1);
});
