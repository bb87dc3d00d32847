// The flow of the agent's stream, drawn as chunks and what is heard of them.

import { domainNs, tick, type FrameBlock } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { SessionClocks } from '../../../src/assemble/clock/session-clocks.ts';
import { flowOf } from '../../../src/assemble/frames/flow.ts';
import { framesOf } from '../../../src/assemble/frames/stream-frames.ts';
import { StreamMarks } from '../../../src/assemble/frames/stream-marks.ts';

const MS = 1_000_000;
const TICKS_PER_MS = 16;
const HERE = { domain: 'c'.repeat(16), epoch: 0, zeroUnixNs: 0n };
const clocks = new SessionClocks(HERE);
clocks.setZero(0n);
const CLOCK = clocks.map(clocks.note(HERE));

/** `[start ms, end ms, passed at ms]` */
type Frame = readonly [number, number, number];

/** Values in ms by measure, of hops drawn as frames. */
function flows(
  direction: 'up' | 'down',
  hops: Readonly<Record<string, readonly Frame[]>>,
  answersMs: readonly number[] = [],
): Record<string, number[]> {
  const block: FrameBlock = {
    stream: 'agent',
    sampleRate: 1_000 * TICKS_PER_MS,
    direction,
    columns: Object.entries(hops).map(([path, frames]) => {
      const [role = '', name = ''] = path.split('/');
      return {
        hop: { role, name, nth: 0 },
        length: frames.length,
        startTick: Float64Array.from(frames, ([start]) => tick(start * TICKS_PER_MS)),
        endTick: Float64Array.from(frames, ([, end]) => tick(end * TICKS_PER_MS)),
        atNs: Float64Array.from(frames, ([, , at]) => domainNs(at * MS)),
        late: [],
      };
    }),
    ranges: [],
  };
  const marks = new StreamMarks({ name: 'agent', sampleRate: 1_000 * TICKS_PER_MS, direction });
  marks.add(block, 0, 'p');
  const stream = framesOf(marks, { clocks: [CLOCK], budgetNs: 300 * MS });
  const answersAt = answersMs.map(ms => ms * TICKS_PER_MS);
  return Object.fromEntries(
    flowOf(stream, answersAt).map(flow => [flow.measure, flow.valueNs.map(ns => ns / MS)]),
  );
}

/** Chunks of 100 ms that come at these times. */
const chunks = (...atMs: number[]): Frame[] => atMs.map((at, i) => [i * 100, (i + 1) * 100, at]);

test('gap and real-time factor: what comes between two chunks, and for each second of audio', () => {
  const told = flows('down', {
    'models/tts': chunks(0, 30, 60, 210),
    'agent/send': chunks(5, 35, 65, 215),
  });
  expect(told['gap.agent.models/tts']).toEqual([30, 30, 150]);
  expect(told['rtf.agent.models/tts']).toEqual([300, 300, 1_500]);
  expect(told['gap.agent.agent/send']).toBeUndefined();
});

test('lead: how far ahead of a listener who began with the first; who had to wait begins anew', () => {
  const told = flows('down', { 'agent/send': chunks(0, 30, 60, 350, 360) });
  // 100, 200, 300 are due; 350 is 50 late, after which 450 is.
  expect(told['lead.agent.agent/send']).toEqual([70, 140, -50, 90]);
});

test('slack: before its turn to sound, and an underrun when it came after', () => {
  const told = flows('down', {
    'agent/send': chunks(0, 100, 200, 300),
    'client/receive': chunks(40, 130, 290, 350),
    'client/playout': chunks(100, 200, 310, 410),
  });
  // Due when the one before it is over: 200, 300, 410.
  expect(told['slack.agent.client/receive']).toEqual([70, 10, 60]);
  expect(told['underrun.agent.client/receive']).toBeUndefined();
  const late = flows('down', {
    'agent/send': chunks(0, 100, 200, 300),
    'client/receive': chunks(40, 130, 330, 350),
    'client/playout': chunks(100, 200, 330, 430),
  });
  expect(late['slack.agent.client/receive']).toEqual([70, -30, 80]);
  expect(late['underrun.agent.client/receive']).toEqual([30]);
});

test('frames that are cut otherwise where they are played have the slack of their first sample', () => {
  const told = flows('down', {
    'client/receive': [
      [0, 40, 0],
      [40, 80, 30],
    ],
    'client/playout': [
      [0, 30, 60],
      [30, 60, 90],
      [60, 80, 120],
    ],
  });
  expect(told['slack.agent.client/receive']).toEqual([70]);
});

test('a second without sound is a new beginning, a millisecond less is a gap', () => {
  const of = (atMs: number): number[] | undefined =>
    flows('down', { 'models/tts': chunks(0, atMs) })['gap.agent.models/tts'];
  expect(of(1_100)).toEqual([1_100]);
  expect(of(1_101)).toBeUndefined();
});

test('where turns are told, only an answer is a new beginning: a stall of three seconds is one', () => {
  const seconds = [0, 50, 5_300, 12_000].map((at, i): Frame => [i * 1_000, (i + 1) * 1_000, at]);
  const hops = { 'models/tts': seconds };
  // The answer that begins with the fourth chunk has its first voice 80 ms in.
  expect(flows('down', hops, [0, 3_080])['gap.agent.models/tts']).toEqual([50, 5_250]);
  expect(flows('down', hops, [0, 4_400])['gap.agent.models/tts']).toEqual([50, 5_250, 6_700]);
});

test('what was thrown away in between is no gap', () => {
  const told = flows('down', {
    'models/tts': [
      [0, 100, 0],
      [500, 600, 400],
      [600, 700, 420],
    ],
  });
  expect(told['gap.agent.models/tts']).toEqual([20]);
});

test('up: where frames were put together, the oldest sample is older by their length', () => {
  const captured = Array.from({ length: 10 }, (_, i): Frame => [i * 20, i * 20 + 20, i * 20 + 20]);
  const told = flows('up', {
    'client/capture': captured,
    'agent/receive': captured.map(([start, end, at]): Frame => [start, end, at + 30]),
    'agent/regroup': [
      [0, 100, 135],
      [100, 200, 235],
    ],
  });
  expect(told).toEqual({ 'oldest.agent.agent/regroup': [135, 135] });
});
