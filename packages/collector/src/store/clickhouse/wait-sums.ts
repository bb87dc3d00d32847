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
  const { count, others: otherCount } = await counted(client, { from, params });
  const bounds =
    box === undefined
      ? {
          minNs:
            (await ofRank(client, { from, params }, { rank: asked.rankOfFirst(count), count })) -
            0.5,
          maxNs: Infinity,
        }
      : { minNs: box.minNs ?? -Infinity, maxNs: box.maxNs ?? Infinity };
  const within = [
    ['value >= {least:Int64}', bounds.minNs > -Infinity],
    ['value <= {most:Int64}', bounds.maxNs < Infinity],
    ['w.at >= {insideFrom:Int64}', box?.fromUnixNs !== undefined],
    ['w.at < {insideTo:Int64}', box?.toUnixNs !== undefined],
  ] as const;
  const isInside =
    within.flatMap(([text, isAsked]) => (isAsked ? [text] : [])).join(' AND ') || '1';
  // A key of 16 bits is a place in an array: the engine hashes nothing.
  const key =
    asked.sessionCount <= GROUPS
      ? `session_key AS g, toUInt8(${isInside}) AS i`
      : `toUInt16(bitAnd(session_row, ${GROUPS - 1}) * 2 + (${isInside})) AS g, 0 AS i`;
  const by = asked.sessionCount <= GROUPS ? 'g, i' : 'g';
  // Of many calls those inside only: to tell ten million turns apart by call costs as much as to add them up.
  const calls =
    asked.sessionCount <= GROUPS
      ? 'uniqExact(session_row)'
      : `uniqExactIf(session_row, ${isInside})`;
  const all = {
    ...params,
    // Whole numbers: above 4.5 is from 5 on.
    least: whole(Math.floor(bounds.minNs) + 1),
    most: whole(Math.floor(bounds.maxNs)),
    insideFrom: timeOf(box?.fromUnixNs),
    insideTo: timeOf(box?.toUnixNs, true),
  };
  const sums = await client.rows<SumRow>(
    `SELECT ${key}, count() AS n, sum(known) AS k, min(value) AS least,
       ${calls} AS calls, ${PART_COLUMNS.map(name => `sum(p_${name}) AS p_${name}`).join(', ')}
     ${from} GROUP BY ${by} ORDER BY ${by}`,
    all,
  );
  const others =
    otherCount === 0
      ? []
      : await client.rows<OtherRow>(
          `SELECT ${key}, part, sum(ns) AS ns
           ${from.replace('WHERE', 'ARRAY JOIN mapKeys(others) AS part, mapValues(others) AS ns WHERE')}
           GROUP BY ${by}, part`,
          all,
        );
  if (asked.sessionCount <= GROUPS) return sumsOf(sums, others, bounds);
  const told = sumsOf(sums.map(unfolded), others.map(unfolded), bounds);
  return { ...told, outside: { ...told.outside, sessions: asked.sessionCount } };
}

interface Scan {
  readonly from: string;
  readonly params: Record<string, string | number>;
}

/** How many waits there are, and how many of them have parts of other names. */
async function counted(
  client: Client,
  { from, params }: Scan,
): Promise<{ count: number; others: number }> {
  const [row] = await client.rows<{ n: string; o: string }>(
    `SELECT count() AS n, countIf(notEmpty(others)) AS o ${from}`,
    params,
  );
  return { count: Number(row?.n ?? 0), others: Number(row?.o ?? 0) };
}

/** Infinity: there is none. */
async function ofRank(
  client: Client,
  { from, params }: Scan,
  { rank, count }: { readonly rank: number; readonly count: number },
): Promise<number> {
  if (count === 0) return Infinity;
  // Between two ranks the engine takes the one below.
  const [found] = await client.rows<{ ns: string }>(
    `SELECT quantileExact(${(rank - 0.5) / count})(value) AS ns ${from}`,
    params,
  );
  return Number(found!.ns);
}

/** A key of many calls is twice the group, and one where inside. */
const unfolded = <T extends { readonly g: string }>(row: T): T => ({
  ...row,
  g: String(Number(row.g) >> 1),
  i: Number(row.g) & 1,
});

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

/** As a parameter; beyond what lengths can be where there is no bound. */
const whole = (ns: number): string => timeOf(BigInt(Math.max(-9e18, Math.min(9e18, ns))));

const hourIn = (unixNs: bigint): number =>
  Math.max(0, Math.min(2 ** 32 - 1, hourOf(unixNs < 0n ? 0n : unixNs)));
