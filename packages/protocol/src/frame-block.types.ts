// A record in memory: what one process saw of one session between two flushes.

import type { DomainNs, Tick, UnixNs } from './units.ts';

/** 16 hex digits naming one monotonic clock (a hash of the boot ID, or random for a browser). */
export type ClockDomainId = string;

/** Which probe inside a process: its place in the path without the process itself. */
export interface HopName {
  /** `client`, `edge`, `agent`, or the user's own. */
  readonly role: string;
  /** `capture`, `send`, … or the user's own. */
  readonly name: string;
  /** 0 for the first of that name in this process, 1 for the second, … */
  readonly nth: number;
  /** Declared predecessor, written `role/hop`; absent: ordered by least transit. */
  readonly after?: string;
}

/** The marks of one hop, one row a frame, ascending by `startTick`; rows at `length` and past are stale. */
export interface HopColumn {
  readonly hop: HopName;
  readonly length: number;
  /** Half-open range of ticks of each frame. */
  readonly startTick: Float64Array;
  readonly endTick: Float64Array;
  /** When the frame left this hop, `DomainNs`. */
  readonly atNs: Float64Array;
}

/** Late or repeated marks of ticks an earlier row (or an earlier flush) already passed. */
export interface LateMark {
  readonly startTick: Tick;
  readonly endTick: Tick;
  readonly atNs: DomainNs;
}

/** A discontinuity that a process declares. */
export interface MediaRange {
  /** `conceal`: played something made up. `drop`: thrown away here. `silence`: nothing was sent (DTX, mute). */
  readonly kind: 'conceal' | 'drop' | 'silence';
  readonly hop: HopName;
  readonly startTick: Tick;
  readonly endTick: Tick;
  readonly atNs: DomainNs;
}

export interface FrameBlock {
  readonly stream: string;
  readonly sampleRate: number;
  readonly direction: 'up' | 'down';
  readonly columns: readonly (HopColumn & { readonly late: readonly LateMark[] })[];
  readonly ranges: readonly MediaRange[];
}

/** One four-stamp exchange with another domain. t1, t4: own clock. t2, t3: the peer's. */
export interface ClockSample {
  readonly peer: ClockDomainId;
  readonly peerEpoch: number;
  readonly t1: DomainNs;
  readonly t2: DomainNs;
  readonly t3: DomainNs;
  readonly t4: DomainNs;
}

export interface FrameRecord {
  /** 16 hex digits: the process instance that wrote it. With `seq`, the record's identity. */
  readonly producer: string;
  /** Rises by one with each record of this producer and session. */
  readonly seq: number;
  readonly domain: ClockDomainId;
  /** Rises when the clock jumped. */
  readonly epoch: number;
  /** What the process's wall clock said at `DomainNs` 0; wrong by an unknown amount. */
  readonly zeroUnixNs: UnixNs;
  readonly quantumNs: number;
  readonly blocks: readonly FrameBlock[];
  readonly clockSamples: readonly ClockSample[];
}
