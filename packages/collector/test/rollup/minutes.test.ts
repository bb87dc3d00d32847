import { Sketch } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { SessionClocks } from '../../src/assemble/clock/session-clocks.ts';
import { framesOf, type HopFrames } from '../../src/assemble/frames/stream-frames.ts';
import { StreamMarks } from '../../src/assemble/frames/stream-marks.ts';
import { HopTotals } from '../../src/rollup/hop-totals.ts';
import { Minutes } from '../../src/rollup/minutes.ts';

const MS = 1_000_000;
const HERE = { domain: 'c'.repeat(16), epoch: 0, zeroUnixNs: 0n };
const clocks = new SessionClocks(HERE);
clocks.setZero(0n);
const CLOCK = clocks.map(clocks.note(HERE));

/** A mic of `count` frames; the agent receives frame i `delayMs(i)` after its end. */
function received(count: number, delayMs: (i: number) => number): HopFrames {
  const marks = new StreamMarks({ name: 'mic', sampleRate: 16_000, direction: 'up' });
  const column = (role: string, name: string, delay: (i: number) => number) => ({
    hop: { role, name, nth: 0 },
    length: count,
    startTick: Float64Array.from({ length: count }, (_, i) => i * 320),
    endTick: Float64Array.from({ length: count }, (_, i) => (i + 1) * 320),
    atNs: Float64Array.from({ length: count }, (_, i) =>
      Math.round(((i + 1) * 20 + delay(i)) * MS),
    ),
    late: [],
  });
  const columns = [column('client', 'capture', () => 0), column('agent', 'receive', delayMs)];
  marks.add({ stream: 'mic', sampleRate: 16_000, direction: 'up', columns, ranges: [] }, 0, 'p');
  return framesOf(marks, { clocks: [CLOCK], budgetNs: 300 * MS }).hops[1]!;
}

/** All frames of some hops, as one measure. */
function rollupOf(
  hops: readonly HopFrames[],
  { sessionKey, zeroUnixNs }: { sessionKey: string; zeroUnixNs: bigint },
) {
  const minutes = new Minutes(zeroUnixNs);
  const totals = new HopTotals();
  for (const hop of hops) {
    const all = { from: 0, to: hop.rows.length, edgeTick: Infinity };
    minutes.addFrames(hop, all);
    totals.add(hop, all);
  }
  const rows = minutes.rows({ sessionKey, measure: `frame.${hops[0]!.bareKey}` });
  return { rows, ...totals.figures(minutes) };
}

test('a minute is one of the wall clock: a call from 12:00:50 has its first ten seconds in the first', () => {
  const zeroUnixNs = 50_000_000_000n;
  const { rows } = rollupOf([received(4_000, () => 20)], { sessionKey: 'k', zeroUnixNs });
  // The last frame of the first ten seconds leaves the hop 20 ms later: in the next minute.
  expect(rows.map(row => [row.minute, row.count])).toEqual([
    [0, 498],
    [1, 3_000],
    [2, 502],
  ]);
});

test('the 32 worst are exact, slowest first, each with its tick', () => {
  const hop = received(2_000, i => (i % 50 === 0 ? 100 + i / 10 : 20 + (i % 7)));
  const [row] = rollupOf([hop], { sessionKey: 'k', zeroUnixNs: 0n }).rows;
  const values = Array.from(hop.latencyNs, (valueNs, i) => ({ valueNs, ref: i * 320 }));
  const naive = values.toSorted((a, b) => b.valueNs - a.valueNs).slice(0, 32);
  expect(row!.worst.map(one => one.valueNs)).toEqual(naive.map(one => one.valueNs));
  expect(row!.worst[0]).toEqual(naive[0]);
});

test('counts, sums and the sketch agree; p99 is that of the sorted values within a bucket', () => {
  const hop = received(2_900, i => 20 + ((i * 7_919) % 1_000) / 10);
  const { rows, quantiles } = rollupOf([hop], { sessionKey: 'k', zeroUnixNs: 0n });
  const sorted = Array.from(hop.latencyNs).toSorted((a, b) => a - b);
  expect(rows.reduce((sum, row) => sum + row.sumNs, 0)).toBeCloseTo(
    sorted.reduce((a, b) => a + b, 0),
    -2,
  );
  expect(quantiles.n).toBe(2_900);
  expect(Math.abs(quantiles.p50Ns! / sorted[1_449]! - 1)).toBeLessThan(0.011);
  expect(quantiles.p99Ns).toBe(sorted[2_870]);
  expect(quantiles.p999Ns).toBeNull();
  const sketch = Sketch.fromBytes(rows[0]!.sketch);
  expect(sketch.ok && sketch.value.count).toBe(2_900);
});

test('over budget starts above the limit, not at it', () => {
  const over = (delayMs: number): number =>
    rollupOf([received(100, i => (i === 50 ? delayMs : 10))], { sessionKey: 'k', zeroUnixNs: 0n })
      .overBudgetCount;
  expect([over(300), over(300.01)]).toEqual([0, 1]);
});

test('instances of one hop are one measure: their frames add up, minute by minute', () => {
  const hop = received(1_000, () => 20);
  const [row] = rollupOf([hop, received(500, () => 40)], { sessionKey: 'k', zeroUnixNs: 0n }).rows;
  expect([row!.measure, row!.count, row!.maxNs]).toEqual([`frame.${hop.bareKey}`, 1_500, 40 * MS]);
});
