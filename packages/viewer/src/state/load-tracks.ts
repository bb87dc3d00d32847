// How busy the instances of a call were while it ran, as tracks under its frames. The agent's
// own always; of the others what may have cost the call something: a track of four
// processes that had nothing to do says nothing.

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

/** The agent's first, then the others', worst first. */
export function loadTracks(detail: SessionDetail, load: Load | undefined): LevelTrack[] {
  if (load === undefined) return [];
  const agents = agentInstances(detail);
  const found = load.instances.flatMap(one => {
    const isAgent = agents.has(`${one.place.service} ${one.place.instance}`);
    return QUANTITIES.flatMap(quantity => {
      const points = pointsOf(one, quantity, load, detail);
      const most = points.reduce((max, point) => Math.max(max, point.value), -1);
      if (most < (isAgent ? quantity.agentFrom : quantity.otherFrom)) return [];
      const badness = isAgent ? Infinity : most / quantity.badFrom;
      return [{ track: trackOf(one, quantity, points), badness }];
    });
  });
  return found
    .toSorted((a, b) => (a.badness === b.badness ? 0 : b.badness - a.badness))
    .slice(0, TRACKS_MAX)
    .map(one => one.track);
}

function trackOf(one: InstanceLoad, quantity: Quantity, points: readonly TrackPoint[]): LevelTrack {
  const { service, instance, host } = one.place;
  return {
    id: `load ${service} ${instance ?? ''} ${quantity.name}`,
    name: quantity.name === 'queue' ? (one.queue ?? 'queue') : quantity.name,
    detail: `${service} ${instance ?? host ?? ''}`.trim(),
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
