// Waits of one measure added up by the engine, parts in columns, by groups of whole calls: what the
// attribution of a tail needs of ten million turns is some thousand rows.
//
// Of few calls each is a group of its own, in the order of their keys; of many a group is what a hash deals
// together. Resampling such groups gives the same bounds as resampling calls, to within 1 / sqrt(2 groups).

import type { WaitSums, WaitSumsAsked } from '../wait-sums.types.ts';
import { timeOf } from './chart-times.ts';
import type { Client } from './client.ts';
import { hourOf, PART_COLUMNS } from './wait-row.ts';

/** Bounds are good to 2.2 % with so many. */
const GROUPS = 1_024;

interface SumRow extends Readonly<Record<`p_${string}`, string>> {
  readonly g: string;
  readonly i: number;
  readonly n: string;
  readonly k: string;
  readonly least: string;
  readonly calls: string;
}

interface OtherRow {
  readonly g: string;
  readonly i: number;
  readonly part: string;
  readonly ns: string;
}

export async function waitSums(client: Client, asked: WaitSumsAsked): Promise<WaitSums> {
  const { measure, range, box } = asked;
  const from = `FROM ${client.table('framescope_wait')} AS w FINAL
    WHERE measure = {measure:String} AND hour >= {fromHour:UInt32} AND hour <= {toHour:UInt32}
      AND w.at >= {from:Int64} AND w.at < {to:Int64}`;
  const params = {
    measure,
    fromHour: hourIn(range.fromUnixNs),
    toHour: hourIn(range.toUnixNs),
    from: timeOf(range.fromUnixNs),
    to: timeOf(range.toUnixNs, true),
  };
  const bounds =
    box === undefined
      ? {
          minNs: (await slowest(client, { from, params }, asked.rankOfFirst)) - 0.5,
          maxNs: Infinity,
        }
      : { minNs: box.minNs ?? -Infinity, maxNs: box.maxNs ?? Infinity };
  const group = asked.sessionCount <= GROUPS ? 'session_key' : `toString(session_row % ${GROUPS})`;
  const isInside = `(value > {min:Float64} AND value <= {max:Float64}
    AND w.at >= {insideFrom:Int64} AND w.at < {insideTo:Int64})`;
  const all = {
    ...params,
    min: finite(bounds.minNs),
    max: finite(bounds.maxNs),
    insideFrom: timeOf(box?.fromUnixNs),
    insideTo: timeOf(box?.toUnixNs, true),
  };
  const [sums, others] = await Promise.all([
    client.rows<SumRow>(
      `SELECT ${group} AS g, ${isInside} AS i, count() AS n, sum(known) AS k, min(value) AS least,
         uniqExact(session_row) AS calls, ${PART_COLUMNS.map(name => `sum(p_${name}) AS p_${name}`).join(', ')}
       ${from} GROUP BY g, i ORDER BY g, i`,
      all,
    ),
    client.rows<OtherRow>(
      `SELECT ${group} AS g, ${isInside} AS i, part, sum(ns) AS ns
       ${from.replace('WHERE', 'ARRAY JOIN mapKeys(others) AS part, mapValues(others) AS ns WHERE')}
       GROUP BY g, i, part`,
      all,
    ),
  ]);
  return sumsOf(sums, others, bounds);
}

/** The value of the first that is inside; Infinity: there is none. */
async function slowest(
  client: Client,
  { from, params }: { readonly from: string; readonly params: Record<string, string | number> },
  rankOfFirst: WaitSumsAsked['rankOfFirst'],
): Promise<number> {
  const [counted] = await client.rows<{ n: string }>(`SELECT count() AS n ${from}`, params);
  const count = Number(counted?.n ?? 0);
  if (count === 0) return Infinity;
  // Between two ranks the engine takes the one below.
  const level = (rankOfFirst(count) - 0.5) / count;
  const [found] = await client.rows<{ ns: string }>(
    `SELECT quantileExact(${level})(value) AS ns ${from}`,
    params,
  );
  return Number(found!.ns);
}

function sumsOf(
  sums: readonly SumRow[],
  others: readonly OtherRow[],
  bounds: Pick<WaitSums, 'minNs' | 'maxNs'>,
): WaitSums {
  const groups = new Map<string, number>();
  for (const { g } of sums) if (!groups.has(g)) groups.set(g, groups.size);
  const names = [...new Set(others.map(one => one.part))].toSorted();
  const parts: readonly string[] = [...PART_COLUMNS, ...names];
  const byPlace = new Map(others.map(one => [`${one.g}\n${one.i}\n${one.part}`, Number(one.ns)]));
  const sideOf = (i: number): WaitSums['inside'] => {
    const own = sums.filter(row => row.i === i);
    return {
      turns: own.reduce((sum, row) => sum + Number(row.n), 0),
      sessions: own.reduce((sum, row) => sum + Number(row.calls), 0),
    };
  };
  return {
    ...bounds,
    fromValueNs: sums.reduce(
      (least, row) => (row.i === 1 ? Math.min(least, Number(row.least)) : least),
      Infinity,
    ),
    inside: sideOf(1),
    outside: sideOf(0),
    parts,
    groups: groups.size,
    rows: sums.map(row => ({
      group: groups.get(row.g)!,
      isInside: row.i === 1,
      known: Number(row.k),
      sumNs: [
        ...PART_COLUMNS.map(name => Number(row[`p_${name}`])),
        ...names.map(name => byPlace.get(`${row.g}\n${row.i}\n${name}`) ?? 0),
      ],
    })),
  };
}

/** As the engine reads infinities. */
const finite = (ns: number): number => Math.max(-1e300, Math.min(1e300, ns));

const hourIn = (unixNs: bigint): number =>
  Math.max(0, Math.min(2 ** 32 - 1, hourOf(unixNs < 0n ? 0n : unixNs)));
