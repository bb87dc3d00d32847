// Adapters stand in the middle of somebody's call: whatever events come, in
// whatever order, the client goes on as if nobody were listening.

import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import {
  traceLiveKitRoom,
  traceOpenAIRealtime,
  tracePipecatClient,
  traceTwilioMediaStream,
} from '@framescope/instrument/adapters';
import { mulaw, sound } from '@framescope/testkit/sound';
import { expect, test } from 'vitest';
import { World } from './support/world.ts';

/** A client whose `send` keeps what it was given and answers what it likes. */
class Client extends EventEmitter {
  readonly sent: unknown[] = [];
  answer: () => unknown = () => 'its own answer';
  send(event: unknown): unknown {
    this.sent.push(event);
    return this.answer();
  }
}

/** Throws at any touch of a named property (fast-check itself looks for symbols). */
const trap = (): object => {
  const touched = (key: string | symbol): undefined => {
    if (typeof key === 'string') throw new Error('a getter that throws');
    return undefined;
  };
  return new Proxy({}, { get: (_, key) => touched(key) });
};

const id = fc.constantFrom('a', 'b', 'c', '__proto__', '', 'constructor');
const odd = fc.oneof(
  fc.anything(),
  fc.constantFrom(null, undefined, Number.NaN, -1, 1e308, 2 ** 60, '', 'x'.repeat(5_000)),
  fc.constant(0).map(trap),
);
const ms = fc.oneof(fc.integer({ min: -1_000, max: 100_000 }), odd);
const audio = fc.oneof(
  fc.constantFrom(sound(20, true), sound(20, false), mulaw(20, true), '!!!', '='),
  odd,
);

const REALTIME = [
  'session.created',
  'session.updated',
  'input_audio_buffer.append',
  'input_audio_buffer.commit',
  'input_audio_buffer.clear',
  'input_audio_buffer.speech_started',
  'input_audio_buffer.speech_stopped',
  'input_audio_buffer.committed',
  'conversation.item.create',
  'conversation.item.truncate',
  'conversation.item.input_audio_transcription.completed',
  'response.create',
  'response.cancel',
  'response.created',
  'response.output_item.done',
  'response.output_audio.delta',
  'response.audio.delta',
  'response.output_audio_transcript.delta',
  'response.done',
  'output_audio_buffer.started',
  'output_audio_buffer.stopped',
  'output_audio_buffer.cleared',
  'session.start',
  'session.started',
  'session.input_audio.append',
  'session.output_audio.delta',
  'session.output_transcript.delta',
  'session.closed',
];

const realtimeEvent = fc.oneof(
  { weight: 1, arbitrary: odd },
  {
    weight: 9,
    arbitrary: fc.record(
      {
        type: fc.oneof(fc.constantFrom(...REALTIME), fc.constantFrom(...REALTIME), odd),
        item_id: fc.oneof(id, odd),
        response_id: fc.oneof(id, odd),
        audio_start_ms: ms,
        audio_end_ms: ms,
        audio,
        delta: audio,
        transcript: odd,
        session: fc.oneof(
          odd,
          fc.record({
            audio: fc.record({
              input: fc.record({ turn_detection: odd, format: fc.record({ type: odd, rate: ms }) }),
            }),
          }),
        ),
        response: fc.oneof(odd, fc.record({ id, status: odd, usage: odd })),
        item: fc.oneof(
          odd,
          fc.record({
            type: fc.constantFrom('function_call', 'function_call_output', 'message'),
            call_id: id,
            name: odd,
            arguments: odd,
            output: odd,
          }),
        ),
      },
      { requiredKeys: ['type'] },
    ),
  },
);

const step = <T>(
  event: fc.Arbitrary<T>,
): fc.Arbitrary<{ event: T; isSent: boolean; passMs: number }> =>
  fc.record({ event, isSent: fc.boolean(), passMs: fc.constantFrom(0, 1, 20, 400, 6_000) });

async function endures(
  steps: readonly { event: unknown; isSent: boolean; passMs: number }[],
  trace: (client: Client, world: World) => { session: { end(): Promise<void> }; stop(): void },
  emitted: string,
): Promise<void> {
  const world = new World();
  const client = new Client();
  const { session, stop } = trace(client, world);
  const heard: unknown[] = [];
  client.on(emitted, event => heard.push(event));
  for (const { event, isSent, passMs } of steps) {
    if (isSent) expect(client.send(event)).toBe('its own answer');
    else client.emit(emitted, event);
    world.nowNs += passMs * 1e6;
    if (passMs > 1_000) await world.pass(0);
  }
  expect(heard.length).toBe(steps.filter(one => !one.isSent).length);
  expect(client.sent.length).toBe(steps.filter(one => one.isSent).length);
  const ended = session.end();
  await world.pass(6_000);
  await ended;
  stop();
  stop();
  expect(world.codes()).not.toContain('internal');
}

test('a realtime client is not disturbed by any events in any order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step(realtimeEvent), { maxLength: 60 }), steps =>
      endures(
        steps,
        (client, world) => traceOpenAIRealtime(client, { scope: world.scope(), id: 'call' }),
        'event',
      ),
    ),
    { numRuns: 300 },
  );
});

const twilioMessage = fc.oneof(
  odd,
  fc.string().map(text => Buffer.from(text)),
  fc
    .record({
      event: fc.constantFrom('connected', 'start', 'media', 'mark', 'clear', 'stop', 'dtmf'),
      streamSid: fc.constantFrom('MZ1', 7, null),
      start: fc.record({
        mediaFormat: fc.record({ encoding: fc.string(), sampleRate: fc.double() }),
      }),
      media: fc.record({
        track: fc.constantFrom('inbound', 'outbound', 3),
        chunk: fc.oneof(fc.integer(), fc.string()),
        timestamp: fc.oneof(fc.integer(), fc.double(), fc.string()),
        payload: fc.oneof(fc.constantFrom(mulaw(20, true), '', '%%%'), fc.string(), fc.integer()),
      }),
      mark: fc.record({ name: fc.oneof(id, fc.integer()) }),
    })
    .map(message => JSON.stringify(message)),
);

test('a telephone line is not disturbed by any messages in any order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step(twilioMessage), { maxLength: 60 }), steps =>
      endures(
        steps,
        (client, world) => traceTwilioMediaStream(client, { scope: world.scope(), id: 'call' }),
        'message',
      ),
    ),
    { numRuns: 300 },
  );
});

const PIPECAT = [
  'userStartedSpeaking',
  'userStoppedSpeaking',
  'botStartedSpeaking',
  'botStoppedSpeaking',
  'userTranscript',
  'botLlmStarted',
  'botLlmText',
  'botLlmStopped',
  'botTtsStarted',
  'botTtsText',
  'botTtsStopped',
  'llmFunctionCallInProgress',
  'llmFunctionCallStopped',
  'metrics',
  'disconnected',
];
const LIVEKIT = [
  'activeSpeakersChanged',
  'participantAttributesChanged',
  'transcriptionReceived',
  'trackSubscribed',
  'trackUnsubscribed',
  'localTrackPublished',
  'disconnected',
];

const told = fc.oneof(
  odd,
  fc.record({
    text: odd,
    final: odd,
    tool_call_id: id,
    function_name: odd,
    ttfb: fc.oneof(odd, fc.array(fc.record({ processor: fc.oneof(id, odd), value: ms }))),
    'lk.agent.state': fc.constantFrom('speaking', 'thinking', 'listening', 7),
    isLocal: fc.boolean(),
    kind: fc.constantFrom('audio', 'video', 1),
  }),
  fc.array(fc.record({ id, text: odd, final: fc.boolean(), isLocal: fc.boolean() })),
);

/** Emits any of `names` with anything, in any order, at any pace. */
const events = (names: readonly string[]): fc.Arbitrary<[string, unknown, unknown, number][]> =>
  fc.array(fc.tuple(fc.constantFrom(...names), told, told, fc.constantFrom(0, 20, 700, 6_000)), {
    maxLength: 50,
  });

test.each([
  ['Pipecat client', PIPECAT, tracePipecatClient],
  ['LiveKit room', LIVEKIT, traceLiveKitRoom],
] as const)('a %s is not disturbed by any events in any order', async (_, names, trace) => {
  await fc.assert(
    fc.asyncProperty(events(names), async steps => {
      const world = new World();
      const client = Object.assign(new Client(), {
        localParticipant: {},
        remoteParticipants: new Map<string, object>([['a', { attributes: trap() }]]),
      });
      const session = world.scope().startSession({ id: 'call' });
      const { stop } = trace(client, { session });
      let heard = 0;
      for (const name of names) client.on(name, () => heard++);
      for (const [name, a, b, passMs] of steps) {
        client.emit(name, a, b);
        await world.pass(passMs);
      }
      expect(heard).toBe(steps.length);
      const ended = session.end();
      await world.pass(6_000);
      await ended;
      stop();
      expect(names.map(name => client.listenerCount(name))).toEqual(names.map(() => 1));
      expect(world.codes()).not.toContain('internal');
    }),
    { numRuns: 150 },
  );
});

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
