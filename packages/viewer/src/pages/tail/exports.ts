// The heatmap to take away: the picture, and its cells as a table.

import type { Heatmap } from '@framescope/protocol';
import { bucketTopNs } from '../../layout/heatmap.ts';
import { exportMenu, pictureItems } from '../../ui/export-menu.ts';
import { csvOf, save, type Layers } from '../../ui/save.ts';

export function tailExports(map: Heatmap, layers: () => Layers): HTMLElement {
  const { name } = map.measure;
  return exportMenu([
    ...pictureItems(name, layers),
    { text: 'Cells (CSV)', take: () => save(`${name}.csv`, [cellsCsv(map)], 'text/csv') },
    {
      text: 'Everything shown (JSON)',
      take: () => save(`${name}.json`, [JSON.stringify(map)], 'application/json'),
    },
  ]);
}

/** A row a cell that is not empty: when its column starts, its bounds, how many. */
export function cellsCsv(map: Heatmap): string {
  const { column, row, count } = map.cells;
  const rows = count.map((n, i) => {
    const index = map.rowMin + row[i]!;
    const startUnixNs = BigInt(map.fromUnixNs) + BigInt(Math.round(column[i]! * map.columnNs));
    return [
      String(startUnixNs),
      Math.round(bucketTopNs(index - 1, map.scale)),
      Math.round(bucketTopNs(index, map.scale)),
      n,
    ];
  });
  return csvOf(['column_start_unix_ns', 'over_ns', 'to_ns', 'count'], rows);
}
