// Tracks under the lanes: what there is of them, and what a pixel shows.

import type { SessionDetail } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { levelColumns, mostOf, pointAt, trackAt, type LevelTrack } from '../src/layout/tracks.ts';
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
  expect([trackAt(2, 0), trackAt(2, 43), trackAt(2, 44), trackAt(2, 99)]).toEqual([
    0,
    undefined,
    1,
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
  const tracks = tracksOf({ detail, lanes: lanesOf(), rows: undefined });
  expect(
    tracks.map(track => `${track.name}: ${track.points.map(point => point.value).join(' ')}`),
  ).toEqual(['jitter buffer: 40000000 90000000', 'player queue: 80000000', 'made up: 0 0.25']);
  expect(tracks[0]!.target?.map(point => point.value)).toEqual([60e6]);
  expect(tracksOf({ detail: detailWith([]), lanes: lanesOf(), rows: undefined })).toEqual([]);
});
