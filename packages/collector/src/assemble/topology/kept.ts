// Topology is looked up anew twice a minute while a call runs (a young one more often), not at each look at
// its frames: ways change slowly. What changes at once is looked up at once: another
// process or hop, another word of a connection, the end.

import type { SessionTopology } from '@framescope/protocol';
import type { SessionData } from '../session-data.ts';

const EVERY_NS_MAX = 30_000_000_000n;
const EVERY_NS_MIN = 2_000_000_000n;
/** A young call is looked up more often: by a quarter of its age. */
const SHARE_OF_AGE = 4n;

export interface TopologyMoment {
  readonly data: SessionData;
  readonly isLive: boolean;
  readonly nowUnixNs: bigint;
}

export class KeptTopology {
  #firstUnixNs: bigint | undefined;
  #held:
    | { readonly topology: SessionTopology; readonly of: string; readonly atUnixNs: bigint }
    | undefined;

  /** What is held, if that still does; else what `look` answers. */
  next({ data, isLive, nowUnixNs }: TopologyMoment, look: () => SessionTopology): SessionTopology {
    this.#firstUnixNs ??= nowUnixNs;
    const hops = [...data.streams.values()].reduce((sum, stream) => sum + stream.hops.size, 0);
    const of = `${data.processes.size} ${hops} ${data.setup.size} ${data.zeroUnixNs}`;
    const everyNs = clamped((nowUnixNs - this.#firstUnixNs) / SHARE_OF_AGE);
    const held = this.#held;
    const isFresh = held !== undefined && held.of === of && nowUnixNs - held.atUnixNs < everyNs;
    if (isLive && isFresh) return held.topology;
    const topology = look();
    this.#held = { topology, of, atUnixNs: nowUnixNs };
    return topology;
  }
}

const clamped = (ns: bigint): bigint =>
  ns < EVERY_NS_MIN ? EVERY_NS_MIN : ns > EVERY_NS_MAX ? EVERY_NS_MAX : ns;
