// One run: two hosts, the network between them, a probe each second; the clock
// watch of the instrumentation on one side, the offset estimate of the collector
// on the other, and the truth beside both.

import { domainNs } from '@framescope/protocol';
import { ClockGraph, clockKey } from '../../../collector/src/assemble/clock/clock-graph.ts';
import { JumpWatch } from '../../../instrument/src/clock/jump-watch.ts';
import {
  between,
  betweenLog,
  exchange,
  MS,
  OWN_DOMAIN,
  PEER_DOMAIN,
  type Path,
  type Random,
  SECOND,
  seeded,
  SimulatedHost,
  type Slew,
} from './hosts.ts';

export const KINDS = ['drift', 'slew', 'sleep', 'set'] as const;
export type Kind = (typeof KINDS)[number];

export interface Outcome {
  readonly kind: Kind;
  readonly marks: number;
  /** Marks whose true place is outside the bound, in an epoch with exchanges. */
  readonly outside: number;
  /** The same if the bound were half as wide. */
  readonly outsideHalf: number;
  readonly epochs: number;
  readonly isLinux: boolean;
  /** Worst of bound − least round trip / 2, in ms, where probes stand on both sides. */
  readonly extraMs: number;
}

/** A path no queue of which is worse than its least way: from a LAN to another continent, unequal ways. */
function drawPath(random: Random): Path {
  const way = (): number => betweenLog(random, 0.1, 80);
  const [up, down] = [way(), way()];
  const queue = (): number => Math.min(up, down) * betweenLog(random, 0.02, 1);
  return {
    up: { baseMs: up, queueMs: queue() },
    down: { baseMs: down, queueMs: queue() },
    spikeShare: 0.05,
    spikeMs: betweenLog(random, 5, 75),
  };
}

interface Drawn {
  readonly own: SimulatedHost;
  readonly peer: SimulatedHost;
  readonly path: Path;
  readonly seconds: number;
  /** Its platform tells a sleep from a wall clock that was set. */
  readonly isLinux: boolean;
  readonly checkNs: number;
}

function draw(kind: Kind, random: Random): Drawn {
  const seconds = Math.round(between(random, 20, 120));
  const sign = (): number => (random() < 0.5 ? -1 : 1);
  const slews: Slew[] = [];
  // Of up to three slews one after the other, each long enough to be one: NTP corrects milliseconds.
  for (let s = between(random, 2, 40); kind === 'slew' && slews.length < 3;) {
    const forS = between(random, 5, 100);
    const slew = { fromNs: s * SECOND, toNs: (s + forS) * SECOND };
    slews.push({ ...slew, ppm: sign() * between(random, 60, 500) });
    s += forS + between(random, 0, 20);
  }
  const atNs = between(random, 3, seconds - 5) * SECOND;
  const driftPpm = (): number => between(random, -25, 25);
  return {
    own: new SimulatedHost({
      startNs: Math.round(between(random, 0, 1e15)),
      driftPpm: driftPpm(),
      slews,
      ...(kind === 'sleep'
        ? { sleep: { atNs, forNs: betweenLog(random, 0.1, 3_600) * SECOND } }
        : {}),
      ...(kind === 'set'
        ? { wallSteps: [{ atNs, byMs: Math.round(sign() * betweenLog(random, 60, 3.6e6)) }] }
        : {}),
    }),
    peer: new SimulatedHost({
      startNs: Math.round(between(random, 0, 1e15)),
      driftPpm: driftPpm(),
    }),
    path: drawPath(random),
    seconds,
    isLinux: random() < 0.5,
    checkNs: checkNsOf(kind),
  };
}

interface Mark {
  readonly trueNs: number;
  readonly epoch: number;
}

/** Ten checks of the clock a second where there is something to notice; a mark is asked about at each. */
const checkNsOf = (kind: Kind): number => (kind === 'sleep' || kind === 'set' ? 100 : 250) * MS;

export function runOf(kind: Kind, seed: number): Outcome {
  const random = seeded(seed);
  const drawn = draw(kind, random);
  const { own, peer } = drawn;
  const { graph, marks, epochs, leastRttNs } = live(drawn, random);
  const corrections = graph.corrections(clockKey(PEER_DOMAIN, 0));
  let [outside, outsideHalf, extraNs, count] = [0, 0, -Infinity, 0];
  for (const { trueNs, epoch } of marks) {
    const correction = corrections.get(clockKey(OWN_DOMAIN, epoch));
    if (correction === undefined) continue;
    const rawNs = own.monotonicNs(trueNs);
    const errorNs = Math.abs(rawNs + correction.offsetNs(rawNs) - peer.monotonicNs(trueNs));
    const boundNs = correction.boundNs(rawNs);
    count++;
    if (errorNs > boundNs) outside++;
    if (errorNs > boundNs / 2) outsideHalf++;
    const isBetween = rawNs >= correction.firstNs && rawNs <= correction.lastNs;
    if (isBetween) extraNs = Math.max(extraNs, boundNs - leastRttNs / 2);
  }
  const { isLinux } = drawn;
  return { kind, marks: count, outside, outsideHalf, epochs, isLinux, extraMs: extraNs / MS };
}

interface Lived {
  readonly graph: ClockGraph;
  readonly marks: readonly Mark[];
  readonly epochs: number;
  readonly leastRttNs: number;
}

/** As the instrumentation: four probes a second for the first half minute, then one. */
export const everyNs = (atNs: number): number => (atNs < 30 * SECOND ? SECOND / 4 : SECOND);

/** What the process does in true time: checks its clock, probes, marks. Asleep it does nothing. */
function live({ own, peer, path, seconds, isLinux, checkNs }: Drawn, random: Random): Lived {
  let nowNs = 0;
  const watch = new JumpWatch({
    now: () => domainNs(Math.round(own.monotonicNs(nowNs))),
    wallMs: () => own.wallMs(nowNs),
    // In steps of 10 ms, as Linux tells it.
    ...(isLinux ? { sleptNs: () => Math.floor(own.sleptNs(nowNs) / (10 * MS)) * 10 * MS } : {}),
  });
  const graph = new ClockGraph();
  const marks: Mark[] = [];
  let waiting: number[] = [];
  let leastRttNs = Infinity;
  let nextProbeNs = 500 * MS;
  const { sleep } = own.spec;
  const check = (atNs: number): void => {
    nowNs = atNs;
    const epoch = watch.epoch;
    const hasLeapt = watch.check();
    // As the exporter does: marks since the last good check belong to the epoch before, to a tenth
    // of a second; of those it cannot tell the side none is asked about here.
    if (!hasLeapt) for (const trueNs of waiting) marks.push({ trueNs, epoch });
    waiting = [];
  };
  for (let step = 0; step * checkNs < seconds * SECOND; step++) {
    const awakeNs = step * checkNs;
    const trueNs = sleep !== undefined && awakeNs > sleep.atNs ? awakeNs + sleep.forNs : awakeNs;
    waiting.push(trueNs - between(random, 0, checkNs));
    if (sleep !== undefined && waiting[0]! < sleep.atNs + sleep.forNs && trueNs > sleep.atNs)
      waiting = [];
    check(trueNs);
    if (awakeNs < nextProbeNs) continue;
    nextProbeNs += everyNs(awakeNs);
    const { epoch } = watch;
    const { sample, backNs } = exchange({ own, peer, path, atNs: trueNs, random });
    const isThroughSleep = sleep !== undefined && trueNs < sleep.atNs && backNs > sleep.atNs;
    if (isThroughSleep) continue;
    if (epoch !== watch.epoch) continue;
    graph.add(clockKey(OWN_DOMAIN, epoch), sample);
    leastRttNs = Math.min(leastRttNs, sample.t4 - sample.t1 - (sample.t3 - sample.t2));
  }
  return { graph, marks, epochs: watch.epoch, leastRttNs };
}
