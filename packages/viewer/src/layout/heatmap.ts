// The tail as cells: time across, latency up on a log axis, one cell a column and bucket.
//
//   never answered  ▂    ▂          strips on top: what has no place on the axis
//   over the axis        ▂
//   lost frames     (frames only)
//   20 s ┬─────────────────
//        │      ░░ ▓          cells
//   10ms ┴─────────────────
//         time

import type { Heatmap } from '@framescope/protocol';
import type { LoadRow } from './load-rows.ts';
import { toY, type LogScale } from './time-scale.ts';

export interface StripRow {
  readonly name: string;
  readonly counts: readonly number[];
  readonly top: number;
  readonly height: number;
}

export interface HeatFrame {
  readonly leftPx: number;
  readonly widthPx: number;
  readonly scale: LogScale;
  readonly strips: readonly StripRow[];
  /** Share over budget of each column, beneath the cells; undefined where there is no budget. */
  readonly burn: BurnRow | undefined;
  /** How busy the instances were, beneath that; none where nobody told, or there is no room. */
  readonly loads: readonly PlacedLoad[];
  /** Where the time axis is: beneath all of these. */
  readonly axisPx: number;
  readonly columns: number;
}

export interface PlacedLoad {
  readonly row: LoadRow;
  readonly top: number;
  readonly height: number;
}

export interface BurnRow {
  /** 0 to 1; NaN where the column is empty. */
  readonly shares: readonly number[];
  /** Share at its top: a round one above all there is. */
  readonly most: number;
  readonly top: number;
  readonly height: number;
}

/** A count per cell over `columns × rows`, row 0 lowest; rows merged until two pixels tall. */
export interface HeatCells {
  readonly columns: number;
  readonly rows: number;
  readonly count: Float64Array;
  /** Lower bound of each row and the top of the last, in pixels from the top of the canvas. */
  readonly edgeY: Float32Array;
  /** 95th percentile of the counts that are not 0: full colour from there on. */
  readonly fullCount: number;
}

const MARGIN = { left: 84, right: 62, top: 10, bottom: 30 } as const;
const BURN_PX = 30;
const LOAD_PX = 22;
/** Cells that are to be left where there is load to be shown. */
const CELLS_PX_MIN = 220;
const STRIP_PX = 14;
const STRIP_GAP_PX = 3;
/** Between cells (or burn) and load. */
const LOAD_GAP_PX = 6;

/** What the axis covers: waits 10 ms – 20 s, frames 100 µs – 5 s. */
const RANGE_NS = { wait: [10e6, 20e9], frame: [100e3, 5e9] } as const;

export function layoutFrame(
  map: Heatmap,
  widthPx: number,
  heightPx: number,
  loads: readonly LoadRow[] = [],
): HeatFrame {
  const named: [string, readonly number[]][] = [
    ['never', map.measure.kind === 'wait' ? map.neverAnswered : []],
    ['lost', map.measure.kind === 'frame' ? map.lost : []],
    ['over', map.overflow],
  ];
  const shown = named.filter(([, counts]) => counts.some(count => count > 0));
  const strips = shown.map(([name, counts], i) => ({
    name,
    counts,
    top: MARGIN.top + i * (STRIP_PX + STRIP_GAP_PX),
    height: STRIP_PX,
  }));
  const topPx = MARGIN.top + shown.length * (STRIP_PX + STRIP_GAP_PX) + (shown.length > 0 ? 6 : 0);
  // Small multiples have no room for it; their heads say the share.
  const hasBurn = map.measure.budgetNs !== null && heightPx >= 300;
  const axisPx = heightPx - MARGIN.bottom;
  const burnPx = hasBurn ? BURN_PX + 12 : 0;
  const roomPx = axisPx - topPx - burnPx - CELLS_PX_MIN - LOAD_GAP_PX;
  const fitting = loads.slice(0, Math.max(0, Math.floor(roomPx / (LOAD_PX + STRIP_GAP_PX))));
  const loadPx = fitting.length === 0 ? 0 : fitting.length * (LOAD_PX + STRIP_GAP_PX) + LOAD_GAP_PX;
  const bottomPx = axisPx - loadPx;
  const plotPx = bottomPx - topPx - burnPx;
  const [minNs, maxNs] = RANGE_NS[map.measure.kind];
  const narrow = widthPx < 560;
  const leftPx = narrow ? 74 : MARGIN.left;
  return {
    leftPx,
    widthPx: Math.max(10, widthPx - leftPx - (narrow ? 12 : MARGIN.right)),
    scale: { minNs, maxNs, topPx, heightPx: Math.max(10, plotPx) },
    strips,
    burn: hasBurn ? burnOf(map, bottomPx - BURN_PX) : undefined,
    loads: fitting.map((row, i) => ({
      row,
      top: bottomPx + LOAD_GAP_PX + i * (LOAD_PX + STRIP_GAP_PX),
      height: LOAD_PX,
    })),
    axisPx: Math.max(topPx + 10, axisPx),
    columns: map.columns,
  };
}

/** Steps of the burn's own scale. */
const BURN_STEPS = [0.02, 0.05, 0.1, 0.2, 0.5, 1];
/** In a column of fewer values one turn over would be a bar to the top. */
const BURN_N_MIN = 4;

function burnOf({ overBudget, quantiles }: Heatmap, top: number): BurnRow {
  const shares = overBudget.map((over, i) => {
    const n = quantiles[i]?.n ?? 0;
    return n === 0 ? Number.NaN : over / n;
  });
  const highestOf = (countMin: number): number =>
    shares.reduce(
      (max, share, i) => ((quantiles[i]?.n ?? 0) >= countMin && share > max ? share : max),
      0,
    );
  // Where all columns have few, they are all there is to go by.
  const highest = highestOf(BURN_N_MIN) || highestOf(1);
  return { shares, most: BURN_STEPS.find(one => one >= highest) ?? 1, top, height: BURN_PX };
}

/** Upper bound of a bucket in ns. */
export const bucketTopNs = (index: number, scale: number): number =>
  2 ** ((index + 1) / 2 ** scale) * 1e9;

const ROW_PX_MIN = 2;

/** Cells inside the axis; what lies outside is in the strips or counted at the edge. */
export function layoutCells(map: Heatmap, frame: HeatFrame): HeatCells {
  let merge = 0;
  const rowPx =
    frame.scale.heightPx / (Math.log2(frame.scale.maxNs / frame.scale.minNs) * 2 ** map.scale);
  while (rowPx * 2 ** merge < ROW_PX_MIN && merge < map.scale) merge++;
  const scale = map.scale - merge;
  const first = Math.ceil(Math.log2(frame.scale.minNs / 1e9) * 2 ** scale) - 1;
  const last = Math.ceil(Math.log2(frame.scale.maxNs / 1e9) * 2 ** scale) - 1;
  const rows = last - first + 1;
  const count = new Float64Array(map.columns * rows);
  const { column, row, count: counts } = map.cells;
  for (let i = 0; i < counts.length; i++) {
    const index = Math.floor((map.rowMin + row[i]!) / 2 ** merge);
    if (index > last || column[i]! >= map.columns) continue;
    count[column[i]! * rows + Math.max(0, index - first)]! += counts[i]!;
  }
  const edgeY = Float32Array.from({ length: rows + 1 }, (_, r) =>
    Math.min(
      frame.scale.topPx + frame.scale.heightPx,
      Math.max(frame.scale.topPx, toY(frame.scale, bucketTopNs(first + r - 1, scale))),
    ),
  );
  return { columns: map.columns, rows, count, edgeY, fullCount: fullCountOf(count) };
}

export function fullCountOf(count: Float64Array): number {
  const filled = count.filter(n => n > 0).sort();
  return filled.length === 0 ? 1 : filled[Math.max(0, Math.ceil(filled.length * 0.95) - 1)]!;
}

export const SHADES = 16;

/** √count against the full count in 16 steps from 1; 0 only for none: any non-empty cell shows. */
export function shadeOf(count: number, fullCount: number): number {
  if (count === 0) return 0;
  return Math.min(SHADES, Math.max(1, Math.ceil(Math.sqrt(count / fullCount) * SHADES)));
}

/** A line over the columns, broken where there is no value to quote: runs of points. */
export function layoutLine(
  values: readonly (number | null)[],
  frame: HeatFrame,
): [number, number][][] {
  const runs: [number, number][][] = [[]];
  values.forEach((value, column) => {
    if (value === null) return void (runs.at(-1)!.length > 0 && runs.push([]));
    const held = Math.min(frame.scale.maxNs, Math.max(frame.scale.minNs, value));
    runs.at(-1)!.push([columnX(frame, column + 0.5), toY(frame.scale, held)]);
  });
  return runs.filter(run => run.length > 0);
}

export const columnX = (frame: HeatFrame, column: number): number =>
  frame.leftPx + (column / frame.columns) * frame.widthPx;

export const columnAt = (frame: HeatFrame, x: number): number =>
  Math.min(
    frame.columns - 1,
    Math.max(0, Math.floor(((x - frame.leftPx) / frame.widthPx) * frame.columns)),
  );

/** Row whose band holds `y`, or -1. */
export function rowAt(cells: HeatCells, y: number): number {
  for (let row = 0; row < cells.rows; row++)
    if (y <= cells.edgeY[row]! && y > cells.edgeY[row + 1]!) return row;
  return -1;
}
