// Latency against load: each wait beside the calls that its agent's instance had
// at that moment, and where the median begins to rise.
//
//   p50 │                       ▲         the knee: from here on the median of
//       │                    ▲            every bin is a quarter above that of
//       │  ▪   ▪   ▪   ▪  ▪               little load, beyond its interval
//       └──────────────────────── calls

import type { LoadCurve } from '@framescope/protocol';
import { VALUE_FLAG } from '../../rollup/wait-codec.ts';
import type { LoadColumn, UnixRange } from '../../store/store.ts';
import { chooseMeasure } from '../measure-range.ts';
import type { QueryContext } from '../queries.types.ts';
import { placeOfResource } from './placed-sessions.ts';

const COLUMN_NS = 1_000_000_000n;
/** Columns of a second in six hours; beyond that they are wider. */
const COLUMNS_MAX = 21_600n;
const BIN_MIN = 12;
const RISE = 1.25;
const Z_95 = 1.96;

interface Point {
  readonly calls: number;
  readonly waitNs: number;
}

export async function loadCurves(context: QueryContext, range: UnixRange): Promise<LoadCurve[]> {
  const chosen = await chooseMeasure(context, range);
  if (chosen === undefined) return [];
  const { measure } = chosen.measure;
  const spanNs = range.toUnixNs - range.fromUnixNs;
  const columnNs = spanNs / COLUMNS_MAX > COLUMN_NS ? spanNs / COLUMNS_MAX : COLUMN_NS;
  const loads = await context.reader.loads({ ...range, columnNs });
  if (loads.length === 0) return [];
  const table = await context.reader.waits(range, { measures: [measure] });
  const values = table.columns.get(measure);
  if (values === undefined) return [];
  const calls = callsByInstance(loads);
  const offsetNs = Number(table.fromUnixNs - range.fromUnixNs);
  const byService = new Map<string, Point[]>();
  for (let row = 0; row < table.length; row++) {
    const waitNs = values.valueNs[row]!;
    if (Number.isNaN(waitNs) || (values.flags[row]! & VALUE_FLAG.censored) !== 0) continue;
    const session = table.sessions[table.session[row]!]!;
    const column = Math.floor((table.atNs[row]! + offsetNs) / Number(columnNs));
    for (const { service = '', instance } of session.facets.places) {
      const count =
        instance === undefined ? undefined : callsAt(calls, `${service} ${instance}`, column);
      if (count === undefined) continue;
      const points = byService.get(service) ?? [];
      byService.set(service, points);
      points.push({ calls: count, waitNs });
    }
  }
  return [...byService].map(([service, points]) => curveOf(service, measure, points));
}

/** By service and instance, then column. */
function callsByInstance(loads: readonly LoadColumn[]): Map<string, Map<number, number>> {
  const all = new Map<string, Map<number, number>>();
  for (const { resource, column, calls } of loads) {
    if (calls === null) continue;
    const { service, instance } = placeOfResource(resource);
    const key = `${service} ${instance ?? ''}`;
    const columns = all.get(key) ?? new Map<number, number>();
    all.set(key, columns);
    columns.set(column, Math.max(calls, columns.get(column) ?? 0));
  }
  return all;
}

/** A wait's second, or the one behind it: figures are told at the end of theirs. */
function callsAt(
  all: ReadonlyMap<string, ReadonlyMap<number, number>>,
  key: string,
  column: number,
): number | undefined {
  const columns = all.get(key);
  return columns?.get(column) ?? columns?.get(column + 1);
}

export function curveOf(service: string, measure: string, points: readonly Point[]): LoadCurve {
  const bins = binsOf(points.toSorted((a, b) => a.calls - b.calls));
  return {
    service,
    measure,
    points: bins,
    kneeCalls: kneeOf(bins),
  };
}

type Bin = LoadCurve['points'][number];

/** Bins of as many waits as an interval needs, none cut through one number of calls. */
function binsOf(sorted: readonly Point[]): Bin[] {
  const size = Math.max(BIN_MIN, Math.ceil(sorted.length / 16));
  const bins: Bin[] = [];
  let own: Point[] = [];
  for (const [at, point] of sorted.entries()) {
    own.push(point);
    const next = sorted[at + 1];
    const isFull = own.length >= size && next !== undefined && next.calls !== point.calls;
    const isTooFewLeft = sorted.length - at - 1 < BIN_MIN;
    if ((isFull && !isTooFewLeft) || next === undefined) {
      bins.push(binOf(own));
      own = [];
    }
  }
  return bins;
}

function binOf(points: readonly Point[]): Bin {
  const waits = points.map(one => one.waitNs).toSorted((a, b) => a - b);
  const n = waits.length;
  const at = (rank: number): number => waits[Math.min(n - 1, Math.max(0, rank))]!;
  const half = (Z_95 * Math.sqrt(n)) / 2;
  return {
    callsFrom: points[0]!.calls,
    callsTo: points.at(-1)!.calls,
    n,
    p50Ns: at(Math.ceil(n / 2) - 1),
    p95Ns: at(Math.ceil(n * 0.95) - 1),
    interval: {
      lowNs: at(Math.floor(n / 2 - half)),
      highNs: at(Math.ceil(n / 2 + half)),
    },
  };
}

function kneeOf(bins: readonly Bin[]): number | null {
  const [little] = bins;
  if (little === undefined || bins.length < 2) return null;
  const isAbove = (bin: Bin): boolean =>
    bin.interval.lowNs > little.p50Ns && bin.p50Ns > little.p50Ns * RISE;
  const from = bins.findLastIndex(bin => !isAbove(bin)) + 1;
  return bins[from]?.callsFrom ?? null;
}
