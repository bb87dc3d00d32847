// What the instrumentation costs, a figure a row.
//
//   npm run bench -- instrument [--quick]
//
// Ratios are taken within one run, both sides in turn; figures are medians.
// `--quick` takes shorter runs of the same.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bitsOf, type Bits } from './instrument/bits.ts';
import { hundredCalls, loadPercent } from './instrument/calls.ts';
import { chromiumRecords } from './instrument/chromium.ts';
import { runDemo, type DemoRun } from './instrument/demo.ts';
import { markAgainstClock, markAgainstSpan } from './instrument/mark-cost.ts';
import { limited, type Row, type SuiteOptions } from './row.ts';

const SUITE = 'instrument';

export async function run({ quick }: SuiteOptions): Promise<Row[]> {
  return [...(await costs(quick)), ...(await load(quick)), ...(await wire(quick)), ...size()];
}

async function costs(quick: boolean): Promise<Row[]> {
  const span = await markAgainstSpan(quick ? 15 : 60);
  const clock = await markAgainstClock(quick ? 200 : 1_000);
  const gate = gateFigures('bytes-per-mark.mjs');
  return [
    plain('a mark, its share of encode and export included', span.markNs, 'ns CPU'),
    plain('an OpenTelemetry span, 3 attributes, batched, exported', span.spanNs, 'ns CPU'),
    row('a span over a mark', [span.ratio, '×'], 'higher', 40),
    row('a mark over a bare read of the clock', [clock.ratio, '×'], 'lower', 2),
    row('allocated a mark', [gate['bytes'] ?? Number.NaN, 'bytes'], 'lower', 0.1),
  ];
}

async function load(quick: boolean): Promise<Row[]> {
  const seconds = quick ? 5 : 20;
  const figures = await hundredCalls(seconds);
  const name = `100 calls, 600 marks/s each, ${seconds} s`;
  if (figures.problems.length > 0) console.error(`problems: ${figures.problems.join(', ')}`);
  return [
    row(`${name}: all of telemetry`, [figures.corePercent, '% of a core'], 'lower', 3),
    row(`${name}: longest piece of a flush`, [figures.longestPieceMs, 'ms'], 'lower', 2),
    row(
      '100 calls: load of the process, a queue told 5,000 times a second included',
      [await loadPercent(quick ? 5 : 10, quick ? 1 : 3), '% of a core'],
      'lower',
      0.5,
    ),
    row('memory of a call, flight ring included', [figures.kilobytesPerCall, 'kB'], 'lower', 350),
  ];
}

async function wire(quick: boolean): Promise<Row[]> {
  const seconds = quick ? 12 : 40;
  const [protobuf, json] = await Promise.all([
    runDemo(seconds, 'http/protobuf'),
    runDemo(seconds, 'http/json'),
  ]);
  return [
    ...bitRows('demo', bitsOf(protobuf.records)),
    ...bitRows('Chromium', bitsOf(chromiumRecords())),
    ...wireRows('protobuf', protobuf, 30),
    ...wireRows('JSON', json, 55),
    plain('turn and stage spans beside it, a frame', protobuf.spanBytes / protobuf.frames, 'bytes'),
  ];
}

/** Records, live state and load with all that is around them, in all processes. */
const wireRows = (encoding: string, demo: DemoRun, limit: number): Row[] => {
  const { bytes, stateBytes, loadBytes, frames } = demo;
  const name = `telemetry of a frame of the demo, all hops, ${encoding}`;
  return [
    row(name, [bytes / frames, 'bytes'], 'lower', limit),
    plain(
      `the same without the live state of turns, ${encoding}`,
      (bytes - stateBytes) / frames,
      'bytes',
    ),
    plain(`of it reports of load of the four processes, ${encoding}`, loadBytes / frames, 'bytes'),
  ];
};

const bitRows = (source: string, { bitsPerMark, entropyBits, marks }: Bits): Row[] => [
  row(`a mark in a block, ${source} (${marks} marks)`, [bitsPerMark, 'bits'], 'lower', 8.5),
  plain(`order-0 entropy of the same, ${source}`, entropyBits, 'bits'),
];

function size(): Row[] {
  const { bytes = Number.NaN, laterBytes = Number.NaN } = gateFigures('bundle-size.mjs');
  return [
    row('browser bundle, gzip: with the page', [bytes / 1_000, 'kB'], 'lower', 12),
    row(
      'browser bundle, gzip: all that a page has loaded when a call is over',
      [(bytes + laterBytes) / 1_000, 'kB'],
      'lower',
      12,
    ),
  ];
}

function gateFigures(gate: string): Record<string, number> {
  const path = fileURLToPath(new URL(`../../packages/instrument/gates/${gate}`, import.meta.url));
  const printed = execFileSync(process.execPath, [path, '--json'], { encoding: 'utf8' });
  return JSON.parse(printed) as Record<string, number>;
}

/** `unit` and value together, as in `[12, 'kB']`. */
const row = (
  name: string,
  [value, unit]: readonly [number, string],
  better: 'lower' | 'higher',
  limit: number,
): Row => limited({ suite: SUITE, name, value, unit }, better, limit);

/** A figure beside one with a limit. */
const plain = (name: string, value: number, unit: string): Row => ({
  suite: SUITE,
  name,
  value,
  unit,
  ok: true,
});
