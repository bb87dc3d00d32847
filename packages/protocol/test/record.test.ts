// Records: what is packed comes back, and what cannot be told is counted.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toBase64 } from '../src/base64.ts';
import type { FrameRecord } from '../src/frame-block.types.ts';
import { decodeRecord, decodeRecordShared, type RecordPart } from '../src/record-decode.ts';
import { encodeRecord } from '../src/record-encode.ts';
import { EncodeTally } from '../src/record-rows.ts';
import { domainNs, tick, unixNs } from '../src/units.ts';
import {
  anyRecord,
  block,
  column,
  frames,
  hop,
  jittered,
  marksOf,
  record,
  seeded,
} from './support/records.ts';

function partsOf(source: FrameRecord, tally: EncodeTally = new EncodeTally()): RecordPart[] {
  return encodeRecord(source, { tally }).map(bytes => {
    const part = decodeRecord(bytes);
    if (!part.ok) throw new Error(`${part.path}: ${part.problem}`);
    return part.value;
  });
}

const sameMarks = (source: FrameRecord, parts: readonly RecordPart[]): void =>
  expect(
    marksOf(
      parts.flatMap(part => part.blocks),
      source.quantumNs,
    ),
  ).toEqual(marksOf(source.blocks, source.quantumNs));

/** Columns of the only part, as text. */
const pictureOf = (source: FrameRecord): string[] =>
  partsOf(source).flatMap(part =>
    part.blocks.flatMap(({ columns }) =>
      columns.map(({ hop: { name }, length, startTick, endTick, late }) => {
        const text: string[] = [];
        for (let i = 0; i < length; i++) text.push(`${startTick[i]! / 320}-${endTick[i]! / 320}`);
        for (const mark of late) text.push(`late ${mark.startTick / 320}-${mark.endTick / 320}`);
        return `${name}: ${text.join(' ')}`;
      }),
    ),
  );

test('a header comes back as it was', () => {
  const source = record([], { zeroUnixNs: unixNs(-5n) });
  expect(partsOf(source)).toEqual([{ ...source, part: 0 }]);
});

test('each hop keeps its own cut of the media axis, with its holes', () => {
  const source = record([
    block([
      column('capture', frames('abcdefghij')),
      column('receive', frames('ab.def.hij')),
      column('stt', frames('aaaaafffff')),
      column('tts', frames('abbcccdddd')),
    ]),
  ]);
  expect(pictureOf(source)).toEqual([
    'capture: 0-1 1-2 2-3 3-4 4-5 5-6 6-7 7-8 8-9 9-10',
    'receive: 0-1 1-2 3-4 4-5 5-6 7-8 8-9 9-10',
    'stt: 0-5 5-10',
    'tts: 0-1 1-3 3-6 6-10',
  ]);
});

test('a frame that comes after a later one, or again, is told as late', () => {
  const [a, b, c, d] = frames('abcd') as [never, never, never, never];
  expect(pictureOf(record([block([column('receive', [a, c, b, d, d])])]))).toEqual([
    'receive: 0-1 2-3 3-4 late 1-2 late 3-4',
  ]);
});

test('ticks are exact and times are within half a quantum, for any columns and any cut', () => {
  fc.assert(
    fc.property(anyRecord(), source => {
      const tally = new EncodeTally();
      const parts = partsOf(source, tally);
      sameMarks(source, parts);
      expect(tally.refusedCount).toBe(0);
      expect(tally.markCount + tally.lateCount).toBe(marksOf(source.blocks, 1).length);
    }),
    { numRuns: 150 },
  );
});

test('the largest error of a time is half a quantum', () => {
  const rows = frames('abcdefgh').map(([start, end], i) => [start, end, 1e9 + i * 1_250] as const);
  const [part] = partsOf(record([block([column('send', rows)])]));
  const decodedNs = [...part!.blocks[0]!.columns[0]!.atNs];
  expect(decodedNs.every(at => at % 10_000 === 0)).toBe(true);
  expect(Math.max(...decodedNs.map((at, i) => Math.abs(at - rows[i]![2])))).toBe(5_000);
});

test('no part is longer than 2,000 characters of base64, and none is missing', () => {
  const source = jittered(900, 0, seeded(1));
  const encoded = encodeRecord(source);
  expect(encoded.length).toBeGreaterThan(2);
  for (const bytes of encoded) expect(toBase64(bytes).length).toBeLessThanOrEqual(2_000);
  const parts = partsOf(source);
  expect(parts.map(({ seq, part }) => `${seq}.${part}`)).toEqual(parts.map((_, i) => `7.${i}`));
  sameMarks(source, parts);
});

test('a mark of 20 ms frames with jitter takes at most 8.5 bits in one-second records', () => {
  const random = seeded(2);
  const emptyBytes = encodeRecord(record([]))[0]!.length;
  let bytes = 0;
  for (let second = 0; second < 60; second++)
    for (const part of encodeRecord(jittered(50, second * 50, random)))
      bytes += part.length - emptyBytes;
  const bits = (bytes * 8) / (60 * 50 * 6);
  expect(bits).toBeLessThanOrEqual(8.5);
  expect(bits).toBeGreaterThan(6); // its entropy is 6.6: less would mean that something is missing
});

test('marks of a steady clock cost next to nothing, and still a part holds a bounded number', () => {
  const rows = frames('abcdefghij'.repeat(1_000));
  const source = record([block([column('capture', rows)])]);
  const encoded = encodeRecord(source);
  for (const bytes of encoded) {
    const part = decodeRecord(bytes);
    const length = part.ok
      ? part.value.blocks.flatMap(b => b.columns).reduce((n, c) => n + c.length, 0)
      : -1;
    expect(length).toBeLessThanOrEqual(bytes.length * 32);
  }
  sameMarks(source, partsOf(source));
});

test('declared ranges and clock samples come back', () => {
  const ranges = (['conceal', 'drop', 'silence'] as const).map((kind, i) => ({
    kind,
    hop: hop('jitter_buffer', 'client', i),
    startTick: tick(i * 320),
    endTick: tick(i * 320 + 640),
    atNs: domainNs(-70_000 + i * 1e9),
  }));
  const clockSamples = [
    {
      peer: '00000000000000ff',
      peerEpoch: 3,
      t1: domainNs(1),
      t2: domainNs(-(2 ** 52)),
      t3: domainNs(-(2 ** 52) + 17),
      t4: domainNs(123_456_789),
    },
  ];
  const source = record([block([], { ranges, direction: 'down' })], { clockSamples });
  expect(partsOf(source)).toEqual([{ ...source, part: 0 }]);
});

test('a hop of the user with a predecessor comes back with both names', () => {
  const named = { role: 'mixer', name: 'dück', nth: 2, after: 'agent/receive#2' };
  const [part] = partsOf(record([block([column(named, frames('ab'))])]));
  expect(part!.blocks[0]!.columns[0]!.hop).toEqual(named);
});

test('rows that say nothing exact are refused and counted, and the others are kept', () => {
  const tally = new EncodeTally();
  const bad = [NaN, Infinity, -1, 0.5, 2 ** 60];
  const rows = bad.flatMap(value => [
    [value, 320, 0] as const,
    [0, value === 0.5 ? 0.7 : value, 0] as const,
  ]);
  const times = [NaN, -Infinity, 1e300].map((at, i) => [i * 320, i * 320 + 320, at] as const);
  const good = [0, 320, -20_000] as const;
  const parts = partsOf(record([block([column('send', [...rows, ...times, good])])]), tally);
  expect(marksOf(parts[0]!.blocks, 10_000)).toEqual(['mic.agent/send#0 0-320 @-2']);
  expect(tally).toMatchObject({ refusedCount: rows.length + 3, markCount: 1, lateCount: 0 });
  expect(tally.firstProblem).toMatch(/ticks NaN to 320 at 0 ns/);
});

test('the tick 2^51 − 1 is the last one that a frame may end at', () => {
  const tally = new EncodeTally();
  const last = 2 ** 51 - 1;
  const source = record([
    block([
      column('send', [
        [last - 1, last, 0],
        [last, last + 1, 0],
      ]),
    ]),
  ]);
  expect(partsOf(source, tally)[0]!.blocks[0]!.columns[0]!.endTick).toEqual(Float64Array.of(last));
  expect(tally).toMatchObject({ markCount: 1, refusedCount: 1 });
});

test('times weeks apart at a quantum of one nanosecond are told one by one, or refused', () => {
  const tally = new EncodeTally();
  const times = [0, 3e15, 20_000_000, 6e15];
  const rows = times.map((at, i) => [i * 320, i * 320 + 320, at] as const);
  const source = record([block([column('send', rows)])], { quantumNs: 1 });
  expect(marksOf(partsOf(source, tally)[0]!.blocks, 1)).toEqual([
    'mic.agent/send#0 0-320 @0',
    'mic.agent/send#0 320-640 @3000000000000000',
    'mic.agent/send#0 640-960 @20000000',
  ]);
  expect(tally).toMatchObject({ markCount: 0, lateCount: 3, refusedCount: 1 });
});

test('a stream without a sample rate or with an endless name is refused with all it holds', () => {
  const tally = new EncodeTally();
  const columns = [column('send', frames('abc'))];
  const blocks = [
    block(columns, { sampleRate: NaN }),
    block(columns, { sampleRate: 0 }),
    block(columns, { stream: 'x'.repeat(256) }),
    block([column({ role: 'é'.repeat(128), name: 'n', nth: 0 }, frames('abc'))]),
    block(columns, { stream: 'x'.repeat(255) }),
  ];
  const parts = partsOf(record(blocks), tally);
  expect(parts.flatMap(part => part.blocks).map(b => b.stream.length)).toEqual([255]);
  expect(tally).toMatchObject({ refusedCount: 12, markCount: 3 });
});

test('a length larger than its arrays, or none at all, is cut to what is there', () => {
  const real = column('send', frames('abc'));
  const tally = new EncodeTally();
  for (const length of [1e9, NaN, -4, 2.9]) partsOf(record([block([{ ...real, length }])]), tally);
  expect(tally).toMatchObject({ markCount: 5, refusedCount: 0 });
});

test('no values at all make the encoder fail', () => {
  const any = fc.double();
  const row = fc.tuple(any, any, any);
  const hostile = fc.record({
    rows: fc.array(row),
    late: fc.array(row),
    quantumNs: any,
    seq: any,
    epoch: any,
    length: any,
    sampleRate: any,
    nth: any,
    text: fc.string({ unit: 'binary', maxLength: 600 }),
  });
  fc.assert(
    fc.property(hostile, ({ rows, late, length, sampleRate, nth, text, ...header }) => {
      const named = { role: text, name: text, nth, after: text };
      const columns = [{ ...column(named, rows, late), length }, column('send', rows, late)];
      const source = record([block(columns, { sampleRate }), block(columns, { stream: text })], {
        ...header,
        producer: text,
        domain: text,
      });
      for (const bytes of encodeRecord(source)) {
        expect(decodeRecord(bytes).ok).toBe(true);
        // Out of memory that was used before.
        expect(decodeRecordShared(bytes)).toEqual(decodeRecord(bytes));
      }
    }),
    { numRuns: 300 },
  );
});
