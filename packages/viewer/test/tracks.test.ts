// Tracks under the lanes: what there is of them, and what a pixel shows.

import type { InstanceLoad, Load, SessionDetail } from '@framescope/protocol';
import { expect, test } from 'vitest';
import {
  levelColumns,
  mostOf,
  placedTracks,
  pointAt,
  trackAt,
  type LevelTrack,
} from '../src/layout/tracks.ts';
import { loadTracks } from '../src/state/load-tracks.ts';
import { leadPoints, tracksOf } from '../src/state/tracks.ts';
import { lanesOf, rowsOf, scaleOf, TICKS } from './pictures.ts';

const MS = 1e6;

/** `12.3`: a value a millisecond, a dot where nothing is known. */
const pointsOf = (picture: string): LevelTrack['points'] =>
  [...picture].flatMap((digit, i) =>
    digit === '.' ? [] : [{ startNs: i * MS, endNs: (i + 1) * MS, value: Number(digit) }],
  );

const shown = (columns: Float32Array): string =>
  [...columns].map(one => (Number.isNaN(one) ? '.' : String(one))).join('');

test('a pixel shows the largest of what falls into it, and nothing where nothing is known', () => {
  const scale = { ...scaleOf(6), widthPx: 6 };
  expect(shown(levelColumns(pointsOf('12.941'), scale))).toBe('12.941');
  expect(shown(levelColumns(pointsOf('12.941'), { ...scale, widthPx: 3 }))).toBe('294');
  expect(shown(levelColumns(pointsOf('12.941'), { ...scale, fromNs: 3 * MS, toNs: 9 * MS }))).toBe(
    '941...',
  );
});

test('the top of a track is a round value above all there is', () => {
  const track = (unit: LevelTrack['unit'], ...values: number[]): LevelTrack => ({
    id: '',
    name: '',
    detail: '',
    look: 'level',
    unit,
    points: values.map(value => ({ startNs: 0, endNs: 1, value })),
  });
  expect(mostOf(track('ns', 3 * MS))).toBe(20 * MS);
  expect(mostOf(track('ns', 61 * MS, 130 * MS))).toBe(200 * MS);
  expect(mostOf(track('share', 0.004))).toBe(0.02);
  expect(mostOf(track('share', 0.7))).toBe(1);
  expect(mostOf(track('count', 3))).toBe(5);
  expect(mostOf(track('count'))).toBe(1);
});

test('a pointer finds its track and the value there, or neither', () => {
  const track = (id: string, parts?: readonly LevelTrack[]): LevelTrack => ({
    id,
    name: '',
    detail: '',
    look: 'level',
    unit: 'ns',
    points: [],
    ...(parts && { parts }),
  });
  // One that sums others up is small.
  const { placed, heightPx } = placedTracks([track('a'), track('b', []), track('c')]);
  expect(heightPx).toBe(44 + 20 + 44);
  expect([0, 42, 44, 60, 62, 64, 107].map(y => trackAt(placed, y)?.id)).toEqual([
    'a',
    undefined,
    'b',
    'b',
    undefined,
    'c',
    undefined,
  ]);
  expect(pointAt(pointsOf('1.3'), 2.5 * MS)?.value).toBe(3);
  expect(pointAt(pointsOf('1.3'), 1.5 * MS)).toBeUndefined();
});

test('what a synthesiser made and nobody sent yet is its lead, and it falls as it is sent', () => {
  // A burst of four frames of a millisecond, sent one a millisecond from the second on.
  const made = rowsOf('(abcd)');
  const sent = rowsOf('..a.b.c.d');
  const points = leadPoints(made, sent, { sampleRate: TICKS * 1_000 });
  expect(points.map(({ startNs, value }) => `${startNs / MS} ms: ${value / MS}`)).toEqual([
    '0 ms: 4',
    '2 ms: 3',
    '4 ms: 2',
    '6 ms: 1',
    '8 ms: 0',
  ]);
});

const detailWith = (figures: readonly object[]): SessionDetail =>
  ({
    streams: [
      {
        name: 'agent',
        direction: 'down',
        sampleRate: 1_000,
        hops: [],
        media: [
          {
            role: 'client',
            count: figures.length,
            total: {},
            intervals: figures.map((one, i) => ({
              startNs: i * 1e9,
              endNs: (i + 1) * 1e9,
              figures: one,
            })),
          },
        ],
      },
    ],
  }) as unknown as SessionDetail;

test('what a media stack tells is a track each; what never happened is none', () => {
  const detail = detailWith([
    { jitterBufferNs: 40e6, jitterBufferTargetNs: 60e6, totalSamples: 1_000, concealedSamples: 0 },
    {
      jitterBufferNs: 90e6,
      fillSamplesMin: 80,
      totalSamples: 1_000,
      concealedSamples: 250,
      underrunCount: 0,
    },
    { jitterBufferNs: Number.NaN },
  ]);
  const tracks = tracksOf({ detail, lanes: lanesOf(), rows: undefined, load: undefined });
  expect(
    tracks.map(track => `${track.name}: ${track.points.map(point => point.value).join(' ')}`),
  ).toEqual(['jitter buffer: 40000000 90000000', 'player queue: 80000000', 'made up: 0 0.25']);
  expect(tracks[0]!.target?.map(point => point.value)).toEqual([60e6]);
  expect(
    tracksOf({ detail: detailWith([]), lanes: lanesOf(), rows: undefined, load: undefined }),
  ).toEqual([]);
});

const called = {
  zeroUnixNs: '1000000000000',
  streams: [{ hops: [{ role: 'agent', process: 0 }] }],
  processes: [
    { service: 'agent', instance: 'a-1' },
    { service: 'edge', instance: 'e-1' },
  ],
} as unknown as SessionDetail;

/** A figure a second; the load begins three seconds before the call. */
function loadOf(
  instance: string,
  figures: Partial<Pick<InstanceLoad, 'calls' | 'lagNs' | 'cpu' | 'waiting'>>,
): InstanceLoad {
  const none = [null, null, null];
  const place = {
    service: instance.startsWith('a') ? 'agent' : 'edge',
    instance,
    host: null,
    zone: null,
    region: null,
  };
  return {
    place,
    callsMost: null,
    lagMaxNs: null,
    cpuMost: null,
    column: [3, 4, 6],
    calls: none,
    lagNs: none,
    cpu: none,
    rssBytes: none,
    waiting: none,
    queue: 'llm_queue',
    stalledColumns: 0,
    ...figures,
  };
}

const loadFrom = (...instances: readonly InstanceLoad[]): Load => ({
  fromUnixNs: '997000000000',
  toUnixNs: '1007000000000',
  columnNs: 1e9,
  columns: 10,
  instances,
  curves: [],
});

const toldOf = (...instances: readonly InstanceLoad[]): string[] =>
  loadTracks(called, loadFrom(...instances), true).map(
    ({ name, detail, badFrom, points }) =>
      `${detail} ${name}: ${points.map(({ startNs, value }) => `${startNs / 1e9} s ${value}${value >= badFrom! ? '!' : ''}`).join(', ')}`,
  );

test('the load of the agent stands under its call, in the call’s own time, with its gaps', () => {
  const agent = loadOf('a-1', {
    calls: [1, 3, null],
    lagNs: [2e6, 120e6, 1e6],
    cpu: [0.1, 0.2, 0.1],
  });
  expect(toldOf(agent)).toEqual([
    'agent a-1 calls at once: 0 s 1, 1 s 3',
    'agent a-1 event loop late: 0 s 2000000, 1 s 120000000!, 3 s 1000000',
    'agent a-1 CPU: 0 s 0.1, 1 s 0.2, 3 s 0.1',
  ]);
  // Of one call at a time there is nothing to be drawn.
  expect(toldOf(loadOf('a-1', { calls: [1, 1, 1] }))).toEqual([]);
});

test('another process shows its load from where it may cost the call something, worst first, behind the agent', () => {
  const agent = loadOf('a-1', { lagNs: [1e6, 1e6, 1e6] });
  const idle = loadOf('e-1', { calls: [9, 9, 9], lagNs: [19e6, 1e6, 1e6], cpu: [0.59, 0, 0] });
  const busy = loadOf('e-2', { lagNs: [20e6, 1e6, 1e6], cpu: [0.6, 0, 0], waiting: [0, 4, 0] });
  expect(toldOf(idle, busy, agent).map(text => text.replace(/:.*/, ''))).toEqual([
    'agent a-1 event loop late',
    'edge e-2 llm_queue',
    'edge e-2 CPU',
    'edge e-2 event loop late',
  ]);
});

test('five lanes of load are drawn at most, so that the frames stay in sight', () => {
  const late = ['e-1', 'e-2', 'e-3', 'e-4', 'e-5', 'e-6'].map((name, i) =>
    loadOf(name, { lagNs: [(30 + i) * 1e6, 0, 0] }),
  );
  const told = toldOf(...late);
  expect(told).toHaveLength(5);
  expect(told[0]).toMatch(/^edge e-6/);
});

test('an instance is one small track, as tall as its worst figure is near what is bad', () => {
  const agent = loadOf('a-1', { calls: [9, 9, 9], lagNs: [20e6, 150e6, 1e6], cpu: [0.45, 0.2, 0] });
  const busy = loadOf('e-2', { waiting: [0, 6, 0] });
  const tracks = loadTracks(called, loadFrom(busy, agent));
  expect(
    tracks.map(({ name, detail, unit, badFrom, parts, points }) => [
      `${name} ${detail}`,
      unit,
      badFrom,
      parts?.map(part => part.name),
      points.map(({ startNs, value }) => [startNs / 1e9, value]),
    ]),
  ).toEqual([
    [
      'load agent a-1',
      'limit',
      1,
      ['calls at once', 'event loop late', 'CPU'],
      [
        [0, 0.5],
        [1, 1.5],
        [3, 0.01],
      ],
    ],
    [
      'load edge e-2',
      'limit',
      1,
      ['llm_queue'],
      [
        [0, 0],
        [1, 2],
        [3, 0],
      ],
    ],
  ]);
});
