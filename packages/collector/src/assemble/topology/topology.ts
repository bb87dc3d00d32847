// Where a session ran and what that cost: its ways, hand-overs, cuts, buffers.

import type { SessionTopology } from '@framescope/protocol';
import type { StreamFrames } from '../frames/stream-frames.ts';
import type { SessionData } from '../session-data.ts';
import { buffersOf, cutsOf, flowsOf } from './cuts.ts';
import { handoversOf } from './handovers.ts';
import { legsOf } from './legs.ts';

export function topologyOf(
  streams: readonly StreamFrames[],
  data: SessionData,
  processOf: (producer: string) => number,
): SessionTopology {
  const rttNs = (domain: string, other: string): number | null => data.rtts.median(domain, other);
  return {
    legs: streams.flatMap(stream => legsOf(stream, { processOf, rttNs })),
    handovers: handoversOf(streams, data, processOf),
    cuts: streams.flatMap(cutsOf),
    buffers: streams.flatMap(buffersOf),
    flows: streams.flatMap(flowsOf),
  };
}
