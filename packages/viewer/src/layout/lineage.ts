// Where the axes of a call bend, what was made up, thrown away or never sent, and which
// words came of which sound: as its processes told. Pure.
//
//   user    ▇▇▇▇▇▇▇▇▇▇▇▇▇          words stand where the sound stood: the user's at the mouth,
//           └Is my order┘            the agent's at the ear
//   send    ────◆ 24 kHz─────        ◆ a hop that counts by another rate, or a splice
//   play    ──────▐░░░▌──────        a range that the hop made up, dropped, kept silent

import type { LineageDetail, SessionDetail } from '@framescope/protocol';
import type { Lanes, Station } from './lanes.ts';
import { ticksSpan } from './speech.ts';
import type { Rows } from './train.ts';
import { toX, type TimeScale } from './time-scale.ts';

export interface LineageInput {
  readonly streams: SessionDetail['streams'];
  readonly lanes: Lanes;
  /** Frames in view by hop key; undefined from far, where no words are placed. */
  readonly rows: ReadonlyMap<string, Rows> | undefined;
  readonly scale: TimeScale;
  readonly isRaw: boolean;
}

/** The axis of a hop begins or goes on by another rule. */
export interface Bend {
  readonly station: number;
  readonly x: number;
  /** Hertz of the hop from here on. */
  readonly rate: number;
  /** The same rate as before, at another place. */
  readonly isSplice: boolean;
}

export interface GapBox {
  readonly station: number;
  readonly left: number;
  readonly right: number;
  readonly kind: LineageDetail['gaps'][number]['kind'];
}

export interface WordBox {
  readonly who: 'user' | 'agent';
  readonly left: number;
  readonly right: number;
  readonly text: string;
  readonly quality: LineageDetail['derivations'][number]['quality'];
}

export interface LineageBoxes {
  readonly bends: readonly Bend[];
  readonly gaps: readonly GapBox[];
  readonly words: readonly WordBox[];
}

type Stream = SessionDetail['streams'][number];

export function layoutLineage(input: LineageInput): LineageBoxes {
  const told = input.streams.flatMap(stream =>
    stream.lineage ? [{ stream, lineage: stream.lineage }] : [],
  );
  return {
    bends: told.flatMap(({ stream, lineage }) => bendsOf(input, stream, lineage)),
    gaps: told.flatMap(({ stream, lineage }) => gapsOf(input, stream, lineage)),
    words: told.flatMap(({ stream, lineage }) => wordsOf(input, stream, lineage)),
  };
}

/** Station of a hop of the stream, −1 if it has none. Of several instances the first: who of them told is not said. */
function stationsBy({ lanes }: LineageInput, stream: Stream): (path: string) => number {
  const known = new Map<string, number>();
  return path => {
    let station = known.get(path);
    if (station !== undefined) return station;
    const key = `${stream.name}.${path}`;
    station = lanes.stations.findIndex(one => one.key === key || one.key.startsWith(`${key}@`));
    known.set(path, station);
    return station;
  };
}

function shiftAt({ rows, isRaw }: LineageInput, station: Station | undefined): number {
  return isRaw ? (rows?.get(station?.key ?? '')?.rawShiftNs ?? 0) : 0;
}

const isSeen = ({ scale }: LineageInput, left: number, right: number): boolean =>
  right >= scale.leftPx && left <= scale.leftPx + scale.widthPx;

export const rateOf = (
  { samples, ticks }: Pick<LineageDetail['segments'][number], 'samples' | 'ticks'>,
  sampleRate: number,
): number => Math.round((sampleRate * samples) / ticks);

/** `agent/send`, and `#2` for the second of that name. */
export const pathOf = ({ role, hop, nth }: LineageDetail['segments'][number]): string =>
  `${role}/${hop}${nth > 0 ? `#${nth + 1}` : ''}`;

function bendsOf(input: LineageInput, stream: Stream, { segments }: LineageDetail): Bend[] {
  const before = new Map<string, number>();
  const stationOf = stationsBy(input, stream);
  return segments.flatMap((segment): Bend[] => {
    const path = pathOf(segment);
    const rate = rateOf(segment, stream.sampleRate);
    const isSplice = before.get(path) === rate;
    before.set(path, rate);
    const station = stationOf(path);
    if (station < 0) return [];
    // What held before the call began stands at its beginning.
    const atNs = Math.max(0, segment.atNs - shiftAt(input, input.lanes.stations[station]));
    const x = toX(input.scale, atNs);
    return isSeen(input, x, x) ? [{ station, x, rate, isSplice }] : [];
  });
}

/** From when it was told, as long as its media. */
function gapsOf(input: LineageInput, stream: Stream, { gaps }: LineageDetail): GapBox[] {
  const stationOf = stationsBy(input, stream);
  return gaps.flatMap((gap): GapBox[] => {
    const station = stationOf(gap.hop);
    if (station < 0) return [];
    const atNs = gap.atNs - shiftAt(input, input.lanes.stations[station]);
    const lengthNs = ((gap.endTick - gap.startTick) / stream.sampleRate) * 1e9;
    const left = toX(input.scale, atNs);
    const right = toX(input.scale, atNs + lengthNs);
    return isSeen(input, left, right) ? [{ station, left, right, kind: gap.kind }] : [];
  });
}

/** The user's words at the first hop that saw the sound, the agent's at the last. */
function wordsOf(input: LineageInput, stream: Stream, { derivations }: LineageDetail): WordBox[] {
  const { rows, lanes } = input;
  if (!rows) return [];
  const seen = lanes.stations.filter(
    one => one.stream === stream.name && (rows.get(one.key)?.length ?? 0) > 0,
  );
  const station = stream.direction === 'up' ? seen[0] : seen.at(-1);
  const at = station && rows.get(station.key);
  if (!at) return [];
  const shiftNs = shiftAt(input, station);
  return derivations.flatMap(({ who, fromTick, toTick, text, quality }): WordBox[] => {
    const span = ticksSpan(at, { startTick: fromTick, endTick: toTick });
    if (!span) return [];
    const left = toX(input.scale, span.startNs - shiftNs);
    const right = toX(input.scale, span.endNs - shiftNs);
    return isSeen(input, left, right) ? [{ who, left, right, text, quality }] : [];
  });
}
