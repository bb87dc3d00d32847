// Connections as the media stacks at their ends see them (getStats): round trip, jitter
// and loss of the way to a far end that may not be traced at all.

import type { MediaLink, SessionLeg } from '@framescope/protocol';
import type { SessionData } from '../session-data.ts';

export function linksOf(data: SessionData, processOf: (producer: string) => number): MediaLink[] {
  return data.media.totals().flatMap(({ stream, clock, seconds, total }): MediaLink[] => {
    const process = data.processOnClock(clock);
    const { rttNs = null, jitterNs = null, packets = 0, packetsLost = 0 } = total;
    // A player without a connection tells of its buffer alone.
    if (process === undefined || (rttNs === null && packets === 0)) return [];
    return [
      {
        process: processOf(process.producer),
        stream,
        seconds,
        rttNs,
        jitterNs,
        packets,
        packetsLost,
      },
    ];
  });
}

/** A way whose ends exchanged nothing themselves takes the round trip of the media stack at one of them. */
export function withLink(leg: SessionLeg, links: readonly MediaLink[]): SessionLeg {
  if (leg.rttNs !== null) return leg;
  const link = links.find(
    one =>
      one.stream === leg.stream &&
      one.rttNs !== null &&
      (one.process === leg.fromProcess || one.process === leg.toProcess),
  );
  return link === undefined ? leg : { ...leg, rttNs: link.rttNs };
}
