// The flight recorder: a minute in memory, dumped when a trigger asks.

import { ATTR, sessionTraceId } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { World } from './support/world.ts';

const FRAME = 320;

interface DumpedSeries {
  readonly stream: string;
  readonly name: string;
  readonly atUs: readonly number[];
  readonly value: readonly number[];
}

/** Dumps that came, each as what was asked and what was remembered. */
const dumpsOf = (world: World) =>
  world.received.flatMap(({ attributes, traceId }) => {
    const data = attributes[ATTR.flightData];
    if (typeof data !== 'string') return [];
    const { series } = JSON.parse(data) as { series: readonly DumpedSeries[] };
    return [{ traceId, attributes, series }];
  });

/** A call whose mic has a frame each 20 ms for so long, with a queue behind it. */
async function calling(world: World, seconds: number) {
  const scope = world.scope();
  const call = scope.startSession({ id: 'call' });
  const mic = call.stream('mic');
  const received = mic.hop('receive');
  for (let frame = 0; frame < seconds * 50; frame++) {
    await world.pass(20);
    received.mark(FRAME);
    mic.hop('decode').mark(FRAME);
    if (frame % 5 === 0) mic.sample('queue_depth', frame % 7);
  }
  return { scope, call, mic };
}

test('a trigger dumps the arrivals of its range, and what else was sampled meanwhile', async () => {
  const world = new World();
  const { call, mic } = await calling(world, 8);
  expect(call.trigger('my reason', { stream: mic, fromTick: 3 * 16_000, toTick: 5 * 16_000 })).toBe(
    true,
  );
  await world.pass(2_000);
  const [dump] = dumpsOf(world);
  expect(dump?.traceId).toBe(sessionTraceId('call'));
  expect(dump?.attributes).toMatchObject({
    [ATTR.sessionId]: 'call',
    [ATTR.flightReason]: 'my reason',
    [ATTR.flightStream]: 'mic',
    [ATTR.flightFromTick]: 48_000,
    [ATTR.flightToTick]: 80_000,
  });
  const arrivals = dump!.series.find(({ name }) => name === 'arrival agent/receive')!;
  const inRange = arrivals.value.filter(tick => tick >= 48_000 && tick < 80_000);
  expect(inRange.length).toBe(100);
  // A quarter of a second around it.
  expect(arrivals.value.length).toBe(100 + 2 * 12);
  expect(arrivals.atUs[1]! - arrivals.atUs[0]!).toBe(20_000);
  expect(dump!.series.map(({ stream, name }) => [stream, name])).toEqual([
    ['mic', 'arrival agent/receive'],
    ['mic', 'queue_depth'],
    ['', 'event_loop_lag_ms'],
  ]);
  expect(world.triggers).toMatchObject([{ reason: 'my reason', fromTick: 48_000 }]);
});

test('a trigger of another process, heard with a clock probe, is dumped once', async () => {
  const world = new World();
  const heard = {
    id: 'aaaaaaaaaaaaaaaa',
    traceId: sessionTraceId('call'),
    reason: 'underrun',
    stream: 'mic',
    fromTick: 0,
    toTick: 16_000,
  };
  const stamps = { domain: '00000000000000c0', epoch: 0, t1: 0, t2: 1, t3: 1 };
  const asked: string[] = [];
  world.clockAnswer = () => ({
    status: 200,
    body: Buffer.from(JSON.stringify({ ...stamps, triggers: [heard, { no: 'trigger' }, 7] })),
  });
  const scope = world.scope({
    http: request => {
      if (request.method === 'GET') asked.push(new URL(request.url).searchParams.get('s') ?? '');
      return world.answer(request);
    },
  });
  const mic = scope.startSession({ id: 'call' }).stream('mic');
  for (let frame = 0; frame < 250; frame++) {
    await world.pass(20);
    mic.hop('receive').mark(FRAME);
  }
  const dumps = dumpsOf(world);
  expect(dumps.length).toBe(1);
  expect(dumps[0]?.attributes[ATTR.flightId]).toBe('aaaaaaaaaaaaaaaa');
  expect(asked[0]).toBe(sessionTraceId('call').slice(0, 16));
  expect(world.triggers).toEqual([]);
});

test('a reason pulls three times at once, then once in thirty seconds; others are not held up', async () => {
  const world = new World();
  const { call } = await calling(world, 1);
  const pulls = (reason: string): boolean[] =>
    Array.from({ length: 4 }, () => call.trigger(reason));
  expect(pulls('one')).toEqual([true, true, true, false]);
  expect(pulls('other')).toEqual([true, true, true, false]);
  await world.pass(29_000);
  expect(call.trigger('one')).toBe(false);
  await world.pass(2_000);
  expect([call.trigger('one'), call.trigger('one')]).toEqual([true, false]);
  expect(world.codes()).toEqual([]);
});

test('a call that pulls all the time silences no other call of the process', () => {
  const scope = new World().scope();
  const [noisy, other] = ['noisy', 'other'].map(id => scope.startSession({ id }));
  for (let i = 0; i < 100; i++) noisy!.trigger('underrun');
  expect(noisy!.trigger('underrun')).toBe(false);
  expect(other!.trigger('underrun')).toBe(true);
});

test('concealment at playout pulls by itself, elsewhere and at a barge-in nothing does', async () => {
  const world = new World();
  const { call, mic } = await calling(world, 1);
  call.startTurn({ stream: mic, at: 0 }).bargeIn({ onsetTick: 9_600 });
  mic.conceal('decode', 0, FRAME);
  mic.conceal('playout', 16_000, FRAME);
  await world.pass(2_000);
  expect(world.triggers).toMatchObject([{ reason: 'underrun', stream: 'mic', toTick: 16_320 }]);
});

test('what is over a minute old is forgotten, and a range that never passed gives an empty dump', async () => {
  const world = new World();
  const { call, mic } = await calling(world, 62);
  call.trigger('old', { stream: mic, fromTick: 0, toTick: 16_000 });
  call.trigger('future', { stream: mic, fromTick: 9e9, toTick: 9.1e9 });
  await world.pass(2_000);
  expect(dumpsOf(world).map(({ series }) => series)).toEqual([[], []]);
});

test('a trigger that the collector refuses is told; one it does not answer is sent again', async () => {
  const world = new World();
  const statuses = [503, 403];
  const scope = world.scope({
    http: request =>
      request.url.endsWith('/v1/triggers')
        ? Promise.resolve({ status: statuses.shift() ?? 202, body: new Uint8Array() })
        : world.answer(request),
  });
  scope.startSession({ id: 'call' }).trigger('x');
  await world.pass(5_000);
  expect(statuses).toEqual([]);
  expect(world.codes()).toContain('trigger_refused');
});

test('a trigger pulled just before the end of a session is dumped all the same', async () => {
  const world = new World();
  const { call } = await calling(world, 3);
  expect(call.trigger('crash')).toBe(true);
  const ended = call.end();
  await world.pass(2_000);
  await ended;
  expect(dumpsOf(world).map(({ attributes }) => attributes[ATTR.flightReason])).toEqual(['crash']);
});

test('reasons of long ago do not keep a new one from being heard', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  for (let i = 0; i < 32; i++) expect(call.trigger(`order ${i} failed`)).toBe(true);
  expect(call.trigger('one more at once')).toBe(false);
  await world.pass(31_000);
  expect(call.trigger('the next')).toBe(true);
});
