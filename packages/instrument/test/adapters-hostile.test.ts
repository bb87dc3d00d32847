// Adapters stand in the middle of somebody's call: whatever events come, in
// whatever order, the client goes on as if nobody were listening. The long form is
// hostile-long.e2e.test.ts.

import {
  traceLiveKitRoom,
  traceOpenAIRealtime,
  tracePipecatClient,
  traceTwilioMediaStream,
} from '@framescope/instrument/adapters';
import { mulaw, sound } from '@framescope/testkit/sound';
import { expect, test } from 'vitest';
import {
  checkFrameworkClient,
  checkRealtimeClient,
  checkTelephoneLine,
  Client,
  trap,
} from './support/hostile-adapters.ts';
import { World } from './support/world.ts';

test('a realtime client is not disturbed by any events in any order', async () => {
  await expect(checkRealtimeClient(300)).resolves.toBeUndefined();
});

test('a telephone line is not disturbed by any messages in any order', async () => {
  await expect(checkTelephoneLine(300)).resolves.toBeUndefined();
});

test.each(['pipecat', 'livekit'] as const)(
  'a client of %s is not disturbed by any events in any order',
  async framework => {
    await expect(checkFrameworkClient(framework, 150)).resolves.toBeUndefined();
  },
);

test('what the client throws is the client’s to throw, and nothing is marked as sent', () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const client = new Client();
  client.answer = () => {
    throw new Error('theirs');
  };
  traceTwilioMediaStream(client, { session: call });
  const payload = mulaw(20, true);
  const media = (): unknown => client.send(JSON.stringify({ event: 'media', media: { payload } }));
  expect(media).toThrow('theirs');
  expect(call.stream('agent').hop('send').nextTick).toBe(0);
});

test('stopping puts the client back as it was, and a wrapper put on later stays', () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const client = new Client();
  const before = { keys: Object.keys(client), send: client.send };
  const trace = traceOpenAIRealtime(client, { session: call });
  expect(Object.keys(client)).toEqual(before.keys);
  expect(client.send).not.toBe(before.send);
  trace.stop();
  expect(client.send).toBe(before.send);
  expect(client.listenerCount('event')).toBe(0);
  const again = traceOpenAIRealtime(client, { session: call });
  const ours = client.send.bind(client);
  const theirs = (event: unknown): unknown => ours(event);
  client.send = theirs;
  again.stop();
  expect(client.send).toBe(theirs);
  expect(client.send({ type: 'response.create' })).toBe('its own answer');
});

test('a client that is none is told as a problem, and no session costs nothing', () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  for (const thing of [undefined, null, 7, {}, Object.freeze({ on: 1, send: 2 })])
    traceOpenAIRealtime(thing as never, { session: call }).stop();
  expect(world.codes()).toEqual(['adapter_target']);
  for (const options of [undefined, null, {}, { session: {} }, { scope: 1 }]) {
    const client = new Client();
    traceOpenAIRealtime(client, options as never);
    client.emit('event', { type: 'input_audio_buffer.speech_started', audio_start_ms: 1 });
    expect(client.send({})).toBe('its own answer');
  }
});

test('an hour of events with IDs that never come back holds bounded state', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const client = new Client();
  traceOpenAIRealtime(client, { session: call });
  for (let i = 0; i < 600; i++) {
    const item_id = `item${i}`;
    const response_id = `resp${i}`;
    const audio_start_ms = i * 20;
    client.send({ type: 'input_audio_buffer.append', audio: sound(20, true) });
    client.emit('event', { type: 'input_audio_buffer.speech_started', audio_start_ms, item_id });
    client.emit('event', { type: 'input_audio_buffer.committed', item_id });
    client.emit('event', { type: 'response.created', response: { id: response_id } });
    client.emit('event', {
      type: 'response.output_audio.delta',
      response_id,
      item_id,
      delta: sound(20, true),
    });
    await world.pass(1_000);
  }
  await world.pass(1_000);
  const told = world.states().flatMap(state => state.turns ?? []);
  const last = new Map(told.map(turn => [turn.tick, turn]));
  expect(last.size).toBeGreaterThan(500);
  const open = [...last.values()].filter(turn => turn.endedAt === undefined);
  expect(open.length).toBeLessThanOrEqual(16);
});

test('options that throw at every touch are as good as none', () => {
  const world = new World();
  const scope = world.scope();
  const adapters = [
    traceLiveKitRoom,
    traceOpenAIRealtime,
    tracePipecatClient,
    traceTwilioMediaStream,
  ];
  for (const one of adapters)
    expect(one(new Client() as never, trap() as never).session.id).toMatch(/-[0-9a-f]{16}$/);
  expect(scope.stats().openSessions).toBe(4);
  expect(world.codes()).not.toContain('internal');
});
