// The tail as cells: every value visible, lines broken where nothing can be quoted.

import type { Heatmap, Quantiles } from '@framescope/protocol';
import { expect, test } from 'vitest';
import { nextCell, type CellPlace, type Cells } from '../src/layout/heat-cursor.ts';
import {
  columnAt,
  fullCountOf,
  layoutCells,
  layoutFrame,
  layoutLine,
  rowAt,
  shadeOf,
  SHADES,
} from '../src/layout/heatmap.ts';

const NONE: Quantiles = {
  n: 0,
  censored: 0,
  p50Ns: null,
  p95Ns: null,
  p99Ns: null,
  p999Ns: null,
  maxNs: null,
};

/** Values in ms, by column. */
function mapOf(
  values: readonly (readonly number[])[],
  kind: 'wait' | 'frame' = 'wait',
  neverAnswered: readonly number[] = [],
): Heatmap {
  const flat = values.flatMap((column, c) =>
    column.map(ms => [c, Math.ceil(Math.log2(ms / 1000) * 16) - 1 + 320] as const),
  );
  return {
    measure: {
      name: 'm',
      title: 'M',
      definition: '',
      kind,
      n: flat.length,
      sessions: 1,
      budgetNs: null,
    },
    fromUnixNs: '0',
    toUnixNs: '1',
    columnNs: 1,
    columns: values.length,
    scale: 4,
    rowMin: -320,
    rows: 640,
    cells: { column: flat.map(([c]) => c), row: flat.map(([, r]) => r), count: flat.map(() => 1) },
    overflow: values.map(() => 0),
    underflow: values.map(() => 0),
    neverAnswered,
    lost: [],
    quantiles: [],
    total: NONE,
    overBudget: [],
    exemplars: [],
    coverage: { covered: 0, of: 0, sessions: 0 },
    intervals: { p50: null, p95: null, p99: null, p999: null },
    groups: [],
    omittedGroupCount: 0,
  };
}

test('a value lands in the row that holds it', () => {
  const map = mapOf([[800]]);
  const frame = layoutFrame(map, 1000, 800);
  const cells = layoutCells(map, frame);
  const row = cells.count.findIndex(count => count === 1);
  const y = (cells.edgeY[row]! + cells.edgeY[row + 1]!) / 2;
  const share = 1 - (y - frame.scale.topPx) / frame.scale.heightPx;
  expect(10 * 2000 ** share).toBeCloseTo(800, -2);
  expect(rowAt(cells, y)).toBe(row);
});

test('rows merge until they are two pixels tall, and no value is lost by it', () => {
  const map = mapOf([[100, 200, 300, 800, 5000]]);
  const tall = layoutCells(map, layoutFrame(map, 1000, 900));
  const flat = layoutCells(map, layoutFrame(map, 1000, 200));
  expect(flat.rows).toBeLessThan(tall.rows);
  expect([tall, flat].map(cells => cells.count.reduce((sum, n) => sum + n, 0))).toEqual([5, 5]);
});

test('a value below the axis counts in its lowest row', () => {
  const map = mapOf([[2]]);
  expect(layoutCells(map, layoutFrame(map, 1000, 800)).count[0]).toBe(1);
});

test('any non-empty cell has a shade, an empty one none', () => {
  expect([shadeOf(0, 1e6), shadeOf(1, 1e6), shadeOf(1e6, 1e6), shadeOf(5e6, 1e6)]).toEqual([
    0,
    1,
    SHADES,
    SHADES,
  ]);
});

test('full colour is the 95th percentile of the cells that are not empty', () => {
  expect(
    fullCountOf(Float64Array.from([0, 0, ...Array.from({ length: 100 }, (_, i) => i + 1)])),
  ).toBe(95);
});

test('a percentile line is broken where there is no value to quote', () => {
  const frame = layoutFrame(mapOf([[], [], [], [], []]), 1000, 800);
  const runs = layoutLine([1e8, 1e8, null, null, 2e8], frame);
  expect(runs.map(run => run.length)).toEqual([2, 1]);
});

test('never answered has a strip of its own only when there is one', () => {
  expect(layoutFrame(mapOf([[1]], 'wait', [0]), 1000, 800).strips).toEqual([]);
  expect(layoutFrame(mapOf([[1]], 'wait', [3]), 1000, 800).strips.map(strip => strip.name)).toEqual(
    ['never'],
  );
});

test('a pointer beyond the last column is in the last column', () => {
  const frame = layoutFrame(mapOf([[], [], []]), 1000, 800);
  expect([columnAt(frame, 0), columnAt(frame, 99_999)]).toEqual([0, 2]);
});

/** `.2./1.1`: counts of cells, columns apart by slashes, the lowest row first. */
function cellsOf(text: string): Cells {
  const columns = text.split('/');
  const rows = columns[0]!.length;
  const count = columns.flatMap(column => Array.from(column, n => Number(n === '.' ? 0 : n)));
  return { columns: columns.length, rows, count };
}

function walk(text: string, ...keys: string[]): (string | undefined)[] {
  let at: CellPlace | undefined;
  return keys.map(key => {
    const next = nextCell(cellsOf(text), at, `Arrow${key}`);
    at = next ?? at;
    return next && `${next.column}:${next.row}`;
  });
}

test('arrow keys go from filled cell to filled cell, first to the slowest of the last column', () => {
  const cells = '1..3/..../2.1./....';
  expect(walk(cells, 'Left', 'Down', 'Left', 'Up', 'Right')).toEqual([
    '2:2',
    '2:0',
    '0:0',
    '0:3',
    '2:2',
  ]);
  expect(walk(cells, 'Up', 'Up', 'Right', 'Left', 'Left')).toEqual([
    '2:2',
    undefined,
    undefined,
    '0:3',
    undefined,
  ]);
  expect(walk('.../...', 'Right')).toEqual([undefined]);
});
