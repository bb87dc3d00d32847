// A comparison to take away: its distributions as a picture, its figures as a table, all of it as JSON.

import type { Comparison } from '@framescope/protocol';
import { exportMenu } from '../../ui/export-menu.ts';
import { csvOf, pngOfSvg, save, standalone } from '../../ui/save.ts';

export function compareExports(found: Comparison, body: () => HTMLElement): HTMLElement {
  const name = `compare ${found.measure.name}`;
  const picture = (): SVGSVGElement => body().querySelector<SVGSVGElement>('svg.distribution')!;
  return exportMenu([
    {
      text: 'Distributions (PNG)',
      take: async () => save(`${name}.png`, [await pngOfSvg(picture())], 'image/png'),
    },
    {
      text: 'Distributions (SVG)',
      take: () => save(`${name}.svg`, [standalone(picture())], 'image/svg+xml'),
    },
    {
      text: 'Percentiles and parts (CSV)',
      take: () => save(`${name}.csv`, [comparisonCsv(found)], 'text/csv'),
    },
    {
      text: 'Everything shown (JSON)',
      take: () => save(`${name}.json`, [JSON.stringify(found)], 'application/json'),
    },
  ]);
}

/** A row a percentile, then a row a part; ns. */
export function comparisonCsv({ changes, parts, measure, a, b }: Comparison): string {
  type Row = readonly (string | number | null)[];
  const rows: Row[] = [
    ...changes.map((one): Row => [
      one.quantile,
      one.aNs,
      one.bNs,
      one.deltaNs,
      one.lowNs,
      one.highNs,
    ]),
    ...parts.map((one): Row => [
      `part.${one.name}`,
      one.aMeanNs,
      one.bMeanNs,
      one.deltaNs,
      one.lowNs,
      one.highNs,
    ]),
    ['n', a.count.turns, b.count.turns, null, null, null],
    ['over budget', a.overBudget, b.overBudget, null, null, null],
    ['budget_ns', measure.budgetNs, measure.budgetNs, null, null, null],
  ];
  return csvOf(['figure', 'a', 'b', 'b_minus_a', 'low', 'high'], rows);
}
