// The ways of all sessions, put together by service and region at both ends.

import { fromBase64, Sketch, type Leg, type SessionLeg } from '@framescope/protocol';
import { figuresOf } from '../../assemble/topology/legs.ts';
import type { PlacedSession } from './placed-sessions.ts';

/** Ways between one pair of places, in the making. */
export interface PairLegs {
  readonly fromService: string;
  readonly toService: string;
  readonly fromRegion: string | null;
  readonly toRegion: string | null;
  readonly stream: string;
  readonly sketch: Sketch;
  sessions: number;
  lost: number;
  jitterSumNs: number;
  /** The largest; null: a session's clocks were never compared. */
  errorNs: number | null;
  readonly rttsNs: number[];
  readonly byColumn: Map<number, Sketch>;
}

export const pairKey = (
  legs: Pick<PairLegs, 'fromService' | 'toService' | 'fromRegion' | 'toRegion'>,
): string => JSON.stringify([legs.fromService, legs.fromRegion, legs.toService, legs.toRegion]);

/** By pair and stream. `columnOf`: where a session's start stands. */
export function pairLegs(
  sessions: readonly PlacedSession[],
  columnOf: (startUnixNs: bigint) => number,
): Map<string, PairLegs> {
  const pairs = new Map<string, PairLegs>();
  for (const session of sessions) {
    const column = columnOf(session.startUnixNs);
    const seen = new Set<PairLegs>();
    for (const leg of session.topology.legs) {
      const pair = pairOf(pairs, session, leg);
      if (!seen.has(pair)) pair.sessions++;
      seen.add(pair);
      addLeg(pair, leg, column);
    }
  }
  return pairs;
}

function pairOf(
  pairs: Map<string, PairLegs>,
  { detail }: PlacedSession,
  leg: SessionLeg,
): PairLegs {
  const from = detail.processes[leg.fromProcess];
  const to = detail.processes[leg.toProcess];
  const ends = {
    fromService: from?.service ?? 'unknown_service',
    toService: to?.service ?? 'unknown_service',
    fromRegion: from?.region ?? null,
    toRegion: to?.region ?? null,
  };
  const key = `${pairKey(ends)} ${leg.stream}`;
  let pair = pairs.get(key);
  if (pair === undefined) {
    pair = {
      ...ends,
      stream: leg.stream,
      sketch: new Sketch(),
      sessions: 0,
      lost: 0,
      jitterSumNs: 0,
      errorNs: 0,
      rttsNs: [],
      byColumn: new Map(),
    };
    pairs.set(key, pair);
  }
  return pair;
}

function addLeg(pair: PairLegs, leg: SessionLeg, column: number): void {
  const bytes = fromBase64(leg.sketch);
  const sketch = bytes.ok ? Sketch.fromBytes(bytes.value) : bytes;
  if (!sketch.ok) return;
  pair.sketch.merge(sketch.value);
  pair.lost += leg.lost;
  pair.jitterSumNs += leg.jitterNs * leg.oneWay.n;
  if (leg.errorNs === null || pair.errorNs === null) pair.errorNs = null;
  else pair.errorNs = Math.max(pair.errorNs, leg.errorNs);
  if (leg.rttNs !== null) pair.rttsNs.push(leg.rttNs);
  const before = pair.byColumn.get(column);
  if (before !== undefined) before.merge(sketch.value);
  else {
    const own = new Sketch();
    own.merge(sketch.value);
    pair.byColumn.set(column, own);
  }
}

/** Slowest first. */
export function legsOf(pairs: ReadonlyMap<string, PairLegs>, columns: number): Leg[] {
  return [...pairs.values()]
    .map(pair => legOf(pair, columns))
    .toSorted((a, b) => (b.oneWay.p95Ns ?? 0) - (a.oneWay.p95Ns ?? 0));
}

function legOf(pair: PairLegs, columns: number): Leg {
  const rtts = pair.rttsNs.toSorted((a, b) => a - b);
  const quantile = (q: number): (number | null)[] =>
    Array.from({ length: columns }, (_, column) => {
      const value = pair.byColumn.get(column)?.quantile(q, 'middle');
      return value === undefined ? null : Math.round(value);
    });
  return {
    fromService: pair.fromService,
    toService: pair.toService,
    fromRegion: pair.fromRegion,
    toRegion: pair.toRegion,
    stream: pair.stream,
    sessions: pair.sessions,
    oneWay: figuresOf(pair.sketch),
    errorNs: pair.errorNs,
    rttNs: rtts[rtts.length >> 1] ?? null,
    jitterNs: Math.round(pair.jitterSumNs / Math.max(1, pair.sketch.count)),
    lost: pair.lost,
    overTime: { p50Ns: quantile(0.5), p95Ns: quantile(0.95) },
  };
}
