// Topology is looked up anew twice a minute while a call runs, not at each look at
// its frames: ways change slowly. What changes at once is looked up at once: another
// process, another word of a connection, the end.

import type { SessionTopology } from '@framescope/protocol';
import type { SessionData } from '../session-data.ts';

const EVERY_NS = 30_000_000_000n;

export interface TopologyMoment {
  readonly data: SessionData;
  readonly isLive: boolean;
  readonly nowUnixNs: bigint;
}

export class KeptTopology {
  #held:
    | { readonly topology: SessionTopology; readonly of: string; readonly atUnixNs: bigint }
    | undefined;

  /** What is held, if that still does; else what `look` answers. */
  next({ data, isLive, nowUnixNs }: TopologyMoment, look: () => SessionTopology): SessionTopology {
    const of = `${data.processes.size} ${data.setup.size} ${data.zeroUnixNs}`;
    const held = this.#held;
    const isFresh = held !== undefined && held.of === of && nowUnixNs - held.atUnixNs < EVERY_NS;
    if (isLive && isFresh) return held.topology;
    const topology = look();
    this.#held = { topology, of, atUnixNs: nowUnixNs };
    return topology;
  }
}
