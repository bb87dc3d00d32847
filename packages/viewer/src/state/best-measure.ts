import { bestCovered, type MeasureInfo } from '@framescope/protocol';

/** What a page shows when its address names no measure: as the collector chooses. */
export const bestMeasure = (measures: readonly MeasureInfo[]): string | undefined =>
  (bestCovered(measures, { name: one => one.name, count: one => one.n }) ?? measures[0])?.name;
