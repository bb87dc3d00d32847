// From mouth to ear: heights, legs, speech that travels with its frames, ledgers that add up.

import type { HopDetail, SessionDetail, StreamDetail, Wait } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { layoutLanes } from '../src/layout/lanes.ts';
import { roleNames } from '../src/pages/session/gutter.ts';
import { speechTicks, layoutTints, ticksDuring } from '../src/layout/speech.ts';
import { logTicks, timeTicks } from '../src/layout/time-scale.ts';
import { partBoxes } from '../src/layout/turns.ts';
import { lanesOf, rowsOf, scaleOf } from './pictures.ts';

const quantiles = {
  n: 9,
  censored: 0,
  p50Ns: 10e6,
  p95Ns: 12e6,
  p99Ns: null,
  p999Ns: null,
  maxNs: 20e6,
};
const frames = { expected: 9, lost: 0, late: 0, concealed: 0 };

/** `mic: client/send agent/receive` */
function streamOf(text: string): StreamDetail {
  const [name = '', hops = ''] = text.split(': ');
  const detail = (path: string): HopDetail => {
    const [role = '', hop = ''] = path.split('/');
    return {
      key: `${name}.${path}`,
      stream: name,
      role,
      name: hop,
      process: 0,
      watermarkTick: 0,
      frameTicks: null,
      markCount: 9,
      frames,
      latency: quantiles,
      errorNs: 0,
      budgetNs: null,
    };
  };
  return {
    name,
    direction: name === 'mic' ? 'up' : 'down',
    sampleRate: 16_000,
    hops: hops.split(' ').map(detail),
  };
}

/** A process a clock. */
const clocksOf = (...domains: string[]): SessionDetail['processes'] =>
  domains.map(domain => ({ clock: { domain, epoch: 0 } })) as unknown as SessionDetail['processes'];
const CALL = {
  processes: clocksOf('phone', 'server'),
  streams: [
    streamOf('agent: agent/send client/playout'),
    streamOf('mic: client/capture client/send agent/receive'),
  ],
};
const NEAR = { stageRows: 3, isFar: false };

test('the mouth is on top, the ear at the bottom, the ledger between them', () => {
  const lanes = layoutLanes(CALL, 800, NEAR);
  expect(lanes.stations.map(station => station.key)).toEqual([
    'mic.client/capture',
    'mic.client/send',
    'mic.agent/receive',
    'agent.agent/send',
    'agent.client/playout',
  ]);
  const ys = lanes.stations.map(station => station.y);
  expect(ys.toSorted((a, b) => a - b)).toEqual(ys);
  expect(lanes.ledger.top).toBeGreaterThan(ys[2]!);
  expect(lanes.stages.top + lanes.stages.height).toBeLessThan(ys[3]!);
});

test('a leg never joins two streams, and a network is taller than a step inside a process', () => {
  const { stations, legs } = layoutLanes(CALL, 800, NEAR);
  expect(legs.map(leg => `${leg.from}-${leg.to}`)).toEqual(['0-1', '1-2', '3-4']);
  expect(stations[2]!.y - stations[1]!.y).toBeGreaterThan(stations[1]!.y - stations[0]!.y);
});

test('lanes grow past the screen rather than get too flat to read', () => {
  const low = layoutLanes(CALL, 100, NEAR);
  expect(low.heightPx).toBeGreaterThan(200);
  // A line of small text: its two stations keep their names.
  expect(low.stations[1]!.y - low.stations[0]!.y).toBeGreaterThanOrEqual(14);
});

test('nothing is late on the way out of a synthesiser, everything may be elsewhere', () => {
  const { legs } = layoutLanes(
    {
      processes: clocksOf('phone', 'server'),
      streams: [streamOf('agent: agent/tts agent/send client/playout')],
    },
    800,
    NEAR,
  );
  expect(legs.map(leg => leg.limitNs)).toEqual([Infinity, 25e6]);
});

test('the age of a frame is as good as the clocks it was read off: of one clock there is no error', () => {
  const streams = CALL.streams.map(stream => ({
    ...stream,
    hops: stream.hops.map(hop => ({ ...hop, errorNs: 10e9 })),
  }));
  const errorsWith = (...domains: string[]): number[] => [
    ...new Set(
      layoutLanes({ streams, processes: clocksOf(...domains) }, 800, NEAR).stations.map(
        one => one.errorNs,
      ),
    ),
  ];
  expect(errorsWith('phone', 'server')).toEqual([10e9]);
  expect(errorsWith('phone', 'phone')).toEqual([0]);
});

test('a call without an agent stream has a ledger lane all the same', () => {
  const lanes = layoutLanes(
    {
      processes: clocksOf('phone', 'server'),
      streams: [streamOf('mic: client/capture agent/receive')],
    },
    600,
    NEAR,
  );
  expect(lanes.ledger.top).toBeGreaterThan(lanes.stations[1]!.y);
});

test('speech is the same ticks at every hop, only later', () => {
  const lanes = lanesOf('capture', 'receive');
  const rows = new Map([
    ['capture', rowsOf('abcdef')],
    ['receive', rowsOf('...abcdef')],
  ]);
  const input = {
    lanes,
    rows,
    scale: scaleOf(20),
    isRaw: false,
    user: [{ startNs: 1e6, endNs: 4e6 }],
    agent: [],
  };
  const speech = speechTicks(input);
  expect(speech.get('mic')).toEqual([{ startTick: 10, endTick: 40 }]);
  expect(layoutTints(input, speech)).toEqual([
    { leg: 0, who: 'user', topLeft: 10, topRight: 30, bottomLeft: 40, bottomRight: 60 },
  ]);
});

test('a stretch in which nothing passed has no ticks', () => {
  expect(ticksDuring(rowsOf('a.....b'), { startNs: 2e6, endNs: 5e6 })).toEqual([]);
});

test('speech is parted where no frame passed for longer than a breath', () => {
  const rows = rowsOf('ab' + '.'.repeat(301) + 'cd');
  expect(ticksDuring(rows, { startNs: 0, endNs: 1e9 })).toEqual([
    { startTick: 0, endTick: 20 },
    { startTick: 20, endTick: 40 },
  ]);
});

test('the ledger bar ends where the wait ends, whatever its parts say of their own times', () => {
  const part = (name: string, exposedNs: number) => ({
    name,
    owner: '',
    startNs: 99e6,
    endNs: 1,
    exposedNs,
    fullNs: 500e6,
    savesNs: null,
    errorNs: 0,
  });
  const wait = {
    startNs: 2e6,
    waitNs: 8e6,
    parts: [part('uplink', 3e6), part('inference', 5e6)],
  } as unknown as Wait;
  expect(partBoxes(wait, scaleOf(20)).map(box => `${box.name} ${box.left}–${box.right}`)).toEqual([
    'uplink 20–50',
    'inference 50–100',
  ]);
});

test('time ticks are round and no closer than asked', () => {
  const { stepNs, ticks } = timeTicks({ fromNs: 0, toNs: 4e9, leftPx: 0, widthPx: 800 }, 84);
  expect([stepNs, ticks.length]).toEqual([5e8, 9]);
});

test('the latency axis is labelled at 1, 2 and 5 of each decade', () => {
  expect(
    logTicks({ minNs: 10e6, maxNs: 200e6, topPx: 0, heightPx: 100 }).map(ns =>
      Math.round(ns / 1e6),
    ),
  ).toEqual([10, 20, 50, 100, 200]);
});

/** Nine hops up and nine down, over three networks each way. */
const LONG = {
  processes: CALL.processes,
  streams: (['up', 'down'] as const).map(direction => ({
    ...CALL.streams[0]!,
    name: direction,
    direction,
    hops: Array.from({ length: 9 }, (_, i) => ({
      ...CALL.streams[0]!.hops[0]!,
      key: `${direction}.${i}`,
      role: ['client', 'edge', 'agent', 'models'][Math.floor(i / 2.5)]!,
    })),
  })),
};

test('eighteen hops and six stages fit the 600 px that a laptop leaves them, none flatter than its name', () => {
  const lanes = layoutLanes(LONG, 590, { stageRows: 6, isFar: false });
  expect(lanes.heightPx).toBe(590);
  const gaps = lanes.legs.map(leg => lanes.stations[leg.to]!.y - lanes.stations[leg.from]!.y);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(13.9);
  expect(lanes.agent.top + lanes.agent.height).toBeLessThanOrEqual(590);
});

test('with room to spare nothing is packed', () => {
  expect(layoutLanes(LONG, 1200, { stageRows: 4, isFar: false }).ledger.barPx).toBe(22);
});

test('a role whose name has no room beside that of a longer bracket is not named', () => {
  const groups = [
    { role: 'models', top: 270, bottom: 270 },
    { role: 'agent', top: 288, bottom: 310 },
    { role: 'client', top: 400, bottom: 400 },
  ];
  expect(roleNames(groups).map(one => one.text)).toEqual(['agent', 'client']);
  const apart = [groups[0]!, { role: 'agent', top: 320, bottom: 342 }];
  expect(roleNames(apart).map(one => one.text)).toEqual(['agent', 'models']);
});
