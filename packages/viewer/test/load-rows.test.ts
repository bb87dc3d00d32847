// Load beneath the heatmap: what of it stands where, and when it has room.

import type { Heatmap, InstanceLoad, Load } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { layoutFrame } from '../src/layout/heatmap.ts';
import { barAt, loadRows, type LoadRow } from '../src/layout/load-rows.ts';

const MAP = { fromUnixNs: '100000000000', toUnixNs: '110000000000' };

/** `12.4`: a figure a second from the load's start, a dot where nobody told. */
function instance(
  service: string,
  name: string,
  pictures: Partial<Record<'calls' | 'lagMs' | 'cpu' | 'waiting', string>>,
): InstanceLoad {
  const columns = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const of = (picture: string | undefined, factor: number): (number | null)[] =>
    columns.map(i => {
      const digit = picture?.[i] ?? '.';
      return digit === '.' ? null : Number(digit) * factor;
    });
  return {
    place: { service, instance: name, host: null, zone: null, region: null },
    callsMost: null,
    lagMaxNs: null,
    cpuMost: null,
    column: columns,
    calls: of(pictures.calls, 1),
    lagNs: of(pictures.lagMs, 20e6),
    cpu: of(pictures.cpu, 0.1),
    rssBytes: of(undefined, 1),
    waiting: of(pictures.waiting, 1),
    queue: null,
    stalledColumns: 0,
  };
}

const loadOf = (fromUnixNs: string, ...instances: readonly InstanceLoad[]): Load => ({
  fromUnixNs,
  toUnixNs: String(BigInt(fromUnixNs) + 10_000_000_000n),
  columnNs: 1e9,
  columns: 10,
  instances,
  curves: [],
});

const shown = ({ name, bars, most }: LoadRow): string =>
  `${name} to ${most}: ${bars.map(bar => `${Math.round(bar.from * 10)}=${bar.value} ${bar.who}`).join(', ')}`;

test('calls of a service’s instances add up, and services, which share the calls, do not', () => {
  const rows = loadRows(
    loadOf(
      MAP.fromUnixNs,
      instance('agent', 'a', { calls: '12' }),
      instance('agent', 'b', { calls: '13' }),
      instance('edge', 'e', { calls: '24' }),
    ),
    MAP,
  );
  expect(rows.map(shown)).toEqual(['calls to 5: 0=2 agent, 1=5 agent']);
});

test('of the other quantities each stretch shows the worst instance, by name', () => {
  const rows = loadRows(
    loadOf(
      MAP.fromUnixNs,
      instance('agent', 'a', { lagMs: '05', cpu: '28', waiting: '00' }),
      instance('agent', 'b', { lagMs: '12', cpu: '31', waiting: '0.' }),
    ),
    MAP,
  );
  expect(rows.map(shown)).toEqual([
    'late to 100000000: 0=20000000 agent b, 1=100000000 agent a',
    'CPU to 1: 0=0.30000000000000004 agent b, 1=0.8 agent a',
  ]);
});

test('a load is placed by its time, and what lies beside the map is cut off', () => {
  const [row] = loadRows(loadOf('98000000000', instance('agent', 'a', { calls: '98765' })), MAP);
  expect(shown(row!)).toBe('calls to 10: 0=7 agent, 1=6 agent, 2=5 agent');
  expect(barAt(row!, 0.15)?.value).toBe(6);
  expect(barAt(row!, 0.35)).toBeUndefined();
});

test('where nobody told of a load there are no rows', () => {
  expect(loadRows(undefined, MAP)).toEqual([]);
  expect(loadRows(loadOf(MAP.fromUnixNs), MAP)).toEqual([]);
  expect(loadRows(loadOf(MAP.fromUnixNs, instance('a', 'a', {})), MAP)).toEqual([]);
});

test('load takes room from the cells as long as they keep theirs, and none in a small multiple', () => {
  const map = {
    measure: { kind: 'wait', budgetNs: null },
    neverAnswered: [],
    overflow: [],
    overBudget: [],
    quantiles: [],
    columns: 10,
  } as unknown as Heatmap;
  const rows = loadRows(
    loadOf(
      MAP.fromUnixNs,
      instance('agent', 'a', { calls: '1', lagMs: '1', cpu: '1', waiting: '1' }),
    ),
    MAP,
  );
  expect(rows).toHaveLength(4);
  const bare = layoutFrame(map, 1_000, 700);
  const full = layoutFrame(map, 1_000, 700, rows);
  expect(full.loads.map(one => one.row.name)).toEqual(['calls', 'late', 'CPU', 'queue']);
  expect(full.axisPx).toBe(bare.axisPx);
  const [first] = full.loads;
  expect(first!.top).toBeGreaterThan(full.scale.topPx + full.scale.heightPx);
  expect(full.loads.at(-1)!.top + full.loads.at(-1)!.height).toBeLessThanOrEqual(full.axisPx);
  const short = layoutFrame(map, 1_000, 320, rows);
  expect(short.loads.length).toBeLessThan(4);
  expect(short.scale.heightPx).toBeGreaterThanOrEqual(220);
  expect(layoutFrame(map, 400, 200, rows).loads).toEqual([]);
});
