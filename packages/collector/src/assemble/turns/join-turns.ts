// One call, told by several: our own instrument at one end, a framework's spans from the
// other. Each turn is told once, by one authority; what others tell of the same turn, by
// overlap in time, goes with it.
//
//   authority   ├── turn 1 ──┤      ├─── turn 2 ───┤
//   framework     ├─ 1 ─┤  ├─ 2 ─┤        ├─ 3 ─┤           1 and 3 join; 2 is a turn that
//                                                           the authority did not see
//
// Our own instrument is the authority where it told turns at all: it stands on marks.

import type { ClockMap } from '../clock/session-clocks.ts';
import type { TurnFacts } from '../session-data.ts';

interface Placed {
  readonly facts: TurnFacts;
  /** Session time of what it is about: speech, wait and answer, without the idle time around. */
  readonly fromNs: number;
  readonly toNs: number;
}

/** `told`: turns of all sources; those of the authority first, then the others in order of trust. */
export function joinTurns(
  told: readonly (readonly TurnFacts[])[],
  clockOf: (turn: TurnFacts) => ClockMap,
): TurnFacts[] {
  const [first = [], ...others] = told.filter(turns => turns.length > 0);
  let turns = first.map(facts => place(facts, clockOf(facts)));
  for (const other of others) turns = joinOne(turns, other, clockOf);
  return turns.map(({ facts }) => facts);
}

function joinOne(
  turns: readonly Placed[],
  other: readonly TurnFacts[],
  clockOf: (turn: TurnFacts) => ClockMap,
): Placed[] {
  const theirs = new Map<Placed, { facts: TurnFacts; overlapNs: number }>();
  const alone: Placed[] = [];
  for (const facts of other) {
    const placed = place(facts, clockOf(facts));
    const same = bestOf(turns, placed);
    if (same === undefined) {
      alone.push(placed);
      continue;
    }
    const known = theirs.get(same.turn);
    // Of two that lie in one turn the one that shares more of it is told with it.
    if (known === undefined || known.overlapNs < same.overlapNs)
      theirs.set(same.turn, { facts, overlapNs: same.overlapNs });
  }
  const joined = turns.map(turn => {
    const its = theirs.get(turn);
    if (its === undefined) return turn;
    const { facts } = turn;
    return { ...turn, facts: { ...facts, joined: [...(facts.joined ?? []), its.facts] } };
  });
  return [...joined, ...alone];
}

function bestOf(
  turns: readonly Placed[],
  one: Placed,
): { turn: Placed; overlapNs: number } | undefined {
  let best: { turn: Placed; overlapNs: number } | undefined;
  for (const turn of turns) {
    const overlapNs = Math.min(turn.toNs, one.toNs) - Math.max(turn.fromNs, one.fromNs);
    if (overlapNs > 0 && (best === undefined || overlapNs > best.overlapNs))
      best = { turn, overlapNs };
  }
  return best;
}

function place(facts: TurnFacts, clock: ClockMap): Placed {
  const { state } = facts;
  const times = state.waits.flatMap(({ opens, closes, moments }) => [
    ...moments.map(moment => moment.at),
    ...(opens !== undefined && 'at' in opens ? [opens.at] : []),
    ...(closes !== undefined && 'at' in closes ? [closes.at] : []),
  ]);
  const fromRawNs =
    state.user?.startsAt ?? (times.length > 0 ? Math.min(...times) : state.startedAt);
  const starts = facts.source === 'framescope' ? Math.min(fromRawNs, state.startedAt) : fromRawNs;
  const toRawNs =
    times.length > 0
      ? Math.max(...times, starts + 1)
      : (state.endedAt ?? facts.knownToRawNs ?? state.startedAt + 1);
  return { facts, fromNs: clock.toSession(starts), toNs: clock.toSession(toRawNs) };
}
