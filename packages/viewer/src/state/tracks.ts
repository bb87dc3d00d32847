// What a session has tracks of. Each source looks at what is known and answers its tracks;
// another one is a line in TRACK_SOURCES. Pure.

import type { Load, MediaDetail, SessionDetail } from '@framescope/protocol';
import type { Lanes, Station } from '../layout/lanes.ts';
import { lowerBound } from '../layout/time-scale.ts';
import type { LevelTrack, TrackPoint } from '../layout/tracks.ts';
import type { Rows } from '../layout/train.ts';
import { loadTracks } from './load-tracks.ts';

export interface TrackInput {
  readonly detail: SessionDetail;
  readonly lanes: Lanes;
  /** Frames in view by hop key; undefined where the picture is seen from far. */
  readonly rows: ReadonlyMap<string, Rows> | undefined;
  /** Of the instances that took part; undefined: not known yet. */
  readonly load: Load | undefined;
  /** A track a figure of an instance's load, where else an instance has one. */
  readonly isLoadOpen?: boolean;
}

export type TrackSource = (input: TrackInput) => readonly LevelTrack[];

export const TRACK_SOURCES: readonly TrackSource[] = [
  leadTracks,
  mediaTracks,
  ({ detail, load, isLoadOpen }) => loadTracks(detail, load, isLoadOpen),
];

export const tracksOf = (input: TrackInput): LevelTrack[] =>
  TRACK_SOURCES.flatMap(source => source(input));

// ---- what media stacks and players told, a second each ----------------------------------------

type Figures = MediaDetail['intervals'][number]['figures'];

interface MediaTrack {
  readonly name: string;
  readonly look: LevelTrack['look'];
  readonly unit: LevelTrack['unit'];
  readonly of: (figures: Figures, sampleRate: number) => number | undefined;
  readonly target?: (figures: Figures) => number | undefined;
  /** Drawn only when any value is above this: a track of zeros says nothing. */
  readonly above?: number;
}

const MEDIA: readonly MediaTrack[] = [
  {
    name: 'jitter buffer',
    look: 'level',
    unit: 'ns',
    of: one => one.jitterBufferNs,
    target: one => one.jitterBufferTargetNs,
  },
  {
    name: 'player queue',
    look: 'level',
    unit: 'ns',
    of: (one, rate) =>
      one.fillSamplesMin === undefined ? undefined : (one.fillSamplesMin / rate) * 1e9,
  },
  { name: 'decoder to ear', look: 'level', unit: 'ns', of: one => one.playoutNs },
  { name: 'round trip', look: 'level', unit: 'ns', of: one => one.rttNs },
  { name: 'network jitter', look: 'level', unit: 'ns', of: one => one.jitterNs, above: 0 },
  {
    name: 'made up',
    look: 'bad',
    unit: 'share',
    of: one =>
      one.concealedSamples === undefined || !one.totalSamples
        ? undefined
        : one.concealedSamples / one.totalSamples,
    above: 0,
  },
  {
    name: 'packets lost',
    look: 'bad',
    unit: 'share',
    of: one =>
      one.packetsLost === undefined || !one.packets
        ? undefined
        : Math.max(0, one.packetsLost) / (one.packets + Math.max(0, one.packetsLost)),
    above: 0,
  },
  { name: 'ran dry', look: 'bad', unit: 'count', of: one => one.underrunCount, above: 0 },
];

function mediaTracks({ detail }: TrackInput): LevelTrack[] {
  return detail.streams.flatMap(stream =>
    (stream.media ?? []).flatMap(media =>
      MEDIA.flatMap((what): LevelTrack[] => {
        const points = pointsOf(media, one => what.of(one, stream.sampleRate));
        const isShown = points.some(point => point.value > (what.above ?? -1));
        if (!isShown) return [];
        const target = what.target ? pointsOf(media, what.target) : [];
        return [
          {
            id: `${stream.name} ${media.role} ${what.name}`,
            name: what.name,
            detail: `${stream.name} at ${media.role}`,
            look: what.look,
            unit: what.unit,
            points,
            ...(target.length > 0 && { target }),
          },
        ];
      }),
    ),
  );
}

function pointsOf(
  { intervals }: MediaDetail,
  of: (figures: Figures) => number | undefined,
): TrackPoint[] {
  return intervals.flatMap(({ startNs, endNs, figures }) => {
    const value = of(figures);
    return value === undefined || !Number.isFinite(value) ? [] : [{ startNs, endNs, value }];
  });
}

// ---- how far a synthesiser is ahead of what is sent -------------------------------------------

/** A step that lasts longer than this is a pause, in which nothing waits. */
const PAUSE_NS = 2e9;

function leadTracks({ lanes, rows }: TrackInput): LevelTrack[] {
  if (!rows) return [];
  return lanes.stations.flatMap((station, i): LevelTrack[] => {
    if (station.name !== 'tts' || station.direction !== 'down') return [];
    const next = lanes.stations
      .slice(i + 1)
      .find(one => one.stream === station.stream && (rows.get(one.key)?.length ?? 0) > 0);
    // From one synthesiser's hop to another nothing waits ahead of its time.
    if (next?.name === 'tts') return [];
    const made = rows.get(station.key);
    const sent = next && rows.get(next.key);
    if (!made || !sent) return [];
    return [
      {
        id: `${station.key} lead`,
        name: 'TTS lead',
        detail: `made, not yet at ${next.role} ${next.name}`,
        look: 'ahead',
        unit: 'ns',
        points: leadPoints(made, sent, station),
      },
    ];
  });
}

const timesOf = ({ atNs, length }: Rows): number[] =>
  Array.from({ length }, (_, row) => atNs[row]!);

/**
 * Audio that was made and has not passed the next hop, at each moment that either changes:
 * what one has brought beyond the other, counted in media time from the first tick that both saw.
 */
export function leadPoints(
  made: Rows,
  sent: Rows,
  { sampleRate }: Pick<Station, 'sampleRate'>,
): TrackPoint[] {
  const times = [...new Set([made, sent].flatMap(timesOf))].sort((a, b) => a - b);
  const points: TrackPoint[] = [];
  let [madeTo, sentTo] = [0, 0];
  times.forEach((atNs, i) => {
    for (
      let row = lowerBound(made.atNs, made.length, atNs);
      row < made.length && made.atNs[row]! <= atNs;
      row++
    )
      madeTo = Math.max(madeTo, made.endTick[row]!);
    for (
      let row = lowerBound(sent.atNs, sent.length, atNs);
      row < sent.length && sent.atNs[row]! <= atNs;
      row++
    )
      sentTo = Math.max(sentTo, sent.endTick[row]!);
    const nextNs = times[i + 1] ?? atNs + 20e6;
    // Before anything was sent, ticks of an earlier answer would be counted as waiting.
    const from = Math.max(sentTo, made.startTick[0]!);
    const value = Math.max(0, ((madeTo - from) / sampleRate) * 1e9);
    if (value === 0 && points.at(-1)?.value === 0) return;
    points.push({ startNs: atNs, endNs: Math.min(nextNs, atNs + PAUSE_NS), value });
  });
  return points;
}
