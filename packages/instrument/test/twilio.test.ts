import { mulaw } from '@framescope/testkit/sound';
import { expect, test } from 'vitest';
import { FakeClient } from './support/realtime-client.ts';
import { TwilioCall } from './support/twilio-socket.ts';
import { traceOpenAIRealtime } from '@framescope/instrument/openai-realtime';

test('the caller’s audio stands where Twilio’s media clock says', async () => {
  const call = new TwilioCall();
  await call.mic(60);
  const marks = await call.marks();
  expect(marks.get('mic.agent/receive')).toEqual(['0+160@20', '160+160@40', '320+160@60']);
  expect(call.session.stream('mic').sampleRate).toBe(8_000);
  expect(call.world.codes()).toEqual([]);
});

test('what the network lost on the way to Twilio’s server is a hole in the ticks', async () => {
  const call = new TwilioCall();
  await call.mic(40);
  call.line.lose();
  call.line.lose();
  await call.mic(40);
  const marks = await call.marks();
  expect(marks.get('mic.agent/receive')).toEqual([
    '0+160@20',
    '160+160@40',
    '640+160@60',
    '800+160@80',
  ]);
});

test('a timestamp that wavers by less than a chunk moves nothing', async () => {
  const call = new TwilioCall();
  await call.mic(20);
  const chunk = (number: number, timestamp: number): void => {
    const media = {
      track: 'inbound',
      chunk: String(number),
      timestamp: String(timestamp),
      payload: mulaw(20, false),
    };
    call.socket.emit(
      'message',
      Buffer.from(JSON.stringify({ event: 'media', streamSid: 'MZ', media })),
    );
  };
  chunk(2, 27);
  chunk(3, 39);
  // Out of order: it stands where it belongs, and what follows is not moved by it.
  chunk(2, 20);
  chunk(4, 60);
  const marks = await call.marks();
  expect(marks.get('mic.agent/receive')?.map(mark => mark.split('@')[0])).toEqual([
    '0+160',
    '160+160',
    '320+160',
    '480+160',
    'late 160+160',
  ]);
});

test('a mark that comes back says when what was queued before it was played', async () => {
  const call = new TwilioCall();
  await call.world.pass(100);
  for (let i = 0; i < 10; i++) call.media(mulaw(20, true));
  call.mark('one');
  call.media(mulaw(300, true));
  call.mark('two');
  await call.world.pass(1_000);
  const marks = await call.marks();
  // All sent at 100 ms; played from 100 to 300, and from 300 to 600.
  expect(marks.get('agent.carrier/playout')).toEqual(['0+1600@100', '1600+2400@300']);
  expect(marks.get('agent.agent/send')?.length).toBe(11);
  expect(call.line.echoes.map(({ name }) => name)).toEqual(['one', 'two']);
  expect(call.line.refusals).toEqual([]);
});

test('a mark that a clear sends back proves nothing', async () => {
  const call = new TwilioCall();
  call.media(mulaw(200, true));
  call.mark('heard');
  call.media(mulaw(5_000, true));
  call.mark('cleared');
  await call.world.pass(1_000);
  call.clear();
  await call.world.pass(100);
  call.media(mulaw(100, true));
  call.mark('after');
  await call.world.pass(1_000);
  const marks = await call.marks();
  expect(call.line.echoes.map(({ name }) => name)).toEqual(['heard', 'cleared', 'after']);
  expect(marks.get('agent.carrier/playout')).toEqual(['0+1600@0', '41600+800@1100']);
  // It did not get lost, it was thrown away.
  const ranges = call.world.records().flatMap(record => record.blocks.flatMap(one => one.ranges));
  expect(ranges).toMatchObject([
    { kind: 'drop', hop: { role: 'carrier', name: 'playout' }, startTick: 1_600, endTick: 41_600 },
  ]);
});

test('marks of our own are sent only where they are asked for', async () => {
  const without = new TwilioCall();
  without.media(mulaw(20, true));
  await without.world.pass(100);
  expect(without.line.echoes).toEqual([]);
  const call = new TwilioCall({ playoutMarks: true });
  for (let i = 0; i < 60; i++) call.media(mulaw(20, true));
  await call.world.pass(2_000);
  expect(call.line.echoes).toEqual([
    { name: 'framescope-1', atMs: 20 },
    { name: 'framescope-2', atMs: 520 },
    { name: 'framescope-3', atMs: 1_020 },
  ]);
  const marks = await call.marks();
  expect(marks.get('agent.carrier/playout')).toEqual(['0+160@0', '160+4000@20', '4160+4000@520']);
  expect(call.line.refusals).toEqual([]);
});

/** A telephone call to a realtime model, bridged as everybody does it. */
function bridged(): { call: TwilioCall; model: FakeClient; drop: { next: boolean } } {
  const call = new TwilioCall();
  const model = new FakeClient({
    audio: {
      input: { format: { type: 'audio/pcmu' } },
      output: { format: { type: 'audio/pcmu' } },
    },
  });
  const drop = { next: false };
  traceOpenAIRealtime(model, { session: call.session });
  call.socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { event: string; media?: { payload: string } };
    if (message.event === 'media')
      model.send({ type: 'input_audio_buffer.append', audio: message.media!.payload });
  });
  model.on('event', (event: { type: string; delta?: string }) => {
    if (event.type === 'response.output_audio.delta' && !drop.next) call.media(event.delta!);
    if (event.type === 'input_audio_buffer.speech_started') call.clear();
  });
  model.engine.open();
  return { call, model, drop };
}

test('with a realtime model on the same call the ticks of both agree, whatever is left out between', async () => {
  const { call, model, drop } = bridged();
  await call.mic(400);
  // Lost before Twilio: the model never hears of it, its own clock falls behind.
  for (let i = 0; i < 10; i++) call.line.lose();
  await call.mic(100);
  const startMs = model.engine.receivedMs;
  await call.mic(600, true);
  model.engine.speechStarted(startMs - 300);
  await call.mic(500);
  model.engine.speechStopped(model.engine.receivedMs);
  model.engine.respond();
  await call.world.pass(200);
  drop.next = true;
  model.engine.audio(mulaw(100, true));
  drop.next = false;
  model.engine.audio(mulaw(140, true));
  model.engine.done();
  call.mark('end');
  await call.mic(2_000);
  const marks = await call.marks();
  const turn = call.world
    .states()
    .flatMap(state => state.turns ?? [])
    .at(-1);
  expect(turn?.tick).toBe((400 + 200 + 100) * 8);
  expect(turn?.waits[0]?.opens).toMatchObject({ tick: (400 + 200 + 100 + 600) * 8 });
  expect(marks.get('agent.agent/receive')?.map(mark => mark.split('@')[0])).toEqual([
    '0+800',
    '800+1120',
  ]);
  expect(marks.get('agent.agent/send')?.map(mark => mark.split('@')[0])).toEqual(['800+1120']);
  expect(marks.get('agent.carrier/playout')?.map(mark => mark.split('@')[0])).toEqual(['800+1120']);
  expect(turn?.waits[0]?.moments.map(({ name, source }) => [name, source])).toContainEqual([
    'first_frame_sent',
    'line',
  ]);
  expect(model.engine.refusals).toEqual([]);
  expect(call.world.codes()).toEqual([]);
});

test('a clear on the line interrupts the answer of the model', async () => {
  const { call, model } = bridged();
  const say = async (ms: number): Promise<void> => {
    const startMs = model.engine.receivedMs;
    await call.mic(ms, true);
    model.engine.speechStarted(Math.max(0, startMs - 300));
    await call.mic(500);
    model.engine.speechStopped(model.engine.receivedMs);
  };
  await call.mic(400);
  await say(600);
  model.engine.respond();
  model.engine.audio(mulaw(4_000, true), 'On and on.');
  model.engine.done();
  await call.mic(1_000);
  await say(400);
  const states = await call.marks().then(() => call.world.states());
  const first = states.flatMap(state => state.turns ?? []).findLast(turn => turn.tick === 400 * 8);
  expect(first).toMatchObject({ outcome: 'interrupted', words: [{ cut: true }] });
  expect(first?.bargeIn).toMatchObject({ generatedTick: 4_000 * 8 });
});
