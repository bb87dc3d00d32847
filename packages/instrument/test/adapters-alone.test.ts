// A client given alone makes a call of its own: in the scope that the program made
// last, named sensibly, over when the connection is. And whoever made the call: after
// its end nobody is followed any more.

import { EventEmitter } from 'node:events';
import {
  traceLiveKitRoom,
  traceOpenAIRealtime,
  tracePipecatClient,
  traceTwilioMediaStream,
  traceWebSocket,
} from '@framescope/instrument/adapters';
import { tracePeerConnection } from '@framescope/instrument/webrtc';
import { mulaw } from '@framescope/testkit/sound';
import { expect, test } from 'vitest';
import { World } from './support/world.ts';

class Client extends EventEmitter {
  readonly readyState = 1;
  readonly sent: unknown[] = [];
  readonly socket = new EventEmitter();
  readonly name = 'room-7';
  readonly localParticipant = {};
  readonly remoteParticipants = new Map<string, object>();
  send(message: unknown): void {
    this.sent.push(message);
  }
}

/** As much of a peer connection as tracing without audio touches. */
class Peer extends EventTarget {
  connectionState = 'connected';
  addTrack(): void {}
  addTransceiver(): void {}
  getTransceivers(): readonly never[] {
    return [];
  }
}

const ALONE = [
  ['openai-realtime', traceOpenAIRealtime, (client: Client) => client.socket.emit('close')],
  ['pipecat-client', tracePipecatClient, (client: Client) => client.emit('disconnected')],
  ['livekit-room', traceLiveKitRoom, (client: Client) => client.emit('disconnected')],
  ['twilio', traceTwilioMediaStream, (client: Client) => client.emit('close')],
  ['websocket', traceWebSocket, (client: Client) => client.emit('close')],
] as const;

test.each(ALONE)(
  '%s: given the client alone, a call begins in the newest scope and ends with the connection',
  async (_, trace, disconnect) => {
    const world = new World();
    new World().scope();
    const scope = world.scope();
    const client = new Client();
    const { session } = trace(client as never);
    expect(session.id).toMatch(/^[a-z]+(-[a-z]+)?-([0-9a-f]{16}|7)$/);
    expect(scope.stats().openSessions).toBe(1);
    disconnect(client);
    await world.pass(3_000);
    expect(session.isEnded).toBe(true);
    expect(scope.stats().openSessions).toBe(0);
    expect(world.states().findLast(state => state.session)?.session?.endedAt).toBeDefined();
    expect(world.codes()).toEqual([]);
  },
);

test('a peer connection given alone makes a call that ends when it is closed', async () => {
  const world = new World();
  world.scope({ role: 'client' });
  const peer = new Peer();
  const { session } = tracePeerConnection(peer as never);
  expect(session.id).toMatch(/^peer-connection-[0-9a-f]{16}$/);
  peer.connectionState = 'closed';
  await world.pass(3_000);
  expect(session.isEnded).toBe(true);
});

test('a telephone line given alone is the call that Twilio names', async () => {
  const world = new World();
  world.scope();
  const socket = new Client();
  const trace = traceTwilioMediaStream(socket);
  const say = (message: object): void =>
    void socket.emit('message', Buffer.from(JSON.stringify(message)), false);
  say({ event: 'connected', protocol: 'Call', version: '1.0.0' });
  say({
    event: 'start',
    streamSid: 'MZ1',
    start: {
      callSid: 'CA77',
      streamSid: 'MZ1',
      mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000 },
    },
  });
  say({
    event: 'media',
    media: { track: 'inbound', chunk: '1', timestamp: '0', payload: mulaw(20, true) },
  });
  expect(trace.session.id).toBe('CA77');
  await world.pass(1_000);
  const streams = world.records().flatMap(record => record.blocks.map(block => block.stream));
  expect(streams).toEqual(['mic']);
});

test('a room given alone is called what its agent calls it', () => {
  new World().scope();
  expect(traceLiveKitRoom(new Client()).session.id).toBe('room-7');
});

test('stopping ends a call that the adapter began, and leaves one that was given', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'mine' });
  const own = traceOpenAIRealtime(new Client());
  const given = traceOpenAIRealtime(new Client(), { session: call });
  own.stop();
  given.stop();
  await world.pass(3_000);
  expect([own.session.isEnded, call.isEnded]).toEqual([true, false]);
});

test.each(ALONE)('%s: after the session’s end the client is as it was', async (_, trace) => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  const client = new Client();
  const names = (): (string | symbol)[] => [...client.eventNames(), ...client.socket.eventNames()];
  const { send, emit } = client;
  trace(client as never, { session });
  expect([names().length > 0, client.send === send && client.emit === emit]).not.toEqual([
    false,
    true,
  ]);
  const ended = session.end();
  expect([names(), client.send === send, client.emit === emit]).toEqual([[], true, true]);
  await world.pass(3_000);
  await ended;
});

test('a long call that reconnects often keeps nothing of the connections that are gone', () => {
  const session = new World().scope().startSession({ id: 'call' });
  const before = new World();
  for (let i = 0; i < 1_000; i++) traceOpenAIRealtime(new Client(), { session }).stop();
  let settled = 0;
  session.port().onEnd(() => (settled += 1));
  void session.end();
  expect([settled, before.codes()]).toEqual([1, []]);
});

test('a WebSocket given alone: binary is audio, text is not, and nothing is added', async () => {
  const world = new World();
  world.scope();
  const socket = new Client();
  const heard: unknown[] = [];
  const { session } = traceWebSocket(socket);
  socket.on('message', (data: unknown) => heard.push(data));
  socket.emit('message', Buffer.alloc(640), true);
  socket.emit('message', Buffer.from('{"type":"hello"}'), false);
  socket.send(Buffer.alloc(961));
  socket.send('text');
  socket.send(Buffer.alloc(959));
  expect(session.stream('mic').hop('receive').nextTick).toBe(320);
  expect(session.stream('agent').hop('send').nextTick).toBe(960);
  expect([heard.length, socket.sent.length]).toEqual([2, 3]);
  await world.pass(1_000);
});

test('a WebSocket of an HTTP request is the call that its baggage names', () => {
  new World().scope();
  const headers = { baggage: 'session.id=call%2042' };
  expect(traceWebSocket(new Client(), { headers }).session.id).toBe('call 42');
});
