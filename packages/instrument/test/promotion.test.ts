// Frames worth a span of their own.

import { ATTR, sessionTraceId, tick, turnTraceId } from '@framescope/protocol';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { expect, test } from 'vitest';
import { MS, World } from './support/world.ts';

const FRAME = 320;

function calling() {
  const world = new World();
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const call = world.scope({ tracerProvider: provider }).startSession({ id: 'call' });
  const mic = call.stream('mic');
  const frames = async () => {
    await world.pass(1_000);
    return exporter
      .getFinishedSpans()
      .filter(({ name }) => name.startsWith('frame '))
      .map(span => ({
        name: span.name,
        reasons: span.attributes[ATTR.framePromoted],
        frame: Number(span.attributes[ATTR.frameTick]) / FRAME,
        weight: span.attributes[ATTR.sampleWeight],
        duration: span.duration,
        traceId: span.spanContext().traceId,
        parentId: span.parentSpanContext?.spanId,
      }));
  };
  /** A frame each 20 ms, `lateMs` late: all of them, or the one at `only`. */
  const play = async (count: number, lateMs = 0, only?: number): Promise<void> => {
    const hop = mic.hop('receive');
    for (let i = 0; i < count; i++) {
      await world.pass(20);
      const isLate = lateMs > 0 && (only === undefined || only === i);
      world.nowNs += isLate ? lateMs * MS : 0;
      hop.mark(FRAME);
      world.nowNs -= isLate ? lateMs * MS : 0;
    }
  };
  return { world, call, mic, frames, play };
}

/** Not only one of those that a hash of the tick picks. */
const unusual = ({ reasons }: { reasons: unknown }): boolean =>
  JSON.stringify(reasons) !== '["baseline"]';

test('a frame 301 ms late has a span from when it was due until it passed; one 299 ms late has none', async () => {
  const { frames, play } = calling();
  await play(50);
  await play(50, 299, 10);
  await play(50, 301, 10);
  const late = (await frames()).filter(unusual);
  expect(late).toMatchObject([
    {
      name: 'frame mic.agent/receive',
      reasons: ['over_budget'],
      frame: 110,
      duration: [0, 301_000_000],
    },
  ]);
});

test('of a stall four frames are told at each hop, then one in fifteen seconds while it stays late', async () => {
  const { mic, frames, play } = calling();
  const both = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await play(1);
      mic.hop('decode').mark(FRAME);
    }
  };
  await both(50);
  // `decode` stalls while `receive` goes on, and is 400 ms behind from then on.
  await play(20);
  await both(40);
  const told = async () =>
    (await frames()).filter(({ reasons }) => String(reasons).includes('over_budget')).length;
  expect(await told()).toBe(4);
  // The second without marks that `told` let pass moves the schedule; `decode` is late against it still.
  await both(20 * 50);
  expect(await told()).toBe(5);
});

test('after a pause without marks, as of a mute, what follows on time is not late', async () => {
  const { world, mic, frames, play } = calling();
  const both = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await play(1);
      mic.hop('decode').mark(FRAME);
    }
  };
  await both(50);
  for (const pauseMs of [5_000, 350, 60_000]) {
    await world.pass(pauseMs);
    await both(100);
  }
  await world.pass(62_000);
  await both(1);
  expect((await frames()).filter(unusual)).toEqual([]);
});

test('frames that a stall kept back and that then come all at once are late', async () => {
  const { world, mic, frames, play } = calling();
  await play(60);
  await world.pass(500);
  // What was kept back: 25 frames, the first 480 ms late, and then on time again.
  for (let i = 0; i < 25; i++) mic.hop('receive').mark(FRAME);
  await play(20);
  const late = (await frames()).filter(unusual);
  expect(late.map(({ frame }) => frame)).toEqual([60, 61, 62, 63]);
  expect(late[0]!.duration).toEqual([0, 480_000_000]);
});

test('after the peer says that the stream stands further back, what follows on time is not late', async () => {
  const { mic, frames, play } = calling();
  await play(100);
  mic.follow(tick(40 * FRAME));
  await play(100);
  expect((await frames()).filter(unusual)).toEqual([]);
});

test('the worst frame of each minute has a span, at each hop', async () => {
  const { frames, play } = calling();
  await play(60);
  await play(60, 120, 30);
  await play(60, 90, 30);
  await play(62 * 50);
  const worst = (await frames()).filter(unusual);
  expect(worst).toMatchObject([{ reasons: ['worst'], frame: 90 }]);
});

test('frames around a barge-in lie in the trace of their turn, under its root', async () => {
  const { call, mic, frames, play } = calling();
  await play(100);
  const turn = call.startTurn({ stream: mic, at: 50 * FRAME });
  turn.bargeIn({ onsetTick: 105 * FRAME });
  await play(50);
  const around = (await frames()).filter(unusual);
  expect(around.map(({ frame }) => frame)).toEqual([
    100, 101, 102, 103, 104, 105, 106, 107, 108, 109,
  ]);
  for (const { reasons, traceId, parentId } of around)
    expect({ isBargeIn: String(reasons).includes('barge_in'), traceId, parentId }).toEqual({
      isBargeIn: true,
      traceId: turn.traceId,
      parentId: turn.spanId,
    });
});

test('one frame in a thousand tells what is usual, with its weight, in the trace of its minute', async () => {
  const { frames, play } = calling();
  await play(20_000);
  const baseline = (await frames()).filter(({ weight }) => weight === 1_000);
  expect(baseline.length).toBeGreaterThan(8);
  expect(baseline.length).toBeLessThan(40);
  const session = sessionTraceId('call');
  for (const { frame, traceId } of baseline)
    expect(traceId).toBe(turnTraceId(session, 'mic', Math.floor(frame / 3_000) * 960_000));
});

test('without our collector every frame at every hop is a span, and nothing else leaves', async () => {
  const world = new World();
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const scope = world.scope({ tracerProvider, frames: 'spans' });
  const call = scope.startSession({ id: 'call' });
  const mic = call.stream('mic');
  const turn = call.startTurn({ stream: mic, at: 0 });
  for (let i = 0; i < 100; i++) {
    await world.pass(20);
    mic.hop('receive').mark(FRAME);
    mic.hop('decode').mark(FRAME);
  }
  await call.end();
  const frames = exporter.getFinishedSpans().filter(({ name }) => name.startsWith('frame '));
  expect(frames.length).toBe(200);
  expect(new Set(frames.map(span => span.spanContext().traceId))).toEqual(new Set([turn.traceId]));
  expect(new Set(frames.map(span => span.attributes[ATTR.frameTick])).size).toBe(100);
  expect(frames[0]!.attributes[ATTR.framePromoted]).toContain('every_frame');
  expect(world.posts).toEqual([]);
});
