// The three paths of the literature's kind: a LAN, a WAN, a phone. A long run of
// probes; in the end the estimate is asked what it knew of all of it (as a stored
// session shows), beside the usual filter, least RTT of the last eight, on the
// same probes. And many calls of two minutes, in which it is asked every second,
// from the fifth on, what it knows by then (as a live page does).

import type { ClockSample } from '@framescope/protocol';
import { OffsetInterval } from '../../../collector/src/assemble/clock/offset-interval.ts';
import { exchange, MS, type Path, SECOND, seeded, SimulatedHost } from './hosts.ts';
import { everyNs } from './run.ts';

export interface Reference {
  readonly name: string;
  readonly path: Path;
  /** p99 error of the least RTT of eight, ms: what is to be met within 1.3 times. */
  readonly minOf8Ms: number;
}

const SPIKES = 0.05;

export const REFERENCES: readonly Reference[] = [
  {
    name: 'LAN, 0.2 / 0.2 ms',
    path: {
      up: { baseMs: 0.2, queueMs: 0.05 },
      down: { baseMs: 0.2, queueMs: 0.05 },
      spikeShare: SPIKES,
      spikeMs: 6,
    },
    minOf8Ms: 0.3,
  },
  {
    name: 'WAN, 20 / 20 ms',
    path: {
      up: { baseMs: 20, queueMs: 2 },
      down: { baseMs: 20, queueMs: 2 },
      spikeShare: SPIKES,
      spikeMs: 75,
    },
    minOf8Ms: 1.15,
  },
  {
    name: 'phone, 35 / 20 ms',
    path: {
      up: { baseMs: 35, queueMs: 15 },
      down: { baseMs: 20, queueMs: 5 },
      spikeShare: SPIKES,
      spikeMs: 75,
    },
    minOf8Ms: 12.4,
  },
];

const PROBES = 2_000;
const EVERY_NS = SECOND;
const DRIFT_PPM = 20;
/** Round trips that a bound is held against, for a stored call. */
const WINDOW = 30;
const LIVE_CALLS = 200;
const LIVE_SECONDS = 120;
const LIVE_FROM_SECONDS = 5;

export interface Figures {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Bound − least RTT of the 30 s around (live: before) / 2, worst and p99. */
  readonly extraMs: number;
  readonly extraP99Ms: number;
  readonly boundMs: number;
  readonly outside: number;
}

export interface PathFigures {
  readonly live: Figures;
  readonly stored: Figures;
  readonly minOf8: { readonly p50Ms: number; readonly p99Ms: number };
}

export function figuresOf(reference: Reference, seed: number): PathFigures {
  return { ...storedFigures(reference, seed), live: liveFigures(reference, seed) };
}

const hosts = (): Hosts => ({
  own: new SimulatedHost({ startNs: 5 * SECOND, driftPpm: DRIFT_PPM }),
  peer: new SimulatedHost({ startNs: 900 * SECOND, driftPpm: 0 }),
});

interface Hosts {
  readonly own: SimulatedHost;
  readonly peer: SimulatedHost;
}

const truth = ({ own, peer }: Hosts, trueNs: number): number =>
  peer.monotonicNs(trueNs) - own.monotonicNs(trueNs);

function storedFigures({ path }: Reference, seed: number): Omit<PathFigures, 'live'> {
  const random = seeded(seed);
  const both = hosts();
  const samples: ClockSample[] = [];
  const minOf8: number[] = [];
  for (let i = 0; i < PROBES; i++) {
    const { sample, backNs } = exchange({ ...both, path, atNs: i * EVERY_NS, random });
    samples.push(sample);
    const best = samples.slice(-8).reduce((a, b) => (rttOf(b) < rttOf(a) ? b : a));
    const offsetNs = (best.t2 - best.t1 + (best.t3 - best.t4)) / 2;
    if (i >= WINDOW) minOf8.push(Math.abs(offsetNs - truth(both, backNs)));
  }
  const stored = new Tally();
  const all = intervalOf(samples);
  for (let i = WINDOW; i < PROBES - WINDOW; i++) {
    const atNs = (i + random()) * EVERY_NS;
    const window = samples.slice(i - WINDOW / 2, i + WINDOW / 2);
    stored.add(all, { rawNs: both.own.monotonicNs(atNs), offsetNs: truth(both, atNs), window });
  }
  return {
    stored: stored.figures(),
    minOf8: { p50Ms: quantile(minOf8, 0.5) / MS, p99Ms: quantile(minOf8, 0.99) / MS },
  };
}

function liveFigures({ path }: Reference, seed: number): Figures {
  const live = new Tally();
  for (let call = 0; call < LIVE_CALLS; call++) {
    const random = seeded(seed + call);
    const both = hosts();
    const samples: ClockSample[] = [];
    for (let atNs = 0; atNs < LIVE_SECONDS * SECOND; atNs += everyNs(atNs)) {
      const { sample, backNs } = exchange({ ...both, path, atNs, random });
      samples.push(sample);
      if (atNs < LIVE_FROM_SECONDS * SECOND || atNs % SECOND !== 0) continue;
      live.add(intervalOf(samples), {
        rawNs: both.own.monotonicNs(backNs),
        offsetNs: truth(both, backNs),
        window: samples.filter(({ t1 }) => sample.t1 - t1 < WINDOW * SECOND),
      });
    }
  }
  return live.figures();
}

const rttOf = ({ t1, t2, t3, t4 }: ClockSample): number => t4 - t1 - (t3 - t2);

const intervalOf = (samples: readonly ClockSample[]): OffsetInterval =>
  new OffsetInterval({
    upperAt: samples.map(one => one.t1),
    upper: samples.map(one => one.t2 - one.t1),
    lowerAt: samples.map(one => one.t4),
    lower: samples.map(one => one.t3 - one.t4),
  });

interface Asked {
  readonly rawNs: number;
  readonly offsetNs: number;
  readonly window: readonly ClockSample[];
}

class Tally {
  readonly #errors: number[] = [];
  readonly #extras: number[] = [];
  #boundNs = 0;
  #outside = 0;

  add(interval: OffsetInterval, { rawNs, offsetNs, window }: Asked): void {
    const known = interval.at(rawNs);
    const errorNs = Math.abs(known.offsetNs - offsetNs);
    this.#errors.push(errorNs);
    if (errorNs > known.boundNs) this.#outside++;
    this.#boundNs = Math.max(this.#boundNs, known.boundNs);
    this.#extras.push(known.boundNs - Math.min(...window.map(rttOf)) / 2);
  }

  figures(): Figures {
    return {
      p50Ms: quantile(this.#errors, 0.5) / MS,
      p99Ms: quantile(this.#errors, 0.99) / MS,
      extraMs: quantile(this.#extras, 1) / MS,
      extraP99Ms: quantile(this.#extras, 0.99) / MS,
      boundMs: this.#boundNs / MS,
      outside: this.#outside,
    };
  }
}

/** The value of rank ⌈q·n⌉. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}
