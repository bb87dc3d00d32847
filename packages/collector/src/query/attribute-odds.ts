// Which attributes tell the inside from the outside: log odds of each value, counted in calls (fifty
// turns of one call say as much as one). Values seen in fewer than 3 calls or 5 turns inside say nothing and are left out.
//
// Whether a value is more than chance (`isSure`) is asked of the calls as a whole: if their values were dealt out anew,
// how often would any of all the values look so telling? Ten attributes of five values are fifty chances to be fooled.
// What a turn was made with varies within a call: there each call is held against itself (Cochran, Mantel and
// Haenszel), so that calls that are slow as a whole say nothing of a tool that all of them use.
//
// There is one order: values that explain the tail first, by how far they stand out, then those that tell most. Of
// two that the same calls have (a region and its only host) the wider place is first. The verdict names the first.

import type { TailAttribute } from '@framescope/protocol';
import { sessionValues } from '../filter/subjects.ts';
import type { FacetSession } from '../store/store.ts';
import { ALPHA, Deals, zBeyond, type Weight } from './deals.ts';
import type { FeatureSplit } from './feature-splits.ts';

const Z_95 = 1.959964;
const INSIDE_MIN = 5;
const SESSIONS_MIN = 3;
const ATTRIBUTES_MAX = 50;
/** Widest first. */
const PLACES: readonly string[] = ['region', 'zone', 'host', 'instance', 'service'];
/** Odds at least doubled, for at least a third of the slow ones. */
const ODDS_MIN: number = Math.log(2);
export const COVERS_MIN: number = 1 / 3;

/** Counts of one session; frames or turns. */
export interface SessionSplit {
  readonly session: FacetSession;
  inside: number;
  outside: number;
}

interface Counts {
  inside: number;
  outside: number;
  /** The same with each call as one: sums of its shares. */
  insideShare: number;
  outsideShare: number;
}

interface Cell extends Counts {
  readonly name: string;
  readonly value: string;
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
  weight: Weight = 'turns',
): AttributeOdds[] {
  const splits = [...all];
  const ofTurns = new Set(features.map(one => one.name));
  const cells = new Map<string, Cell>();
  const of = { inside: 0, outside: 0, insideShare: 0, outsideShare: 0 };
  const squares = { inside: 0, outside: 0 };
  for (const [at, split] of splits.entries()) {
    add(of, split);
    squares.inside += split.inside ** 2;
    squares.outside += split.outside ** 2;
    addSplit(cells, split, { at, ofTurns });
  }
  for (const feature of features) addFeature(cells, feature, splits);
  // A mean call counts as one: turns of one call are not independent.
  const effect = {
    inside: of.inside === 0 ? 1 : squares.inside / of.inside,
    outside: of.outside === 0 ? 1 : squares.outside / of.outside,
  };
  const weighed = (one: Counts): { readonly inside: number; readonly outside: number } =>
    weight === 'same'
      ? { inside: one.insideShare, outside: one.outsideShare }
      : { inside: one.inside / effect.inside, outside: one.outside / effect.outside };
  const told = [...cells.values()]
    .filter(cell => cell.inside >= INSIDE_MIN && cell.insideSessions >= SESSIONS_MIN)
    .filter(cell => cell.inside < of.inside || cell.outside < of.outside);
  const deals = new Deals(splits, told, weight);
  return told
    .map((cell, i) => ({
      name: cell.name,
      value: cell.value,
      inside: cell.inside,
      insideOf: of.inside,
      outside: cell.outside,
      outsideOf: of.outside,
      insideSessions: cell.insideSessions,
      ...oddsOf(weighed(cell), weighed(of)),
      ...(cell.within === undefined
        ? deals.judge(i)
        : { z: cell.within, isSure: cell.within > zBeyond(ALPHA / told.length) }),
    }))
    .toSorted(inOrder)
    .slice(0, ATTRIBUTES_MAX);
}

/** Beyond chance, and enough of it to be named as where the tail is. */
export const explains = (one: AttributeOdds): boolean =>
  one.isSure && one.low > 0 && one.logOdds > ODDS_MIN && one.inside >= COVERS_MIN * one.insideOf;

function inOrder(a: AttributeOdds, b: AttributeOdds): number {
  const [first, second] = [explains(a), explains(b)];
  if (first !== second) return first ? -1 : 1;
  const byFigures = first ? b.z - a.z : tells(b) - tells(a);
  return byFigures || widthOf(a.name) - widthOf(b.name);
}

const widthOf = (name: string): number => {
  const at = PLACES.indexOf(name);
  return at === -1 ? PLACES.length : at;
};

/** How far the bounds stay from "no difference". */
const tells = ({ low, high }: TailAttribute): number =>
  low > 0 ? low : high < 0 ? -high : -Math.min(-low, high);

const cellOf = (name: string, value: string): Cell => ({
  name,
  value,
  inside: 0,
  outside: 0,
  insideShare: 0,
  outsideShare: 0,
  insideSessions: 0,
  calls: [],
});

/** Adds what a call has of a value, to be told as a share of all of the call. */
function add(
  counts: Counts,
  its: { readonly inside: number; readonly outside: number },
  call: { readonly inside: number; readonly outside: number } = its,
): void {
  const all = call.inside + call.outside || 1;
  counts.inside += its.inside;
  counts.outside += its.outside;
  counts.insideShare += its.inside / all;
  counts.outsideShare += its.outside / all;
}

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
      if (cell === undefined) cells.set(id, (cell = cellOf(name, value)));
      add(cell, { inside, outside });
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
  const cell = cellOf(name, value);
  const strata: Stratum[] = [];
  for (const [at, split] of splits.entries()) {
    const its = calls.get(split.session);
    if (its === undefined) continue;
    add(cell, its, split);
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

/** With half a call more in each corner of the table (Haldane), since some are empty. */
function oddsOf(
  cell: { readonly inside: number; readonly outside: number },
  of: { readonly inside: number; readonly outside: number },
): Pick<TailAttribute, 'logOdds' | 'low' | 'high'> {
  const [a, b] = [cell.inside + 0.5, of.inside - cell.inside + 0.5];
  const [c, d] = [cell.outside + 0.5, of.outside - cell.outside + 0.5];
  const logOdds = Math.log((a * d) / (b * c));
  const half = Z_95 * Math.sqrt(1 / a + 1 / b + 1 / c + 1 / d);
  return { logOdds, low: logOdds - half, high: logOdds + half };
}
