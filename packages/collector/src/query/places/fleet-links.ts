// Ends that are not traced, as all sessions met them: services outside, with the way
// there and their own word, and connections as media stacks saw them.

import {
  fromBase64,
  Sketch,
  type DelayFigures,
  type FleetLink,
  type FleetVendor,
  type MediaLink,
} from '@framescope/protocol';
import { figuresOf } from '../../assemble/topology/legs.ts';
import type { PlacedSession } from './placed-sessions.ts';

interface Pair {
  readonly service: string;
  readonly region: string | null;
  readonly vendor: string | null;
  readonly stage: string;
  readonly rtt: Sketch;
  readonly processing: Sketch;
  readonly sessions: Set<string>;
  requests: number;
  silent: number;
  unlikely: number;
}

/** Slowest way first. */
export function fleetVendors(sessions: readonly PlacedSession[]): FleetVendor[] {
  const pairs = new Map<string, Pair>();
  for (const { detail, topology } of sessions)
    for (const leg of topology.vendors ?? []) {
      const { service = 'unknown_service', region = null } = detail.processes[leg.process] ?? {};
      const key = JSON.stringify([service, region, leg.vendor, leg.stage]);
      const pair: Pair = pairs.get(key) ?? {
        service,
        region,
        vendor: leg.vendor,
        stage: leg.stage,
        rtt: new Sketch(),
        processing: new Sketch(),
        sessions: new Set(),
        requests: 0,
        silent: 0,
        unlikely: 0,
      };
      pairs.set(key, pair);
      pair.sessions.add(detail.key);
      pair.requests += leg.requests;
      pair.silent += leg.silent;
      pair.unlikely += leg.unlikely;
      mergeInto(pair.rtt, leg.rttSketch);
      mergeInto(pair.processing, leg.processingSketch);
    }
  return [...pairs.values()]
    .map(({ sessions: own, rtt, processing, ...rest }) => ({
      ...rest,
      sessions: own.size,
      rtt: figuresOf(rtt),
      processing: figuresOf(processing),
    }))
    .toSorted((a, b) => typicalNs(b.rtt) - typicalNs(a.rtt));
}

/** Of one measured value alone there is no median to quote, but it is known which way is the slower. */
const typicalNs = ({ p50Ns, maxNs }: DelayFigures): number => p50Ns ?? maxNs ?? 0;

function mergeInto(sketch: Sketch, text: string): void {
  const bytes = fromBase64(text);
  const own = bytes.ok ? Sketch.fromBytes(bytes.value) : bytes;
  if (own.ok) sketch.merge(own.value);
}

interface Connections {
  readonly service: string;
  readonly region: string | null;
  readonly stream: string;
  readonly sessions: Set<string>;
  readonly links: MediaLink[];
}

/** Slowest first. */
export function fleetLinks(sessions: readonly PlacedSession[]): FleetLink[] {
  const groups = new Map<string, Connections>();
  for (const { detail, topology } of sessions)
    for (const link of topology.links ?? []) {
      const { service = 'unknown_service', region = null } = detail.processes[link.process] ?? {};
      const { stream } = link;
      const key = JSON.stringify([service, region, stream]);
      const group = groups.get(key) ?? { service, region, stream, sessions: new Set(), links: [] };
      groups.set(key, group);
      group.sessions.add(detail.key);
      group.links.push(link);
    }
  return [...groups.values()].map(fleetLink).toSorted((a, b) => (b.rttNs ?? 0) - (a.rttNs ?? 0));
}

function fleetLink({ service, region, stream, sessions, links }: Connections): FleetLink {
  const rtts = links.flatMap(link => link.rttNs ?? []);
  const sum = (of: (link: MediaLink) => number): number =>
    links.reduce((total, link) => total + of(link), 0);
  return {
    service,
    region,
    stream,
    sessions: sessions.size,
    rttNs: meanOf(links, link => link.rttNs),
    rttMaxNs: rtts.length === 0 ? null : Math.max(...rtts),
    jitterNs: meanOf(links, link => link.jitterNs),
    packets: sum(link => link.packets),
    packetsLost: sum(link => link.packetsLost),
  };
}

/** By the seconds told. */
function meanOf(
  links: readonly MediaLink[],
  of: (link: MediaLink) => number | null,
): number | null {
  let [sum, seconds] = [0, 0];
  for (const link of links) {
    const value = of(link);
    if (value === null) continue;
    sum += value * link.seconds;
    seconds += link.seconds;
  }
  return seconds === 0 ? null : Math.round(sum / seconds);
}
