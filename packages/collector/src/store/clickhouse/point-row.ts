// A histogram point of another program as a row and back.

import type { Attributes } from '@framescope/protocol';
import type { MetricPoint } from '../../decode/types.ts';
import type { StoredPoint } from '../store.ts';

/** What tells one point from another of its measure. */
export const pointId = ({ series, atUnixNs, startUnixNs }: MetricPoint): string =>
  `${series} ${atUnixNs} ${startUnixNs}`;

export const rowOfPoint = (point: MetricPoint): object => ({
  measure: point.measure,
  series: point.series,
  start: String(point.startUnixNs),
  at: String(point.atUnixNs),
  attributes: JSON.stringify(point.attributes),
  resource: JSON.stringify(point.resource),
  is_cumulative: point.isCumulative ? 1 : 0,
  count: point.count,
  sum: point.sumNs,
  min: point.minNs,
  max: point.maxNs,
  sketch: Buffer.from(point.sketch).toString('base64'),
  is_exact: point.isExact ? 1 : 0,
});

export const POINT_COLUMNS = `
  measure, series, toString(start) AS start, toString(at) AS at, attributes, resource, is_cumulative,
  toFloat64(count) AS count, sum, min, max, sketch, is_exact`;

export interface PointRow {
  readonly measure: string;
  readonly series: string;
  readonly start: string;
  readonly at: string;
  readonly attributes: string;
  readonly resource: string;
  readonly is_cumulative: number;
  readonly count: number;
  readonly sum: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly sketch: string;
  readonly is_exact: number;
}

export const pointOfRow = (row: PointRow): StoredPoint => ({
  measure: row.measure,
  series: row.series,
  attributes: JSON.parse(row.attributes) as Attributes,
  resource: JSON.parse(row.resource) as Attributes,
  startUnixNs: BigInt(row.start),
  atUnixNs: BigInt(row.at),
  isCumulative: row.is_cumulative === 1,
  count: row.count,
  sumNs: row.sum,
  minNs: row.min,
  maxNs: row.max,
  sketch: Uint8Array.from(Buffer.from(row.sketch, 'base64')),
  isExact: row.is_exact === 1,
});
