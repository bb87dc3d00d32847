// The vendor's own room and participants; the events are emitted as its engine
// emits them when a server says so. There is no server here.

import {
  ParticipantKind,
  RemoteParticipant,
  Room,
  RoomEvent,
  type RemoteTrack,
  type TranscriptionSegment,
} from 'livekit-client';
import { traceLiveKitRoom } from '@framescope/instrument/livekit-room';
import { NS_PER_MS, type TurnState } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { World } from './support/world.ts';

const MS = NS_PER_MS;

interface Call {
  readonly world: World;
  readonly room: Room;
  readonly agent: RemoteParticipant;
  readonly state: (state: string) => void;
  readonly speaking: (who: 'user' | 'agent' | 'nobody') => void;
  readonly turns: () => Promise<TurnState[]>;
}

function call(): Call {
  const world = new World();
  const session = world.scope({ role: 'client' }).startSession({ id: 'room', authority: true });
  const room = new Room();
  const agent = new RemoteParticipant(
    undefined as never,
    'PA_1',
    'agent-1',
    'Agent',
    '',
    {},
    undefined,
    ParticipantKind.AGENT,
  );
  traceLiveKitRoom(room, { session });
  const turns = async (): Promise<TurnState[]> => {
    const ended = session.end();
    await world.pass(6_000);
    await ended;
    const last = new Map<string, TurnState>();
    for (const turn of world.states().flatMap(state => state.turns ?? []))
      last.set(`${turn.stream} ${turn.tick}`, turn);
    return [...last.values()].toSorted((a, b) => a.startedAt - b.startedAt);
  };
  return {
    world,
    room,
    agent,
    turns,
    state: state =>
      room.emit(RoomEvent.ParticipantAttributesChanged, { 'lk.agent.state': state }, agent),
    speaking: who => {
      const speakers = who === 'user' ? [room.localParticipant] : who === 'agent' ? [agent] : [];
      room.emit(RoomEvent.ActiveSpeakersChanged, speakers);
    },
  };
}

const segment = (id: string, text: string, final: boolean): TranscriptionSegment => ({
  id,
  text,
  final,
  language: 'en',
  startTime: 0,
  endTime: 0,
  firstReceivedTime: 0,
  lastReceivedTime: 0,
});

test('who speaks and what the agent says of itself are a turn and its wait', async () => {
  const { world, room, agent, state, speaking, turns } = call();
  state('listening');
  await world.pass(1_000);
  speaking('user');
  await world.pass(1_200);
  speaking('nobody');
  await world.pass(300);
  room.emit(
    RoomEvent.TranscriptionReceived,
    [segment('1', 'what ti', false)],
    room.localParticipant,
  );
  room.emit(
    RoomEvent.TranscriptionReceived,
    [segment('1', 'what time', true)],
    room.localParticipant,
  );
  state('thinking');
  await world.pass(600);
  state('speaking');
  speaking('agent');
  room.emit(RoomEvent.TranscriptionReceived, [segment('2', 'Noon.', true)], agent);
  room.emit(RoomEvent.TranscriptionReceived, [segment('2', 'Noon.', true)], agent);
  await world.pass(900);
  state('listening');
  await world.pass(4_000);
  const all = await turns();
  expect(all.length).toBe(1);
  const [turn] = all;
  expect(turn).toMatchObject({ tick: 16_000, outcome: 'completed', endedAt: 4_000 * MS });
  expect(turn!.waits).toMatchObject([
    {
      opens: { tick: 2_200 * 16, source: 'livekit', errorNs: 300 * MS },
      closes: { tick: 3_100 * 16, source: 'livekit' },
    },
  ]);
  expect(turn!.words.map(({ who, text }) => [who, text])).toEqual([
    ['user', 'what time'],
    ['agent', 'Noon.'],
  ]);
  expect(world.codes()).toEqual([]);
});

test('an agent that tells no state is followed by its level', async () => {
  const { world, speaking, turns } = call();
  speaking('user');
  await world.pass(800);
  speaking('nobody');
  await world.pass(700);
  speaking('agent');
  await world.pass(400);
  speaking('user');
  await world.pass(500);
  speaking('nobody');
  const [first, second] = await turns();
  expect(first).toMatchObject({
    outcome: 'interrupted',
    waits: [{ closes: { tick: 1_500 * 16 } }],
  });
  expect(second).toMatchObject({ waits: [{ kind: 'response', outcome: 'abandoned' }] });
});

test('the statistics of audio tracks are told for each second, and not those of video', async () => {
  const { world, room, agent, turns } = call();
  let samples = 0;
  const report = (): Map<string, object> => {
    samples += 48_000;
    const id = 'in';
    const delay = {
      jitterBufferDelay: (samples / 48_000) * 960,
      jitterBufferEmittedCount: samples,
    };
    const lost = { packetsLost: samples / 48_000, packetsReceived: samples / 960 };
    return new Map([[id, { type: 'inbound-rtp', kind: 'audio', id, ...delay, ...lost }]]);
  };
  const track = { kind: 'audio', getRTCStatsReport: () => Promise.resolve(report()) };
  let videoAsked = 0;
  const video = { kind: 'video', getRTCStatsReport: () => Promise.resolve(++videoAsked) };
  for (const one of [track, video])
    room.emit(RoomEvent.TrackSubscribed, one as unknown as RemoteTrack, {} as never, agent);
  await world.pass(3_500);
  room.emit(RoomEvent.TrackUnsubscribed, track as unknown as RemoteTrack, {} as never, agent);
  await world.pass(3_000);
  await turns();
  const media = world.states().flatMap(state => state.media ?? []);
  expect(media).toMatchObject([
    { stream: 'agent', role: 'client', fromAt: 1_000 * MS, toAt: 2_000 * MS },
    { stream: 'agent', role: 'client', fromAt: 2_000 * MS, toAt: 3_000 * MS },
  ]);
  expect(videoAsked).toBe(0);
  expect(media[0]!.figures).toMatchObject({ jitterBufferNs: 20 * MS, packetsLost: 1, packets: 50 });
  expect(world.codes()).toEqual([]);
});

test('a room that is left ends its turn', async () => {
  const { world, room, state, speaking, turns } = call();
  speaking('user');
  await world.pass(500);
  state('thinking');
  await world.pass(1_500);
  room.emit(RoomEvent.Disconnected);
  expect(await turns()).toMatchObject([{ outcome: 'abandoned', endedAt: 2_000 * MS }]);
});
