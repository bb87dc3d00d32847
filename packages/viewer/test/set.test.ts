// What people set, as the pages hold it: budgets, marks; and the collector's own counts.

import type { Annotation, Heatmap } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { healthOf, readSamples } from '../src/data/health.ts';
import { layoutFrame } from '../src/layout/heatmap.ts';
import { beforeAndAfter, inRange } from '../src/state/annotations.ts';
import { inputOf, limitText, rowsOf, sourceText } from '../src/state/budget-edit.ts';
import { limitOf, parseLimit } from '../src/state/budgets.ts';
import { formatRoute, parseRoute } from '../src/state/route.ts';

const MS = 1e6;

test('a limit is read as people write it, and what is none is told', () => {
  const read = (text: string): number | undefined => {
    const ns = parseLimit(text);
    return ns === undefined ? undefined : ns / MS;
  };
  expect(['650', ' 650 ms', '1.2 s', '0,65s', '50 µs'].map(read)).toEqual([
    650, 650, 1_200, 650, 0.05,
  ]);
  expect(['', 'x', '-5', '1e3', '0.0005', '601 s', '5 min'].map(read)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('what is shown of a limit is read back as the same limit', () => {
  for (const ns of [1_000, 50_000, 650 * MS, 999_999_999, 1e9, 1.25e9, 600e9])
    expect(parseLimit(limitText(ns))).toBe(ns);
  expect(limitText(null)).toBe('');
});

test('a measure has its own limit, else that of its family', () => {
  const items = [
    { measure: 'voice_to_voice', limitNs: 800 },
    { measure: 'voice_to_voice.server', limitNs: 700 },
    { measure: 'frame', limitNs: null },
  ];
  expect(
    ['voice_to_voice.client', 'voice_to_voice.server', 'frame.a', 'part.tool'].map(one =>
      limitOf(items, one),
    ),
  ).toEqual([800, 700, null, null]);
});

test('only what differs from file and defaults is set in the page', () => {
  const rows = rowsOf([
    { measure: 'frame', limitNs: 300 * MS, source: 'default', otherwiseNs: 300 * MS },
    { measure: 'voice_to_voice', limitNs: 700 * MS, source: 'page', otherwiseNs: 800 * MS },
  ]);
  expect(inputOf(rows)).toEqual({
    ok: true,
    input: { items: [{ measure: 'voice_to_voice', limitNs: 700 * MS }] },
  });
  const back = rows.map(row => ({ ...row, text: row.measure === 'frame' ? '' : '800' }));
  expect(inputOf(back)).toEqual({
    ok: true,
    input: { items: [{ measure: 'frame', limitNs: null }] },
  });
  expect(inputOf([{ ...rows[0]!, text: 'soon' }])).toMatchObject({ ok: false, measure: 'frame' });
  expect(rows.map(sourceText)).toEqual(['default', 'set here; else 800 ms']);
});

const mark = (id: string, at: number, end: number | null = null): Annotation => ({
  id,
  atUnixNs: `${at}000000000`,
  endUnixNs: end === null ? null : `${end}000000000`,
  kind: 'deploy',
  text: id,
  attributes: {},
});

test('marks of a range are those that touch it, earliest first', () => {
  const all = [
    mark('late', 90),
    mark('in', 50),
    mark('edge', 40),
    mark('long', 10, 45),
    mark('gone', 10, 30),
  ];
  expect(inRange(all, '40000000000', '90000000000').map(one => one.id)).toEqual([
    'long',
    'edge',
    'in',
  ]);
});

test('a mark parts time into two sides of one length, an incident left out', () => {
  const rest = { measure: 'm', filter: 'f' };
  const sides = (one: Annotation, now: number): string => {
    const { a, b } = beforeAndAfter(one, BigInt(now) * 1_000_000_000n, rest);
    return [a.fromUnixNs, a.toUnixNs, b.fromUnixNs, b.toUnixNs]
      .map(ns => Number(ns) / 1e9)
      .join(' ');
  };
  expect(sides(mark('x', 1_000_000), 1_003_600)).toBe('996400 1000000 1000000 1003600');
  expect(sides(mark('x', 1_000_000, 1_000_600), 1_003_600)).toBe('997000 1000000 1000600 1003600');
  // Never more than a day; and in the future a day as well.
  expect(sides(mark('x', 1_000_000), 9_000_000)).toBe('913600 1000000 1000000 1086400');
  expect(sides(mark('x', 1_000_000), 10)).toBe('913600 1000000 1000000 1086400');
});

test('the collector page is an address', () => {
  expect(parseRoute('/collector', '')).toEqual({ page: 'collector' });
  expect(formatRoute({ page: 'collector' })).toBe('/collector');
  expect(parseRoute('/collector/x', '')).toEqual({ page: 'missing', path: '/collector/x' });
});

const METRICS = `# HELP framescope_collector_spans_total Spans stored.
framescope_collector_spans_total 41
framescope_collector_storing 1
framescope_collector_requests_total{status="200"} 9
framescope_collector_requests_total{status="429"} 3
framescope_collector_requests_total{status="UNAVAILABLE"} 2
framescope_collector_refused_spans_total{reason="record_crc"} 7
framescope_collector_refused_bodies_total{reason="too \\"large\\""} 0
framescope_collector_not_kept_total{kind="gauges"} 12
framescope_collector_broken nonsense
framescope_waits_total{measure="x"} 5
`;

test('what was refused and dropped is read off the metrics, largest first', () => {
  expect(healthOf(METRICS)).toMatchObject({
    isStoring: true,
    spans: 41,
    toldToWait: 5,
    losses: [
      { what: 'taken and not kept: gauges', count: 12 },
      { what: 'spans and records refused: record crc', count: 7 },
    ],
  });
  expect(healthOf(METRICS.replace('storing 1', 'storing 0')).isStoring).toBe(false);
  expect(readSamples(METRICS, 'framescope_collector_refused_bodies')[0]!.labels).toEqual({
    reason: 'too "large"',
  });
});

/** Columns as `over/n`. */
const burnOf = (picture: string, budgetNs: number | null = 800 * MS, heightPx = 600) => {
  const columns = picture.split(' ').map(one => one.split('/').map(Number));
  const map = {
    measure: { kind: 'wait', budgetNs },
    columns: columns.length,
    neverAnswered: [],
    lost: [],
    overflow: [],
    overBudget: columns.map(([over]) => over),
    quantiles: columns.map(([, n]) => ({ n })),
  };
  return layoutFrame(map as unknown as Heatmap, 900, heightPx);
};

test('the share over budget stands beneath the cells, its top a round one that few values do not set', () => {
  const { burn, scale, axisPx } = burnOf('0/10 1/10 3/40 0/0 1/1');
  expect(burn!.shares).toEqual([0, 0.1, 0.075, Number.NaN, 1]);
  expect(burn!.most).toBe(0.1);
  expect(scale.topPx + scale.heightPx).toBeLessThan(burn!.top);
  expect(burn!.top + burn!.height).toBe(axisPx);
  expect(burnOf('9/10').burn!.most).toBe(1);
  expect(burnOf('9/10', null).burn).toBeUndefined();
  // A small multiple says it in its head.
  expect(burnOf('9/10', 800 * MS, 230).burn).toBeUndefined();
});
