// Prometheus' protobuf exposition: the calls' sketches as native histograms, which lose nothing.
//
//   MetricFamily   1 name, 2 help, 3 type (4 histogram), 4 metric; each preceded by its length
//   Metric         1 label {1 name, 2 value}, 7 histogram
//   Histogram      1 count, 2 sum, 3 bucket {1 cumulative count, 2 upper bound, 3 exemplar},
//                  5 schema (sint32), 6 zero threshold, 7 zero count,
//                  12 positive span {1 offset sint32, 2 length}, 13 positive delta (sint64)
//
// Bucket i of a native histogram of schema 5 is (2^((i−1)/32), 2^(i/32)] s: ours plus one.

import { SKETCH_SCALE, SKETCH_ZERO_NS } from '@framescope/protocol';
import type { ExemplarValue } from './buckets.ts';
import { classicBuckets, type CallMetrics, type Family, type Histogram } from './call-metrics.ts';

export const NATIVE_TYPE =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

const HISTOGRAM = 4;

/** `health`: families of counters and gauges in Prometheus text, as health and forwarding write it. */
export function nativeFamilies(metrics: CallMetrics, health: string): Buffer {
  const families = [
    ...[...metrics.families()].map(([name, family]) => familyOf(name, family)),
    ...textFamilies(health),
  ];
  return Buffer.concat(families.flatMap(family => [varint(family.length), family]));
}

const TYPES: Readonly<Record<string, { readonly type: number; readonly field: number }>> = {
  counter: { type: 0, field: 3 },
  gauge: { type: 1, field: 2 },
};
const SAMPLE = /^(\w+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Text that we wrote ourselves, a line at a time. */
function textFamilies(exposition: string): Buffer[] {
  const families: Buffer[] = [];
  for (const part of exposition.split(/^# HELP /m).slice(1)) {
    const [help = '', type = '', ...samples] = part.split('\n');
    const name = help.slice(0, help.indexOf(' '));
    const known = TYPES[type.split(' ').at(-1)!];
    if (known === undefined) continue;
    const metrics = samples.flatMap(line => sampleOf(line, known.field));
    if (metrics.length === 0) continue;
    families.push(
      Buffer.concat([
        text(1, name),
        text(2, help.slice(name.length + 1)),
        number(3, known.type),
        ...metrics.map(one => message(4, one)),
      ]),
    );
  }
  return families;
}

function sampleOf(line: string, field: number): Buffer[] {
  const found = SAMPLE.exec(line);
  if (found === null) return [];
  const labels = [...(found[2] ?? '').matchAll(LABEL)].map(([, name, value]) =>
    message(1, Buffer.concat([text(1, name!), text(2, value!.replaceAll(/\\(.)/g, '$1'))])),
  );
  return [Buffer.concat([...labels, message(field, double(1, Number(found[3])))])];
}

const familyOf = (name: string, { help, histograms }: Family): Buffer =>
  Buffer.concat([
    text(1, name),
    text(2, help),
    number(3, HISTOGRAM),
    ...[...histograms.values()].map(one => message(4, metricOf(one))),
  ]);

const metricOf = (histogram: Histogram): Buffer =>
  Buffer.concat([
    ...Object.entries(histogram.labels).map(([name, value]) =>
      message(1, Buffer.concat([text(1, name), text(2, value)])),
    ),
    message(7, histogramOf(histogram)),
  ]);

function histogramOf(histogram: Histogram): Buffer {
  const { bounds, counts } = classicBuckets(histogram);
  const { exemplar } = histogram;
  const place =
    exemplar === undefined ? -1 : bounds.findIndex(bound => exemplar.valueNs <= bound * 1e9);
  return Buffer.concat([
    number(1, histogram.count),
    double(2, histogram.sumNs / 1e9),
    ...bounds.map((bound, i) =>
      message(
        3,
        Buffer.concat([
          number(1, counts[i]!),
          double(2, bound),
          ...(i === place ? [message(3, exemplarOf(exemplar!))] : []),
        ]),
      ),
    ),
    signed(5, SKETCH_SCALE),
    double(6, SKETCH_ZERO_NS / 1e9),
    number(7, histogram.zeroCount),
    ...spansOf(histogram.buckets),
  ]);
}

function exemplarOf({ labels, valueNs, atUnixNs }: ExemplarValue): Buffer {
  const seconds = atUnixNs / 1_000_000_000n;
  return Buffer.concat([
    ...Object.entries(labels).map(([name, value]) =>
      message(1, Buffer.concat([text(1, name), text(2, value)])),
    ),
    double(2, valueNs / 1e9),
    message(
      3,
      Buffer.concat([number(1, Number(seconds)), number(2, Number(atUnixNs % 1_000_000_000n))]),
    ),
  ]);
}

/** Runs of neighbouring buckets, and the counts as differences from the one before. */
function spansOf(buckets: ReadonlyMap<number, number>): Buffer[] {
  const sorted = [...buckets].toSorted((a, b) => a[0] - b[0]);
  const spans: { offset: number; length: number }[] = [];
  const deltas: Buffer[] = [];
  let next: number | undefined;
  let before = 0;
  for (const [index, count] of sorted) {
    if (index === next) spans.at(-1)!.length++;
    // The first offset counts from bucket 0, the others from the end of the span before.
    else spans.push({ offset: next === undefined ? index + 1 : index - next, length: 1 });
    next = index + 1;
    deltas.push(zigzag(count - before));
    before = count;
  }
  const bytes = Buffer.concat(deltas);
  return [
    ...spans.map(({ offset, length }) =>
      message(12, Buffer.concat([signed(1, offset), number(2, length)])),
    ),
    ...(bytes.length === 0 ? [] : [message(13, bytes)]),
  ];
}

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH = 2;

const tag = (field: number, type: number): Buffer => varint((field << 3) | type);

const number = (field: number, value: number): Buffer =>
  Buffer.concat([tag(field, VARINT), varint(value)]);

const signed = (field: number, value: number): Buffer =>
  Buffer.concat([tag(field, VARINT), zigzag(value)]);

const zigzag = (value: number): Buffer => varint(value < 0 ? -2 * value - 1 : 2 * value);

const message = (field: number, body: Buffer): Buffer =>
  Buffer.concat([tag(field, LENGTH), varint(body.length), body]);

const text = (field: number, value: string): Buffer => message(field, Buffer.from(value));

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(field, FIXED_64), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
