// How busy a process was, as a row and back in columns of time.

import type { Attributes } from '@framescope/protocol';
import type { DecodedLoad } from '../../decode/types.ts';
import type { LoadColumn, LoadScan } from '../store.ts';
import type { Client } from './client.ts';

interface Source {
  readonly producer: string;
  readonly domain: string;
  readonly resource: Attributes;
}

/** Twice is harmless: the row of one process and time counts once. */
export function rowOfLoad(load: DecodedLoad): object {
  const { producer, domain, resource, figures, startUnixNs, endUnixNs } = load;
  const source: Source = { producer, domain, resource: resource.attributes };
  const { calls, lagMaxNs, lagMeanNs, busy, cpu, rssBytes, waiting } = figures;
  const lengthNs = endUnixNs > startUnixNs ? endUnixNs - startUnixNs : 0n;
  return {
    source: JSON.stringify(source),
    at: String(endUnixNs),
    length: String(lengthNs),
    calls: calls ?? null,
    lag_max: lagMaxNs ?? null,
    lag_mean: lagMeanNs ?? null,
    // Thousandths, whole: a mean of them is the same in whatever order they are added up.
    busy: busy === undefined ? null : Math.round(busy * 1_000),
    cpu: cpu === undefined ? null : Math.round(cpu * 1_000),
    rss: rssBytes ?? null,
    waiting_most: waiting === undefined ? 0 : Math.max(0, ...Object.values(waiting)),
    waiting: waiting === undefined ? '' : JSON.stringify(waiting),
  };
}

interface Row {
  readonly source: string;
  readonly column: string;
  readonly samples: number;
  readonly callsMost: number | null;
  readonly lagMost: number | null;
  readonly lagMean: number | null;
  readonly busyMean: number | null;
  readonly cpuMean: number | null;
  readonly rssMost: number | null;
  readonly deepest: string;
}

/** One entry a process and column that has samples, by process and then time. */
export async function loadsIn(
  client: Client,
  { fromUnixNs, toUnixNs, columnNs }: LoadScan,
): Promise<LoadColumn[]> {
  const rows = await client.rows<Row>(
    `SELECT source, toString(intDiv(l.at - {from:Int64}, {column:Int64})) AS column,
       toUInt32(count()) AS samples, max(calls) AS callsMost, max(lag_max) AS lagMost,
       avg(lag_mean) AS lagMean, avg(busy) AS busyMean, avg(cpu) AS cpuMean, max(rss) AS rssMost,
       argMax(waiting, (waiting != '', waiting_most, waiting)) AS deepest
     FROM ${client.table('framescope_load')} AS l FINAL
     WHERE l.at >= {from:Int64} AND l.at < {to:Int64}
     GROUP BY source, column ORDER BY source, toInt64(column)`,
    { from: String(fromUnixNs), to: String(toUnixNs), column: String(columnNs) },
  );
  return rows.map(row => ({
    ...(JSON.parse(row.source) as Source),
    column: Number(row.column),
    samples: row.samples,
    calls: row.callsMost,
    lagMaxNs: row.lagMost,
    lagMeanNs: row.lagMean,
    busy: row.busyMean === null ? null : row.busyMean / 1_000,
    cpu: row.cpuMean === null ? null : row.cpuMean / 1_000,
    rssBytes: row.rssMost,
    waiting: row.deepest === '' ? {} : (JSON.parse(row.deepest) as Record<string, number>),
  }));
}
