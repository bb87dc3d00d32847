// Which clock is how far from which, through whom: domains are nodes, exchanges
// are edges, and a domain's offset to the reference runs along the path of least
// error.
//
//   browser ──echo ±9 ms── edge ──probe ±0.2 ms── collector      browser: ±9.2 ms
//
// A client that cannot reach the collector is corrected all the same, by what
// its peers echoed.

import type { ClockSample } from '@framescope/protocol';
import {
  DRIFT_PPM_MAX,
  emptyProofs,
  OffsetInterval,
  type OffsetProofs,
} from './offset-interval.ts';

/** One epoch of one clock domain, e.g. `00c0ffee00c0ffee/0`. */
export type ClockKey = string;
export const clockKey = (domain: string, epoch: number): ClockKey => `${domain}/${epoch}`;

/** Exchanges kept for one pair of clocks: an hour of two a second; then every other one goes. */
const PROOFS_MAX = 8_192;

const UNCERTAIN_TIME = 1 + 2 * DRIFT_PPM_MAX * 1e-6;

/** How one clock's times become another's: one step of a path, or several. */
export interface Correction {
  /** Added to own time. Not rounded. */
  offsetNs(atNs: number): number;
  /** How wrong that may be, relative to the reference. */
  boundNs(atNs: number): number;
  readonly sampleCount: number;
  readonly faultCount: number;
  /** True when a peer's echo, not a probe of the reference, carries it. */
  readonly isIndirect: boolean;
  /** Own times of the first and last exchange; equal when there is none. */
  readonly firstNs: number;
  readonly lastNs: number;
}

/** The reference against itself. */
export const IDENTITY: Correction = {
  offsetNs: () => 0,
  boundNs: () => 0,
  sampleCount: 0,
  faultCount: 0,
  isIndirect: false,
  firstNs: 0,
  lastNs: 0,
};

export class ClockGraph {
  /** own → peer → what own knows of peer − own, in own time. */
  readonly #proofs = new Map<ClockKey, Map<ClockKey, OffsetProofs>>();
  readonly #intervals = new Map<OffsetProofs, { size: number; interval: OffsetInterval }>();
  #sampleCount = 0;

  get sampleCount(): number {
    return this.#sampleCount;
  }

  /** Takes an exchange of `own` with a peer. One that no causality allows (t4 < t1 …) is refused. */
  add(own: ClockKey, sample: ClockSample): boolean {
    const { t1, t2, t3, t4 } = sample;
    const peer = clockKey(sample.peer, sample.peerEpoch);
    const isPossible = t4 >= t1 && t3 >= t2 && t4 - t1 >= t3 - t2;
    if (!isPossible || peer === own || ![t1, t2, t3, t4].every(Number.isSafeInteger)) return false;
    const there = this.#proofsOf(own, peer);
    prove(there, { upperAt: t1, upper: t2 - t1, lowerAt: t4, lower: t3 - t4 });
    const back = this.#proofsOf(peer, own);
    prove(back, { upperAt: t3, upper: t4 - t3, lowerAt: t2, lower: t1 - t2 });
    this.#sampleCount++;
    return true;
  }

  /** Corrections of all clocks that some path of exchanges joins to `reference`, itself included. */
  corrections(reference: ClockKey): Map<ClockKey, Correction> {
    const done = new Map<ClockKey, Correction>();
    const open = new Map<ClockKey, { costNs: number; correction: Correction }>([
      [reference, { costNs: 0, correction: IDENTITY }],
    ]);
    for (let next = leastOf(open); next !== undefined; next = leastOf(open)) {
      const [key, { costNs, correction }] = next;
      open.delete(key);
      done.set(key, correction);
      for (const neighbour of this.#proofs.get(key)?.keys() ?? []) {
        if (done.has(neighbour)) continue;
        const step = this.#interval(neighbour, key);
        if (!step.isKnown) continue;
        const reachedNs = costNs + step.at((step.firstNs + step.lastNs) / 2).boundNs;
        if (reachedNs < (open.get(neighbour)?.costNs ?? Infinity))
          open.set(neighbour, {
            costNs: reachedNs,
            correction: composed(step, correction, key === reference),
          });
      }
    }
    return done;
  }

  #proofsOf(own: ClockKey, peer: ClockKey): OffsetProofs {
    let peers = this.#proofs.get(own);
    if (peers === undefined) this.#proofs.set(own, (peers = new Map()));
    let proofs = peers.get(peer);
    if (proofs === undefined) peers.set(peer, (proofs = emptyProofs()));
    return proofs;
  }

  #interval(own: ClockKey, peer: ClockKey): OffsetInterval {
    const proofs = this.#proofsOf(own, peer);
    const known = this.#intervals.get(proofs);
    const size = proofs.upper.length;
    if (known?.size === size) return known.interval;
    const interval = new OffsetInterval(proofs);
    this.#intervals.set(proofs, { size, interval });
    return interval;
  }
}

function prove(
  proofs: OffsetProofs,
  one: { upperAt: number; upper: number; lowerAt: number; lower: number },
): void {
  if (proofs.upper.length >= PROOFS_MAX) thinOut(proofs);
  proofs.upperAt.push(one.upperAt);
  proofs.upper.push(one.upper);
  proofs.lowerAt.push(one.lowerAt);
  proofs.lower.push(one.lower);
}

/** Of each two exchanges the one of lower RTT stays: it proves more. */
function thinOut(proofs: OffsetProofs): void {
  const kept: number[] = [];
  for (let i = 0; i + 1 < proofs.upper.length; i += 2) {
    const first = proofs.upper[i]! - proofs.lower[i]!;
    const second = proofs.upper[i + 1]! - proofs.lower[i + 1]!;
    kept.push(first <= second ? i : i + 1);
  }
  for (const column of [proofs.upperAt, proofs.upper, proofs.lowerAt, proofs.lower]) {
    kept.forEach((from, to) => (column[to] = column[from]!));
    column.length = kept.length;
  }
}

function composed(step: OffsetInterval, rest: Correction, isDirect: boolean): Correction {
  return {
    offsetNs(atNs) {
      const first = step.at(atNs).offsetNs;
      return first + rest.offsetNs(atNs + first);
    },
    boundNs(atNs) {
      const first = step.at(atNs);
      if (isDirect) return first.boundNs;
      // The second offset is read at a time that is itself uncertain: drift × that.
      return first.boundNs * UNCERTAIN_TIME + rest.boundNs(atNs + first.offsetNs);
    },
    sampleCount: step.proofCount,
    faultCount: step.faultCount + rest.faultCount,
    isIndirect: !isDirect,
    firstNs: step.firstNs,
    lastNs: step.lastNs,
  };
}

function leastOf<V extends { costNs: number }>(open: Map<ClockKey, V>): [ClockKey, V] | undefined {
  let least: [ClockKey, V] | undefined;
  for (const entry of open)
    if (least === undefined || entry[1].costNs < least[1].costNs) least = entry;
  return least;
}
