// Topology is looked up anew twice a minute while a call runs, not at each look at its
// frames: ways change slowly. What changes at once is looked up at once (another process or
// hop, another word of a connection, the end), and often for a while after that, since what
// a change cost is known only when frames have come through behind it. Services that were asked
// come with turns, whenever those come: they are counted anew with each answer that tells of one.

import type { SessionTopology, VendorLeg } from '@framescope/protocol';
import type { SessionData } from '../session-data.ts';

const EVERY_NS_MAX = 30_000_000_000n;
const EVERY_NS_MIN = 2_000_000_000n;

export interface TopologyMoment {
  readonly data: Pick<SessionData, 'processes' | 'streams' | 'setup' | 'zeroUnixNs'>;
  readonly isLive: boolean;
  readonly nowUnixNs: bigint;
  /** A turn that is new or has changed tells of a service that it asked. */
  readonly hasAsked: boolean;
}

interface Look {
  readonly topology: () => SessionTopology;
  readonly vendors: () => VendorLeg[];
}

interface Held {
  readonly topology: SessionTopology;
  /** What it was looked up of, by count. */
  readonly of: string;
  readonly atUnixNs: bigint;
}

export class KeptTopology {
  #held: Held | undefined;
  #changedUnixNs = 0n;

  /** What is held, if that still does; else what `look` answers. */
  next({ data, isLive, nowUnixNs, hasAsked }: TopologyMoment, look: Look): SessionTopology {
    const hops = [...data.streams.values()].reduce((sum, stream) => sum + stream.hops.size, 0);
    const of = `${data.processes.size} ${hops} ${data.setup.size} ${data.zeroUnixNs}`;
    const held = this.#held;
    if (held?.of !== of) this.#changedUnixNs = nowUnixNs;
    // As long as nothing has changed: after 2, 4, 8, 16 s.
    const everyNs = clamped((held?.atUnixNs ?? nowUnixNs) - this.#changedUnixNs);
    const isFresh = held !== undefined && held.of === of && nowUnixNs - held.atUnixNs < everyNs;
    if (isLive && isFresh) {
      if (!hasAsked) return held.topology;
      const topology = { ...held.topology, vendors: look.vendors() };
      this.#held = { ...held, topology };
      return topology;
    }
    const topology = look.topology();
    this.#held = { topology, of, atUnixNs: nowUnixNs };
    return topology;
  }
}

const clamped = (ns: bigint): bigint =>
  ns < EVERY_NS_MIN ? EVERY_NS_MIN : ns > EVERY_NS_MAX ? EVERY_NS_MAX : ns;
