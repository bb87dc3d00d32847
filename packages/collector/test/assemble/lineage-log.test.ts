import { domainNs, tick, type LineageState } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { SessionClocks } from '../../src/assemble/clock/session-clocks.ts';
import { LineageLog } from '../../src/assemble/lineage-log.ts';

const HERE = { domain: 'c'.repeat(16), epoch: 0, zeroUnixNs: 0n };
const clocks = new SessionClocks(HERE);
clocks.setZero(0n);
const CLOCK = clocks.note(HERE);

const bend = (sample: number): LineageState => ({
  kind: 'segment',
  stream: 'mic',
  role: 'agent',
  hop: 'send',
  nth: 0,
  sample,
  tick: tick(sample),
  samples: 3,
  ticks: 2,
  at: domainNs(7),
});
const word = (fromTick: number): LineageState => ({
  kind: 'derived',
  who: 'user',
  stream: 'mic',
  fromTick: tick(fromTick),
  toTick: tick(fromTick + 100),
  text: 'so',
  quality: 'reported',
  at: domainNs(9),
});

test('what is told again, because its flush was sent again, counts once', () => {
  const log = new LineageLog();
  for (let i = 0; i < 3; i++) {
    log.add(bend(0), CLOCK);
    log.add(word(0), CLOCK);
  }
  const of = log.of('mic', [], clocks);
  expect([of?.segmentCount, of?.derivationCount]).toEqual([1, 1]);
  expect(of?.segments).toEqual([
    { role: 'agent', hop: 'send', nth: 0, sample: 0, tick: 0, samples: 3, ticks: 2, atNs: 7 },
  ]);
  expect(log.of('agent', [], clocks)).toBeUndefined();
});

test('the 2,000th bend is kept, the next one refused; 500 are shown, and how many there are', () => {
  const log = new LineageLog();
  const kept = Array.from({ length: 2_001 }, (_, i) => log.add(bend(i), CLOCK));
  expect([kept.indexOf(false), kept.filter(Boolean).length]).toEqual([2_000, 2_000]);
  const of = log.of('mic', [], clocks);
  expect([of?.segmentCount, of?.segments.length, of?.segments.at(-1)?.sample]).toEqual([
    2_000, 500, 1_999,
  ]);
});

test('words stand in order of their sound, whenever they were told', () => {
  const log = new LineageLog();
  for (const at of [300, 100, 200]) log.add(word(at), CLOCK);
  expect(log.of('mic', [], clocks)?.derivations.map(one => one.fromTick)).toEqual([100, 200, 300]);
});

test('what was declared missing stands beside it', () => {
  const gap = { kind: 'drop', path: 'agent/send', startTick: 0, endTick: 320, atNs: 5 } as const;
  const of = new LineageLog().of('mic', [gap], clocks);
  expect([of?.gapCount, of?.gaps]).toEqual([
    1,
    [{ kind: 'drop', hop: 'agent/send', startTick: 0, endTick: 320, atNs: 5 }],
  ]);
});
