// Records for tests: from pictures, from seeded jitter, and from fast-check.

import fc from 'fast-check';
import type { FrameBlock, FrameRecord, HopName } from '../../src/frame-block.types.ts';
import { domainNs, tick, unixNs } from '../../src/units.ts';

export type Column = FrameBlock['columns'][number];
/** Start tick, end tick, time in ns. */
export type Row = readonly [start: number, end: number, atNs: number];

export const hop = (name: string, role = 'agent', nth = 0): HopName => ({ role, name, nth });

export function column(
  name: string | HopName,
  rows: readonly Row[],
  late: readonly Row[] = [],
): Column {
  return {
    hop: typeof name === 'string' ? hop(name) : name,
    length: rows.length,
    startTick: Float64Array.from(rows, row => row[0]),
    endTick: Float64Array.from(rows, row => row[1]),
    atNs: Float64Array.from(rows, row => row[2]),
    late: late.map(lateMark),
  };
}

const lateMark = ([start, end, at]: Row): Column['late'][number] => ({
  startTick: tick(start),
  endTick: tick(end),
  atNs: domainNs(at),
});

/**
 * Frames as text: each letter is 20 ms of 16 kHz audio, a run of one letter is one frame, a dot is a
 * hole. `aabb.c` is two frames of 40 ms, 20 ms missing, one of 20 ms. Times: 5 ms after the frame's end.
 */
export function frames(picture: string): Row[] {
  const rows: Row[] = [];
  for (const { 0: run, index } of picture.matchAll(/([a-z])\1*/g)) {
    const end = index + run.length;
    rows.push([index * 320, end * 320, end * 20e6 + 5e6]);
  }
  return rows;
}

export const block = (columns: readonly Column[], more: Partial<FrameBlock> = {}): FrameBlock => ({
  stream: 'mic',
  sampleRate: 16_000,
  direction: 'up',
  columns,
  ranges: [],
  ...more,
});

export const record = (
  blocks: readonly FrameBlock[],
  more: Partial<FrameRecord> = {},
): FrameRecord => ({
  producer: '0123456789abcdef',
  seq: 7,
  domain: 'fedcba9876543210',
  epoch: 2,
  zeroUnixNs: unixNs(1_780_000_000_123_456_789n),
  quantumNs: 10_000,
  blocks,
  clockSamples: [],
  ...more,
});

/** Seeded uniform numbers in (0, 1): the same on every machine. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** Six hops of one process over the jitter of a call on a mobile network, 20 ms frames. */
export function jittered(
  frameCount: number,
  firstFrame: number,
  random: () => number,
): FrameRecord {
  const exp = (mean: number): number => -Math.log(random()) * mean;
  const bell = (): number =>
    Math.abs(Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()));
  const names = ['capture', 'encode', 'send', 'receive', 'jitter_buffer', 'decode'];
  const rows: Row[][] = names.map(() => []);
  for (let i = firstFrame; i < firstFrame + frameCount; i++) {
    const dueMs = 5_000 + (i + 1) * 20;
    const captured = dueMs + bell() * 0.3 + (random() < 0.01 ? exp(8) : 0);
    const encoded = captured + 0.25 + exp(0.15);
    const sent = encoded + 0.06 + exp(0.08) + (random() < 0.005 ? exp(5) : 0);
    const received = sent + 25 + exp(3) + (random() < 0.02 ? exp(25) : 0);
    const played = Math.max(received, dueMs + 80) + bell() * 0.05;
    const times = [captured, encoded, sent, received, played, played + 0.18 + exp(0.12)];
    times.forEach((ms, h) => rows[h]!.push([i * 320, i * 320 + 320, Math.round(ms * 1e6)]));
  }
  return record([block(names.map((name, h) => column(name, rows[h]!)))]);
}

/** Rows, late or not, as lines that can be compared: ticks exactly, times in quanta. */
export function marksOf(blocks: readonly FrameBlock[], quantumNs: number): string[] {
  const lines: string[] = [];
  for (const { stream, columns } of blocks)
    for (const {
      hop: { role, name, nth },
      length,
      startTick,
      endTick,
      atNs,
      late,
    } of columns) {
      const key = `${stream}.${role}/${name}#${nth}`;
      const add = (start: number, end: number, at: number): unknown =>
        lines.push(`${key} ${start}-${end} @${Math.floor(at / quantumNs + 0.5)}`);
      for (let i = 0; i < length; i++) add(startTick[i]!, endTick[i]!, atNs[i]!);
      for (const mark of late) add(mark.startTick, mark.endTick, mark.atNs);
    }
  return lines.toSorted();
}

/** Any cut: even, uneven with holes, bursts, and now and then a row that comes late or again. */
const rowsOfAnyCut = (): fc.Arbitrary<Row[]> => {
  const step = fc.record({
    size: fc.oneof(fc.constant(320), fc.constant(1_600), fc.integer({ min: 1, max: 9_600 })),
    gap: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constant(320) },
      { weight: 1, arbitrary: fc.integer({ min: -5_000, max: 500_000 }) },
    ),
    jitterNs: fc.oneof(
      fc.integer({ min: 0, max: 2_000_000 }),
      fc.integer({ min: -3_000_000_000, max: 30_000_000_000 }),
    ),
  });
  const start = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 50 }));
  return fc.tuple(start, fc.array(step, { maxLength: 600 })).map(([first, steps]) => {
    let at = first;
    return steps.map(({ size, gap, jitterNs }): Row => {
      const from = Math.max(0, at + gap);
      at = from + size;
      return [from, at, Math.round(((at - first) * 1e9) / 16_000) + jitterNs];
    });
  });
};

const anyName = (): fc.Arbitrary<string> => fc.string({ unit: 'grapheme', maxLength: 20 });
const anyHop = (): fc.Arbitrary<HopName> =>
  fc.record({
    role: fc.oneof(fc.constantFrom('client', 'edge', 'agent'), anyName()),
    name: fc.oneof(fc.constantFrom('capture', 'receive', 'stt', 'playout'), anyName()),
    nth: fc.nat(3),
  });

const anyColumn = (): fc.Arbitrary<Column> =>
  fc
    .tuple(anyHop(), rowsOfAnyCut(), rowsOfAnyCut())
    .map(([named, rows, late]) => column(named, rows, late.slice(0, 5)));

export const anyRecord = (): fc.Arbitrary<FrameRecord> =>
  fc
    .record({
      seq: fc.maxSafeNat(),
      epoch: fc.nat(),
      quantumNs: fc.constantFrom(1, 1_000, 10_000, 1_000_000),
      blocks: fc.array(
        fc.record({
          stream: anyName(),
          sampleRate: fc.constantFrom(8_000, 16_000, 44_100, 48_000, 1),
          direction: fc.constantFrom('up' as const, 'down' as const),
          columns: fc.array(anyColumn(), { maxLength: 4 }),
          ranges: fc.constant([]),
        }),
        { maxLength: 3 },
      ),
    })
    .map(({ blocks, ...header }) => record(blocks, header));
