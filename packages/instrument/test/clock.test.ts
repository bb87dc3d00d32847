import { domainNs } from '@framescope/protocol';
import { ClockColumn, skewClock, type Clock } from '@framescope/instrument';
import { expect, test } from 'vitest';
import { JumpWatch } from '../src/clock/jump-watch.ts';
import { isTimedBeforeLeap, rowsBeforeLeap } from '../src/clock/leap-watch.ts';
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

test('the collector is probed while a session is open, more often at first; the first answer is dropped', async () => {
  const world = new World();
  world.clockAnswer = answering(world);
  const call = world.scope().startSession({ id: 'call' });
  await world.pass(2_400);
  void call.end();
  await world.pass(60_000);
  expect(samples(world)).toEqual(
    [1_000, 1_250, 1_500, 1_750, 2_000, 2_250].map(ms => ({
      peer: '00000000000000dd',
      peerEpoch: 2,
      t1: ms * MS,
      t2: ms * MS + 7,
      t3: ms * MS + 9,
      t4: ms * MS,
    })),
  );
});

test('after half a minute one probe a second is enough', async () => {
  const world = new World();
  world.clockAnswer = answering(world);
  world.scope().startSession({ id: 'call' });
  await world.pass(62_000);
  const atMs = samples(world).map(({ t1 }) => t1 / MS);
  const within = (fromMs: number, toMs: number): number =>
    atMs.filter(ms => ms >= fromMs && ms < toMs).length;
  expect([within(10_000, 20_000), within(40_000, 50_000)]).toEqual([40, 10]);
});

test('a session that begins later starts with the exchanges of the last minute', async () => {
  const world = new World();
  world.clockAnswer = answering(world);
  const scope = world.scope();
  scope.startSession({ id: 'first' });
  await world.pass(10_500);
  world.received.length = 0;
  scope.startSession({ id: 'second' });
  await world.pass(1_000);
  const [second] = world.records().filter(({ seq }) => seq === 0);
  expect(second?.clockSamples.length).toBeGreaterThan(38);
});

test('a collector on the same clock is no peer', async () => {
  const world = new World();
  const clock = world.clock('00000000000000dd');
  world.clockAnswer = answering(world);
  world.scope({ clock }).startSession({ id: 'call' });
  await world.pass(5_500);
  expect(samples(world)).toEqual([]);
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
  const watch = new JumpWatch({ now: () => domainNs(monoMs * MS), wallMs: () => wallMs });
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
  // These clocks stand still while they are read: known to half a millisecond.
  expect([watch.epoch, watch.zeroUnixNs]).toEqual([1, BigInt(1_051.5 * MS)]);
  expect(after(1_000, 3_600_000)).toBe(true);
  expect(watch.epoch).toBe(2);
});

test('slow drift never adds up to a jump', () => {
  let ms = 0;
  const watch = new JumpWatch({
    now: () => domainNs(ms * MS),
    wallMs: () => Math.floor(ms * 1.0005),
  });
  for (let i = 0; i < 1_000; i++) {
    ms += 1_000;
    expect(watch.check()).toBe(false);
  }
});

test('where the platform tells sleep from a clock that was set, only sleep opens an epoch', () => {
  let monoMs = 0;
  let wallMs = 1_000;
  let sleptMs = 7;
  const watch = new JumpWatch({
    now: () => domainNs(monoMs * MS),
    wallMs: () => wallMs,
    sleptNs: () => sleptMs * MS,
  });
  const after = (mono: number, wall: number, slept: number): boolean => {
    monoMs += mono;
    wallMs += wall;
    sleptMs += slept;
    return watch.check();
  };
  expect([after(100, 3_600_000, 0), after(100, 100, 10), after(100, -60_000, -10)]).toEqual([
    false,
    false,
    false,
  ]);
  expect([after(100, 30_100, 30_000), watch.epoch, watch.epochFromNs]).toEqual([true, 1, 300 * MS]);
  expect([after(100, 100, 0), after(0, 0, 0)]).toEqual([false, false]);
  sleptMs = Number.NaN;
  expect(after(100, 30_100, 0)).toBe(true);
});

test('marks on both sides of a leap within one flush are told apart', async () => {
  const world = new World();
  let leaptNs = 0;
  let epoch = 0;
  const now = () => domainNs(world.nowNs + leaptNs);
  const clock: Clock = {
    ...world.clock(),
    get epoch() {
      return epoch;
    },
    now,
    makeColumn: capacity => new ClockColumn(capacity, now),
    check: () => {
      if (leaptNs === 0 || epoch === 1) return false;
      epoch = 1;
      return true;
    },
  };
  const session = world.scope({ clock }).startSession({ id: 'call' });
  const hop = session.stream('mic').hop('receive');
  for (let frame = 0; frame < 100; frame++) {
    if (frame === 21) leaptNs = -60_000 * MS;
    hop.mark(320);
    await world.pass(20);
  }
  const told = world
    .records()
    .filter(record => record.blocks.length > 0)
    .map(({ epoch: of, blocks }) => [of, blocks[0]!.columns[0]!.length]);
  // The leap at 420 ms is noticed at 500: 21 marks before it, 4 after, none in the wrong epoch.
  expect(told).toEqual([
    [0, 21],
    [1, 4],
    [1, 25],
    [1, 50],
  ]);
});

test.each([-60_000, 60_000])(
  'at a leap of %i ms a mark that brought its time stands on the side where its time does',
  async leapMs => {
    const world = new World();
    let leaptNs = 0;
    let epoch = 0;
    const now = () => domainNs(world.nowNs + leaptNs);
    const clock: Clock = {
      ...world.clock(),
      get epoch() {
        return epoch;
      },
      epochFromNs: domainNs(400 * MS),
      now,
      makeColumn: capacity => new ClockColumn(capacity, now),
      check: () => {
        if (leaptNs === 0 || epoch === 1) return false;
        epoch = 1;
        return true;
      },
    };
    const mic = world.scope({ clock }).startSession({ id: 'call' }).stream('mic');
    for (let frame = 0; frame < 25; frame++) {
      if (frame === 21) leaptNs = leapMs * MS;
      mic.hop('decode').mark(320);
      mic.hop('receive').markAt(frame * 320, 320, now());
      await world.pass(20);
    }
    const told = world
      .records()
      .filter(({ blocks }) => blocks.length > 0)
      .map(({ epoch: of, blocks }) => [
        of,
        ...blocks.flatMap(({ columns }) => columns.map(column => column.length)),
      ]);
    expect(told).toEqual([
      [0, 21, 21],
      [1, 4, 4],
    ]);
  },
);

test('of marks that brought their time those near the last good reading came before a leap', () => {
  const before = (checkedMs: number, nowMs: number, ...atMs: number[]): number[] =>
    atMs.filter(ms => isTimedBeforeLeap(ms * MS, checkedMs * MS, nowMs * MS));
  expect(before(400, 5_500, 5_420, -900, 420, 5_500)).toEqual([-900, 420]);
  expect(before(400, -5_500, -5_580, -900, 420, -5_500)).toEqual([-900, 420]);
  // A small step back: what is too old to have come since the last check came before it.
  expect(before(400, 300, 100, 149, 280, 300, 310)).toEqual([100, 149, 310]);
});

test('of marks around a leap those before it are found, ahead, back, or asleep', () => {
  const before = (checkedMs: number, ...atMs: number[]): number =>
    rowsBeforeLeap(
      atMs.map(ms => ms * MS),
      atMs.length,
      checkedMs * MS,
    );
  expect(before(100, 60, 80, 100, 120, 5_140, 5_160)).toBe(4);
  expect(before(100, 60, 80, 100, 120, -5_140, -5_160)).toBe(4);
  // A pause before the last good check is none; a clock that stood still shows nothing.
  expect(before(300, 60, 80, 280, 300, 320)).toBe(5);
  expect(before(100, 5_160)).toBe(0);
  expect(before(100)).toBe(0);
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
