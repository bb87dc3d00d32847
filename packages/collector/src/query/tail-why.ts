// GET /api/v1/tail/why: what is different about the waits (or frames) in a box of the heatmap.

import { rankOf, type TailDifference, type TailWhy } from '@framescope/protocol';
import { columnsOf, passingRows, wordsOf } from '../filter/subjects.ts';
import type { StoreReader, UnixRange, WaitTable } from '../store/store.ts';
import { attribute, attributeSums, type Attribution } from './attribution.ts';
import { ALL_FEATURES } from '../rollup/turn-features.ts';
import { attributeOdds, type SessionSplit } from './attribute-odds.ts';
import { featureSplits, type FeatureSplit } from './feature-splits.ts';
import { FrameSum } from './frame-columns.ts';
import { walkFrames, walkSessions } from './frame-walk.ts';
import { chooseMeasure, infoOf, type Chosen } from './measure-range.ts';
import type { TailBox, TailWhyQuery } from './queries.types.ts';
import { isInside } from './tail.ts';
import { SESSIONS_MIN, TURNS_MIN, verdictOf } from './verdict.ts';
import { rowsWith } from './wait-rows.ts';

/** Without a box: the slowest twentieth; of few turns as many as say something, up to a quarter. */
const SLOWEST = 0.05;
const SLOWEST_MAX = 0.25;
/** More waits than this are added up by the engine where it can, and causes are looked for in a sample. */
const SUMS_FROM = 200_000;
const SAMPLE_WAITS = 50_000;
const MINUTE_NS = 60_000_000_000n;
const NOTHING: TailDifference = {
  meanInNs: 0,
  meanAllNs: 0,
  meanOutNs: 0,
  deltaNs: 0,
  lowNs: null,
  highNs: null,
};

interface Found extends Pick<TailWhy, 'inside' | 'outside' | 'fromValueNs'> {
  readonly splits: readonly SessionSplit[];
  readonly features: readonly FeatureSplit[];
  readonly attribution: Attribution;
  readonly sample?: Sampled;
}

/** All were added up; where and causes are told from some of the calls. */
interface Sampled extends Pick<TailWhy, 'total' | 'parts'> {
  readonly sessions: number;
  readonly of: number;
  readonly tooFew: string | null;
}

export const tailWhy: TailWhyQuery = async (context, box) => {
  const chosen = await chooseMeasure(context, box);
  if (chosen === undefined) return undefined;
  const isFrame = chosen.measure.kind === 'frame';
  const found = await (isFrame ? frames : waits)(context.reader, chosen, box);
  const noun = isFrame ? 'frames' : 'turns';
  const tooFew = tooFewOf(found, noun);
  const { count, sessionCount } = {
    count: found.inside.turns + found.outside.turns,
    sessionCount: chosen.measure.sessionCount,
  };
  const { splits, features, attribution, sample, ...shown } = found;
  const attributes = attributeOdds(splits, features, isFrame ? 'same' : 'turns');
  return {
    measure: infoOf(context.budgets, { ...chosen.measure, count, sessionCount }),
    fromUnixNs: String(chosen.range.fromUnixNs),
    toUnixNs: String(chosen.range.toUnixNs),
    ...shown,
    tooFew,
    total: (sample ?? attribution).total,
    parts: (sample ?? attribution).parts,
    attributes: attributes.map(({ z: _z, ...one }) => one),
    verdict: verdictOf({
      splits,
      attribution,
      attributes,
      tooFew: tooFew ?? sample?.tooFew ?? null,
      noun,
    }),
    ...(sample && { sample: { sessions: sample.sessions, of: sample.of } }),
  };
};

function tooFewOf(
  { inside, outside }: Pick<Found, 'inside' | 'outside'>,
  noun: string,
): string | null {
  if (inside.turns < TURNS_MIN || inside.sessions < SESSIONS_MIN)
    return `${inside.turns} ${noun} in ${inside.sessions} calls: ${TURNS_MIN} in ${SESSIONS_MIN} are the least that say anything`;
  return outside.turns === 0 ? `nothing lies outside to compare with` : null;
}

// ---- waits --------------------------------------------------------------------------------

async function waits(reader: StoreReader, chosen: Chosen, box: TailBox): Promise<Found> {
  const isMany =
    reader.waitSums !== undefined &&
    box.filter === undefined &&
    chosen.measure.count > SUMS_FROM &&
    !chosen.measure.measure.startsWith('part.');
  return isMany ? manyWaits(reader, chosen, box) : readWaits(reader, chosen, box);
}

async function manyWaits(reader: StoreReader, chosen: Chosen, box: TailBox): Promise<Found> {
  const { measure, count, sessionCount } = chosen.measure;
  const { insideFromUnixNs: fromUnixNs, insideToUnixNs: toUnixNs, minNs, maxNs } = box;
  const given = {
    ...(minNs !== undefined && { minNs }),
    ...(maxNs !== undefined && { maxNs }),
    ...(fromUnixNs !== undefined && { fromUnixNs }),
    ...(toUnixNs !== undefined && { toUnixNs }),
  };
  const sums = await reader.waitSums!({
    measure,
    range: chosen.range,
    sessionCount,
    ...(Object.keys(given).length > 0 && { box: given }),
    rankOfFirst,
  });
  const some = await readWaits(
    reader,
    chosen,
    { ...box, minNs: sums.minNs, maxNs: sums.maxNs },
    Math.ceil(count / SAMPLE_WAITS),
  );
  const { total, parts } = attributeSums(sums);
  const unusual = new Map(some.attribution.parts.map(part => [part.name, part.unusual]));
  const times = sums.inside.turns / Math.max(1, some.inside.turns);
  const { splits, features, attribution } = some;
  return {
    inside: sums.inside,
    outside: sums.outside,
    fromValueNs: Number.isFinite(sums.fromValueNs) ? sums.fromValueNs : 0,
    splits,
    features,
    attribution,
    sample: {
      total,
      parts: parts.map(part => ({
        ...part,
        unusual: Math.round((unusual.get(part.name) ?? 0) * times),
      })),
      sessions: splits.length,
      of: sessionCount,
      tooFew: tooFewOf(some, 'turns of the sampled calls'),
    },
  };
}

/** `oneIn`: only of so many calls one. */
async function readWaits(
  reader: StoreReader,
  chosen: Chosen,
  box: TailBox,
  oneIn?: number,
): Promise<Found> {
  const { measure } = chosen.measure;
  const table = await reader.waits(chosen.range, {
    measures: [measure, 'part.*', ALL_FEATURES, ...columnsOf(box.filter)],
    ...(oneIn !== undefined && { oneIn }),
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
  return {
    ...countsOf(splits),
    fromValueNs: Number.isFinite(fromValueNs) ? fromValueNs : 0,
    splits,
    features: featureSplits(table, rows, inside),
    attribution: attribute(table, rows, inside),
  };
}

function boundsOf(
  values: Float64Array,
  rows: Int32Array,
  { minNs, maxNs, insideFromUnixNs, insideToUnixNs }: TailBox,
): { readonly minNs: number; readonly maxNs: number } {
  const isBox = [minNs, maxNs, insideFromUnixNs, insideToUnixNs].some(one => one !== undefined);
  if (isBox) return { minNs: minNs ?? -Infinity, maxNs: maxNs ?? Infinity };
  const least = rows.length === 0 ? 0 : ofRank(values, rows, rankOfFirst(rows.length));
  // The bound itself is inside: the least double below it is not.
  return { minNs: least - 0.5, maxNs: Infinity };
}

const slowest = (count: number): number =>
  Math.min(SLOWEST_MAX, Math.max(SLOWEST, TURNS_MIN / count));

/** Rank of the first that is inside, of `count` that are sorted. */
export const rankOfFirst = (count: number): number => rankOf(1 - slowest(count), count);

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
    splits: all,
    features: [],
    attribution: { total: NOTHING, parts: [], candidates: [], insideRows: 0 },
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
