// Measures of which more is better, and those that are no ages: how they are
// charted, and kept out of counts of ages.

import { expect, test } from 'vitest';
import { FrameSum } from '../../src/query/frame-columns.ts';
import { hopOfMeasure, isOfFrames, wordsOf } from '../../src/query/measure-info.ts';
import { encodeMinutes, entryOf, MinuteCursor } from '../../src/rollup/minute-codec.ts';
import { NOON_MINUTE, rollupOf } from '../support/derived.ts';

const MS = 1_000_000;

/** Of slack, or of age, of 1 … 10,000 ms in one minute. */
function summed(measure: string): FrameSum {
  const values = Array.from({ length: 10_000 }, (_, i) => (i + 1) * MS);
  const row = rollupOf('k', NOON_MINUTE, values, { measure, worst: [] });
  const cursor = new MinuteCursor();
  cursor.open(encodeMinutes([entryOf(row)!]));
  const sum = new FrameSum(measure);
  while (cursor.step()) sum.add(cursor, undefined);
  return sum;
}

test('percentiles of slack count from above: 99 % of frames had at least p99', () => {
  const age = summed('frame.mic.agent/receive').quantiles();
  const slack = summed('slack.agent.client/receive').quantiles();
  const isNear = (ns: number | null, ms: number): boolean => Math.abs(ns! / MS / ms - 1) < 0.0109;
  expect([isNear(age.p99Ns, 9_900), isNear(slack.p99Ns, 101)]).toEqual([true, true]);
  expect([isNear(age.p50Ns, 5_000), isNear(slack.p50Ns, 5_001)]).toEqual([true, true]);
  expect([age.maxNs, slack.maxNs]).toEqual([10_000 * MS, MS]);
  const { p99 } = summed('slack.agent.client/receive').intervals();
  expect(p99!.lowNs).toBeLessThanOrEqual(slack.p99Ns!);
  expect(p99!.highNs).toBeGreaterThanOrEqual(slack.p99Ns!);
});

test.each(['frame', 'slack', 'underrun', 'lead', 'gap', 'rtf', 'oldest'])(
  '%s is a measure of frames, with words, at a hop',
  family => {
    const measure = `${family}.agent.client/receive#2`;
    expect([isOfFrames(measure), hopOfMeasure(measure)]).toEqual([true, 'agent.client/receive#2']);
    expect(wordsOf(measure).title).toContain('agent.client/receive#2');
    expect(wordsOf(measure).definition).not.toBe('as its source defines it');
  },
);

test('waits and metrics of others are no measures of frames', () => {
  expect(['voice_to_voice.client', 'part.inference', 'metric.x'].map(isOfFrames)).toEqual([
    false,
    false,
    false,
  ]);
});
