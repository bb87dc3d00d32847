// How often the topology of a live call is looked up: soon after a change, then ever less often.

import type { SessionTopology } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { KeptTopology, type TopologyMoment } from '../../src/assemble/topology/kept.ts';

const dataOf = (processes: number, setup = 0): TopologyMoment['data'] =>
  ({
    processes: { size: processes },
    streams: new Map(),
    setup: { size: setup },
    zeroUnixNs: 0n,
  }) as unknown as TopologyMoment['data'];

/** Seconds at which it was looked up, asked once a second. */
function looks(
  seconds: number,
  of: (second: number) => Pick<TopologyMoment, 'data' | 'isLive'>,
): number[] {
  const kept = new KeptTopology();
  const at: number[] = [];
  for (let second = 0; second < seconds; second++)
    kept.next(
      { ...of(second), nowUnixNs: BigInt(second) * 1_000_000_000n, hasAsked: false },
      {
        topology: () => {
          at.push(second);
          return {} as SessionTopology;
        },
        vendors: () => [],
      },
    );
  return at;
}

test('a call is looked up often at first, and twice a minute when nothing has changed for long', () => {
  const at = looks(400, () => ({ data: dataOf(2), isLive: true }));
  expect(at.slice(0, 6)).toEqual([0, 2, 4, 8, 16, 32]);
  const gaps = at.slice(1).map((second, i) => second - at[i]!);
  expect(Math.max(...gaps)).toBe(30);
  expect(gaps.at(-1)).toBe(30);
});

test('another process, and another word of a connection, are looked up at once and often again', () => {
  for (const change of [dataOf(3), dataOf(2, 1)]) {
    const at = looks(320, second => ({ data: second < 300 ? dataOf(2) : change, isLive: true }));
    expect(at.filter(second => second >= 300).slice(0, 4)).toEqual([300, 302, 304, 308]);
  }
});

test('a call that has ended is looked up whenever it is asked for', () => {
  const at = looks(203, second => ({ data: dataOf(2), isLive: second < 200 }));
  expect(at.slice(-3)).toEqual([200, 201, 202]);
});
