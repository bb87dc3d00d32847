// Where the media axis bends, and what came of which media: exact, in whole
// numbers, for as long as a call lasts.

import { bentHop, derive, regrouped } from '@framescope/instrument/lineage';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SegmentMap } from '../src/lineage/segment-map.ts';
import { tick, type LineageState } from '@framescope/protocol';
import { World } from './support/world.ts';

const lineageOf = (world: World): LineageState[] =>
  world.states().flatMap(state => [...(state.lineage ?? [])]);

/** `start+length` of each mark of a hop, in order. */
const marksOf = (world: World, name: string): string[] =>
  world
    .records()
    .flatMap(record => record.blocks)
    .flatMap(block => block.columns)
    .filter(column => column.hop.name === name)
    .flatMap(({ startTick, endTick, length }) =>
      Array.from({ length }, (_, i) => `${startTick[i]!}+${endTick[i]! - startTick[i]!}`),
    );

test('an hour of chunks of 512 samples at 48 kHz stands where the sound does', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic', { sampleRate: 48_000 });
  const captured = mic.hop('capture');
  // What it would be in whole milliseconds: 11 for 10⅔, and 112 s too late after an hour.
  const chunks = Math.ceil((3_600 * 48_000) / 512);
  let wrongMs = 0;
  for (let i = 0; i < chunks; i++) {
    captured.mark(512);
    wrongMs += Math.round(512 / 48);
    if (i % 3_000 === 2_999) await world.pass(1_000);
  }
  expect(captured.nextTick).toBe(172_800_000);
  expect(Math.floor((wrongMs - (chunks * 512) / 48) / 1_000)).toBe(112);
  expect(world.codes()).toEqual([]);
});

test('the same chunks resampled to 16 kHz: 170 or 171 ticks each, and none gained or lost in an hour', () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic', { sampleRate: 16_000 });
  const send = bentHop(call, mic, 'send', { sampleRate: 48_000 });
  let endTick = 0;
  const lengths = new Set<number>();
  for (let i = 0; i < 337_500; i++) {
    send.mark(512);
    lengths.add(send.nextTick - endTick);
    endTick = send.nextTick;
  }
  expect([...lengths].toSorted()).toEqual([170, 171]);
  expect([send.nextSample, send.nextTick, send.hop.nextTick]).toEqual([
    172_800_000, 57_600_000, 57_600_000,
  ]);
});

test('16 kHz resampled to 24 kHz: 480 samples are 320 ticks, told once with the exact rate', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic', { sampleRate: 16_000 });
  const send = bentHop(call, mic, 'send', { sampleRate: 24_000 });
  for (let i = 0; i < 5; i++) send.mark(480);
  await world.pass(1_000);
  expect(marksOf(world, 'send')).toEqual(['0+320', '320+320', '640+320', '960+320', '1280+320']);
  expect(lineageOf(world)).toEqual([
    {
      kind: 'segment',
      stream: 'mic',
      role: 'agent',
      hop: 'send',
      nth: 0,
      sample: 0,
      tick: 0,
      samples: 3,
      ticks: 2,
      at: 0,
    },
  ]);
  // A vendor says that speech ended at 80 ms of what it heard.
  expect(send.tickOf(80 * 24)).toBe(1_280);
});

test('a splice: the axis goes on where the sound does, nothing is lost, and it is told once', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const agent = call.stream('agent', { sampleRate: 24_000 });
  const send = bentHop(call, agent, 'send');
  send.mark(480);
  send.bend({ tick: 4_800 });
  send.mark(480);
  await world.pass(1_000);
  expect(marksOf(world, 'send')).toEqual(['0+480', '4800+480']);
  expect(
    lineageOf(world).map(
      one => one.kind === 'segment' && [one.sample, one.tick, one.samples, one.ticks],
    ),
  ).toEqual([[480, 4_800, 1, 1]]);
});

test('what was dropped, silent or made up is counted in the hop’s own samples and told in ticks', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic', { sampleRate: 16_000 });
  const send = bentHop(call, mic, 'send', { sampleRate: 48_000 });
  send.mark(960);
  send.drop(960);
  send.silence(1_920);
  send.conceal(960);
  send.mark(960);
  await world.pass(1_000);
  const ranges = world
    .records()
    .flatMap(record => record.blocks.flatMap(block => [...block.ranges]));
  expect(ranges.map(({ kind, startTick, endTick }) => [kind, startTick, endTick])).toEqual([
    ['drop', 320, 640],
    ['silence', 640, 1_280],
    ['conceal', 1_280, 1_600],
  ]);
  expect(marksOf(world, 'send')).toEqual(['0+320', '1600+320']);
});

test('where the stream jumps, because a peer said so, the hop goes along', () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic', { sampleRate: 16_000 });
  mic.hop('receive').mark(320);
  const send = bentHop(call, mic, 'send', { sampleRate: 24_000 });
  send.mark(480);
  mic.follow(tick(3_200));
  mic.hop('receive').mark(320);
  send.mark(480);
  expect([send.hop.nextTick, send.nextTick]).toEqual([3_520, 3_520]);
});

test('chunks too short for a tick wait; a stretch by 3 in 2 is exact', () => {
  const call = new World().scope().startSession({ id: 'call' });
  const stream = call.stream('mic', { sampleRate: 8_000 });
  const hop = bentHop(call, stream, 'decode', { sampleRate: 48_000 });
  for (let i = 0; i < 5; i++) hop.mark(1);
  expect(hop.hop.nextTick).toBe(0);
  hop.mark(1);
  expect(hop.hop.nextTick).toBe(1);
  hop.bend({ samples: 2, ticks: 3 });
  hop.mark(200);
  expect(hop.hop.nextTick).toBe(301);
});

test('ticks of any rate are those of whole numbers, however far the call has come', () => {
  const rate = fc.integer({ min: 1, max: 768_000 });
  fc.assert(
    fc.property(
      rate,
      rate,
      fc.integer({ min: 0, max: 2 ** 46 }),
      fc.integer({ min: 0, max: 1_000_000 }),
      (samples, ticks, sample, from) => {
        const map = new SegmentMap({ sample: from, tick: tick(7), samples, ticks });
        const exact = 7n + (BigInt(sample) * BigInt(ticks)) / BigInt(samples);
        fc.pre(exact < 2n ** 53n);
        expect(BigInt(map.tickOf(from + sample))).toBe(exact);
      },
    ),
  );
});

test('frames put together wait at a hop of their own', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic');
  const group = regrouped(call, mic, 1_600, { after: 'agent/receive' });
  const went = [];
  for (let i = 0; i < 11; i++) went.push(group.add(320));
  group.flush();
  await world.pass(1_000);
  expect(went).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
  expect(marksOf(world, 'regroup')).toEqual(['0+1600', '1600+1600', '3200+320']);
  expect(group.held).toBe(0);
});

test('words and sound: what was heard in these ticks, what was spoken of that text', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic');
  derive(call, { stream: mic, fromTick: 0, toTick: 8_000, text: 'hello' });
  const agent = call.stream('agent');
  derive(call, {
    stream: agent,
    fromTick: 960,
    toTick: 1_920,
    text: 'there',
    fromChar: 3,
    quality: 'exact',
  });
  await world.pass(1_000);
  expect(lineageOf(world)).toEqual([
    {
      kind: 'derived',
      who: 'user',
      stream: 'mic',
      fromTick: 0,
      toTick: 8_000,
      text: 'hello',
      quality: 'reported',
      at: 0,
    },
    {
      kind: 'derived',
      who: 'agent',
      stream: 'agent',
      fromTick: 960,
      toTick: 1_920,
      text: 'there',
      fromChar: 3,
      quality: 'exact',
      at: 0,
    },
  ]);
});

test('what makes no sense is told, and nothing throws', async () => {
  const world = new World();
  const call = world.scope().startSession({ id: 'call' });
  const mic = call.stream('mic');
  const hop = bentHop(call, mic, 'send', { sampleRate: -1 });
  hop.mark(-3);
  hop.bend({ samples: 0, ticks: 1 });
  hop.drop(1.5);
  hop.tickOf(Number.NaN);
  derive(call, { stream: mic, fromTick: 5, toTick: 5, text: 'x' });
  derive(call, { stream: mic, fromTick: 5, toTick: 6, text: 'x', quality: 'sure' as never });
  regrouped(call, mic, 0).add(-1);
  await world.pass(1_000);
  const dropped = world.states().findLast(state => state.dropped !== undefined)?.dropped;
  expect(dropped).toEqual({ bad_argument: 7, bad_mark: 2 });
});
