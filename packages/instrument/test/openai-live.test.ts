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

test('a cough is no utterance, and an agent that speaks first greets', async () => {
  const { turns } = await duplex('..##......##........', '....########........');
  expect(turns).toMatchObject([
    { stream: 'agent', waits: [{ kind: 'greeting', closes: { tick: ticks(400) } }] },
  ]);
  expect(turns.length).toBe(1);
});
