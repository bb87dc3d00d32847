import { durationNs, type MediaIntervalState } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { StatsDeltas } from '../../src/transport/webrtc/stats-deltas.ts';
import { MS, World } from '../support/world.ts';

const interval = (world: World, packets: number): MediaIntervalState => ({
  stream: 'agent',
  role: 'client',
  fromAt: world.clock().now(),
  toAt: world.clock().now(),
  figures: { packets },
});

test('what a media stack measured goes with the next flush, once', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  await world.pass(1_000);
  call.port().mediaInterval(interval(world, 50));
  await world.pass(3_000);
  const media = world.states().flatMap(state => state.media ?? []);
  expect(media.map(one => [one.toAt / MS, one.figures.packets])).toEqual([[1_000, 50]]);
});

test('what a refused flush carried is told with the next', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  await world.pass(1_000);
  world.answers.push({ status: 400 });
  call.port().mediaInterval(interval(world, 50));
  await world.pass(5_000);
  const media = world.states().flatMap(state => state.media ?? []);
  expect(media.map(one => one.figures.packets)).toEqual([50]);
});

test('between two flushes 256 intervals wait, the newest', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  for (let i = 0; i < 300; i++) call.port().mediaInterval(interval(world, i));
  await world.pass(1_000);
  const media = world.states().flatMap(state => state.media ?? []);
  expect(media.map(one => one.figures.packets)).toEqual(
    Array.from({ length: 256 }, (_, i) => i + 44),
  );
});

/** Entries of a report, as a browser gives them. */
const report = (seconds: number, ssrc = 'IT1'): object[] => [
  {
    id: ssrc,
    type: 'inbound-rtp',
    kind: 'audio',
    jitterBufferDelay: 0.06 * 48_000 * seconds,
    jitterBufferEmittedCount: 48_000 * seconds,
    totalSamplesReceived: 48_000 * seconds,
    concealedSamples: 480 * seconds,
    packetsReceived: 50 * seconds,
  },
  { id: 'IT2', type: 'inbound-rtp', kind: 'video', packetsReceived: 9_999 * seconds },
  {
    id: 'AP',
    type: 'media-playout',
    kind: 'audio',
    totalPlayoutDelay: 0.03 * 48_000 * seconds,
    totalSamplesCount: 48_000 * seconds,
  },
  { id: 'CP', type: 'candidate-pair', state: 'failed', currentRoundTripTime: 9, bytesReceived: 0 },
  {
    id: 'CQ',
    type: 'candidate-pair',
    state: 'succeeded',
    currentRoundTripTime: 0.02,
    bytesReceived: 5,
  },
];

test('figures are of the interval alone: two looks, their difference', () => {
  const deltas = new StatsDeltas();
  expect(deltas.add(report(10))).toBe(undefined);
  expect(deltas.add(report(11))).toEqual({
    jitterBufferNs: durationNs(60_000_000),
    playoutNs: durationNs(30_000_000),
    rttNs: durationNs(20_000_000),
    totalSamples: 48_000,
    concealedSamples: 480,
    packets: 50,
  });
});

test('a new SSRC, or counters that fell, begin anew instead of going negative', () => {
  const deltas = new StatsDeltas();
  deltas.add(report(10));
  expect(deltas.add(report(1, 'IT9'))).not.toHaveProperty('packets');
  expect(deltas.add(report(2, 'IT9'))?.packets).toBe(50);
  expect(deltas.add(report(1, 'IT9'))).not.toHaveProperty('packets');
});

test('nothing that a report may hold is thrown at', () => {
  const deltas = new StatsDeltas();
  const odd = [undefined, null, 7, {}, { type: 'inbound-rtp', packetsReceived: Number.NaN }];
  expect(deltas.add(odd)).toBe(undefined);
  expect(deltas.add(odd)).toBe(undefined);
});
