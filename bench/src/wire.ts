// What the wire costs: bits a mark, and nanoseconds a mark to write and read.
//
// The load is six hops of one process over 20 ms frames with the jitter of a
// mobile call, seeded; the figures of size are the same on every machine.

import {
  anchorFromText,
  anchorToText,
  decodeRecord,
  domainNs,
  encodeRecord,
  sessionTraceId,
  Sketch,
  tick,
  unixNs,
  type FrameRecord,
} from '@framescope/protocol';
import { bestNsEach, limited, type Row, type SuiteOptions } from './row.ts';

const SUITE = 'wire';
const HOPS = ['capture', 'encode', 'send', 'receive', 'jitter_buffer', 'decode'];
const FRAME_TICKS = 320;
const FRAME_MS = 20;

export async function run({ quick }: SuiteOptions): Promise<Row[]> {
  const rounds = quick ? 5 : 20;
  return [...sizes(), ...speeds(rounds), ...others(rounds)];
}

function sizes(): Row[] {
  const header = encodeRecord({ ...recordOf(1, 0, seeded(1)), blocks: [] })[0]!.length;
  const bitsAMark = (frames: number, withHeader: boolean): number => {
    const random = seeded(2);
    let bytes = 0;
    const count = 60;
    for (let i = 0; i < count; i++)
      for (const part of encodeRecord(recordOf(frames, i * frames, random)))
        bytes += part.length - (withHeader ? 0 : header);
    return (bytes * 8) / (count * frames * HOPS.length);
  };
  const row = (name: string, value: number, limit: number): Row =>
    limited({ suite: SUITE, name, value, unit: 'bits' }, 'lower', limit);
  return [
    row('a mark, records of 1 s, 6 hops', bitsAMark(50, false), 8.5),
    row('a mark, records of 1 s, 6 hops, header included', bitsAMark(50, true), 10),
    row('a mark, records of 5 s, 6 hops', bitsAMark(250, false), 7.5),
  ];
}

function speeds(rounds: number): Row[] {
  const random = seeded(3);
  const records = Array.from({ length: 60 }, (_, i) => recordOf(50, i * 50, random));
  const marks = records.length * 50 * HOPS.length;
  const parts = records.flatMap(record => encodeRecord(record));
  const encodeNs = bestNsEach(rounds, marks, () => {
    for (const record of records) encodeRecord(record);
  });
  const decodeNs = bestNsEach(rounds, marks, () => {
    for (const part of parts) decodeRecord(part);
  });
  // 600 marks a second and session: 1,000 ns a mark would be 0.06 % of a core.
  return [
    limited({ suite: SUITE, name: 'encode a mark', value: encodeNs, unit: 'ns' }, 'lower', 1_000),
    limited({ suite: SUITE, name: 'decode a mark', value: decodeNs, unit: 'ns' }, 'lower', 500),
  ];
}

function others(rounds: number): Row[] {
  const anchor = {
    traceId: sessionTraceId('call'),
    stream: 'mic',
    direction: 'up' as const,
    sampleRate: 16_000,
    tick: tick(320),
    domain: 'fedcba9876543210',
    epoch: 0,
    originNs: domainNs(1),
  };
  const anchorNs = bestNsEach(rounds, 2_000, () => {
    for (let i = 0; i < 2_000; i++) anchorFromText(anchorToText(anchor));
  });
  const random = seeded(4);
  const values = Float64Array.from({ length: 100_000 }, () => 25e6 - Math.log(random()) * 3e6);
  const sketchNs = bestNsEach(rounds, values.length, () => {
    const sketch = new Sketch();
    for (const value of values) sketch.add(value);
  });
  const row = (name: string, value: number, limit: number): Row =>
    limited({ suite: SUITE, name, value, unit: 'ns' }, 'lower', limit);
  return [
    row('write and read an anchor as text', anchorNs, 50_000),
    row('add a value to a sketch', sketchNs, 200),
  ];
}

/** Uniform numbers in (0, 1), the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

function recordOf(frameCount: number, firstFrame: number, random: () => number): FrameRecord {
  const columns = HOPS.map(name => ({
    hop: { role: 'agent', name, nth: 0 },
    length: frameCount,
    startTick: new Float64Array(frameCount),
    endTick: new Float64Array(frameCount),
    atNs: new Float64Array(frameCount),
    late: [],
  }));
  for (let i = 0; i < frameCount; i++) {
    const start = (firstFrame + i) * FRAME_TICKS;
    timesOf(5_000 + (firstFrame + i + 1) * FRAME_MS, random).forEach((ms, hop) => {
      columns[hop]!.startTick[i] = start;
      columns[hop]!.endTick[i] = start + FRAME_TICKS;
      columns[hop]!.atNs[i] = Math.round(ms * 1e6);
    });
  }
  return {
    producer: '0123456789abcdef',
    seq: firstFrame,
    domain: 'fedcba9876543210',
    epoch: 0,
    zeroUnixNs: unixNs(1_780_000_000_000_000_000n),
    quantumNs: 10_000,
    blocks: [{ stream: 'mic', sampleRate: 16_000, direction: 'up', columns, ranges: [] }],
    clockSamples: [],
  };
}

/** When a frame due at `dueMs` leaves each hop. */
function timesOf(dueMs: number, random: () => number): number[] {
  const exp = (mean: number): number => -Math.log(random()) * mean;
  const bell = (): number =>
    Math.abs(Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()));
  const captured = dueMs + bell() * 0.3 + (random() < 0.01 ? exp(8) : 0);
  const encoded = captured + 0.25 + exp(0.15);
  const sent = encoded + 0.06 + exp(0.08) + (random() < 0.005 ? exp(5) : 0);
  const received = sent + 25 + exp(3) + (random() < 0.02 ? exp(25) : 0);
  const played = Math.max(received, dueMs + 80) + bell() * 0.05;
  return [captured, encoded, sent, received, played, played + 0.18 + exp(0.12)];
}
