// The first cause of a tail, in words, or why none is named. What is asked, in this order:
//
//   1  is it one call?      more than half of the slow turns, and three times its share of all
//   2  is there enough?     30 turns of 5 calls inside
//   3  is it slower at all? a tenth of the usual wait
//   4  is it somewhere?     a value that they share beyond chance (deals.ts), for a third of them
//   5  is it something?     parts out of their usual range (usual-range.ts) in a third of them, longer
//                           by more than resampled calls vary; others that are, in a sixth, beside it
//
// Where and what are told in one sentence: "host is b for 80 % …; synthesis is 320 ms longer …".
// Nothing of the above: none. Somebody will always be the slowest.

import type { TailWhy } from '@framescope/protocol';
import { COVERS_MIN, explains, type AttributeOdds, type SessionSplit } from './attribute-odds.ts';
import type { Attribution, Candidate } from './attribution.ts';

/** Below these nothing is concluded. */
export const TURNS_MIN = 30;
export const SESSIONS_MIN = 5;
/** More than so much of the slow turns in one call, and so many times its share of all turns. */
const ONE_CALL_MIN = 0.5;
const ONE_CALL_TIMES = 3;
/** Slower than usual by less than this share of it is nothing to look for. */
const SLOWER_MIN = 0.1;
/** What is named first holds for at least a third of the slow turns (`COVERS_MIN`), what is told beside it for a sixth. */
const BESIDE_COVERS_MIN = 1 / 6;
/** A part of less than this share of the difference is not told; what is told explains most of it. */
const PART_SHARE_MIN = 0.15;
const TOGETHER_SHARE_MIN = 0.5;

export interface Found {
  readonly splits: readonly SessionSplit[];
  readonly attribution: Attribution;
  readonly attributes: readonly AttributeOdds[];
  readonly tooFew: string | null;
  /** What is counted. */
  readonly noun: 'turns' | 'frames';
}

type Verdict = TailWhy['verdict'];

const none = (text: string): Verdict => ({ kind: 'none', name: '', value: null, with: [], text });

export function verdictOf(found: Found): Verdict {
  const call = oneCall(found);
  if (call !== undefined) return call;
  if (found.tooFew !== null) return none(`too few to say: ${found.tooFew}`);
  const { deltaNs, meanAllNs } = found.attribution.total;
  if (meanAllNs > 0 && deltaNs >= 0 && deltaNs < SLOWER_MIN * meanAllNs)
    return none(`the slowest are only ${ms(deltaNs)} slower than usual: nothing stands out`);
  const where = found.attributes.find(explains);
  const parts = partsOf(found.attribution);
  if (where !== undefined)
    return {
      kind: 'attribute',
      name: where.name,
      value: where.value,
      with: parts.map(part => part.name),
      text: [attributeText(where), ...partsText(parts, found.attribution)].join('; '),
    };
  const [first, ...others] = parts;
  if (first !== undefined)
    return {
      kind: 'part',
      name: first.name,
      value: null,
      with: others.map(part => part.name),
      text: partsText(parts, found.attribution).join('; '),
    };
  return none(nothingText(found.attribution));
}

/** Counted, not concluded: it says something of that call and nothing of the others. */
function oneCall({ splits, noun }: Pick<Found, 'splits' | 'noun'>): Verdict | undefined {
  const inside = splits.reduce((sum, one) => sum + one.inside, 0);
  const all = splits.reduce((sum, one) => sum + one.inside + one.outside, 0);
  if (inside < TURNS_MIN || splits.length < SESSIONS_MIN) return undefined;
  const worst = splits.reduce((most, one) => (one.inside > most.inside ? one : most));
  const fair = ((worst.inside + worst.outside) / all) * inside;
  if (worst.inside <= ONE_CALL_MIN * inside || worst.inside < ONE_CALL_TIMES * fair)
    return undefined;
  return {
    kind: 'session',
    name: worst.session.id,
    value: worst.session.key,
    with: [],
    text: `${worst.inside} of the ${inside} slow ${noun} are of one call, ${worst.session.id}; the other calls are well`,
  };
}

/** Those that left their usual range, longest first; none when together they do not make the tail. */
function partsOf({ candidates, insideRows }: Attribution): readonly Candidate[] {
  const parts = candidates.filter(
    one =>
      one.deltaNs > 0 &&
      (one.lowNs ?? 0) > 0 &&
      one.share >= PART_SHARE_MIN &&
      one.unusualRows.size >= BESIDE_COVERS_MIN * insideRows &&
      one.unusualSessions >= SESSIONS_MIN,
  );
  if (!parts.some(one => one.unusualRows.size >= COVERS_MIN * insideRows)) return [];
  const share = parts.reduce((sum, one) => sum + one.share, 0);
  return share >= TOGETHER_SHARE_MIN ? parts : [];
}

const ms = (ns: number): string => `${Math.round(ns / 1e6)} ms`;

const spoken = (name: string): string => name.replaceAll('_', ' ').replaceAll('+', ' + ');

function partsText(parts: readonly Candidate[], { total, insideRows }: Attribution): string[] {
  if (parts.length === 0) return [];
  const [first, second] = parts;
  const each = parts.map(
    part =>
      `${spoken(part.name)} is ${ms(part.deltaNs)} longer than usual, of ${ms(total.deltaNs)} in all`,
  );
  if (second === undefined) return each;
  const both = [...first!.unusualRows].filter(row => second.unusualRows.has(row)).length;
  const fewer = Math.min(first!.unusualRows.size, second.unusualRows.size);
  const names = `${spoken(first!.name)} and ${spoken(second.name)}`;
  return [
    ...each,
    both > fewer / 2
      ? `${names} are slow together, in ${both} of ${insideRows} turns`
      : `${names} are slow in different turns`,
  ];
}

/** What varies most, where nothing left its range: true, and no cause. */
function nothingText({ candidates, total }: Attribution): string {
  const most = candidates[0];
  if (most === undefined || most.deltaNs <= 0 || total.deltaNs <= 0) return 'nothing stands out';
  return `nothing stands out: no part left its usual range; ${spoken(most.name)} varies most (${Math.round(100 * most.share)} % of the difference)`;
}

const percent = (count: number, of: number): string => `${Math.round((100 * count) / of)} %`;

const attributeText = (one: AttributeOdds): string =>
  `${one.name} is ${one.value} for ${percent(one.inside, one.insideOf)} inside and ${percent(one.outside, one.outsideOf)} outside`;
