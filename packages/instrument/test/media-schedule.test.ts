// Marks are judged in the order of their times, however they lie in a flush.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { domainNs, tick, type HopName } from '@framescope/protocol';
import { RecordBuilder, SortedRows, type FlushedHop } from '../src/export/record-builder.ts';
import { inOrder } from '../src/flight/media-schedule.ts';
import { Promoter, type Promoted } from '../src/flight/promoter.ts';
import { MarkRows } from '../src/hot/mark-rows.ts';

const ordered = (times: readonly number[]): number[] => {
  const rows = new MarkRows(4_096);
  rows.atNs.set(times);
  return [...inOrder(rows, times.length).order.subarray(0, times.length)];
};
const expected = (times: readonly number[]): number[] =>
  times.map((_, row) => row).toSorted((a, b) => times[a]! - times[b]! || a - b);

test('rows come in the order of their times, equal ones as they lie', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 300 }), times => {
      expect(ordered(times)).toEqual(expected(times));
    }),
  );
});

test('so do many that lie the other way round', () => {
  const times = Array.from({ length: 4_000 }, (_, i) => 4_000 - i);
  expect(ordered(times)).toEqual(expected(times));
});

/** Marks of a stream at two hops in one flush: a frame each 20 ms and hop, each a little late. */
function flushOf(first: number, lates: readonly (readonly [number, number])[]): Flush {
  const rows = new MarkRows(4_096);
  const builder = new RecordBuilder(new SortedRows());
  const stream = { name: 'mic', sampleRate: 16_000, direction: 'up' as const };
  for (const name of ['capture', 'receive']) builder.enrol(stream, hopName(name));
  const marks = lates
    .flatMap((late, frame) =>
      late.map((ms, hop) => ({
        hop,
        frame: first + frame,
        atNs: (first + frame) * 20e6 + ms * 1e6,
      })),
    )
    .toSorted((a, b) => a.atNs - b.atNs);
  for (const [row, { hop, frame, atNs }] of marks.entries()) {
    rows.hop[row] = hop;
    rows.startTick[row] = frame * 320;
    rows.samples[row] = 320;
    rows.atNs[row] = atNs;
  }
  builder.sort(rows, marks.length);
  return { hops: builder.hops.map(one => ({ ...one })), rows, count: marks.length };
}

interface Flush {
  readonly hops: readonly FlushedHop[];
  readonly rows: MarkRows;
  readonly count: number;
}

const hopName = (name: string): HopName => ({ role: 'client', name, nth: 0 });

const promoter = (): Promoter => {
  const made = new Promoter('ab'.repeat(16));
  for (const name of ['capture', 'receive'])
    made.enrol({ name: 'mic', sampleRate: 16_000, direction: 'up' }, hopName(name));
  return made;
};

test('a stream that keeps its pace is judged hop by hop as it is in the order of times', () => {
  const late = fc.tuple(fc.nat(30), fc.nat(190)).map(([a, b]) => [a, a + b] as const);
  const second = fc.array(late, { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(fc.array(second, { minLength: 2, maxLength: 4 }), flushes => {
      const [quick, ordered] = [promoter(), promoter()];
      let first = 0;
      for (const lates of flushes) {
        const { hops, rows, count } = flushOf(first, lates);
        first += lates.length;
        const order = (frames: readonly Promoted[]): Promoted[] =>
          frames.toSorted((a, b) => a.hopKey.localeCompare(b.hopKey) || a.tick - b.tick);
        // What is late takes the long way: one that no hop of these is.
        const late = { startTick: tick(0), endTick: tick(320), atNs: domainNs(0) };
        const slowly = hops.map(hop => ({ ...hop, late: [late] }));
        expect(order(quick.take(hops, rows, count))).toEqual(
          order(ordered.take(slowly, rows, count)),
        );
      }
      expect(quick.worst()).toEqual(ordered.worst());
    }),
    { numRuns: 300 },
  );
});
