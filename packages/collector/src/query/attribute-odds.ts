// Which attributes tell the inside from the outside: log odds of each value, counted in calls (fifty
// turns of one call say as much as one). Values seen in fewer than 3 calls or 5 turns inside say nothing and are left out.
//
// Whether a value is more than chance (`isSure`) is asked of the calls as a whole: if their values were dealt out anew,
// how often would any of all the values look so telling? Ten attributes of five values are fifty chances to be fooled.
// What a turn was made with varies within a call: there each call is held against itself (Cochran, Mantel and
// Haenszel), so that calls that are slow as a whole say nothing of a tool that all of them use.

import type { TailAttribute } from '@framescope/protocol';
import { sessionValues } from '../filter/subjects.ts';
import type { FacetSession } from '../store/store.ts';
import { ALPHA, Deals, zBeyond } from './deals.ts';
import type { FeatureSplit } from './feature-splits.ts';

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
  /** Set where it varies within calls: how far it stands out in them. */
  within?: number;
}

/** `isSure`: no more than one in a hundred deals would show any value as telling as this one. */
export interface AttributeOdds extends TailAttribute {
  readonly isSure: boolean;
  /** How far it stands out, in standard deviations of such deals. */
  readonly z: number;
}

export function attributeOdds(
  all: Iterable<SessionSplit>,
  features: readonly FeatureSplit[] = [],
): AttributeOdds[] {
  const splits = [...all];
  const ofTurns = new Set(features.map(one => one.name));
  const cells = new Map<string, Cell>();
  const of = { inside: 0, outside: 0, insideSquares: 0, outsideSquares: 0 };
  for (const [at, split] of splits.entries()) {
    of.inside += split.inside;
    of.outside += split.outside;
    of.insideSquares += split.inside ** 2;
    of.outsideSquares += split.outside ** 2;
    addSplit(cells, split, { at, ofTurns });
  }
  for (const feature of features) addFeature(cells, feature, splits);
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
    .map((cell, i) => ({
      ...oddsOf(cell, of, effect),
      ...(cell.within === undefined
        ? deals.judge(i)
        : { z: cell.within, isSure: cell.within > zBeyond(ALPHA / told.length) }),
    }))
    .toSorted((a, b) => tells(b) - tells(a))
    .slice(0, ATTRIBUTES_MAX);
}

/** How far the bounds stay from "no difference". */
const tells = ({ low, high }: TailAttribute): number =>
  low > 0 ? low : high < 0 ? -high : -Math.min(-low, high);

function addSplit(
  cells: Map<string, Cell>,
  { session, inside, outside }: SessionSplit,
  { at, ofTurns }: { readonly at: number; readonly ofTurns: ReadonlySet<string> },
): void {
  for (const name of new Set([...Object.keys(session.facets.attributes), ...PLACES])) {
    // A session has what its turns have: they say it better.
    if (ofTurns.has(name)) continue;
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
}

function addFeature(
  cells: Map<string, Cell>,
  { name, value, calls }: FeatureSplit,
  splits: readonly SessionSplit[],
): void {
  const cell: Cell = { name, value, inside: 0, outside: 0, insideSessions: 0, calls: [] };
  const strata: Stratum[] = [];
  for (const [at, split] of splits.entries()) {
    const its = calls.get(split.session);
    if (its === undefined) continue;
    cell.inside += its.inside;
    cell.outside += its.outside;
    if (its.inside > 0) cell.insideSessions++;
    cell.calls.push(at);
    strata.push({ of: split, its });
  }
  const varying = strata.filter(({ of, its }) => its.inside + its.outside < of.inside + of.outside);
  // Where most calls have it in all their turns it tells calls apart, and is judged as what calls have.
  if (varying.length >= SESSIONS_MIN && varying.length * 2 >= strata.length)
    cell.within = zWithin(varying);
  cells.set(`${name}\n${value}`, cell);
}

interface Stratum {
  readonly of: SessionSplit;
  readonly its: { readonly inside: number; readonly outside: number };
}

/** Slow turns that have it beyond each call's fair share, in standard deviations of chance. */
function zWithin(strata: readonly Stratum[]): number {
  let beyond = 0;
  let variance = 0;
  for (const { of, its } of strata) {
    const n = of.inside + of.outside;
    const have = its.inside + its.outside;
    if (n < 2) continue;
    beyond += its.inside - (of.inside * have) / n;
    variance += (of.inside * of.outside * have * (n - have)) / (n * n * (n - 1));
  }
  return variance <= 0 ? 0 : beyond / Math.sqrt(variance);
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
