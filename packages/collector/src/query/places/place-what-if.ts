// "What if the agents of this region stood there?" Out of ways that were seen:
// each answer's crossings between agent and edge, and between agent and models,
// are given the delays of the pairs that the move would make. A pair that nobody
// has used is no guess: the answer is refused.
//
//   wait' = wait − Σ crossings (old median) + Σ crossings (new median)
//
// Crossings of a wait: one up, one down, and a round trip to the models for each
// of their parts on its path.

import type { PlaceWhatIf, Turn } from '@framescope/protocol';
import type { StoreReader } from '../../store/store.ts';
import { pairKey, pairLegs, type PairLegs } from './fleet-legs.ts';
import { processOfRole, type PlacedSession } from './placed-sessions.ts';

/** Turns are read session by session: some tenths of a second. */
const SESSIONS_MAX = 400;
const MODEL_PARTS: ReadonlySet<string> = new Set(['transcription', 'inference', 'synthesis']);
/** Of a median, 95 of 100: this many standard deviations of a rank. */
const Z_95 = 1.96;

export interface Move {
  readonly fromRegion: string;
  readonly toRegion: string;
}

interface Crossing {
  readonly fromService: string;
  readonly toService: string;
  readonly fromRegion: string | null;
  readonly toRegion: string | null;
}

export async function placeWhatIf(
  reader: StoreReader,
  sessions: readonly PlacedSession[],
  move: Move,
): Promise<PlaceWhatIf> {
  const nobody = none(move);
  const moved = sessions.filter(one => one.agentRegion === move.fromRegion).slice(0, SESSIONS_MAX);
  if (moved.length === 0) return nobody(`no call in this range was answered in ${move.fromRegion}`);
  if (move.fromRegion === move.toRegion) return nobody('that is where they are');
  const pairs = merged(pairLegs(sessions, () => 0));
  const used = new Map<string, PlaceWhatIf['pairs'][number]>();
  const change = new Change(pairs, move, used);
  const before: number[] = [];
  const after: number[] = [];
  for (const session of moved) {
    const refusal = change.prepare(session);
    if (refusal !== null) return nobody(refusal);
    const { items } = await reader.turns(session.detail.key, { limit: 500 });
    for (const turn of items) {
      const waitNs = answeredWaitNs(turn);
      if (waitNs === undefined) continue;
      before.push(waitNs);
      after.push(waitNs + change.of(turn));
    }
  }
  if (before.length === 0) return nobody('no answered turn in these calls');
  return {
    ...move,
    refusal: null,
    turns: before.length,
    pairs: [...used.values()],
    beforeP50Ns: rank(before, 0.5),
    afterP50Ns: rank(after, 0.5),
    beforeP95Ns: before.length < 20 ? null : rank(before, 0.95),
    afterP95Ns: after.length < 20 ? null : rank(after, 0.95),
    errorNs: Math.round(change.errorNs),
  };
}

const none =
  (move: Move) =>
  (refusal: string): PlaceWhatIf => ({
    ...move,
    refusal,
    turns: 0,
    pairs: [],
    beforeP50Ns: null,
    afterP50Ns: null,
    beforeP95Ns: null,
    afterP95Ns: null,
    errorNs: 0,
  });

/** What one crossing changes by. */
interface Delta {
  readonly ns: number;
  /** What the ranks of both medians leave open. */
  readonly rankErrorNs: number;
  /** What the clocks at its ends leave open. */
  readonly clockErrorNs: number;
}

interface Sum {
  readonly ns: number;
  readonly errorNs: number;
}

const NOTHING: Sum = { ns: 0, errorNs: 0 };

/**
 * There and back an error of the offset falls out: what one way seems too long, the other seems too
 * short. A quarter is kept, since medians of several calls do not add up exactly.
 */
const THERE_AND_BACK = 0.25;

function total(deltas: ReadonlyMap<string, readonly Delta[]>, isModels: string): Sum {
  let ns = 0;
  let errorNs = 0;
  for (const [way, own] of deltas) {
    if (!way.startsWith(`${isModels} `)) continue;
    const clockErrorNs = Math.max(...own.map(one => one.clockErrorNs));
    errorNs += clockErrorNs * (own.length > 1 ? THERE_AND_BACK : 1);
    for (const one of own) {
      ns += one.ns;
      errorNs += one.rankErrorNs;
    }
  }
  return { ns, errorNs };
}

/** The change that a move makes to one session's waits. */
class Change {
  /** Of the largest change seen, ±. */
  errorNs = 0;
  readonly #pairs: ReadonlyMap<string, PairLegs>;
  readonly #move: Move;
  readonly #used: Map<string, PlaceWhatIf['pairs'][number]>;
  #line: Sum = NOTHING;
  #models: Sum = NOTHING;

  constructor(
    pairs: ReadonlyMap<string, PairLegs>,
    move: Move,
    used: Map<string, PlaceWhatIf['pairs'][number]>,
  ) {
    this.#pairs = pairs;
    this.#move = move;
    this.#used = used;
  }

  /** Null, or why this session cannot be moved. */
  prepare({ detail, topology }: PlacedSession): string | null {
    const agent = processOfRole(detail, 'agent')!;
    const deltas = new Map<string, Delta[]>();
    const seen = new Set<string>();
    for (const leg of topology.legs) {
      const from = detail.processes[leg.fromProcess];
      const to = detail.processes[leg.toProcess];
      if (from === undefined || to === undefined || (from !== agent && to !== agent)) continue;
      const crossing = {
        fromService: from.service,
        toService: to.service,
        fromRegion: from.region,
        toRegion: to.region,
      };
      if (seen.has(pairKey(crossing))) continue;
      seen.add(pairKey(crossing));
      const delta = this.#delta(crossing, from === agent);
      if (typeof delta === 'string') return delta;
      const isModels = [leg.from, leg.to].some(hop => hop.includes('models/'));
      const way = `${isModels} ${from === agent ? to.service : from.service}`;
      deltas.set(way, [...(deltas.get(way) ?? []), delta]);
    }
    this.#line = total(deltas, 'false');
    this.#models = total(deltas, 'true');
    return null;
  }

  of(turn: Turn): number {
    const parts = turn.waits.find(wait => wait.kind === 'response')?.parts ?? [];
    const names = parts.filter(part => part.exposedNs > 0).flatMap(part => part.name.split('+'));
    const trips = names.filter(name => MODEL_PARTS.has(name)).length;
    this.errorNs = Math.max(this.errorNs, this.#line.errorNs + trips * this.#models.errorNs);
    return this.#line.ns + trips * this.#models.ns;
  }

  #delta(crossing: Crossing, isFromAgent: boolean): Delta | string {
    const { toRegion } = this.#move;
    const next = { ...crossing, ...(isFromAgent ? { fromRegion: toRegion } : { toRegion }) };
    const [old, other] = [this.#pairs.get(pairKey(crossing)), this.#pairs.get(pairKey(next))];
    if (other === undefined || old === undefined)
      return `no call went from ${next.fromService} in ${next.fromRegion ?? 'an unknown region'} to ${next.toService} in ${next.toRegion ?? 'an unknown region'}: what that way takes is not known`;
    if (old.errorNs === null || other.errorNs === null)
      return `clocks of ${next.fromService} and ${next.toService} were never compared: their ways are not known`;
    const [before, after] = [median(old), median(other)];
    this.#used.set(pairKey(next), {
      from: `${next.fromService} ${next.fromRegion ?? '?'}`,
      to: `${next.toService} ${next.toRegion ?? '?'}`,
      beforeNs: before.ns,
      afterNs: after.ns,
      n: other.sketch.count,
    });
    return {
      ns: after.ns - before.ns,
      rankErrorNs: before.errorNs + after.errorNs,
      clockErrorNs: old.errorNs + other.errorNs,
    };
  }
}

/** Of one pair all streams together: a way does not know what it carries. */
function merged(pairs: ReadonlyMap<string, PairLegs>): Map<string, PairLegs> {
  const byEnds = new Map<string, PairLegs>();
  for (const pair of pairs.values()) {
    const known = byEnds.get(pairKey(pair));
    if (known === undefined) byEnds.set(pairKey(pair), pair);
    else {
      known.sketch.merge(pair.sketch);
      if (known.errorNs !== null)
        known.errorNs = pair.errorNs === null ? null : Math.max(known.errorNs, pair.errorNs);
    }
  }
  return byEnds;
}

/** With what its rank leaves open. */
function median({ sketch }: PairLegs): { ns: number; errorNs: number } {
  const spread = Z_95 * 0.5 * Math.sqrt(1 / Math.max(1, sketch.count));
  const at = (q: number): number => sketch.quantile(Math.min(1, Math.max(0, q)), 'middle') ?? 0;
  const ns = Math.round(at(0.5));
  // A bucket of a sketch is 2 % wide: half of that either way.
  const errorNs = Math.max(at(0.5 + spread) - ns, ns - at(0.5 - spread), ns * 0.011);
  return { ns, errorNs: Math.round(errorNs) };
}

function answeredWaitNs(turn: Turn): number | undefined {
  const wait = turn.waits.find(one => one.kind === 'response' && one.endNs !== null);
  return wait?.waitNs;
}

/** The value of rank ceil(q·n). */
function rank(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}
