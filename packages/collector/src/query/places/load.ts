// GET /api/v1/load: how busy each instance was, and how long answers took while
// it was so.

import type { InstanceLoad, Load, PlaceName } from '@framescope/protocol';
import type { LoadColumn, StoreReader, UnixRange } from '../../store/store.ts';
import { chooseRange } from '../measure-range.ts';
import type { MeasureRange, QueryContext } from '../queries.types.ts';
import { loadCurves } from './load-curve.ts';
import { placeOfResource } from './placed-sessions.ts';

/** An event loop this late is heard. */
export const STALL_NS = 100_000_000;
/** Figures come a second apart. */
const COLUMN_NS_MIN = 1_000_000_000n;
const BEFORE_NS = 2_000_000_000n;

export interface LoadAsked extends MeasureRange {
  readonly columns: number;
  /** Latency against load, which reads all waits of the range. */
  readonly hasCurves: boolean;
  /** Only instances that took part in this session, over its time. */
  readonly session?: string;
}

export async function load(context: QueryContext, asked: LoadAsked): Promise<Load | undefined> {
  const { session, columns, hasCurves, ...rest } = asked;
  if (session !== undefined) return sessionLoad(context, session, columns);
  const chosen = await chooseRange(context, rest);
  const found = await instanceLoads(context.reader, chosen, columns);
  const { range, columnNs, instances } = found;
  return {
    ...answerOf(range, columnNs, columns),
    instances,
    curves: hasCurves ? await loadCurves(context, range) : [],
  };
}

/** In session time: a client's clock that is off is brought to its place. */
async function sessionLoad(
  { reader }: QueryContext,
  key: string,
  columns: number,
): Promise<Load | undefined> {
  const detail = await reader.session(key);
  if (detail === undefined) return undefined;
  const fromUnixNs = BigInt(detail.zeroUnixNs);
  const toUnixNs = fromUnixNs + BigInt(Math.max(1, Math.round(detail.durationNs)));
  const columnNs = widthOf({ fromUnixNs, toUnixNs }, columns);
  const pieces: LoadColumn[] = [];
  for (const { clock, ...process } of detail.processes) {
    const offsetNs = BigInt(Math.round(clock.offsetNs ?? 0));
    const found = await reader.loads({
      fromUnixNs: fromUnixNs + offsetNs,
      toUnixNs: toUnixNs + offsetNs + BEFORE_NS,
      columnNs,
    });
    for (const one of found) {
      const place = placeOfResource(one.resource);
      const isIts = place.service === process.service && place.instance === process.instance;
      if (isIts && !pieces.includes(one)) pieces.push(one);
    }
  }
  const range = { fromUnixNs, toUnixNs };
  return { ...answerOf(range, columnNs, columns), instances: byInstance(pieces), curves: [] };
}

const answerOf = (
  { fromUnixNs, toUnixNs }: UnixRange,
  columnNs: bigint,
  columns: number,
): Pick<Load, 'fromUnixNs' | 'toUnixNs' | 'columnNs' | 'columns'> => ({
  fromUnixNs: String(fromUnixNs),
  toUnixNs: String(toUnixNs),
  columnNs: Number(columnNs),
  columns,
});

function widthOf({ fromUnixNs, toUnixNs }: UnixRange, columns: number): bigint {
  const width = (toUnixNs - fromUnixNs + BigInt(columns) - 1n) / BigInt(columns);
  return width < COLUMN_NS_MIN ? COLUMN_NS_MIN : width;
}

export interface InstanceLoads {
  /** The part of the range asked for in which there is anything. */
  readonly range: UnixRange;
  readonly columnNs: bigint;
  readonly instances: InstanceLoad[];
}

/** A day of which only the last minutes were busy is shown by those minutes: seconds, not quarters of an hour. */
export async function instanceLoads(
  reader: StoreReader,
  asked: UnixRange,
  columns: number,
): Promise<InstanceLoads> {
  let range = asked;
  for (let step = 0; ; step++) {
    const columnNs = widthOf(range, columns);
    const found = await reader.loads({ ...range, columnNs });
    const numbers = found.map(one => one.column);
    const first = numbers.reduce((least, one) => Math.min(least, one), Infinity);
    const last = numbers.reduce((most, one) => Math.max(most, one), -Infinity);
    const isTight = (last - first + 1) * TIGHT > columns || columnNs <= COLUMN_NS_MIN;
    if (found.length === 0 || isTight || step === STEPS_MAX)
      return { range, columnNs, instances: byInstance(found) };
    range = {
      fromUnixNs: range.fromUnixNs + BigInt(first) * columnNs,
      toUnixNs: range.fromUnixNs + BigInt(last + 1) * columnNs,
    };
  }
}

/** Columns with something in them: at least this share of all. */
const TIGHT = 2;
const STEPS_MAX = 4;

/** Busiest first: by how late its event loop was, then by calls. */
export function byInstance(pieces: readonly LoadColumn[]): InstanceLoad[] {
  const groups = new Map<string, { place: PlaceName; columns: Map<number, LoadColumn> }>();
  for (const piece of pieces) {
    const place = placeOfResource(piece.resource);
    const key = JSON.stringify(place);
    const group = groups.get(key) ?? { place, columns: new Map<number, LoadColumn>() };
    groups.set(key, group);
    const before = group.columns.get(piece.column);
    group.columns.set(piece.column, before === undefined ? piece : joined(before, piece));
  }
  return [...groups.values()]
    .map(({ place, columns }) => instanceLoad(place, [...columns.values()]))
    .toSorted(
      (a, b) => (b.lagMaxNs ?? 0) - (a.lagMaxNs ?? 0) || (b.callsMost ?? 0) - (a.callsMost ?? 0),
    );
}

const most = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b);

/** Pieces of one instance in one column: of two volumes, or of two processes that share its name. */
const joined = (a: LoadColumn, b: LoadColumn): LoadColumn => ({
  ...a,
  samples: a.samples + b.samples,
  calls: most(a.calls, b.calls),
  lagMaxNs: most(a.lagMaxNs, b.lagMaxNs),
  lagMeanNs: most(a.lagMeanNs, b.lagMeanNs),
  busy: most(a.busy, b.busy),
  cpu: most(a.cpu, b.cpu),
  rssBytes: most(a.rssBytes, b.rssBytes),
  waiting: Object.keys(a.waiting).length > 0 ? a.waiting : b.waiting,
});

function instanceLoad(place: PlaceName, all: readonly LoadColumn[]): InstanceLoad {
  const columns = all.toSorted((a, b) => a.column - b.column);
  const depth = ({ waiting }: LoadColumn): number | null => {
    const depths = Object.values(waiting);
    return depths.length === 0 ? null : Math.max(...depths);
  };
  const deepest = columns.reduce<LoadColumn | undefined>(
    (deep, one) =>
      (depth(one) ?? -1) > (deep === undefined ? -1 : (depth(deep) ?? -1)) ? one : deep,
    undefined,
  );
  const queue = Object.entries(deepest?.waiting ?? {}).toSorted((a, b) => b[1] - a[1])[0]?.[0];
  const mostOf = (of: (one: LoadColumn) => number | null): number | null =>
    columns.reduce<number | null>((so, one) => most(so, of(one)), null);
  return {
    place,
    callsMost: mostOf(one => one.calls),
    lagMaxNs: mostOf(one => one.lagMaxNs),
    cpuMost: mostOf(one => one.cpu),
    column: columns.map(one => one.column),
    calls: columns.map(one => one.calls),
    lagNs: columns.map(one => one.lagMaxNs),
    cpu: columns.map(one => one.cpu),
    rssBytes: columns.map(one => one.rssBytes),
    waiting: columns.map(depth),
    queue: queue ?? null,
    stalledColumns: columns.filter(one => (one.lagMaxNs ?? 0) >= STALL_NS).length,
  };
}
