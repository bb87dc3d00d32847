import { expect, test } from 'vitest';
import { CallCounts } from '../../src/metrics/call-counts.ts';
import { CallMetrics } from '../../src/metrics/call-metrics.ts';
import { expose } from '../../src/metrics/exposition.ts';
import type { DerivedRows } from '../../src/store/store.ts';
import { derivedOf, NOON_MINUTE, rollupOf, valueOf } from '../support/derived.ts';
import { NOON_NS } from '../support/spans.ts';

const MS = 1e6;
const EU = { region: 'eu', release: '2.5.0', customer: 'x' };

/** What /metrics shows after `rows`, told one after the other. */
function told(...rows: readonly DerivedRows[]): CallMetrics {
  const counts = new CallCounts(NOON_NS);
  const metrics = new CallMetrics();
  for (const one of rows) {
    counts.take(one);
    const report = counts.report();
    if (report) metrics.add(report);
  }
  return metrics;
}

const live = (change: Partial<DerivedRows>): DerivedRows => ({
  ...derivedOf({ key: 'k', status: 'live', attributes: EU }),
  ...change,
});

const lines = (metrics: CallMetrics, pattern: RegExp): string[] =>
  metrics
    .text(false)
    .split('\n')
    .filter(line => pattern.test(line));

test('a wait is in the buckets from its own upwards, once however often its turn is told again', () => {
  const first = live({ values: [valueOf('k', 1, { valueNs: 800 * MS })] });
  const again = live({
    values: [valueOf('k', 1, { valueNs: 801 * MS }), valueOf('k', 2, { valueNs: 2_500 * MS })],
  });
  const metrics = told(first, again);
  const labels = 'measure="voice_to_voice.client",region="eu",release="2.5.0"';
  expect(lines(metrics, /wait_seconds_bucket.*le="(0\.6|0\.8|2\.0|3\.0|\+Inf)"/)).toEqual([
    `framescope_wait_seconds_bucket{${labels},le="0.6"} 0`,
    `framescope_wait_seconds_bucket{${labels},le="0.8"} 1`,
    `framescope_wait_seconds_bucket{${labels},le="2.0"} 1`,
    `framescope_wait_seconds_bucket{${labels},le="3.0"} 2`,
    `framescope_wait_seconds_bucket{${labels},le="+Inf"} 2`,
  ]);
  expect(lines(metrics, /_(sum|count)\{/)).toEqual([
    `framescope_wait_seconds_sum{${labels}} 3.3`,
    `framescope_wait_seconds_count{${labels}} 2`,
  ]);
});

test('a wait that never ended is no latency: it counts as unanswered, by outcome', () => {
  const metrics = told(
    live({ values: [valueOf('k', 1, { isCensored: true, outcome: 'abandoned' })] }),
  );
  expect(lines(metrics, /^framescope/)).toEqual([
    'framescope_waits_unanswered_total{measure="voice_to_voice.client",outcome="abandoned",region="eu",release="2.5.0"} 1',
  ]);
});

test('calls of before the start are no news', () => {
  const old = valueOf('k', 1, { atUnixNs: NOON_NS - 61_000_000_000n });
  const justOld = valueOf('k', 2, { atUnixNs: NOON_NS - 60_000_000_000n });
  expect(lines(told(live({ values: [old] })), /count/)).toEqual([]);
  expect(lines(told(live({ values: [justOld] })), /count/).length).toBe(1);
});

test('a minute of frames counts when it is over, or the call is', () => {
  const minute = (n: number, values: number[]) => rollupOf('k', NOON_MINUTE + n, values);
  const growing = [
    live({ rollups: [minute(0, [20 * MS])] }),
    live({ rollups: [minute(0, [20 * MS, 30 * MS])] }),
  ];
  const count = (rows: readonly DerivedRows[]): string[] =>
    lines(told(...rows), /frame_age_seconds_count/).map(line => line.split(' ')[1]!);
  expect(count(growing)).toEqual([]);
  expect(count([...growing, live({ rollups: [minute(1, [20 * MS])] })])).toEqual(['2']);
  const ended = { ...live({}), session: derivedOf({ key: 'k', attributes: EU }).session };
  expect(count([...growing, ended])).toEqual(['2']);
});

test('slack, underruns, lead, gaps and pace are series of their own, by hop, and no ages', () => {
  const families = ['slack', 'underrun', 'lead', 'gap', 'rtf', 'oldest'];
  const of = (minute: number): DerivedRows =>
    live({
      rollups: families.map(family =>
        rollupOf('k', NOON_MINUTE + minute, [20 * MS, 40 * MS], {
          measure: `${family}.agent.client/receive`,
        }),
      ),
    });
  const metrics = told(of(0), of(1));
  expect(lines(metrics, /_count\{/).map(line => line.split('_count')[0])).toEqual([
    'framescope_frame_slack_seconds',
    'framescope_frame_underrun_seconds',
    'framescope_frame_lead_seconds',
    'framescope_chunk_gap_seconds',
    'framescope_chunk_pace_seconds',
    'framescope_frame_oldest_seconds',
  ]);
  expect(lines(metrics, /frame_slack_seconds_(sum|count)\{/)).toEqual([
    'framescope_frame_slack_seconds_sum{hop="agent.client/receive",region="eu",release="2.5.0"} 0.06',
    'framescope_frame_slack_seconds_count{hop="agent.client/receive",region="eu",release="2.5.0"} 2',
  ]);
  // Losses are of frames, and counted with their ages.
  expect(lines(metrics, /frames_(lost|late)|frame_age/)).toEqual([]);
});

test('slack below 0 lets no sum fall', () => {
  const minute = (n: number, ms: number): DerivedRows =>
    live({
      rollups: [
        rollupOf('k', NOON_MINUTE + n, [ms * MS], { measure: 'slack.agent.client/receive' }),
      ],
    });
  expect(
    lines(told(minute(0, 100), minute(1, -300), minute(2, 1)), /slack_seconds_(sum|count)/),
  ).toEqual([
    'framescope_frame_slack_seconds_sum{hop="agent.client/receive",region="eu",release="2.5.0"} 0.1',
    'framescope_frame_slack_seconds_count{hop="agent.client/receive",region="eu",release="2.5.0"} 2',
  ]);
});

test('classic buckets of frames are exact: their bounds are bounds of the sketch', () => {
  const bound = 2 ** (-16 / 4) * 1e9;
  const metrics = told(
    live({ rollups: [rollupOf('k', NOON_MINUTE, [bound, bound + 1])] }),
    live({ rollups: [rollupOf('k', NOON_MINUTE + 1, [1])] }),
  );
  expect(lines(metrics, /le="0\.0625"/).map(line => line.split(' ')[1])).toEqual(['1']);
});

test('OpenMetrics has exemplars that lead to the turn, units, counters by family, and an end', () => {
  const turns = [{ tick: 1, traceId: 'ab'.repeat(16) }] as unknown as DerivedRows['turns'];
  const metrics = told(
    live({ turns, values: [valueOf('k', 1, { valueNs: 900 * MS, isOverBudget: true })] }),
  );
  const health =
    '# HELP framescope_collector_spans_total Spans.\n# TYPE framescope_collector_spans_total counter\nframescope_collector_spans_total 3\n';
  const { type, body } = expose(
    'application/openmetrics-text; version=1.0.0,text/plain;q=0.5',
    metrics,
    health,
  );
  expect(type).toMatch(/^application\/openmetrics-text/);
  const text = String(body);
  expect(text).toContain(
    'le="1.0"} 1 # {session="k",tick="1",trace_id="abababababababababababababababab"} 0.9 1700049600.001\n',
  );
  expect(text).toContain(
    '# TYPE framescope_collector_spans counter\nframescope_collector_spans_total 3\n',
  );
  expect(text).toContain('# TYPE framescope_waits_over_budget counter\n');
  expect(text).toContain('# UNIT framescope_wait_seconds seconds\n');
  expect(text.endsWith('\n# EOF\n')).toBe(true);
});

/** Fields of a protobuf message: number → values, in order. */
function fieldsOf(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = bytes[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    let value: number | Uint8Array;
    if ((tag & 7) === 0) value = varint();
    else if ((tag & 7) === 1) {
      value = view.getFloat64(at, true);
      at += 8;
    } else {
      const size = varint();
      value = bytes.subarray(at, at + size);
      at += size;
    }
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

test('a native histogram holds each value in the bucket of its size, and health stands beside it', () => {
  const values = [100 * MS, 100 * MS, 101 * MS, 2_000 * MS, 0];
  const metrics = told(
    live({ values: values.map((valueNs, tick) => valueOf('k', tick, { valueNs })) }),
  );
  const accept =
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;q=0.1';
  const { body } = expose(
    accept,
    metrics,
    '# HELP up_now Up.\n# TYPE up_now gauge\nup_now{a="b"} 1\n',
  );
  const families: Uint8Array[] = [];
  for (let at = 0, rest = body as Buffer; at < rest.length;) {
    let [size, factor] = [0, 1];
    for (;;) {
      const byte = rest[at++]!;
      size += (byte & 127) * factor;
      factor *= 128;
      if (byte < 128) break;
    }
    families.push(rest.subarray(at, at + size));
    at += size;
  }
  expect(
    families.map(one => Buffer.from(fieldsOf(one).get(1)![0] as Uint8Array).toString()),
  ).toEqual(['framescope_wait_seconds', 'up_now']);
  const metric = fieldsOf(fieldsOf(families[0]!).get(4)![0] as Uint8Array);
  const histogram = fieldsOf(metric.get(7)![0] as Uint8Array);
  expect([histogram.get(1), unzigzag(histogram.get(5)![0] as number), histogram.get(7)]).toEqual([
    [5],
    5,
    [1],
  ]);
  const counts: string[] = [];
  const deltas = [...(histogram.get(13)![0] as Uint8Array)].map(unzigzag);
  let [index, count] = [0, 0];
  for (const span of histogram.get(12)!) {
    const [offset, length] = [1, 2].map(
      field => fieldsOf(span as Uint8Array).get(field)![0] as number,
    );
    index += unzigzag(offset!);
    for (let i = 0; i < length!; i++, index++) {
      count += deltas.shift()!;
      counts.push(`up to ${(2 ** (index / 32)).toFixed(3)} s: ${count}`);
    }
  }
  expect(counts).toEqual(['up to 0.101 s: 2', 'up to 0.103 s: 1', 'up to 2.000 s: 1']);
});
