import { FRAME_FLAG, domainNs, tick, type FrameBlock } from '@framescope/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionClocks } from '../../../src/assemble/clock/session-clocks.ts';
import { missingTicks, rowsOfLastTick, type Cut } from '../../../src/assemble/frames/join.ts';
import {
  framesOf,
  type HopFrames,
  type StreamFrames,
} from '../../../src/assemble/frames/stream-frames.ts';
import { StreamMarks } from '../../../src/assemble/frames/stream-marks.ts';

const MS = 1_000_000;
const RATE = 16_000;
const TICKS_PER_MS = 16;
const HERE = { domain: 'c'.repeat(16), epoch: 0, zeroUnixNs: 0n };

const clocks = new SessionClocks(HERE);
clocks.setZero(0n);
const CLOCK = clocks.map(clocks.note(HERE));

type Frame = readonly [startMs: number, endMs: number, atMs: number];
interface Hop {
  readonly path: string;
  readonly after?: string;
  /** Which instance ran it; default `p`. */
  readonly by?: string;
  readonly frames: readonly Frame[];
  readonly late?: readonly Frame[];
}

const rowOf = ([startMs, endMs, atMs]: Frame) => ({
  startTick: tick(startMs * TICKS_PER_MS),
  endTick: tick(endMs * TICKS_PER_MS),
  atNs: domainNs(Math.round(atMs * MS)),
});
const column = (frames: readonly Frame[], pick: 'startTick' | 'endTick' | 'atNs'): Float64Array =>
  Float64Array.from(frames, frame => rowOf(frame)[pick]);

interface Drawn {
  readonly direction?: 'up' | 'down';
  readonly hops: readonly Hop[];
  readonly ranges?: readonly (readonly [
    kind: 'conceal' | 'drop' | 'silence',
    path: string,
    startMs: number,
    endMs: number,
    atMs: number,
  ])[];
}

function hopName(path: string): { role: string; name: string; nth: number } {
  const [role = '', name = ''] = path.split('/');
  return { role, name, nth: 0 };
}

function streamOf({ direction = 'up', hops, ranges = [] }: Drawn): StreamFrames {
  const marks = new StreamMarks({ name: 'mic', sampleRate: RATE, direction });
  const blockOf = (own: readonly Hop[], isFirst: boolean): FrameBlock => ({
    stream: 'mic',
    sampleRate: RATE,
    direction,
    columns: own.map(({ path, after, frames, late = [] }) => ({
      hop: { ...hopName(path), ...(after === undefined ? {} : { after }) },
      length: frames.length,
      startTick: column(frames, 'startTick'),
      endTick: column(frames, 'endTick'),
      atNs: column(frames, 'atNs'),
      late: late.map(rowOf),
    })),
    ranges: (isFirst ? ranges : []).map(([kind, path, startMs, endMs, atMs]) => ({
      kind,
      hop: hopName(path),
      ...rowOf([startMs, endMs, atMs]),
    })),
  });
  [...new Set(hops.map(hop => hop.by ?? 'p'))].forEach((by, i) => {
    const own = hops.filter(hop => (hop.by ?? 'p') === by);
    marks.add(blockOf(own, i === 0), 0, by);
  });
  return framesOf(marks, { clocks: [CLOCK], budgetNs: 300 * MS });
}

const frames = (
  count: number,
  lengthMs: number,
  atMs: (i: number, endMs: number) => number,
  fromMs = 0,
): Frame[] =>
  Array.from({ length: count }, (_, i): Frame => {
    const endMs = fromMs + (i + 1) * lengthMs;
    return [endMs - lengthMs, endMs, atMs(i, endMs)];
  });
const without = (list: readonly Frame[], ...lost: number[]): Frame[] =>
  list.filter((_, i) => !lost.includes(i));
const hopAt = (stream: StreamFrames, path: string): HopFrames =>
  stream.hops.find(hop => hop.path === path)!;
const worstMs = (hop: HopFrames, rank: number): number =>
  Array.from(hop.latencyNs).toSorted((a, b) => b - a)[rank - 1]! / MS;

// A callback that is blocked for 400 ms stamps 20 frames when it runs again.
const stalledAt = (endMs: number): number => {
  for (const fromMs of [20_000, 40_000])
    if (endMs > fromMs && endMs <= fromMs + 400) return fromMs + 400;
  return endMs;
};

test('with two 400 ms stalls among 3,000 frames the fourth worst is as old as it was: 404, not 24', () => {
  const jitterMs = (i: number): number => ((i * 7_919) % 100) / 100;
  const captured = frames(3_000, 20, (i, endMs) =>
    Math.max(stalledAt(endMs), endMs + jitterMs(i) * 0.3),
  );
  const received = captured.map(([start, end, at], i): Frame => [
    start,
    end,
    at + 24 + jitterMs(i),
  ]);
  const stream = streamOf({
    hops: [
      { path: 'client/capture', frames: captured },
      { path: 'agent/receive', frames: received },
    ],
  });
  const hop = hopAt(stream, 'agent/receive');
  // Stamped at the callback every frame is about 24 ms old; on the schedule the first of a stall is 380 older.
  expect(worstMs(hop, 4)).toBeGreaterThan(383);
  expect(worstMs(hop, 1)).toBeLessThan(406);
  expect(worstMs(hop, 41)).toBeLessThan(26);
});

test('a sound card that runs 80 ppm fast ages nobody', () => {
  const captured = frames(6_000, 20, (_, endMs) => endMs / 1.00008 + 3);
  const hop = hopAt(
    streamOf({ hops: [{ path: 'client/capture', frames: captured }] }),
    'client/capture',
  );
  expect(worstMs(hop, 1)).toBeLessThan(0.1);
});

test('a capture that stops for 3 s and goes on is a cut of the axis, not 3 s of age', () => {
  const captured = frames(2_000, 20, (_, endMs) => (endMs > 20_000 ? endMs + 3_000 : endMs));
  const hop = hopAt(
    streamOf({ hops: [{ path: 'client/capture', frames: captured }] }),
    'client/capture',
  );
  expect(worstMs(hop, 1)).toBeLessThan(1);
});

test('age at a re-chunk is that of the frame’s end; frames before keep theirs', () => {
  const captured = frames(100, 20, (_, endMs) => endMs);
  const grouped = frames(20, 100, (_, endMs) => endMs + 7);
  const stream = streamOf({
    hops: [
      { path: 'agent/regroup', frames: grouped },
      { path: 'client/capture', frames: captured },
    ],
  });
  expect(stream.hops.map(hop => hop.path)).toEqual(['client/capture', 'agent/regroup']);
  expect(Array.from(hopAt(stream, 'agent/regroup').latencyNs.slice(0, 2))).toEqual([
    7 * MS,
    7 * MS,
  ]);
  expect(stream.hops.map(hop => hop.lost.length)).toEqual([0, 0]);
});

test('hops are ordered by least transit, declared order first, the usual order where clocks cannot tell', () => {
  const at = (delayMs: number): Frame[] => frames(50, 20, (_, endMs) => endMs + delayMs);
  const order = (hops: readonly Hop[]): string[] => streamOf({ hops }).hops.map(hop => hop.path);
  expect(
    order([
      { path: 'x/b', frames: at(9) },
      { path: 'x/a', frames: at(5) },
    ]),
  ).toEqual(['x/a', 'x/b']);
  expect(
    order([
      { path: 'edge/send', frames: at(5) },
      { path: 'client/send', frames: at(5) },
      { path: 'edge/receive', frames: at(5) },
    ]),
  ).toEqual(['client/send', 'edge/receive', 'edge/send']);
  expect(
    order([
      { path: 'x/b', frames: at(9) },
      { path: 'x/a', frames: at(5), after: 'x/b' },
    ]),
  ).toEqual(['x/b', 'x/a']);
});

test('a frame is lost when the next hop is 2 s beyond it, and not a frame earlier', () => {
  const sent = frames(102, 20, (_, endMs) => endMs);
  // Frame 1 ends at 40 ms; the front stands at 2,040 ms with 102 frames, at 2,020 with 101.
  const lostWith = (count: number): number[] => {
    const received = without(sent, 1)
      .slice(0, count - 1)
      .map(([a, b, at]): Frame => [a, b, at + 5]);
    const stream = streamOf({
      hops: [
        { path: 'client/send', frames: sent },
        { path: 'agent/receive', frames: received },
      ],
    });
    return stream.hops.map(hop => hop.lost.length);
  };
  expect(lostWith(102)).toEqual([0, 1]);
  expect(lostWith(101)).toEqual([0, 0]);
});

test('a lost frame is counted once, at the first hop that missed it, and flagged where it was last seen', () => {
  const all = frames(300, 20, (_, endMs) => endMs);
  const later = (list: readonly Frame[], ms: number): Frame[] =>
    list.map(([a, b, at]) => [a, b, at + ms]);
  const arrived = without(all, 7, 8, 100);
  const stream = streamOf({
    hops: [
      { path: 'client/send', frames: all },
      { path: 'edge/receive', frames: later(arrived, 5) },
      { path: 'agent/receive', frames: later(without(arrived, 20), 9) },
    ],
  });
  expect(stream.hops.map(hop => hop.lost.length)).toEqual([0, 3, 1]);
  const flagged = stream.hops.map(
    hop => Array.from(hop.flags).filter(flag => flag & FRAME_FLAG.lost).length,
  );
  expect(flagged).toEqual([3, 1, 0]);
  expect(hopAt(stream, 'agent/receive').watermarkTick).toBe(6_000 * TICKS_PER_MS);
});

test('silence, declared drops and what came before a hop began are nobody’s loss', () => {
  const all = frames(300, 20, (_, endMs) => endMs);
  const received = all.filter((_, i) => i >= 10 && (i < 50 || i >= 60) && (i < 80 || i >= 90));
  const stream = streamOf({
    hops: [
      { path: 'client/send', frames: all },
      { path: 'agent/receive', frames: received },
    ],
    ranges: [
      ['drop', 'agent/receive', 1_000, 1_200, 1_300],
      ['silence', 'client/capture', 1_600, 1_800, 1_800],
    ],
  });
  expect(stream.hops.map(hop => hop.lost.length)).toEqual([0, 0]);
});

test('a hop that fell silent loses nothing: nobody knows', () => {
  const all = frames(300, 20, (_, endMs) => endMs);
  const stream = streamOf({
    hops: [
      { path: 'client/send', frames: all },
      { path: 'agent/receive', frames: all.slice(0, 50) },
    ],
  });
  expect(hopAt(stream, 'agent/receive').lost).toEqual([]);
});

test('a frame that came after its turn is late, not lost and not concealed: one class each', () => {
  const sent = frames(300, 20, (_, endMs) => endMs);
  const usual = sent.map(([a, b, at]): Frame => [a, b, at + 30]);
  const late: Frame = [usual[50]![0], usual[50]![1], usual[50]![2] + 90];
  const played = sent.map(([a, b, at]): Frame => [a, b, at + 80]);
  const stream = streamOf({
    direction: 'down',
    hops: [
      { path: 'agent/send', frames: sent },
      // 50 comes too late, 60 never, 70 was there and the player made something up all the same.
      { path: 'client/receive', frames: without(usual, 50, 60), late: [late] },
      { path: 'client/playout', frames: without(played, 50, 60, 70) },
    ],
    ranges: [50, 60, 70].map(
      i => ['conceal', 'client/playout', i * 20, i * 20 + 20, played[i]![2]] as const,
    ),
  });
  expect(
    stream.hops.map(({ lost, lateCount, concealed }) => [lost.length, lateCount, concealed.length]),
  ).toEqual([
    [0, 0, 0],
    [1, 1, 0],
    [0, 0, 1],
  ]);
});

test('a pause of the speaker is no late frame, though its ticks go on where they stopped', () => {
  const sent = [
    ...frames(50, 20, (_, endMs) => endMs),
    ...frames(50, 20, (_, endMs) => endMs + 5_000, 1_000),
  ];
  const at = (ms: number): Frame[] => sent.map(([a, b, time]) => [a, b, time + ms]);
  const stream = streamOf({
    direction: 'down',
    hops: [
      { path: 'agent/send', frames: sent },
      { path: 'client/receive', frames: at(30) },
      { path: 'client/playout', frames: at(80) },
    ],
  });
  expect(stream.hops.map(hop => hop.lateCount)).toEqual([0, 0, 0]);
  expect(hopAt(stream, 'client/playout').latencyNs[0]).toBe(80 * MS);
});

test('a frame marked twice counts once, by its first passing', () => {
  const all = frames(10, 20, (_, endMs) => endMs);
  const stream = streamOf({ hops: [{ path: 'client/send', frames: all, late: [[20, 40, 99]] }] });
  expect(stream.hops[0]!.rows.length).toBe(10);
  expect(stream.hops[0]!.atNs[1]).toBe(40 * MS);
});

// ---- the interval join beside its naive twin ----------------------------------------------

const anyCut = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 12 })), {
    maxLength: 30,
  })
  .map(steps => {
    const startTick: number[] = [];
    const endTick: number[] = [];
    let at = 0;
    for (const [gap, length] of steps) {
      startTick.push(at + gap);
      endTick.push(at + gap + length);
      at += gap + length;
    }
    return { length: steps.length, startTick, endTick };
  });
const holds = (cut: Cut, tickAt: number): number =>
  Array.from(cut.startTick).findIndex(
    (start, row) => start <= tickAt && tickAt < cut.endTick[row]!,
  );

test('missing ticks and joined rows are those that asking tick by tick finds', () => {
  fc.assert(
    fc.property(anyCut, anyCut, (cut, other) => {
      const missing = missingTicks(cut, other);
      const rows = rowsOfLastTick(cut, other);
      for (let row = 0; row < cut.length; row++) {
        let naive = 0;
        for (let at = cut.startTick[row]!; at < cut.endTick[row]!; at++)
          if (holds(other, at) < 0) naive++;
        expect(missing[row]).toBe(naive);
        expect(rows[row]).toBe(holds(other, cut.endTick[row]! - 1));
      }
    }),
    { numRuns: 300 },
  );
});

// ---- several instances of one hop ---------------------------------------------------------

const tally = (hop: HopFrames): unknown[] => [
  hop.key,
  hop.rows.length,
  hop.lost.length,
  Math.round(Math.max(...hop.latencyNs) / MS),
];

test('an agent that takes over has a line of its own; only what neither saw is lost', () => {
  const sent = frames(500, 20, (_, endMs) => endMs);
  const heard = (from: number, to: number, delayMs: number): Frame[] =>
    sent.slice(from, to).map(([start, end]): Frame => [start, end, end + delayMs]);
  const stream = streamOf({
    hops: [
      { path: 'client/capture', frames: sent },
      { path: 'agent/receive', by: 'agent-1', frames: heard(0, 200, 30) },
      // Seven frames fell between them; the successor is slower.
      { path: 'agent/receive', by: 'agent-2', frames: heard(207, 500, 70) },
      { path: 'agent/stt', by: 'agent-1', frames: heard(0, 200, 31) },
      { path: 'agent/stt', by: 'agent-2', frames: heard(207, 500, 71) },
    ],
  });
  expect(stream.hops.map(tally)).toEqual([
    ['mic.client/capture', 500, 0, 0],
    ['mic.agent/receive@agent-1', 200, 7, 30],
    ['mic.agent/receive@agent-2', 293, 0, 70],
    ['mic.agent/stt@agent-1', 200, 0, 31],
    ['mic.agent/stt@agent-2', 293, 0, 71],
  ]);
  expect(stream.hops.map(hop => hop.producer)).toEqual([
    'p',
    'agent-1',
    'agent-2',
    'agent-1',
    'agent-2',
  ]);
  expect(new Set(stream.hops.map(hop => hop.bareKey)).size).toBe(3);
  const lostNext = Array.from(
    hopAt(stream, 'client/capture').flags,
    flag => flag & FRAME_FLAG.lost,
  );
  expect(lostNext.findIndex(flag => flag !== 0)).toBe(200);
  expect(lostNext.filter(flag => flag !== 0)).toHaveLength(7);
});

test('instances that hand over while both hear the same frames keep their own marks', () => {
  const sent = frames(400, 20, (_, endMs) => endMs);
  const heard = (from: number, to: number, delayMs: number): Frame[] =>
    sent.slice(from, to).map(([start, end]): Frame => [start, end, end + delayMs]);
  const stream = streamOf({
    hops: [
      { path: 'client/capture', frames: sent },
      { path: 'agent/receive', by: 'a', frames: heard(0, 220, 30) },
      { path: 'agent/receive', by: 'b', frames: heard(200, 400, 40) },
    ],
  });
  expect(stream.hops.map(tally)).toEqual([
    ['mic.client/capture', 400, 0, 0],
    ['mic.agent/receive@a', 220, 0, 30],
    ['mic.agent/receive@b', 200, 0, 40],
  ]);
});

test('two relays in a row are two places, each of which may lose frames', () => {
  const sent = frames(400, 20, (_, endMs) => endMs);
  const passed = (delayMs: number, ...lost: number[]): Frame[] =>
    without(
      sent.map(([start, end]): Frame => [start, end, end + delayMs]),
      ...lost,
    );
  const stream = streamOf({
    hops: [
      { path: 'client/capture', frames: sent },
      { path: 'edge/receive', by: 'b', frames: passed(45, 7, 8, 90) },
      { path: 'edge/receive', by: 'a', frames: passed(20, 7) },
      { path: 'agent/receive', frames: passed(60, 7, 8, 90) },
    ],
  });
  expect(stream.hops.map(tally)).toEqual([
    ['mic.client/capture', 400, 0, 0],
    ['mic.edge/receive@a', 399, 1, 20],
    ['mic.edge/receive@b', 397, 2, 45],
    ['mic.agent/receive', 397, 0, 60],
  ]);
});
