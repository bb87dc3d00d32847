// What is taken away as a table: every cell and part once, nothing that a spreadsheet would run.

import type {
  Comparison,
  Heatmap,
  Load,
  Places,
  TailItem,
  TraceSummary,
  Turn,
} from '@framescope/protocol';
import { expect, test } from 'vitest';
import type { TraceColumns } from '../src/data/trace-columns.ts';
import { treeOf } from '../src/layout/waterfall.ts';
import { comparisonCsv } from '../src/pages/compare/exports.ts';
import { hitsCsv, slowestCsv } from '../src/pages/find-exports.ts';
import { handoversCsv, loadCsv, waysCsv } from '../src/pages/places/exports.ts';
import { spansCsv, waterfallSvg } from '../src/pages/trace/exports.ts';
import { turnsCsv } from '../src/pages/session/exports.ts';
import { tracesCsv } from '../src/pages/traces-exports.ts';
import { cellsCsv } from '../src/pages/tail/exports.ts';
import { csvOf } from '../src/ui/save.ts';

test('a cell with a comma, a quote or a line is quoted; a formula is told apart', () => {
  expect(
    csvOf(
      ['a', 'b'],
      [
        ['x,y', 'say "hi"'],
        ['=1+1', -3],
        [null, 'two\nlines'],
      ],
    ),
  ).toBe('a,b\r\n"x,y","say ""hi"""\r\n\'=1+1,-3\r\n,"two\nlines"');
});

test('a turn is a row a part, and the parts of a wait still sum to it', () => {
  const part = (name: string, exposedNs: number) => ({ name, owner: 'o', exposedNs, fullNs: 9 });
  const wait = { kind: 'response', outcome: 'answered', startNs: 5, waitNs: 7, errorNs: 1 };
  const turns = [{ tick: 320, waits: [{ ...wait, parts: [part('uplink', 3), part('tool', 4)] }] }];
  const model = { turns: turns as unknown as readonly Turn[], limitOfWait: () => 800 };
  const lines = turnsCsv(model).split('\r\n');
  expect(lines.slice(1)).toEqual([
    '1,320,response,answered,5,7,1,800,uplink,o,3,9',
    '1,320,response,answered,5,7,1,800,tool,o,4,9',
  ]);
});

test('a heatmap is a row a cell with its bounds in nanoseconds', () => {
  const map = {
    fromUnixNs: '1795354071000000000',
    columnNs: 60e9,
    scale: 1,
    rowMin: -2,
    cells: { column: [0, 2], row: [0, 1], count: [5, 1] },
    groups: [],
  };
  expect(
    cellsCsv(map as unknown as Heatmap)
      .split('\r\n')
      .slice(1),
  ).toEqual([
    '1795354071000000000,500000000,707106781,5',
    '1795354191000000000,707106781,1000000000,1',
  ]);
});

test('small multiples are a row a cell with the group that it is of', () => {
  const of = { fromUnixNs: '1000', columnNs: 60e9, scale: 0, rowMin: 0 };
  const groupOf = (value: string | null, count: number) => ({
    value,
    heatmap: { ...of, cells: { column: [0], row: [0], count: [count] }, groups: [] },
  });
  const map = { ...of, groups: [groupOf('eu', 5), groupOf(null, 1)] };
  expect(cellsCsv(map as unknown as Heatmap).split('\r\n')).toEqual([
    'group,column_start_unix_ns,over_ns,to_ns,count',
    'eu,1000,1000000000,2000000000,5',
    ',1000,1000000000,2000000000,1',
  ]);
});

test('a comparison is a row a percentile and a part, its budget beside', () => {
  const lines = comparisonCsv({
    measure: { budgetNs: 800 },
    a: { count: { turns: 5 }, overBudget: 1 },
    b: { count: { turns: 7 }, overBudget: 3 },
    changes: [{ quantile: 'p50', aNs: 1, bNs: 3, deltaNs: 2, lowNs: null, highNs: null }],
    parts: [{ name: 'tool', aMeanNs: 4, bMeanNs: 9, deltaNs: 5, lowNs: 1, highNs: 8 }],
  } as unknown as Comparison).split('\r\n');
  expect(lines.slice(1)).toEqual([
    'p50,1,3,2,,',
    'part.tool,4,9,5,1,8',
    'n,5,7,,,',
    'over budget,1,3,,,',
    'budget_ns,800,800,,,',
  ]);
});

/** A root and its child, the child's name hostile. */
const TWO_SPANS = {
  traceId: 'ab'.repeat(16),
  durationNs: 10e6,
  count: 2,
  names: ['turn', '<script>&"'],
  services: ['agent'],
  ids: Uint8Array.from({ length: 16 }, (_, i) => i),
  parent: Int32Array.of(-1, 0),
  name: Uint32Array.of(0, 1),
  service: Uint32Array.of(0, 0),
  startNs: Float64Array.of(0, 2e6),
  lengthNs: Float64Array.of(10e6, 3e6),
  status: Uint8Array.of(0, 2),
} as unknown as TraceColumns;

test('a trace is a row a span, and a picture in which names are text', () => {
  const tree = treeOf(TWO_SPANS);
  expect(spansCsv(TWO_SPANS, tree).split('\r\n').slice(1)).toEqual([
    '0001020304050607,,0,turn,agent,0,10000000,0',
    '08090a0b0c0d0e0f,0001020304050607,1,"<script>&""",agent,2000000,3000000,2',
  ]);
  const { svg } = waterfallSvg(TWO_SPANS, tree);
  expect(svg).toContain('&#60;script&#62;&#38;&#34;');
  expect(svg).not.toContain('<script');
  expect(svg.match(/<rect/g)?.length).toBe(3);
});

test('slowest turns are a row each; of a wait without an answer the value is a lower bound', () => {
  const item = { sessionKey: 'k', sessionId: '=id', tick: 320, atUnixNs: '5', valueNs: 7 };
  const items = [
    { ...item, censored: false, worstPart: { name: 'tool', exposedNs: 4 } },
    { ...item, censored: true, worstPart: null },
  ] as unknown as readonly TailItem[];
  expect(slowestCsv(items).split('\r\n').slice(1)).toEqual([
    "k,'=id,320,5,7,0,tool,4",
    "k,'=id,320,5,7,1,,",
  ]);
});

test('a trace of the list is a row, one that is of no call without a session', () => {
  const trace = { traceId: 'ab', rootName: '@turn', service: 's', startUnixNs: '5', durationNs: 6 };
  const item = { ...trace, spanCount: 7, errorCount: 1, sessionKey: null };
  const csv = tracesCsv([item] as unknown as readonly TraceSummary[]);
  expect(csv.split('\r\n').slice(1)).toEqual(["ab,'@turn,s,5,6,7,1,"]);
});

test('what was found is a row a hit', () => {
  const hits = [
    { kind: 'turn', title: 'a, b', detail: 'd', sessionKey: 'k', tick: 9, traceId: null },
  ] as const;
  expect(hitsCsv(hits).split('\r\n').slice(1)).toEqual(['turn,"a, b",d,k,9,']);
});

test('a way between places is a row, where nothing was measured left empty', () => {
  const oneWay = { n: 50, p50Ns: 1, p95Ns: 2, p99Ns: null, maxNs: 3 };
  const from = { fromService: 'edge', fromRegion: 'eu', toService: 'agent', toRegion: null };
  const leg = { ...from, stream: 'mic', oneWay, errorNs: null, rttNs: 4, jitterNs: 5, lost: 6 };
  const csv = waysCsv({ legs: [{ ...leg, sessions: 7 }] } as unknown as Places);
  expect(csv.split('\r\n').slice(1)).toEqual(['edge,eu,agent,,mic,1,2,,,4,5,6,50,7']);
});

test('load is a row an instance and column of time; a hand-over names both places', () => {
  const place = { service: 'agent', instance: 'a-1', host: 'h', zone: null, region: 'eu' };
  const values = { calls: [2], lagNs: [3], cpu: [0.5], rssBytes: [4], waiting: [null] };
  const load = { fromUnixNs: '1000', columnNs: 10, instances: [{ place, column: [3], ...values }] };
  expect(
    loadCsv(load as unknown as Load)
      .split('\r\n')
      .slice(1),
  ).toEqual(['agent,a-1,h,,eu,1030,2,3,0.5,4,']);
  const moved = { sessionKey: 'k', sessionId: 'id', atUnixNs: '8', from: place, wasTold: true };
  const lost = { gapFrames: 1, gapNs: 20, authorityNs: null };
  const handovers = [{ ...moved, ...lost, to: { ...place, instance: 'a-2' } }];
  expect(
    handoversCsv({ handovers } as unknown as Places)
      .split('\r\n')
      .slice(1),
  ).toEqual(['k,id,8,agent,a-1,h,,eu,agent,a-2,h,,eu,1,1,20,']);
});
