// GET /api/v1/tail/why: what is different about the waits (or frames) in a box of the heatmap.

import {
  rankOf,
  type TailAttribute,
  type TailDifference,
  type TailPart,
  type TailWhy,
} from '@framescope/protocol';
import { columnsOf, passingRows, wordsOf } from '../filter/subjects.ts';
import type { StoreReader, UnixRange, WaitTable } from '../store/store.ts';
import { attribute } from './attribution.ts';
import { attributeOdds, type SessionSplit } from './attribute-odds.ts';
import { FrameSum } from './frame-columns.ts';
import { walkFrames, walkSessions } from './frame-walk.ts';
import { chooseMeasure, infoOf, type Chosen } from './measure-range.ts';
import type { TailBox, TailWhyQuery } from './queries.types.ts';
import { isInside } from './tail.ts';
import { rowsWith } from './wait-rows.ts';

/** Below these nothing is concluded. */
const TURNS_MIN = 30;
const SESSIONS_MIN = 5;
/** Without a box: the slowest twentieth. */
const SLOWEST = 0.95;
const MINUTE_NS = 60_000_000_000n;
const NOTHING: TailDifference = {
  meanInNs: 0,
  meanAllNs: 0,
  meanOutNs: 0,
  deltaNs: 0,
  lowNs: null,
  highNs: null,
};

type Found = Pick<TailWhy, 'inside' | 'outside' | 'fromValueNs' | 'total' | 'parts' | 'attributes'>;

export const tailWhy: TailWhyQuery = async (context, box) => {
  const chosen = await chooseMeasure(context, box);
  if (chosen === undefined) return undefined;
  const isFrame = chosen.measure.kind === 'frame';
  const found = await (isFrame ? frames : waits)(context.reader, chosen, box);
  const tooFew = tooFewOf(found, isFrame);
  const { count, sessionCount } = {
    count: found.inside.turns + found.outside.turns,
    sessionCount: chosen.measure.sessionCount,
  };
  return {
    measure: infoOf(context.budgets, { ...chosen.measure, count, sessionCount }),
    fromUnixNs: String(chosen.range.fromUnixNs),
    toUnixNs: String(chosen.range.toUnixNs),
    ...found,
    tooFew,
    verdict: verdictOf(found, tooFew),
  };
};

function tooFewOf({ inside, outside }: Found, isFrame: boolean): string | null {
  const what = isFrame ? 'frames' : 'turns';
  if (inside.turns < TURNS_MIN || inside.sessions < SESSIONS_MIN)
    return `${inside.turns} ${what} in ${inside.sessions} calls: ${TURNS_MIN} in ${SESSIONS_MIN} are the least that say anything`;
  return outside.turns === 0 ? `nothing lies outside to compare with` : null;
}

// ---- waits --------------------------------------------------------------------------------

async function waits(reader: StoreReader, chosen: Chosen, box: TailBox): Promise<Found> {
  const { measure } = chosen.measure;
  const table = await reader.waits(chosen.range, {
    measures: [measure, 'part.*', ...columnsOf(box.filter)],
  });
  const column = table.columns.get(measure);
  const rows =
    column === undefined
      ? new Int32Array(0)
      : rowsWith(column, passingRows(table, box.filter, await wordsOf(box.filter, reader)));
  const inside = new Uint8Array(table.length);
  const values = column?.valueNs ?? new Float64Array(0);
  const bounds = boundsOf(values, rows, box);
  const times = timesOf(chosen.range, box);
  let fromValueNs = Infinity;
  for (const row of rows) {
    const at = table.atNs[row]!;
    if (!isInside(values[row]!, bounds) || at < times.fromNs || at >= times.toNs) continue;
    inside[row] = 1;
    fromValueNs = Math.min(fromValueNs, values[row]!);
  }
  const splits = splitsOf(table, rows, inside);
  const { total, parts } = attribute(table, rows, inside);
  return {
    ...countsOf(splits),
    fromValueNs: Number.isFinite(fromValueNs) ? fromValueNs : 0,
    total,
    parts,
    attributes: attributeOdds(splits),
  };
}

function boundsOf(
  values: Float64Array,
  rows: Int32Array,
  { minNs, maxNs, insideFromUnixNs, insideToUnixNs }: TailBox,
): { readonly minNs: number; readonly maxNs: number } {
  const isBox = [minNs, maxNs, insideFromUnixNs, insideToUnixNs].some(one => one !== undefined);
  if (isBox) return { minNs: minNs ?? -Infinity, maxNs: maxNs ?? Infinity };
  const least = rows.length === 0 ? 0 : ofRank(values, rows, rankOf(SLOWEST, rows.length));
  // The bound itself is inside: the least double below it is not.
  return { minNs: least - 0.5, maxNs: Infinity };
}

/** The value of a 1-based rank, by halving (Hoare's selection): a sort of a million takes ten times as long. */
function ofRank(values: Float64Array, rows: Int32Array, rank: number): number {
  const list = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) list[i] = values[rows[i]!]!;
  let [low, high] = [0, list.length - 1];
  while (low < high) {
    const pivot = list[(low + high) >> 1]!;
    let [i, j] = [low, high];
    while (i <= j) {
      while (list[i]! < pivot) i++;
      while (list[j]! > pivot) j--;
      if (i > j) break;
      [list[i], list[j]] = [list[j]!, list[i]!];
      i++;
      j--;
    }
    if (rank - 1 <= j) high = j;
    else if (rank - 1 >= i) low = i;
    else break;
  }
  return list[rank - 1]!;
}

const timesOf = (
  range: UnixRange,
  box: TailBox,
): { readonly fromNs: number; readonly toNs: number } => ({
  fromNs:
    box.insideFromUnixNs === undefined
      ? -Infinity
      : Number(box.insideFromUnixNs - range.fromUnixNs),
  toNs: box.insideToUnixNs === undefined ? Infinity : Number(box.insideToUnixNs - range.fromUnixNs),
});

function splitsOf(table: WaitTable, rows: Int32Array, inside: Uint8Array): SessionSplit[] {
  const splits: (SessionSplit | undefined)[] = table.sessions.map(() => undefined);
  for (const row of rows) {
    const session = table.session[row]!;
    const split = (splits[session] ??= {
      session: table.sessions[session]!,
      inside: 0,
      outside: 0,
    });
    if (inside[row] === 1) split.inside++;
    else split.outside++;
  }
  return splits.filter(split => split !== undefined);
}

function countsOf(splits: readonly SessionSplit[]): Pick<Found, 'inside' | 'outside'> {
  const count = (side: 'inside' | 'outside'): Found['inside'] => ({
    turns: splits.reduce((sum, one) => sum + one[side], 0),
    sessions: splits.filter(one => one[side] > 0).length,
  });
  return { inside: count('inside'), outside: count('outside') };
}

// ---- frames -------------------------------------------------------------------------------

async function frames(reader: StoreReader, chosen: Chosen, box: TailBox): Promise<Found> {
  const { measure } = chosen.measure;
  const { range } = chosen;
  const minNs =
    box.minNs ?? (box.maxNs === undefined ? await slowestFrames(reader, chosen, box) : 0);
  const maxNs = box.maxNs ?? Infinity;
  const first =
    box.insideFromUnixNs === undefined ? -Infinity : Number(box.insideFromUnixNs / MINUTE_NS);
  const end =
    box.insideToUnixNs === undefined ? Infinity : Number((box.insideToUnixNs - 1n) / MINUTE_NS) + 1;
  const splits = new Map<number, SessionSplit>();
  await walkSessions(reader, {
    measure,
    range,
    filter: box.filter,
    visit: (entry, session) => {
      let split = splits.get(session!.row);
      if (split === undefined)
        splits.set(session!.row, (split = { session: session!, inside: 0, outside: 0 }));
      const isTime = entry.minute >= first && entry.minute < end;
      const slow = isTime && entry.maxNs > minNs ? entry.countBetween(minNs, maxNs) : 0;
      split.inside += slow;
      split.outside += entry.count - slow;
    },
  });
  const all = [...splits.values()];
  return {
    ...countsOf(all),
    fromValueNs: Math.max(0, minNs),
    total: NOTHING,
    parts: [],
    attributes: attributeOdds(all),
  };
}

async function slowestFrames(reader: StoreReader, chosen: Chosen, box: TailBox): Promise<number> {
  const sum = new FrameSum();
  await walkFrames(reader, {
    measure: chosen.measure.measure,
    range: chosen.range,
    filter: box.filter,
    visit: entry => sum.add(entry, undefined),
  });
  return sum.quantiles().p95Ns ?? 0;
}

// ---- what it says -------------------------------------------------------------------------

/** Odds at least doubled, for a third of what is inside: then it is named as the cause. */
const ODDS_MIN: number = Math.log(2);
const COVERS_MIN = 1 / 3;
const PART_SHARE_MIN = 0.4;
/** Slower than usual by less than this share of it: some waits are always the slowest. */
const SLOWER_MIN = 0.25;

function verdictOf(found: Found, tooFew: string | null): TailWhy['verdict'] {
  if (tooFew !== null) return { kind: 'none', name: '', text: `too few to say: ${tooFew}` };
  const { deltaNs, meanAllNs } = found.total;
  if (meanAllNs > 0 && deltaNs >= 0 && deltaNs < SLOWER_MIN * meanAllNs)
    return {
      kind: 'none',
      name: '',
      text: `the slowest are only ${ms(deltaNs)} slower than usual: nothing stands out`,
    };
  const telling = found.attributes.find(
    one => one.low > ODDS_MIN && one.inside >= COVERS_MIN * one.insideOf,
  );
  const part = found.parts.find(
    one => one.deltaNs > 0 && (one.lowNs ?? 0) > 0 && one.share >= PART_SHARE_MIN,
  );
  const words = [
    ...(part ? [partText(part, found.total)] : []),
    ...(telling ? [attributeText(telling)] : []),
  ];
  if (telling !== undefined)
    return { kind: 'attribute', name: telling.name, text: words.join('; ') };
  if (part !== undefined) return { kind: 'part', name: part.name, text: words.join('; ') };
  return { kind: 'none', name: '', text: 'nothing stands out' };
}

const ms = (ns: number): string => `${Math.round(ns / 1e6)} ms`;

const partText = (part: TailPart, total: TailDifference): string =>
  `${part.name} is ${ms(part.deltaNs)} longer than usual, of ${ms(total.deltaNs)} in all`;

const percent = (count: number, of: number): string => `${Math.round((100 * count) / of)} %`;

const attributeText = (one: TailAttribute): string =>
  `${one.name} is ${one.value} for ${percent(one.inside, one.insideOf)} inside and ${percent(one.outside, one.outsideOf)} outside`;
