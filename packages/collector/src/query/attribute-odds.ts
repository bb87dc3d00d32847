// Which attributes tell the inside from the outside: log odds of each value, counted in calls (fifty
// turns of one call say as much as one). Values seen in fewer than 3 calls or 5 turns inside say nothing and are left out.

import type { TailAttribute } from '@framescope/protocol';
import { sessionValues } from '../filter/subjects.ts';
import type { FacetSession } from '../store/store.ts';

const Z_95 = 1.959964;
const INSIDE_MIN = 5;
const SESSIONS_MIN = 3;
const ATTRIBUTES_MAX = 50;
const PLACES: readonly string[] = ['service', 'instance', 'host', 'zone', 'region'];

/** Counts of one session; frames or turns. */
export interface SessionSplit {
  readonly session: FacetSession;
  inside: number;
  outside: number;
}

interface Cell {
  readonly name: string;
  readonly value: string;
  inside: number;
  outside: number;
  insideSessions: number;
}

export function attributeOdds(splits: Iterable<SessionSplit>): TailAttribute[] {
  const cells = new Map<string, Cell>();
  const of = { inside: 0, outside: 0, insideSquares: 0, outsideSquares: 0 };
  for (const split of splits) {
    of.inside += split.inside;
    of.outside += split.outside;
    of.insideSquares += split.inside ** 2;
    of.outsideSquares += split.outside ** 2;
    addSplit(cells, split);
  }
  // A mean call counts as one: turns of one call are not independent.
  const effect = {
    inside: of.inside === 0 ? 1 : of.insideSquares / of.inside,
    outside: of.outside === 0 ? 1 : of.outsideSquares / of.outside,
  };
  return [...cells.values()]
    .filter(cell => cell.inside >= INSIDE_MIN && cell.insideSessions >= SESSIONS_MIN)
    .filter(cell => cell.inside < of.inside || cell.outside < of.outside)
    .map(cell => oddsOf(cell, of, effect))
    .toSorted((a, b) => tells(b) - tells(a))
    .slice(0, ATTRIBUTES_MAX);
}

/** How far the bounds stay from "no difference". */
const tells = ({ low, high }: TailAttribute): number =>
  low > 0 ? low : high < 0 ? -high : -Math.min(-low, high);

function addSplit(cells: Map<string, Cell>, { session, inside, outside }: SessionSplit): void {
  for (const name of new Set([...Object.keys(session.facets.attributes), ...PLACES]))
    for (const raw of sessionValues(session, name)) {
      const value = String(raw);
      const id = `${name}\n${value}`;
      let cell = cells.get(id);
      if (cell === undefined)
        cells.set(id, (cell = { name, value, inside: 0, outside: 0, insideSessions: 0 }));
      cell.inside += inside;
      cell.outside += outside;
      if (inside > 0) cell.insideSessions++;
    }
}

function oddsOf(
  { name, value, inside, outside, insideSessions }: Cell,
  of: { readonly inside: number; readonly outside: number },
  effect: { readonly inside: number; readonly outside: number },
): TailAttribute {
  const [a, b] = [inside, of.inside - inside].map(n => n / effect.inside + 0.5) as [number, number];
  const [c, d] = [outside, of.outside - outside].map(n => n / effect.outside + 0.5) as [
    number,
    number,
  ];
  const logOdds = Math.log((a * d) / (b * c));
  const half = Z_95 * Math.sqrt(1 / a + 1 / b + 1 / c + 1 / d);
  return {
    name,
    value,
    inside,
    insideOf: of.inside,
    outside,
    outsideOf: of.outside,
    logOdds,
    low: logOdds - half,
    high: logOdds + half,
    insideSessions,
  };
}
