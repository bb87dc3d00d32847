// Which attributes tell the inside from the outside: log odds of each value, counted in calls (fifty
// turns of one call say as much as one). Values seen in fewer than 3 calls or 5 turns inside say nothing and are left out.
//
// Whether a value is more than chance (`isSure`) is asked of the calls as a whole: if their values were dealt out anew,
// how often would any of all the values look so telling? Ten attributes of five values are fifty chances to be fooled.

import type { TailAttribute } from '@framescope/protocol';
import { sessionValues } from '../filter/subjects.ts';
import type { FacetSession } from '../store/store.ts';
import { Deals } from './deals.ts';

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
  /** The calls that have it, by place in the list. */
  readonly calls: number[];
}

/** `isSure`: no more than one in a hundred deals would show any value as telling as this one. */
export interface AttributeOdds extends TailAttribute {
  readonly isSure: boolean;
  /** How far it stands out, in standard deviations of such deals. */
  readonly z: number;
}

export function attributeOdds(all: Iterable<SessionSplit>): AttributeOdds[] {
  const splits = [...all];
  const cells = new Map<string, Cell>();
  const of = { inside: 0, outside: 0, insideSquares: 0, outsideSquares: 0 };
  for (const [at, split] of splits.entries()) {
    of.inside += split.inside;
    of.outside += split.outside;
    of.insideSquares += split.inside ** 2;
    of.outsideSquares += split.outside ** 2;
    addSplit(cells, split, at);
  }
  // A mean call counts as one: turns of one call are not independent.
  const effect = {
    inside: of.inside === 0 ? 1 : of.insideSquares / of.inside,
    outside: of.outside === 0 ? 1 : of.outsideSquares / of.outside,
  };
  const told = [...cells.values()]
    .filter(cell => cell.inside >= INSIDE_MIN && cell.insideSessions >= SESSIONS_MIN)
    .filter(cell => cell.inside < of.inside || cell.outside < of.outside);
  const deals = new Deals(splits, told);
  return told
    .map((cell, i) => ({ ...oddsOf(cell, of, effect), ...deals.judge(i) }))
    .toSorted((a, b) => tells(b) - tells(a))
    .slice(0, ATTRIBUTES_MAX);
}

/** How far the bounds stay from "no difference". */
const tells = ({ low, high }: TailAttribute): number =>
  low > 0 ? low : high < 0 ? -high : -Math.min(-low, high);

function addSplit(
  cells: Map<string, Cell>,
  { session, inside, outside }: SessionSplit,
  at: number,
): void {
  for (const name of new Set([...Object.keys(session.facets.attributes), ...PLACES]))
    for (const raw of sessionValues(session, name)) {
      const value = String(raw);
      const id = `${name}\n${value}`;
      let cell = cells.get(id);
      if (cell === undefined)
        cells.set(
          id,
          (cell = { name, value, inside: 0, outside: 0, insideSessions: 0, calls: [] }),
        );
      cell.inside += inside;
      cell.outside += outside;
      if (inside > 0) cell.insideSessions++;
      if (cell.calls.at(-1) !== at) cell.calls.push(at);
    }
}

function oddsOf(
  { name, value, inside, outside, insideSessions }: Cell,
  of: { readonly inside: number; readonly outside: number },
  effect: { readonly inside: number; readonly outside: number },
): Omit<TailAttribute, 'isSure'> {
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
