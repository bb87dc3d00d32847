// A cell of the heatmap reached by arrow keys: from filled cell to filled cell.
//
//   ↑ ↓   the next filled cell of the column
//   ← →   the next column with any, its filled cell nearest in height

export interface Cells {
  readonly columns: number;
  readonly rows: number;
  readonly count: ArrayLike<number>;
}

export interface CellPlace {
  readonly column: number;
  readonly row: number;
}

const STEPS: Readonly<Record<string, readonly [columns: number, rows: number]>> = {
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

/** Where a key leads; without a place yet to the slowest cell of the last column. Undefined: no such key, or nowhere. */
export function nextCell(
  cells: Cells,
  from: CellPlace | undefined,
  key: string,
): CellPlace | undefined {
  const step = STEPS[key];
  if (!step) return undefined;
  if (!from) return firstCell(cells);
  const [columns, rows] = step;
  if (rows !== 0) return inColumn(cells, from, rows);
  for (
    let column = from.column + columns;
    column >= 0 && column < cells.columns;
    column += columns
  ) {
    const row = nearestRow(cells, column, from.row);
    if (row !== undefined) return { column, row };
  }
  return undefined;
}

const countAt = (cells: Cells, column: number, row: number): number =>
  cells.count[column * cells.rows + row] ?? 0;

function firstCell(cells: Cells): CellPlace | undefined {
  for (let column = cells.columns - 1; column >= 0; column--) {
    const row = nearestRow(cells, column, cells.rows - 1);
    if (row !== undefined) return { column, row };
  }
  return undefined;
}

function inColumn(cells: Cells, { column, row }: CellPlace, step: number): CellPlace | undefined {
  for (let at = row + step; at >= 0 && at < cells.rows; at += step)
    if (countAt(cells, column, at) > 0) return { column, row: at };
  return undefined;
}

function nearestRow(cells: Cells, column: number, row: number): number | undefined {
  for (let away = 0; away < cells.rows; away++)
    for (const at of [row + away, row - away])
      if (at >= 0 && at < cells.rows && countAt(cells, column, at) > 0) return at;
  return undefined;
}
