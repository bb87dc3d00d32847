// Hosts in true time, with clocks as machines have them, and the networks between
// them: for tests and figures of what the collector makes of their exchanges.
//
//   true time ──▶ rate of the crystal (drift) ──▶ slews by NTP ──▶ sleep: stands still
//
// Nothing here knows how offsets are estimated.

import { domainNs, type ClockSample } from '@framescope/protocol';

export const MS = 1_000_000;
export const SECOND: number = 1_000 * MS;

export type Random = () => number;

/** The same seed, the same sequence; 32 bits of state (mulberry). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const between = (random: Random, low: number, high: number): number =>
  low + (high - low) * random();
/** Spread evenly over the orders of magnitude. */
export const betweenLog = (random: Random, low: number, high: number): number =>
  low * (high / low) ** random();

/** While it lasts the kernel runs the clock so much faster or slower, as NTP asks. */
export interface Slew {
  readonly fromNs: number;
  readonly toNs: number;
  readonly ppm: number;
}

export interface HostSpec {
  /** What its monotonic clock shows at true time 0. */
  readonly startNs: number;
  readonly driftPpm: number;
  readonly slews?: readonly Slew[];
  /** Its monotonic clock stands still. */
  readonly sleep?: { readonly atNs: number; readonly forNs: number };
  /** Somebody sets its wall clock: no matter of the monotonic one. */
  readonly wallSteps?: readonly { readonly atNs: number; readonly byMs: number }[];
}

export class SimulatedHost {
  readonly spec: HostSpec;

  constructor(spec: HostSpec) {
    this.spec = spec;
  }

  /** True time that was not slept. */
  #awakeNs(trueNs: number): number {
    const { sleep } = this.spec;
    if (sleep === undefined || trueNs <= sleep.atNs) return trueNs;
    return Math.max(sleep.atNs, trueNs - sleep.forNs);
  }

  /** What the monotonic clock reads, not rounded. */
  monotonicNs(trueNs: number): number {
    const { startNs, driftPpm, slews = [] } = this.spec;
    const awakeNs = this.#awakeNs(trueNs);
    let gainedNs = awakeNs * driftPpm * 1e-6;
    for (const { fromNs, toNs, ppm } of slews)
      gainedNs += Math.max(0, Math.min(awakeNs, toNs) - fromNs) * ppm * 1e-6;
    return startNs + awakeNs + gainedNs;
  }

  sleptNs(trueNs: number): number {
    return trueNs - this.#awakeNs(trueNs);
  }

  /** Milliseconds, rounded down: the wall clock goes on in sleep. */
  wallMs(trueNs: number): number {
    const { wallSteps = [] } = this.spec;
    const setMs = wallSteps.reduce((sum, one) => sum + (trueNs >= one.atNs ? one.byMs : 0), 0);
    return Math.floor((this.monotonicNs(trueNs) + this.sleptNs(trueNs)) / MS) + setMs;
  }
}

/** One way: a least delay, a queue (exponential) and spikes. */
export interface Way {
  readonly baseMs: number;
  readonly queueMs: number;
}

export interface Path {
  readonly up: Way;
  readonly down: Way;
  /** Share of packets that meet a spike, and its mean. */
  readonly spikeShare: number;
  readonly spikeMs: number;
}

const exponential = (random: Random, mean: number): number => -mean * Math.log(1 - random());

function delayNs(way: Way, { spikeShare, spikeMs }: Path, random: Random): number {
  const spike = random() < spikeShare ? exponential(random, spikeMs) : 0;
  return (way.baseMs + exponential(random, way.queueMs) + spike) * MS;
}

export interface Exchange {
  readonly own: SimulatedHost;
  readonly peer: SimulatedHost;
  readonly path: Path;
  readonly atNs: number;
  readonly random: Random;
}

/** A four-stamp exchange at true time `atNs`; `rttNs` by true time. */
export function exchange(one: Exchange): { readonly sample: ClockSample; readonly backNs: number } {
  const { own, peer, path, atNs, random } = one;
  const arrivedNs = atNs + delayNs(path.up, path, random);
  const answeredNs = arrivedNs + 20_000;
  const backNs = answeredNs + delayNs(path.down, path, random);
  const read = (host: SimulatedHost, trueNs: number) =>
    domainNs(Math.round(host.monotonicNs(trueNs)));
  const sample = {
    peer: PEER_DOMAIN,
    peerEpoch: 0,
    t1: read(own, atNs),
    t2: read(peer, arrivedNs),
    t3: read(peer, answeredNs),
    t4: read(own, backNs),
  };
  return { sample, backNs };
}

export const OWN_DOMAIN = 'aaaaaaaaaaaaaaaa';
export const PEER_DOMAIN = 'cccccccccccccccc';
