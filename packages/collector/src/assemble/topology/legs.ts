// The ways of a session: from one process to the next, frame by frame.
//
//   edge/send  ●  ●  ●  ●          a leg lies between neighbours of the path
//                ╲  ╲  ×  ╲        whose processes differ; with several
//   agent/receive ●  ●     ●       instances at an end, each pair has its own

import { Sketch, toBase64, type DelayFigures, type SessionLeg } from '@framescope/protocol';
import { isQuotable } from '../../query/kaplan-meier.ts';
import { clockErrorNs } from '../clock/session-clocks.ts';
import { rowsOfLastTick } from '../frames/join.ts';
import type { HopFrames, StreamFrames } from '../frames/stream-frames.ts';

/** Hops that stand at one place of the path: instances of one another. */
export type PathPlace = readonly HopFrames[];

/** The path of a stream as places, in order. */
export function pathPlaces({ hops }: StreamFrames): PathPlace[] {
  const places: HopFrames[][] = [];
  for (const hop of hops) {
    const last = places.at(-1);
    if (last?.[0]?.path === hop.path) last.push(hop);
    else places.push([hop]);
  }
  return places;
}

export interface LegContext {
  readonly processOf: (producer: string) => number;
  /** Median round trip of the exchanges between two clock domains. */
  readonly rttNs: (domain: string, other: string) => number | null;
}

export function legsOf(stream: StreamFrames, context: LegContext): SessionLeg[] {
  const places = pathPlaces(stream);
  return places.slice(1).flatMap((place, at) => {
    const before = places[at]!;
    return place.flatMap(to =>
      before.some(from => from.producer === to.producer)
        ? []
        : before.flatMap(from => legBetween(stream, from, to, context) ?? []),
    );
  });
}

function legBetween(
  { name }: StreamFrames,
  from: HopFrames,
  to: HopFrames,
  { processOf, rttNs }: LegContext,
): SessionLeg | undefined {
  const rows = rowsOfLastTick(to.rows, from.rows);
  const sketch = new Sketch();
  let changes = 0;
  let changeNs = 0;
  let lastNs = Number.NaN;
  for (let row = 0; row < to.rows.length; row++) {
    if (rows[row]! < 0) continue;
    const delayNs = to.atNs[row]! - from.atNs[rows[row]!]!;
    sketch.add(Math.max(0, delayNs));
    if (!Number.isNaN(lastNs)) {
      changeNs += Math.abs(delayNs - lastNs);
      changes++;
    }
    lastNs = delayNs;
  }
  if (sketch.count === 0) return undefined;
  return {
    stream: name,
    from: from.key,
    to: to.key,
    fromProcess: processOf(from.producer),
    toProcess: processOf(to.producer),
    oneWay: figuresOf(sketch),
    errorNs: errorBetween(from, to),
    rttNs: rttNs(from.clock.name.domain, to.clock.name.domain),
    jitterNs: changes === 0 ? 0 : Math.round(changeNs / changes),
    lost: to.lost.length,
    sketch: toBase64(sketch.toBytes()),
  };
}

/** Null where only wall clocks connect the two. */
function errorBetween(from: HopFrames, to: HopFrames): number | null {
  if (from.clock.group !== to.clock.group) return null;
  const at = (hop: HopFrames): { map: HopFrames['clock']; rawNs: number } => ({
    map: hop.clock,
    rawNs: hop.rows.rawNs[hop.rows.length >> 1]!,
  });
  return from.clock.key === to.clock.key ? 0 : clockErrorNs(at(from), at(to));
}

/** Quantiles of a sketch, those that it is large enough for. */
export function figuresOf(sketch: Sketch): DelayFigures {
  const n = sketch.count;
  const quantile = (q: number): number | null =>
    isQuotable(q, n) ? Math.round(sketch.quantile(q, 'middle') ?? 0) : null;
  return {
    n,
    p50Ns: quantile(0.5),
    p95Ns: quantile(0.95),
    p99Ns: quantile(0.99),
    maxNs: n === 0 ? null : Math.round(sketch.quantile(1) ?? 0),
  };
}
