// How busy the instances were, beneath the heatmap and over the same time: a row a
// quantity, the most of all instances in each column of time. Pure.
//
//   cells   ░░▒▒▓▓▓▒░░
//   calls   ▂▂▃▅██▅▃▂▂     a service's instances added up, the busiest service
//   late    ▁▁▁▁▆█▂▁▁▁     the latest event loop of any
//
// A load has columns of its own, a second each at least: they are placed by time.

import type { InstanceLoad, Load } from '@framescope/protocol';
import { roundAbove } from './lines.ts';

export interface LoadBar {
  /** Share of the map's time, 0 to 1. */
  readonly from: number;
  readonly to: number;
  readonly value: number;
  /** Whose value it is: an instance, or of calls a service. */
  readonly who: string;
}

export interface LoadRow {
  readonly name: 'calls' | 'late' | 'CPU' | 'queue';
  readonly bars: readonly LoadBar[];
  /** At the top of the row: a round value above all there is. */
  readonly most: number;
  /** From here on it is drawn as something bad. */
  readonly badFrom: number;
}

/** What of a map's time is covered: both in Unix ns. */
export interface MapTime {
  readonly fromUnixNs: string;
  readonly toUnixNs: string;
}

interface Told {
  readonly value: number;
  readonly who: string;
}

/** Rows that have something to show; none where nobody told of a load. */
export function loadRows(load: Load | undefined, map: MapTime): LoadRow[] {
  if (load === undefined || load.instances.length === 0) return [];
  const row = (
    name: LoadRow['name'],
    columns: ReadonlyMap<number, Told>,
    least: number,
    badFrom: number,
  ): LoadRow[] => {
    const bars = barsOf(columns, load, map);
    const most = bars.reduce((max, bar) => Math.max(max, bar.value), 0);
    if (bars.length === 0 || (name === 'queue' && most === 0)) return [];
    return [{ name, bars, most: Math.max(least, roundAbove(most)), badFrom }];
  };
  const mostOf = (of: (one: InstanceLoad) => readonly (number | null)[]): Map<number, Told> =>
    highest(load.instances, of);
  return [
    ...row('calls', callsOf(load.instances), 1, Infinity),
    ...row(
      'late',
      mostOf(one => one.lagNs),
      20e6,
      100e6,
    ),
    ...row(
      'CPU',
      mostOf(one => one.cpu),
      0.1,
      0.9,
    ),
    ...row(
      'queue',
      mostOf(one => one.waiting),
      1,
      3,
    ),
  ];
}

const nameOf = ({ place }: InstanceLoad): string =>
  `${place.service} ${place.instance ?? place.host ?? ''}`.trim();

function highest(
  instances: readonly InstanceLoad[],
  of: (one: InstanceLoad) => readonly (number | null)[],
): Map<number, Told> {
  const columns = new Map<number, Told>();
  for (const one of instances)
    for (const [i, column] of one.column.entries()) {
      const value = of(one)[i] ?? null;
      if (value === null || value <= (columns.get(column)?.value ?? -1)) continue;
      columns.set(column, { value, who: nameOf(one) });
    }
  return columns;
}

/** Each call passes each service once: so the instances of one are added, services are not. */
function callsOf(instances: readonly InstanceLoad[]): Map<number, Told> {
  const services = new Map<string, Map<number, number>>();
  for (const one of instances) {
    const sums = services.get(one.place.service) ?? new Map<number, number>();
    services.set(one.place.service, sums);
    for (const [i, column] of one.column.entries()) {
      const value = one.calls[i] ?? null;
      if (value !== null) sums.set(column, (sums.get(column) ?? 0) + value);
    }
  }
  const columns = new Map<number, Told>();
  for (const [who, sums] of services)
    for (const [column, value] of sums)
      if (value > (columns.get(column)?.value ?? -1)) columns.set(column, { value, who });
  return columns;
}

function barsOf(columns: ReadonlyMap<number, Told>, load: Load, map: MapTime): LoadBar[] {
  const zero = BigInt(map.fromUnixNs);
  const spanNs = Number(BigInt(map.toUnixNs) - zero);
  const startNs = Number(BigInt(load.fromUnixNs) - zero);
  return [...columns].flatMap(([column, told]): LoadBar[] => {
    const from = (startNs + column * load.columnNs) / spanNs;
    const to = from + load.columnNs / spanNs;
    return to <= 0 || from >= 1 ? [] : [{ from: Math.max(0, from), to: Math.min(1, to), ...told }];
  });
}

/** The bar that holds a share of the time; of several the highest. */
export const barAt = ({ bars }: LoadRow, at: number): LoadBar | undefined =>
  bars
    .filter(bar => at >= bar.from && at < bar.to)
    .reduce<LoadBar | undefined>(
      (high, bar) => (high === undefined || bar.value > high.value ? bar : high),
      undefined,
    );
