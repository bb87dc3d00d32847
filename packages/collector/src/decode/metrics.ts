// OTLP metrics → points of histograms of time. Everything else (gauges, sums,
// summaries, histograms of bytes or tokens) is taken and counted by kind: it is
// no latency, and no page of ours would show it.
//
// A point becomes a sketch of our own buckets. Exponential buckets in seconds
// at our scale or finer fall into ours whole. Others are put at their upper
// bound, which never understates, and are marked as not exact.

import {
  bucketUpperNs,
  encodeUtf8,
  murmur3x128,
  NS_PER_S,
  Sketch,
  SKETCH_SCALE,
  toHex,
  type Attributes,
} from '@framescope/protocol';
import {
  attributesOf,
  doubleOf,
  frameList,
  listOf,
  objectOf,
  textOf,
  wholeOf,
  type JsonObject,
} from './any-value.ts';
import type { Encoding } from './decode.ts';
import { SPANS_PER_REQUEST_MAX, UNIX_NS_MAX } from './limits.ts';
import { BodyProblem, SpanProblem } from './problem.ts';
import { readRequest } from './read-request.ts';
import type { DecodedRequest, MetricPoint, Refusal } from './types.ts';

/** Units of UCUM that are of time, and their ns. OpenTelemetry's own is seconds. */
const UNIT_NS: Readonly<Record<string, number>> = {
  s: NS_PER_S,
  ms: 1e6,
  us: 1e3,
  µs: 1e3,
  ns: 1,
  min: 60 * NS_PER_S,
};

const KINDS = ['gauge', 'sum', 'summary', 'histogram', 'exponentialHistogram'] as const;
type Kind = (typeof KINDS)[number];

/** OTLP's numbers. */
const DELTA = 1;
const CUMULATIVE = 2;

/** OTLP allows 160 a side; explicit ones have a dozen. */
const BUCKETS_MAX = 10_000;

interface Source {
  readonly metric: string;
  readonly unitNs: number;
  readonly isCumulative: boolean;
  readonly scope: string;
  readonly resource: Attributes;
}

/** @throws {BodyProblem | WireProblem | SpanProblem} when the body cannot be read as a whole. */
export function readMetrics(bytes: Uint8Array, encoding: Encoding): DecodedRequest {
  const body = readRequest(bytes, encoding, 'metrics');
  const draft = new Draft();
  for (const [i, resourceMetrics] of frameList(body, 'resourceMetrics', '').entries()) {
    const at = `resourceMetrics[${i}]`;
    const resource = attributesOf(
      objectOf(resourceMetrics['resource'] ?? {}, `${at}.resource`)['attributes'],
      `${at}.resource.attributes`,
    );
    for (const [j, scopeMetrics] of frameList(resourceMetrics, 'scopeMetrics', at).entries()) {
      const within = `${at}.scopeMetrics[${j}]`;
      const scope = objectOf(scopeMetrics['scope'] ?? {}, `${within}.scope`);
      const name = textOf(scope['name'], `${within}.scope.name`);
      for (const [k, metric] of frameList(scopeMetrics, 'metrics', within).entries())
        draft.metric(metric, `${within}.metrics[${k}]`, { scope: name, resource });
    }
  }
  return draft.finish();
}

class Draft {
  readonly #points: MetricPoint[] = [];
  readonly #refused: Refusal[] = [];
  readonly #ignored: Record<string, number> = {};
  #count = 0;

  metric(json: JsonObject, path: string, of: { scope: string; resource: Attributes }): void {
    const kind = KINDS.find(one => json[one] != null);
    if (kind === undefined) return;
    const data = objectOf(json[kind], `${path}.${kind}`);
    const points = frameList(data, 'dataPoints', `${path}.${kind}`);
    this.#count += points.length;
    if (this.#count > SPANS_PER_REQUEST_MAX)
      throw new BodyProblem(path, `more than ${SPANS_PER_REQUEST_MAX} points; send less at a time`);
    const unitNs = UNIT_NS[textOf(json['unit'], `${path}.unit`)];
    const isTime =
      unitNs !== undefined && (kind === 'histogram' || kind === 'exponentialHistogram');
    if (!isTime) {
      const word = unitNs === undefined && kind.endsWith('istogram') ? 'other_unit' : kind;
      this.#ignored[`metric_${word}`] = (this.#ignored[`metric_${word}`] ?? 0) + points.length;
      return;
    }
    const temporality = Number(wholeOf(data['aggregationTemporality'], `${path}.${kind}`));
    const metric = textOf(json['name'], `${path}.name`);
    const source = { ...of, metric, unitNs, isCumulative: temporality === CUMULATIVE };
    for (const [i, point] of points.entries())
      this.#add(`${path}.${kind}.dataPoints[${i}]`, () => {
        if (temporality !== DELTA && temporality !== CUMULATIVE)
          throw new SpanProblem('aggregationTemporality', 'temporality', 'expected 1 or 2');
        return pointOf(point, kind, source);
      });
  }

  #add(path: string, read: () => MetricPoint): void {
    try {
      this.#points.push(read());
    } catch (problem) {
      if (!(problem instanceof SpanProblem)) throw problem;
      const { reason, message } = problem;
      this.#refused.push({ path: `${path}.${problem.path}`, problem: message, reason });
    }
  }

  finish(): DecodedRequest {
    const ignored = this.#ignored;
    return {
      spans: [],
      flushes: [],
      refused: this.#refused,
      points: this.#points,
      ...(Object.keys(ignored).length > 0 && { ignored }),
    };
  }
}

function pointOf(json: JsonObject, kind: Kind, source: Source): MetricPoint {
  const attributes = attributesOf(json['attributes'], 'attributes');
  const { sketch, isExact } =
    kind === 'histogram' ? explicit(json, source) : exponential(json, source);
  const count = Number(wholeOf(json['count'], 'count'));
  if (sketch.count !== count)
    throw new SpanProblem('count', 'count', `says ${count}, the buckets hold ${sketch.count}`);
  const identity = [source.metric, source.unitNs, source.scope, source.resource, attributes];
  const atUnixNs = wholeOf(json['timeUnixNano'], 'timeUnixNano');
  if (atUnixNs <= 0n || atUnixNs > UNIX_NS_MAX)
    throw new SpanProblem('timeUnixNano', 'time', `${atUnixNs} is no Unix time in ns`);
  const startUnixNs = wholeOf(json['startTimeUnixNano'], 'startTimeUnixNano');
  return {
    measure: `metric.${source.metric}`,
    series: toHex(murmur3x128(encodeUtf8(JSON.stringify(identity))).subarray(0, 8)),
    attributes,
    resource: source.resource,
    startUnixNs: startUnixNs < 0n || startUnixNs > atUnixNs ? atUnixNs : startUnixNs,
    atUnixNs,
    isCumulative: source.isCumulative,
    count,
    sumNs: nsOf(json, 'sum', source),
    minNs: nsOf(json, 'min', source),
    maxNs: nsOf(json, 'max', source),
    sketch: sketch.toBytes(),
    isExact,
  };
}

function nsOf(json: JsonObject, field: 'sum' | 'min' | 'max', source: Source): number | null {
  if (json[field] == null) return null;
  const value = doubleOf(json[field], field) * source.unitNs;
  return Number.isFinite(value) ? value : null;
}

interface Sketched {
  readonly sketch: Sketch;
  readonly isExact: boolean;
}

/** Bucket i holds what is above bound i − 1, up to and including bound i; the last has no bound. */
function explicit(json: JsonObject, source: Source): Sketched {
  const counts = numbers(json['bucketCounts'], 'bucketCounts');
  const bounds = listOf(json['explicitBounds'], 'explicitBounds').map(
    (one, i) => doubleOf(one, `explicitBounds[${i}]`) * source.unitNs,
  );
  if (counts.length > 0 && counts.length !== bounds.length + 1)
    throw new SpanProblem(
      'bucketCounts',
      'buckets',
      `${counts.length} counts for ${bounds.length} bounds: expected one more`,
    );
  const maxNs = nsOf(json, 'max', source);
  const sketch = new Sketch();
  for (const [i, count] of counts.entries()) {
    const bound = bounds[i] ?? Math.max(maxNs ?? 0, bounds.at(-1) ?? 0);
    // The slowest value is known better than its bucket's bound.
    if (count > 0) sketch.add(maxNs === null ? bound : Math.min(bound, maxNs), count);
  }
  return { sketch, isExact: false };
}

function exponential(json: JsonObject, source: Source): Sketched {
  const scale = Number(wholeOf(json['scale'], 'scale'));
  if (scale < -10 || scale > 20) throw new SpanProblem('scale', 'scale', `${scale}: not -10 to 20`);
  const isOurs = source.unitNs === NS_PER_S && scale >= SKETCH_SCALE;
  const sketch = new Sketch();
  const zero = Number(wholeOf(json['zeroCount'], 'zeroCount'));
  if (zero > 0) sketch.add(0, zero);
  eachBucket(json['negative'], 'negative', (_index, count) => sketch.add(0, count));
  eachBucket(json['positive'], 'positive', (index, count) =>
    sketch.add(isOurs ? inOurs(index, scale) : upperNs(index, scale, source.unitNs), count),
  );
  return { sketch, isExact: isOurs };
}

/** A value inside our bucket that holds the whole of this one, away from both its ends. */
const inOurs = (index: number, scale: number): number =>
  bucketUpperNs(Math.floor(index / 2 ** (scale - SKETCH_SCALE)) - 0.5);

const upperNs = (index: number, scale: number, unitNs: number): number =>
  2 ** ((index + 1) / 2 ** scale) * unitNs;

function eachBucket(
  json: unknown,
  path: string,
  visit: (index: number, count: number) => void,
): void {
  if (json == null) return;
  const buckets = objectOf(json, path);
  const offset = Number(wholeOf(buckets['offset'], `${path}.offset`));
  for (const [i, count] of numbers(buckets['bucketCounts'], `${path}.bucketCounts`).entries())
    if (count > 0) visit(offset + i, count);
}

function numbers(json: unknown, path: string): number[] {
  const items = listOf(json, path);
  if (items.length > BUCKETS_MAX)
    throw new SpanProblem(path, 'buckets', `${items.length} buckets; at most ${BUCKETS_MAX}`);
  return items.map((one, i) => {
    const count = Number(wholeOf(one, `${path}[${i}]`));
    if (count < 0) throw new SpanProblem(`${path}[${i}]`, 'buckets', 'a count below 0');
    return count;
  });
}
