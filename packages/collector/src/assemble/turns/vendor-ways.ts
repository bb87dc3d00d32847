// The way to a service that is traced itself: its marks say what the way takes, there
// and back, and nobody has to ping it.

import type { StreamFrames } from '../frames/stream-frames.ts';
import { serviceOf, type SessionData } from '../session-data.ts';
import { legsOf } from '../topology/legs.ts';

/** Answers the round trip between the process that decides turns and a service of that name; undefined: not seen. */
export function vendorWays(
  streams: readonly StreamFrames[],
  data: SessionData,
): (service: string) => number | undefined {
  const known = new Map<string, number | undefined>();
  return service => {
    if (!known.has(service)) known.set(service, roundTrip(service, streams, data));
    return known.get(service);
  };
}

function roundTrip(
  service: string,
  streams: readonly StreamFrames[],
  data: SessionData,
): number | undefined {
  const producers = [...data.processes.keys()];
  const authority = producers.indexOf(data.authority()?.producer ?? '');
  const isIts = (at: number): boolean => {
    const process = data.processes.get(producers[at] ?? '');
    return process !== undefined && serviceOf(process.resource) === service;
  };
  if (authority < 0 || isIts(authority)) return undefined;
  const context = {
    processOf: (producer: string): number => producers.indexOf(producer),
    rttNs: () => null,
  };
  let [thereNs, backNs]: (number | undefined)[] = [];
  for (const leg of streams.flatMap(stream => legsOf(stream, context))) {
    const { p50Ns } = leg.oneWay;
    if (p50Ns === null) continue;
    if (leg.fromProcess === authority && isIts(leg.toProcess)) thereNs ??= p50Ns;
    if (leg.toProcess === authority && isIts(leg.fromProcess)) backNs ??= p50Ns;
  }
  // One way alone is half of it, as far as anybody knows, and clocks may be off: not guessed.
  return thereNs === undefined || backNs === undefined ? undefined : thereNs + backNs;
}
