// Clients under anything: whatever events come, in whatever order, the client goes
// on as if nobody were listening.

import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import {
  traceLiveKitRoom,
  traceOpenAIRealtime,
  tracePipecatClient,
  traceTwilioMediaStream,
} from '@framescope/instrument/adapters';
import { mulaw, sound } from '@framescope/testkit/sound';
import { expect } from 'vitest';
import { World } from './world.ts';

/** A client whose `send` keeps what it was given and answers what it likes. */
export class Client extends EventEmitter {
  readonly sent: unknown[] = [];
  answer: () => unknown = () => 'its own answer';
  send(event: unknown): unknown {
    this.sent.push(event);
    return this.answer();
  }
}

/** Throws at any touch of a named property (fast-check itself looks for symbols). */
export const trap = (): object => {
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

/** @throws when any events in any order disturb a realtime client */
export async function checkRealtimeClient(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step(realtimeEvent), { maxLength: 60 }), steps =>
      endures(
        steps,
        (client, world) => traceOpenAIRealtime(client, { scope: world.scope(), id: 'call' }),
        'event',
      ),
    ),
    { numRuns },
  );
}

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

/** @throws when any messages in any order disturb a telephone line */
export async function checkTelephoneLine(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(step(twilioMessage), { maxLength: 60 }), steps =>
      endures(
        steps,
        (client, world) => traceTwilioMediaStream(client, { scope: world.scope(), id: 'call' }),
        'message',
      ),
    ),
    { numRuns },
  );
}

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

const FRAMEWORKS = {
  pipecat: [PIPECAT, tracePipecatClient],
  livekit: [LIVEKIT, traceLiveKitRoom],
} as const;

/** @throws when any events in any order disturb a framework's client */
export async function checkFrameworkClient(
  framework: keyof typeof FRAMEWORKS,
  numRuns: number,
): Promise<void> {
  const [names, trace] = FRAMEWORKS[framework];
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
    { numRuns },
  );
}
