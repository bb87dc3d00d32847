// The heatmap to take away: the picture, and its cells as a table.

import type { Heatmap } from '@framescope/protocol';
import { bucketTopNs } from '../../layout/heatmap.ts';
import { exportMenu, pictureItems, picturesItems } from '../../ui/export-menu.ts';
import { csvOf, save, type Layers, type Named } from '../../ui/save.ts';

/** `multiples`: what is shown instead of one heatmap, a picture a group. */
export function tailExports(
  map: Heatmap,
  layers: () => Layers,
  multiples: (() => readonly Named[]) | undefined,
): HTMLElement {
  const { name } = map.measure;
  return exportMenu([
    ...(multiples ? picturesItems('Pictures', name, multiples) : pictureItems(name, layers)),
    { text: 'Cells (CSV)', take: () => save(`${name}.csv`, [cellsCsv(map)], 'text/csv') },
    {
      text: 'Everything shown (JSON)',
      take: () => save(`${name}.json`, [JSON.stringify(map)], 'application/json'),
    },
  ]);
}

/** A row a cell that is not empty: when its column starts, its bounds, how many; of groups each with its own. */
export function cellsCsv(map: Heatmap): string {
  const head = ['column_start_unix_ns', 'over_ns', 'to_ns', 'count'];
  if (map.groups.length === 0) return csvOf(head, cellRows(map));
  const rows = map.groups.flatMap(({ value, heatmap }) =>
    cellRows(heatmap).map(row => [value, ...row]),
  );
  return csvOf(['group', ...head], rows);
}

function cellRows(map: Heatmap): (string | number)[][] {
  const { column, row, count } = map.cells;
  return count.map((n, i) => {
    const index = map.rowMin + row[i]!;
    const startUnixNs = BigInt(map.fromUnixNs) + BigInt(Math.round(column[i]! * map.columnNs));
    return [
      String(startUnixNs),
      Math.round(bucketTopNs(index - 1, map.scale)),
      Math.round(bucketTopNs(index, map.scale)),
      n,
    ];
  });
}
