// GET /api/v1/compare: two ranges (releases, groups) of one measure beside each other.

import { bucketOf, bucketUpperNs, SKETCH_SCALE, type Comparison } from '@framescope/protocol';
import { columnsOf, passingRows, wordsOf } from '../filter/subjects.ts';
import { BUCKET_MIN } from '../rollup/minute-codec.ts';
import type { ValueColumn } from '../rollup/wait-codec.ts';
import type { UnixRange, WaitTable } from '../store/store.ts';
import { FrameSum } from './frame-columns.ts';
import { walkSessions } from './frame-walk.ts';
import { budgetOf } from './measure-info.ts';
import { chooseMeasure, chooseRange, infoOf } from './measure-range.ts';
import type { CompareQuery, FilteredRange, QueryContext } from './queries.types.ts';
import { drawsFor, drawWeights, seededRandom, Spread } from './resample.ts';
import { rowsWith, sessionCount, sortedOf } from './wait-rows.ts';
import { intervalsOfSorted, QUANTILES, quantilesOfSorted } from './wait-quantiles.ts';
import {
  gapOfHalves,
  largestGap,
  orderedOf,
  weightedQuantiles,
  type Ordered,
} from './weighted-survival.ts';

const SCALE = 4;
const NAMES = ['p50', 'p95', 'p99', 'p999'] as const;
const LEVELS = NAMES.map(name => QUANTILES[name]);
/** Draws of halves: the third largest of 60 is the one that 95 of 100 stay under. */
const HALVES = 60;

type Side = FilteredRange & { readonly text: string };
type Parts = Omit<Comparison, 'measure'>;

export const compare: CompareQuery = async (context, { measure, a, b }) => {
  const named = measure === undefined ? {} : { measure };
  const chosen = await chooseMeasure(context, { ...b, ...named });
  if (chosen === undefined) return undefined;
  const sides = [
    { side: a, range: await chooseRange(context, a) },
    { side: b, range: chosen.range },
  ] as const;
  const name = chosen.measure.measure;
  const isFrame = chosen.measure.kind === 'frame';
  const found = isFrame ? await frames(context, name, sides) : await waits(context, name, sides);
  const count = found.a.count.turns + found.b.count.turns;
  return { measure: infoOf(context.budgets, { ...chosen.measure, count }), ...found };
};

interface Ranged {
  readonly side: Side;
  readonly range: UnixRange;
}
type Two = readonly [Ranged, Ranged];

// ---- waits --------------------------------------------------------------------------------

interface LoadedWaits {
  readonly table: WaitTable;
  readonly column: ValueColumn;
  readonly rows: Int32Array;
  readonly ordered: Ordered;
  readonly told: Comparison['a'];
}

async function waits(context: QueryContext, measure: string, sides: Two): Promise<Parts> {
  const a = await loadWaits(context, measure, sides[0]);
  const b = await loadWaits(context, measure, sides[1]);
  return {
    a: a.told,
    b: b.told,
    changes: changesOf(a, b),
    distance: { ...largestGap(a.ordered, b.ordered), noise: noiseOf(a, b) },
    parts: partsOf(a, b),
    distribution: distributionOf(a, b),
  };
}

async function loadWaits(
  { reader, budgets }: QueryContext,
  measure: string,
  { side, range }: Ranged,
): Promise<LoadedWaits> {
  const table = await reader.waits(range, {
    measures: [measure, 'part.*', ...columnsOf(side.filter)],
  });
  const column = table.columns.get(measure) ?? {
    valueNs: new Float64Array(table.length).fill(Number.NaN),
    flags: new Uint8Array(table.length),
    savesNs: new Float64Array(table.length),
  };
  const rows = rowsWith(
    column,
    passingRows(table, side.filter, await wordsOf(side.filter, reader)),
  );
  const sorted = sortedOf(column, rows);
  const limitNs = budgetOf(budgets, measure);
  return {
    table,
    column,
    rows,
    ordered: orderedOf(column, rows, table.session),
    told: {
      ...rangeOf(side, range),
      count: { turns: rows.length, sessions: sessionCount(table, rows) },
      quantiles: quantilesOfSorted(sorted),
      intervals: intervalsOfSorted(sorted),
      overBudget: limitNs === null ? 0 : rows.filter(row => column.valueNs[row]! > limitNs).length,
    },
  };
}

const rangeOf = (
  side: Side,
  { fromUnixNs, toUnixNs }: UnixRange,
): Pick<Comparison['a'], 'fromUnixNs' | 'toUnixNs' | 'filter'> => ({
  fromUnixNs: String(fromUnixNs),
  toUnixNs: String(toUnixNs),
  filter: side.text,
});

function changesOf(a: LoadedWaits, b: LoadedWaits): Comparison['changes'] {
  const draws = drawsFor(a.rows.length + b.rows.length);
  const spreads = NAMES.map(() => new Spread());
  const random = seededRandom(2);
  const [weightsA, weightsB] = [a, b].map(one => new Uint16Array(one.ordered.sessions)) as [
    Uint16Array,
    Uint16Array,
  ];
  for (let draw = 0; draw < draws; draw++) {
    drawWeights(weightsA, a.ordered.sessions, random);
    drawWeights(weightsB, b.ordered.sessions, random);
    const inA = weightedQuantiles(a.ordered, weightsA, LEVELS);
    const inB = weightedQuantiles(b.ordered, weightsB, LEVELS);
    spreads.forEach((spread, i) => spread.add(inB[i]! - inA[i]!));
  }
  return NAMES.map((quantile, i) => {
    const aNs = a.told.quantiles[`${quantile}Ns`];
    const bNs = b.told.quantiles[`${quantile}Ns`];
    const deltaNs = aNs === null || bNs === null ? null : bNs - aNs;
    const bounds = deltaNs === null ? null : spreads[i]!.around(deltaNs, draws);
    return {
      quantile,
      aNs,
      bNs,
      deltaNs,
      lowNs: bounds?.lowNs ?? null,
      highNs: bounds?.highNs ?? null,
    };
  });
}

/** Sessions of both put together and dealt out anew, as many to each side as there were. */
function noiseOf(a: LoadedWaits, b: LoadedWaits): number | null {
  const sessions = a.ordered.sessions + b.ordered.sessions;
  if (a.ordered.sessions < 2 || b.ordered.sessions < 2) return null;
  const all = together(a.ordered, b.ordered);
  const random = seededRandom(3);
  const gaps: number[] = [];
  const order = Int32Array.from({ length: sessions }, (_, i) => i);
  for (let draw = 0; draw < HALVES; draw++) {
    const isFirst = new Uint8Array(sessions);
    for (let i = 0; i < a.ordered.sessions; i++) {
      const other = i + Math.floor(random() * (sessions - i));
      [order[i], order[other]] = [order[other]!, order[i]!];
      isFirst[order[i]!] = 1;
    }
    gaps.push(gapOfHalves(all, isFirst));
  }
  return gaps.toSorted((x, y) => x - y)[Math.ceil(0.95 * HALVES) - 1]!;
}

function together(a: Ordered, b: Ordered): Ordered {
  const length = a.valueNs.length + b.valueNs.length;
  const all = {
    valueNs: new Float64Array(length),
    isCensored: new Uint8Array(length),
    session: new Int32Array(length),
    sessions: a.sessions + b.sessions,
  };
  for (let at = 0, i = 0, j = 0; at < length; at++) {
    const isA = j >= b.valueNs.length || (i < a.valueNs.length && a.valueNs[i]! <= b.valueNs[j]!);
    const from = isA ? a : b;
    const row = isA ? i++ : j++;
    all.valueNs[at] = from.valueNs[row]!;
    all.isCensored[at] = from.isCensored[row]!;
    all.session[at] = from.session[row]! + (isA ? 0 : a.sessions);
  }
  return all;
}

function partsOf(a: LoadedWaits, b: LoadedWaits): Comparison['parts'] {
  const names = new Set(
    [a, b].flatMap(one => [...one.table.columns.keys()].filter(name => name.startsWith('part.'))),
  );
  return [...names]
    .map(name => {
      const [inA, inB] = [meanBySession(a, name), meanBySession(b, name)];
      const deltaNs = inB.meanNs - inA.meanNs;
      const half = 1.959964 * Math.sqrt(inA.variance + inB.variance);
      return {
        name: name.slice('part.'.length),
        aMeanNs: inA.meanNs,
        bMeanNs: inB.meanNs,
        deltaNs,
        lowNs: Number.isFinite(half) ? Math.round(deltaNs - half) : null,
        highNs: Number.isFinite(half) ? Math.round(deltaNs + half) : null,
      };
    })
    .filter(one => one.aMeanNs > 0 || one.bMeanNs > 0)
    .toSorted((x, y) => Math.abs(y.deltaNs) - Math.abs(x.deltaNs));
}

/** Mean over turns that have parts, and its variance with whole sessions as what varies. */
function meanBySession(
  { table, rows }: LoadedWaits,
  name: string,
): { readonly meanNs: number; readonly variance: number } {
  const values = table.columns.get(name)?.valueNs;
  const columns = [...table.columns]
    .filter(([one]) => one.startsWith('part.'))
    .map(([, one]) => one);
  const sums = new Float64Array(table.sessions.length);
  const counts = new Float64Array(table.sessions.length);
  let sum = 0;
  let count = 0;
  for (const row of rows) {
    if (columns.every(column => Number.isNaN(column.valueNs[row]!))) continue;
    const valueNs = values?.[row] ?? 0;
    const session = table.session[row]!;
    counts[session]!++;
    count++;
    if (Number.isNaN(valueNs)) continue;
    sums[session]! += valueNs;
    sum += valueNs;
  }
  const meanNs = count === 0 ? 0 : sum / count;
  let squares = 0;
  let sessions = 0;
  counts.forEach((n, session) => {
    if (n === 0) return;
    sessions++;
    squares += (sums[session]! - meanNs * n) ** 2;
  });
  const variance = sessions < 2 ? Number.NaN : (squares / count ** 2) * (sessions / (sessions - 1));
  return { meanNs, variance };
}

function distributionOf(a: LoadedWaits, b: LoadedWaits): Comparison['distribution'] {
  const rowsOf = (one: LoadedWaits): number[] =>
    Array.from(one.rows, row => one.column.valueNs[row]!)
      .filter(value => value > 0)
      .map(value => bucketOf(value, SCALE));
  return histogram(rowsOf(a), rowsOf(b));
}

function histogram(a: readonly number[], b: readonly number[]): Comparison['distribution'] {
  let [low, high] = [Infinity, -Infinity];
  for (const list of [a, b])
    for (const row of list) {
      low = Math.min(low, row);
      high = Math.max(high, row);
    }
  if (low > high) return { scale: SCALE, rowMin: 0, a: [], b: [] };
  const counts = (list: readonly number[]): number[] => {
    const rows = Array.from({ length: high - low + 1 }, () => 0);
    for (const row of list) rows[row - low]!++;
    return rows;
  };
  return { scale: SCALE, rowMin: low, a: counts(a), b: counts(b) };
}

// ---- frames -------------------------------------------------------------------------------

interface LoadedFrames {
  readonly sum: FrameSum;
  readonly told: Comparison['a'];
}

async function frames(context: QueryContext, measure: string, sides: Two): Promise<Parts> {
  const a = await loadFrames(context, measure, sides[0]);
  const b = await loadFrames(context, measure, sides[1]);
  return {
    a: a.told,
    b: b.told,
    changes: NAMES.map(quantile => {
      const aNs = a.told.quantiles[`${quantile}Ns`];
      const bNs = b.told.quantiles[`${quantile}Ns`];
      const deltaNs = aNs === null || bNs === null ? null : bNs - aNs;
      // Frames of one call are not independent, and only sketches are kept of them: no bounds.
      return { quantile, aNs, bNs, deltaNs, lowNs: null, highNs: null };
    }),
    distance: { ...frameGap(a.sum, b.sum), noise: null },
    parts: [],
    distribution: frameDistribution(a.sum, b.sum),
  };
}

async function loadFrames(
  { reader, budgets }: QueryContext,
  measure: string,
  { side, range }: Ranged,
): Promise<LoadedFrames> {
  const sum = new FrameSum(measure);
  const limitNs = budgetOf(budgets, measure);
  const sessions = new Set<number>();
  await walkSessions(reader, {
    measure,
    range,
    filter: side.filter,
    visit: (entry, session) => {
      sum.add(entry, session);
      sessions.add(session!.row);
    },
  });
  return {
    sum,
    told: {
      ...rangeOf(side, range),
      count: { turns: sum.count, sessions: sessions.size },
      quantiles: sum.quantiles(),
      intervals: sum.intervals(),
      overBudget: limitNs === null ? 0 : sum.countOver(limitNs),
    },
  };
}

function frameGap(a: FrameSum, b: FrameSum): { gap: number; atNs: number | null } {
  const found = { gap: 0, atNs: null as number | null };
  if (a.count === 0 || b.count === 0) return found;
  let [seenA, seenB] = [a.zeroCount, b.zeroCount];
  for (let i = 0; i < a.buckets.length; i++) {
    seenA += a.buckets[i]!;
    seenB += b.buckets[i]!;
    const gap = Math.abs(seenA / a.count - seenB / b.count);
    if (gap <= found.gap) continue;
    found.gap = gap;
    found.atNs = Math.round(bucketUpperNs(i + BUCKET_MIN));
  }
  return found;
}

function frameDistribution(a: FrameSum, b: FrameSum): Comparison['distribution'] {
  const used = Array.from(a.buckets, (count, i) => ({ count: count + b.buckets[i]!, i }))
    .filter(one => one.count > 0)
    .map(one => (one.i + BUCKET_MIN) >> (SKETCH_SCALE - SCALE));
  if (used.length === 0) return { scale: SCALE, rowMin: 0, a: [], b: [] };
  const [rowMin, rowMax] = [used[0]!, used.at(-1)!];
  const rows = (sum: FrameSum): number[] => {
    const counts = Array.from({ length: rowMax - rowMin + 1 }, () => 0);
    sum.buckets.forEach((count, i) => {
      if (count > 0) counts[((i + BUCKET_MIN) >> (SKETCH_SCALE - SCALE)) - rowMin]! += count;
    });
    return counts;
  };
  return { scale: SCALE, rowMin, a: rows(a), b: rows(b) };
}
