import {
  domainNs,
  durationNs,
  type MediaFigures,
  type MediaIntervalState,
} from '@framescope/protocol';
import { expect, test } from 'vitest';
import { SessionClocks } from '../../src/assemble/clock/session-clocks.ts';
import { MediaLog } from '../../src/assemble/media-log.ts';

const NAME = { domain: '00000000000000c1', epoch: 0, zeroUnixNs: 0n };

/** Clocks of which one is known, and its key. */
function clocks(): { readonly all: SessionClocks; readonly key: string } {
  const all = new SessionClocks(NAME);
  all.setZero(0n);
  return { all, key: all.note(NAME) };
}

const interval = (second: number, figures: MediaFigures, role = 'client'): MediaIntervalState => ({
  stream: 'agent',
  role,
  fromAt: domainNs(second * 1e9),
  toAt: domainNs((second + 1) * 1e9),
  figures,
});

test('counts add up, times are means of the intervals that knew them, a least is the least', () => {
  const { all, key } = clocks();
  const log = new MediaLog();
  log.add(
    interval(0, { jitterBufferNs: durationNs(40), concealedSamples: 480, fillSamplesMin: 9 }),
    key,
  );
  log.add(
    interval(1, { jitterBufferNs: durationNs(60), rttNs: durationNs(7), fillSamplesMin: 4 }),
    key,
  );
  log.add(interval(2, { concealedSamples: 20 }), key);
  const [detail] = log.of('agent', all);
  expect(detail?.total).toEqual({
    jitterBufferNs: 50,
    rttNs: 7,
    concealedSamples: 500,
    fillSamplesMin: 4,
  });
  expect(detail?.intervals.map(one => one.startNs)).toEqual([0, 1e9, 2e9]);
  expect(log.of('mic', all)).toEqual([]);
});

test('roles stand apart; 120 intervals are shown, 3,600 kept', () => {
  const { all, key } = clocks();
  const log = new MediaLog();
  for (let second = 0; second < 3_601; second++) log.add(interval(second, { packets: 1 }), key);
  log.add(interval(0, { packets: 5 }, 'edge'), key);
  const [client, edge] = log.of('agent', all);
  expect([client?.count, client?.total.packets, client?.intervals.length]).toEqual([
    3_600, 3_600, 120,
  ]);
  expect(client?.intervals.at(-1)?.startNs).toBe(3_600e9);
  expect([edge?.role, edge?.total.packets]).toEqual(['edge', 5]);
});

test('the 64th stream and role is taken, the 65th refused', () => {
  const { key } = clocks();
  const log = new MediaLog();
  const taken = Array.from({ length: 65 }, (_, i) => log.add(interval(0, {}, `role ${i}`), key));
  expect(taken.indexOf(false)).toBe(64);
});
