import { Link } from '@framescope/instrument';
import { anchorFromText } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { picture } from './support/picture.ts';
import { MS, World } from './support/world.ts';

/** A client and an agent in one world; the agent's clock is 3.7 s ahead. */
function pair(world: World, offsetMs = 3_700) {
  const client = world.scope({ role: 'client' }).startSession({ id: 'call' });
  const clock = world.clock('00000000000000c2', offsetMs * MS);
  const agent = world.scope({ role: 'agent', clock }).startSession({ id: 'call' });
  return { client, agent, up: new Link(client), down: new Link(agent) };
}

test('an anchor is due at the start and each second, and says where the next frame starts', async () => {
  const world = new World();
  const { client, up } = pair(world);
  const mic = client.stream('mic');
  const ticks: (number | undefined)[] = [];
  for (let i = 0; i < 101; i++) {
    mic.hop('capture').mark(320);
    const text = up.anchor(mic);
    if (text !== undefined) ticks.push(anchorFromText(text)?.tick);
    mic.hop('send').mark(320);
    await world.pass(20);
  }
  expect(ticks).toEqual([0, 16_000, 32_000]);
});

test('an anchor is due at once after a jump', () => {
  const world = new World();
  const { client, up } = pair(world);
  const mic = client.stream('mic');
  const send = mic.hop('send');
  const anchored = (): number | undefined => {
    const text = up.anchor(mic);
    return text === undefined ? undefined : anchorFromText(text)?.tick;
  };
  expect(anchored()).toBe(0);
  send.mark(320);
  expect(anchored()).toBe(undefined);
  mic.drop('send', 320, 640);
  expect(anchored()).toBe(960);
  send.mark(320);
  expect(anchored()).toBe(undefined);
});

test('an anchor and its echo give the four stamps of a clock exchange', async () => {
  const world = new World();
  const { client, agent, up, down } = pair(world);
  const text = up.anchor(client.stream('mic'));
  await world.pass(30); // the way there
  expect(down.untag(text)).toBe(undefined);
  await world.pass(200); // held
  const answer = down.anchor(agent.stream('agent'));
  await world.pass(10); // the way back
  expect(up.untag(answer)).toBe(undefined);
  await world.pass(1_000);
  const samples = world.records().flatMap(record => record.clockSamples);
  const stamps = samples.map(({ peer, t1, t2, t3, t4 }) => [
    peer,
    ...[t1, t2, t3, t4].map(t => t / MS),
  ]);
  expect(stamps).toEqual([['00000000000000c2', 0, 3_730, 3_930, 240]]);
});

test('who joins late is put where the peer stands; each hop gets there in its own time', async () => {
  const world = new World();
  const { client, agent, up, down } = pair(world, 0);
  const mic = client.stream('mic');
  const heard = agent.stream('mic');
  const send = mic.hop('send');
  send.markAt(32_000, 320);
  expect(down.untag(up.anchor(mic))).toBe(undefined);
  for (let i = 0; i < 2; i++) {
    send.mark(320);
    heard.hop('receive').mark(320);
  }
  heard.hop('decode').mark(320);
  mic.drop('send', 32_960, 640);
  expect(down.untag(up.anchor(mic))).toBe(undefined);
  heard.hop('receive').mark(320);
  // One frame from before the jump was still on its way to the decoder.
  heard.hop('decode').mark(320);
  heard.hop('decode').mark(320);
  await world.pass(1_000);
  expect(picture(world.records()).filter(line => line.startsWith('mic.agent'))).toEqual([
    'mic.agent/receive 32320-32640@0 32640-32960@0 33600-33920@0',
    'mic.agent/decode 32320-32640@0 32640-32960@0 33600-33920@0',
  ]);
});

test('audio and the messages of others pass through untag as they are', () => {
  const { down } = pair(new World());
  const pcm = new Uint8Array(640);
  const messages = [
    pcm,
    pcm.buffer,
    '{"type":"hello"}',
    '{"framescope":"not base64!"}',
    '',
    7,
    null,
  ];
  expect(messages.map(message => down.untag(message))).toEqual(messages);
});

test('an anchor that came as bytes is taken out as well', () => {
  const { client, agent, up, down } = pair(new World());
  const mic = client.stream('mic', { sampleRate: 48_000 });
  expect(down.untag(Buffer.from(up.anchor(mic) ?? ''))).toBe(undefined);
  expect(agent.stream('mic').sampleRate).toBe(48_000);
});

test('an anchor of another session is taken out, not followed, and told', () => {
  const world = new World();
  const { client, up } = pair(world);
  const other = world.scope().startSession({ id: 'other call' });
  expect(new Link(other).untag(up.anchor(client.stream('mic')))).toBe(undefined);
  expect(world.codes()).toEqual(['foreign_anchor']);
});

test('a re-chunker that is ahead does not make the receive hop jump back', async () => {
  const world = new World();
  const { client, agent, up, down } = pair(world);
  const [mic, heard] = [client.stream('mic'), agent.stream('mic')];
  down.untag(up.anchor(mic) ?? '');
  for (let i = 0; i < 5; i++) {
    mic.hop('send').mark(320);
    heard.hop('receive').mark(320);
  }
  heard.hop('regroup').mark(1_920); // filled a hole: it stands at 1920, receive at 1600
  await world.pass(1_000);
  expect(down.untag(up.anchor(mic) ?? 'no anchor was due')).toBe(undefined);
  heard.hop('receive').mark(320);
  expect(heard.hop('receive').nextTick).toBe(1_920);
});
