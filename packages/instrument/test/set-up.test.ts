// How a call came about, as the instrument tells it: by the user's word, by a connection, by a room;
// and a service's word of its work.

import { EventEmitter } from 'node:events';
import { Room, RoomEvent, ConnectionState } from 'livekit-client';
import { traceLiveKitRoom } from '@framescope/instrument/livekit-room';
import { VendorLine, vendorTimings } from '@framescope/instrument';
import { ATTR, domainNs, type SetupState } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { MS, World } from './support/world.ts';

async function toldBy(world: World): Promise<readonly SetupState[]> {
  await world.pass(1_500);
  return world.states().flatMap(state => state.setup ?? []);
}

const shown = (all: readonly SetupState[]): string[] =>
  all.map(
    ({ name, at, source }) => `${name} ${at / MS}${source === undefined ? '' : ` ${source}`}`,
  );

test('what came before the session is told with it, and what follows when it happens', async () => {
  const world = new World();
  world.nowNs = 1_000 * MS;
  const call = world
    .scope({ role: 'client' })
    .startSession({ id: 'call', setup: { call_started: 340, signalled: 0 } });
  await world.pass(100);
  call.setup('agent_requested', { source: 'dispatcher', at: domainNs(1_050 * MS) });
  expect(shown(await toldBy(world))).toEqual([
    'call_started 660',
    'signalled 1000',
    'agent_requested 1050 dispatcher',
  ]);
  expect(world.problems).toEqual([]);
});

test('each moment is told once, and again only when the collector did not take it', async () => {
  const world = new World();
  world.answers.push({ status: 503 });
  world.scope().startSession({ id: 'call', setup: { call_started: 0 } });
  await world.pass(10_000);
  expect(shown(await toldBy(world))).toEqual(['call_started 0']);
});

test('set-up of the wrong shape costs nothing but a word', async () => {
  const world = new World();
  const scope = world.scope();
  for (const setup of [7, null, 'x', { call_started: 'soon' }, { call_started: Number.NaN }])
    scope.startSession({ id: `call ${String(setup)}`, setup: setup as never });
  const call = scope.startSession({ id: 'call' });
  expect(() => call.setup(undefined as never, 5 as never)).not.toThrow();
  await world.pass(2_000);
  for (const { at } of await toldBy(world)) expect(Number.isSafeInteger(at)).toBe(true);
  expect(world.problems.map(one => one.code)).toContain('bad_argument');
});

test('a process that was warm long before the call tells nothing of its start, a cold one when it was', async () => {
  for (const [startedMs, told] of [
    [-300_000, []],
    [-400, ['process_started -400']],
  ] as const) {
    const world = new World();
    const clock = Object.assign(world.clock(), { startedAt: domainNs(startedMs * MS) });
    const scope = world.scope({ role: 'agent', clock });
    scope.startSession({ id: 'call' });
    expect(shown(await toldBy(world))).toEqual(told);
  }
});

test('a room that connects, loses its connection and gets it back tells of each', async () => {
  const world = new World();
  const session = world.scope({ role: 'client' }).startSession({ id: 'room' });
  const room = new Room();
  traceLiveKitRoom(room, { session });
  const state = async (now: ConnectionState, ms: number): Promise<void> => {
    await world.pass(ms);
    room.emit(RoomEvent.ConnectionStateChanged, now);
  };
  await state(ConnectionState.Connecting, 10);
  await world.pass(90);
  room.emit(RoomEvent.SignalConnected);
  await state(ConnectionState.Connected, 150);
  await state(ConnectionState.SignalReconnecting, 50);
  await state(ConnectionState.Connected, 50);
  await state(ConnectionState.Reconnecting, 50);
  await state(ConnectionState.Connected, 200);
  expect(shown(await toldBy(world))).toEqual([
    'call_started 10 livekit',
    'signalled 100 livekit',
    'dtls_connected 250 livekit',
    'connection_lost 400 livekit',
    'connection_restored 600 livekit',
  ]);
});

test('a room that was connected before it was followed tells nothing of how it came about', async () => {
  const world = new World();
  const session = world.scope({ role: 'client' }).startSession({ id: 'room' });
  const room = new Room();
  traceLiveKitRoom(room, { session });
  await world.pass(100);
  room.emit(RoomEvent.ConnectionStateChanged, ConnectionState.Reconnecting);
  await world.pass(100);
  room.emit(RoomEvent.ConnectionStateChanged, ConnectionState.Connected);
  expect(shown(await toldBy(world))).toEqual([
    'connection_lost 100 livekit',
    'connection_restored 200 livekit',
  ]);
});

test('headers that services send say queue and work; others say nothing', () => {
  const of = (headers: object): object => vendorTimings(headers);
  expect(of(new Headers({ 'OpenAI-Processing-Ms': '412' }))).toEqual({ processingMs: 412 });
  expect(of({ 'x-envoy-upstream-service-time': '398' })).toEqual({ processingMs: 398 });
  expect(of({ 'x-queue-time': '12', 'x-inference-time': '340' })).toEqual({
    queueMs: 12,
    processingMs: 352,
  });
  expect(of({ 'server-timing': 'cache;desc="miss", queue;dur=12.5, inference;dur=340' })).toEqual({
    queueMs: 12.5,
    processingMs: 352.5,
  });
  expect(of({ 'server-timing': 'total;dur=400, queue;dur=12' })).toEqual({
    queueMs: 12,
    processingMs: 400,
  });
  expect(of({ 'server-timing': 'cache;desc="hit"' })).toEqual({});
  expect(of({ 'openai-processing-ms': 'soon' })).toEqual({ processingMs: Number.NaN });
  for (const odd of [{}, [], null, 7, { get: 'x' }]) expect(of(odd as object)).toEqual({});
  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
    },
  );
  expect(of(throwing)).toEqual({});
});

test('what a stage’s service told is on the stage in ns, and what is no duration as −1', async () => {
  const world = new World();
  const turn = world.scope().startSession({ id: 'call' }).startTurn();
  const vendor = { name: 'openai', rttMs: 61.5, queueMs: 0, processingMs: Number.NaN };
  turn.stage('llm').end({ attributes: { model: 'm' }, vendor });
  await world.pass(1_500);
  const stage = world
    .states()
    .flatMap(state => state.turns ?? [])
    .at(-1)!.stages[0]!;
  expect(stage.attributes).toEqual({
    model: 'm',
    [ATTR.vendorName]: 'openai',
    [ATTR.vendorRttNs]: 61.5 * MS,
    [ATTR.vendorQueueNs]: 0,
    [ATTR.vendorProcessingNs]: -1,
  });
});

/** A `ws` of which nothing but pings is asked. */
class Pinged extends EventEmitter {
  readyState = 1;
  pings = 0;
  ping(): void {
    this.pings += 1;
  }
}

test('the way to a service is the least of the last answers to its pings', async () => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  const socket = new Pinged();
  const line = new VendorLine(socket, { session, name: 'tts' });
  expect(line.told({ processingMs: 5 })).toEqual({ name: 'tts', processingMs: 5 });
  for (const ms of [80, 60, 90]) {
    await world.pass(ms);
    socket.emit('pong');
    await world.pass(2_000 - ms);
  }
  expect(socket.pings).toBe(4);
  expect(line.told({ processingMs: 5 })).toEqual({ name: 'tts', rttMs: 60, processingMs: 5 });
  line.stop();
  await world.pass(10_000);
  expect(socket.pings).toBe(4);
});

test('a socket that is made with its line says how long it took to stand; one that stood says nothing', async () => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  const socket = new Pinged();
  socket.readyState = 0;
  const line = new VendorLine(socket, { session, name: 'tts' });
  await world.pass(140);
  expect(line.connectMs).toBeUndefined();
  socket.readyState = 1;
  socket.emit('open');
  await world.pass(10);
  socket.emit('open');
  expect(line.connectMs).toBe(140);
  expect(line.told({ connectMs: line.connectMs })).toEqual({ name: 'tts', connectMs: 140 });
  const open = new VendorLine(new Pinged(), { session, name: 'tts' });
  expect(open.connectMs).toBeUndefined();
});

test('a ping that nobody answers is not asked again at once, and one without an answer is no way', async () => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  const socket = new Pinged();
  const line = new VendorLine(socket, { session, name: 'tts' });
  await world.pass(9_000);
  expect(socket.pings).toBe(1);
  await world.pass(3_000);
  expect(socket.pings).toBe(2);
  expect(line.rttMs).toBeUndefined();
});

test('a socket without pings is refused with a word, and nothing throws', () => {
  const world = new World();
  const session = world.scope().startSession({ id: 'call' });
  for (const odd of [undefined, {}, new EventTarget()])
    expect(() => new VendorLine(odd as never, { session, name: 'x' }).told()).not.toThrow();
  expect(world.problems.map(one => one.code)).toContain('adapter_target');
});
