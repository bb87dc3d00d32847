// How busy the instances of a call were while it ran, as tracks under its frames. The agent's
// own always; of the others what may have cost the call something: a track of four
// processes that had nothing to do says nothing. An instance is one small track, as tall as
// its worst figure is near what is bad of it; opened, each figure is a track.

import type { InstanceLoad, Load, SessionDetail } from '@framescope/protocol';
import type { LevelTrack, TrackPoint } from '../layout/tracks.ts';

/** A loop this late is heard as a late frame. */
const LATE_NS = 20e6;
/** Of a core. */
const BUSY = 0.6;
/** More would push the frames themselves out of sight. */
const TRACKS_MAX = 5;

interface Quantity {
  readonly name: string;
  readonly unit: LevelTrack['unit'];
  readonly of: (one: InstanceLoad) => readonly (number | null)[];
  /** Shown of the agent from here on, and of the others. */
  readonly agentFrom: number;
  readonly otherFrom: number;
  /** Drawn as something bad from here on. */
  readonly badFrom: number;
}

const QUANTITIES: readonly Quantity[] = [
  {
    name: 'calls at once',
    unit: 'count',
    of: one => one.calls,
    agentFrom: 2,
    otherFrom: Infinity,
    badFrom: Infinity,
  },
  {
    name: 'event loop late',
    unit: 'ns',
    of: one => one.lagNs,
    agentFrom: 0,
    otherFrom: LATE_NS,
    badFrom: 100e6,
  },
  { name: 'CPU', unit: 'cores', of: one => one.cpu, agentFrom: 0, otherFrom: BUSY, badFrom: 0.9 },
  { name: 'queue', unit: 'count', of: one => one.waiting, agentFrom: 1, otherFrom: 1, badFrom: 3 },
];

/** The agent's first, then the others', worst first; `isOpen`: a track a figure, not an instance. */
export function loadTracks(
  detail: SessionDetail,
  load: Load | undefined,
  isOpen = false,
): LevelTrack[] {
  if (load === undefined) return [];
  const agents = agentInstances(detail);
  const found = load.instances.flatMap(one => {
    const isAgent = agents.has(`${one.place.service} ${one.place.instance}`);
    return QUANTITIES.flatMap(quantity => {
      const points = pointsOf(one, quantity, load, detail);
      const most = points.reduce((max, point) => Math.max(max, point.value), -1);
      if (most < (isAgent ? quantity.agentFrom : quantity.otherFrom)) return [];
      const badness = isAgent ? Infinity : most / quantity.badFrom;
      return [{ track: trackOf(one, quantity, points), badness, one }];
    });
  });
  const sorted = found.toSorted((a, b) => (a.badness === b.badness ? 0 : b.badness - a.badness));
  const instances = [...new Set(sorted.map(({ one }) => one))];
  const tracks = isOpen
    ? sorted.map(({ track }) => track)
    : instances.map(one =>
        summaryOf(
          one,
          sorted.filter(other => other.one === one).map(({ track }) => track),
        ),
      );
  return tracks.slice(0, TRACKS_MAX);
}

/** Of several calls at once alone nothing is bad: they are told, and lift nothing. */
function summaryOf({ place }: InstanceLoad, parts: readonly LevelTrack[]): LevelTrack {
  const highest = new Map<number, TrackPoint>();
  for (const { points, badFrom = Infinity } of parts)
    for (const point of points) {
      const value = point.value / badFrom;
      if (value >= (highest.get(point.startNs)?.value ?? 0))
        highest.set(point.startNs, { ...point, value });
    }
  return {
    id: `load ${place.service} ${place.instance ?? ''}`,
    name: 'load',
    detail: nameOf(place),
    look: 'level',
    unit: 'limit',
    points: [...highest.values()].toSorted((a, b) => a.startNs - b.startNs),
    badFrom: 1,
    parts,
  };
}

const nameOf = ({ service, instance, host }: InstanceLoad['place']): string =>
  `${service} ${instance ?? host ?? ''}`.trim();

function trackOf(one: InstanceLoad, quantity: Quantity, points: readonly TrackPoint[]): LevelTrack {
  const { service, instance } = one.place;
  return {
    id: `load ${service} ${instance ?? ''} ${quantity.name}`,
    name: quantity.name === 'queue' ? (one.queue ?? 'queue') : quantity.name,
    detail: nameOf(one.place),
    look: 'level',
    unit: quantity.unit,
    points,
    badFrom: quantity.badFrom,
  };
}

/** Instances whose hops bear the role `agent`. */
function agentInstances({ streams, processes }: SessionDetail): ReadonlySet<string> {
  const numbers = streams.flatMap(({ hops }) =>
    hops.filter(hop => hop.role === 'agent').map(hop => hop.process),
  );
  return new Set(
    numbers.flatMap(number => {
      const process = processes[number];
      return process === undefined ? [] : [`${process.service} ${process.instance}`];
    }),
  );
}

/** A column that nobody told of is a gap. */
function pointsOf(
  one: InstanceLoad,
  { of }: Quantity,
  { fromUnixNs, columnNs }: Load,
  { zeroUnixNs }: SessionDetail,
): TrackPoint[] {
  const startNs = Number(BigInt(fromUnixNs) - BigInt(zeroUnixNs));
  const values = of(one);
  return one.column.flatMap((column, i): TrackPoint[] => {
    const value = values[i] ?? null;
    if (value === null || !Number.isFinite(value)) return [];
    const atNs = startNs + column * columnNs;
    return [{ startNs: atNs, endNs: atNs + columnNs, value }];
  });
}
