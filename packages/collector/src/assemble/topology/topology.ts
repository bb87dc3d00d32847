// Where a session ran and what that cost: its ways, hand-overs, cuts, buffers.

import type { SessionTopology, VendorLeg } from '@framescope/protocol';
import type { StreamFrames } from '../frames/stream-frames.ts';
import type { SessionData } from '../session-data.ts';
import { buffersOf, cutsOf, flowsOf } from './cuts.ts';
import { handoversOf } from './handovers.ts';
import { linksOf, withLink } from './links.ts';
import { legsOf } from './legs.ts';
import { reconnectsOf } from './reconnects.ts';

export interface TopologyContext {
  readonly processOf: (producer: string) => number;
  readonly vendors: () => VendorLeg[];
}

export function topologyOf(
  streams: readonly StreamFrames[],
  data: SessionData,
  { processOf, vendors }: TopologyContext,
): SessionTopology {
  const rttNs = (domain: string, other: string): number | null => data.rtts.median(domain, other);
  const links = linksOf(data, processOf);
  const legs = streams.flatMap(stream => legsOf(stream, { processOf, rttNs }));
  return {
    legs: legs.map(leg => withLink(leg, links)),
    links,
    handovers: [
      ...handoversOf(streams, data, processOf),
      ...reconnectsOf(streams, data, processOf),
    ],
    cuts: streams.flatMap(cutsOf),
    buffers: streams.flatMap(buffersOf),
    flows: streams.flatMap(flowsOf),
    vendors: vendors(),
  };
}
