// What adapters tell of lineage: at which rate a vendor counts, and which words came
// of which sound.

import type { LineageState } from '@framescope/protocol';
import { sound } from '@framescope/testkit/sound';
import { traceOpenAIRealtime } from '@framescope/instrument/openai-realtime';
import { expect, test } from 'vitest';
import { FakeClient, RealtimeCall } from './support/realtime-client.ts';
import { World } from './support/world.ts';

const told = (world: World): LineageState[] =>
  world.states().flatMap(state => [...(state.lineage ?? [])]);

const picture = (world: World): string[] =>
  told(world).map(one =>
    one.kind === 'segment'
      ? `${one.stream}.${one.hop} from sample ${one.sample} at tick ${one.tick}, ${one.samples} are ${one.ticks}`
      : `${one.who} ${one.fromTick}–${one.toTick} ${one.text} (${one.quality})`,
  );

test('transcripts of both sides belong to the sound that they were made of', async () => {
  const call = new RealtimeCall();
  await call.mic(400);
  const item = await call.says(1_000);
  call.engine.respond();
  await call.world.pass(300);
  call.engine.audio(sound(100, false));
  call.engine.audio(sound(200, true), 'Hello.');
  call.engine.done();
  call.engine.transcribed(item, 'hi there');
  await call.mic(1_000);
  await call.turns();
  // Streams of the vendor's own rate: nothing bends.
  expect(picture(call.world)).toEqual([
    `agent 0–${300 * 24} Hello. (reported)`,
    `user ${400 * 24}–${1_400 * 24} hi there (reported)`,
  ]);
});

test('a vendor that counts at another rate than the stream is told as a segment', async () => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  const mic = session.stream('mic', { sampleRate: 16_000 });
  const client = new FakeClient();
  traceOpenAIRealtime(client, { session, mic });
  client.engine.open();
  for (let i = 0; i < 3; i++) {
    await world.pass(20);
    client.send({ type: 'input_audio_buffer.append', audio: sound(20, false) });
  }
  await world.pass(1_000);
  expect(picture(world)).toEqual(['mic.send from sample 0 at tick 0, 3 are 2']);
  expect(mic.hop('send').nextTick).toBe(960);
});

test('a connection that is made anew goes on where the stream stands, and says so', async () => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  const connect = async (): Promise<void> => {
    const client = new FakeClient();
    const { stop } = traceOpenAIRealtime(client, { session });
    client.engine.open();
    await world.pass(20);
    client.send({ type: 'input_audio_buffer.append', audio: sound(20, false) });
    stop();
  };
  await connect();
  await connect();
  await world.pass(1_000);
  expect(picture(world)).toEqual(['mic.send from sample 0 at tick 480, 1 are 1']);
});
