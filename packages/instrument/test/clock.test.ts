import { domainNs } from '@framescope/protocol';
import { skewClock, type Clock } from '@framescope/instrument';
import { expect, test } from 'vitest';
import { JumpWatch } from '../src/clock/jump-watch.ts';
import { MS, World } from './support/world.ts';

const answering =
  (world: World, isCold = false) =>
  () => ({
    isCold,
    body: new TextEncoder().encode(
      JSON.stringify({
        domain: '00000000000000dd',
        epoch: 2,
        t1: 0,
        t2: world.nowNs + 7,
        t3: world.nowNs + 9,
      }),
    ),
  });

const samples = (world: World) => world.records().flatMap(record => record.clockSamples);

test('the collector is probed each second while a session is open; the first answer is dropped', async () => {
  const world = new World();
  world.clockAnswer = answering(world);
  const call = world.scope().startSession({ id: 'call' });
  await world.pass(5_500);
  void call.end();
  await world.pass(60_000);
  expect(samples(world)).toEqual(
    [1, 2, 3, 4, 5].map(second => ({
      peer: '00000000000000dd',
      peerEpoch: 2,
      t1: second * 1_000 * MS,
      t2: second * 1_000 * MS + 7,
      t3: second * 1_000 * MS + 9,
      t4: second * 1_000 * MS,
    })),
  );
});

test('an answer over a fresh connection is no sample', async () => {
  const world = new World();
  world.clockAnswer = answering(world, true);
  world.scope().startSession({ id: 'call' });
  await world.pass(5_500);
  expect(samples(world)).toEqual([]);
});

test.each([
  '',
  'null',
  '[]',
  '{"domain":"xyz","epoch":0,"t2":1,"t3":1}',
  '{"domain":"00000000000000dd","epoch":0,"t2":"1","t3":1}',
])('an answer %j is no sample', async text => {
  const world = new World();
  world.clockAnswer = () => ({ body: new TextEncoder().encode(text) });
  world.scope().startSession({ id: 'call' });
  await world.pass(5_500);
  expect(samples(world)).toEqual([]);
});

test('a collector that does not answer is probed less often', async () => {
  const world = new World();
  let probes = 0;
  world.clockAnswer = () => {
    probes += 1;
    return 'no answer';
  };
  world.scope().startSession({ id: 'call' });
  await world.pass(600_000);
  expect(probes).toBeLessThan(30);
});

test('a jump of 51 ms between two checks opens an epoch, one of 50 does not', () => {
  let monoMs = 0;
  let wallMs = 1_000;
  const watch = new JumpWatch(
    () => domainNs(monoMs * MS),
    () => BigInt(wallMs * MS),
  );
  const after = (mono: number, wall: number): boolean => {
    monoMs += mono;
    wallMs += wall;
    return watch.check();
  };
  expect([after(1_000, 1_000), after(1_000, 1_050), after(1_000, 950)]).toEqual([
    false,
    false,
    false,
  ]);
  expect(watch.epoch).toBe(0);
  expect(after(1_000, 1_051)).toBe(true);
  expect([watch.epoch, watch.zeroUnixNs]).toEqual([1, BigInt(1_051 * MS)]);
  expect(after(1_000, 3_600_000)).toBe(true);
  expect(watch.epoch).toBe(2);
});

test('slow drift never adds up to a jump', () => {
  let ms = 0;
  const watch = new JumpWatch(
    () => domainNs(ms * MS),
    () => BigInt(Math.round(ms * 1.0005 * MS)),
  );
  for (let i = 0; i < 1_000; i++) {
    ms += 1_000;
    expect(watch.check()).toBe(false);
  }
});

test('marks before a jump carry the old epoch, marks after it the new one', async () => {
  const world = new World();
  const base = world.clock();
  let epoch = 0;
  const clock: Clock = {
    ...base,
    get epoch() {
      return epoch;
    },
    check: () => {
      if (world.nowNs !== 1_000 * MS) return false;
      epoch = 1;
      return true;
    },
  };
  const hop = world.scope({ clock }).startSession({ id: 'call' }).stream('mic').hop('receive');
  hop.mark(320);
  await world.pass(1_000);
  hop.mark(320);
  await world.pass(1_000);
  expect(world.records().map(record => record.epoch)).toEqual([0, 1]);
  expect(world.codes()).toEqual(['clock_jumped']);
});

test('a skewed clock is ahead by its offset, gains its drift, and is another domain', () => {
  const world = new World();
  world.nowNs = 5_000 * MS;
  const base = world.clock();
  const skewed = skewClock(base, { offsetMs: 3_700, driftPpm: 40 });
  const unix = (clock: Clock): bigint => clock.zeroUnixNs + BigInt(clock.now());
  expect(unix(skewed) - unix(base)).toBe(BigInt(3_700 * MS));
  world.nowNs += 10_000 * MS;
  expect(unix(skewed) - unix(base)).toBe(BigInt(3_700 * MS + 400_000));
  expect(skewed.domain).toMatch(/^[0-9a-f]{16}$/);
  expect(skewed.domain).not.toBe(base.domain);
});
