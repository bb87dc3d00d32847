import { ATTR } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { picture } from './support/picture.ts';
import { MS, World } from './support/world.ts';

test('each frame is told with its ticks and the time it left the hop', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic', { sampleRate: 16_000 });
  for (let i = 0; i < 3; i++) {
    await world.pass(20);
    mic.hop('receive').mark(320);
  }
  mic.hop('decode').mark(960);
  await world.pass(1_000);
  expect(picture(world.records())).toEqual([
    'mic.agent/receive 0-320@20 320-640@40 640-960@60',
    'mic.agent/decode 0-960@60',
  ]);
});

test('a hop goes on in the next record where it stood', async () => {
  const world = new World();
  const mic = world.scope().startSession({ id: 'call' }).stream('mic');
  mic.hop('receive').mark(320);
  await world.pass(1_000);
  mic.hop('receive').mark(320);
  await world.pass(1_000);
  expect(picture(world.records())).toEqual([
    'mic.agent/receive 0-320@0',
    'mic.agent/receive 320-640@1000',
  ]);
});

test('what an earlier flush passed is told as late, in this flush or in the next', async () => {
  const world = new World();
  const mic = world.scope().startSession({ id: 'call' }).stream('mic');
  const hop = mic.hop('receive');
  hop.mark(320);
  hop.markAt(960, 320);
  hop.markAt(320, 320);
  hop.mark(320);
  await world.pass(1_000);
  hop.markAt(640, 320);
  hop.mark(320);
  await world.pass(1_000);
  expect(picture(world.records())).toEqual([
    'mic.agent/receive 0-320@0 960-1280@0 1280-1600@0 | late 320-640@0',
    'mic.agent/receive 1600-1920@1000 | late 640-960@1000',
  ]);
});

test('a full ring refuses marks, counts them, and tells it with the next flush', async () => {
  const world = new World();
  const hop = world.scope().startSession({ id: 'call' }).stream('mic').hop('receive');
  for (let i = 0; i < 4_100; i++) hop.mark(160);
  await world.pass(1_000);
  const frames = world
    .records()
    .flatMap(one => one.blocks[0]!.columns)
    .map(one => one.length);
  expect(frames.reduce((a, b) => a + b)).toBe(4_096);
  expect(world.states().at(-1)?.dropped).toEqual({ ring_full: 4 });
  expect(world.codes()).toEqual(['ring_full']);
});

test('declared ranges move the hop on, so that the next mark follows them', async () => {
  const world = new World();
  const mic = world.scope({ role: 'client' }).startSession({ id: 'call' }).stream('mic');
  mic.hop('playout').mark(320);
  mic.conceal('playout', 320, 320);
  mic.hop('playout').mark(320);
  await world.pass(1_000);
  expect(picture(world.records())).toEqual([
    'mic.client/playout 0-320@0 640-960@0',
    'mic.client/playout conceal 320-640@0',
  ]);
});

test('a second hop of one name, and a declared predecessor, travel with the hop', async () => {
  const world = new World();
  const mic = world.scope().startSession({ id: 'call' }).stream('mic');
  mic.hop('decode', { nth: 1, after: 'agent/receive' }).mark(320);
  await world.pass(1_000);
  expect(picture(world.records())).toEqual(['mic.agent/decode#2 0-320@0']);
  expect(world.records()[0]?.blocks[0]?.columns[0]?.hop.after).toBe('agent/receive');
});

test.each([0, -320, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 28_800_001, '320', null, 320n, {}])(
  'a frame of %s samples is refused and counted',
  async samples => {
    const world = new World();
    const hop = world.scope().startSession({ id: 'call' }).stream('mic').hop('receive');
    hop.mark(samples as number);
    hop.mark(28_800_000);
    await world.pass(1_000);
    expect(picture(world.records())).toEqual(['mic.agent/receive 0-28800000@0']);
    expect(world.states().at(-1)?.dropped).toEqual({ bad_mark: 1 });
  },
);

test('marks after the end of the session are refused and counted', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const hop = call.stream('mic').hop('receive');
  hop.mark(320);
  await call.end();
  hop.mark(320);
  await world.pass(3_000);
  expect(picture(world.records())).toEqual(['mic.agent/receive 0-320@0']);
});

test('all processes of a call make the same trace ID', () => {
  const [agent, client] = [new World().scope(), new World().scope({ role: 'client' })].map(scope =>
    scope.startSession({ id: 'CA-123' }),
  );
  expect(agent!.traceId).toBe(client!.traceId);
  expect(agent!.traceId).toMatch(/^[0-9a-f]{32}$/);
});

test('a mark may bring a time that was read elsewhere; the hop goes on after it', async () => {
  const world = new World();
  const hop = world.scope().startSession({ id: 'call' }).stream('mic').hop('receive');
  await world.pass(100);
  hop.markAt(0, 320, 60 * MS);
  hop.markAt(320, 320, 81 * MS);
  hop.mark(320);
  hop.markAt(960, 320, Number.NaN);
  await world.pass(1_000);
  expect(picture(world.records())).toEqual([
    'mic.agent/receive 640-960@100 | late 0-320@60 320-640@81',
  ]);
  expect(world.codes()).toEqual(['bad_mark']);
});

test('marks with a time of their own are bounded, and what finds no room is counted', async () => {
  const world = new World();
  const hop = world.scope().startSession({ id: 'call' }).stream('mic').hop('receive');
  for (let i = 0; i < 2_050; i++) hop.markAt(i * 160, 160, i * MS);
  await world.pass(1_000);
  expect(world.states().map(state => state.dropped)).toEqual([{ ring_full: 2 }]);
});

test('marks that found no room are told once, however many records the flush makes', async () => {
  const world = new World();
  const hop = world.scope().startSession({ id: 'call' }).stream('mic').hop('receive');
  for (let i = 0; i < 4_096 + 10; i++) hop.mark(320);
  hop.markAt(2_000_000, 320, world.nowNs);
  await world.pass(1_500);
  const lost = world.received.map(({ attributes }) => attributes[ATTR.frameLost] ?? 0);
  expect(lost.reduce((sum: number, one) => sum + Number(one), 0)).toBe(10);
});

test('marks after the end are told to the collector, with their count', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const hop = call.stream('mic').hop('receive');
  hop.mark(320);
  const ended = call.end();
  await world.pass(100);
  await ended;
  const before = world.posts.length;
  hop.mark(320);
  hop.markAt(320, 320, 5);
  await world.pass(5_000);
  expect(world.states().at(-1)?.dropped).toEqual({ session_ended: 2 });
  // Once for all that came together; and nothing as long as nothing comes.
  expect(world.posts.length).toBe(before + 1);
  hop.mark(320);
  await world.pass(5_000);
  expect(world.states().at(-1)?.dropped).toEqual({ session_ended: 3 });
  expect(world.posts.length).toBe(before + 2);
});
