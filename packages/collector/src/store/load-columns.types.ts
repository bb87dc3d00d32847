// How busy processes were, as charts read it.

import type { Attributes } from '@framescope/protocol';
import type { UnixRange } from './store.ts';

export interface LoadScan extends UnixRange {
  /** Width of a column, from `fromUnixNs` on. */
  readonly columnNs: bigint;
}

/** One process in one column of time: the most, or for `lagMeanNs`, `busy` and `cpu` the mean. */
export interface LoadColumn {
  readonly producer: string;
  readonly domain: string;
  readonly resource: Attributes;
  readonly column: number;
  readonly samples: number;
  readonly calls: number | null;
  readonly lagMaxNs: number | null;
  readonly lagMeanNs: number | null;
  readonly busy: number | null;
  readonly cpu: number | null;
  readonly rssBytes: number | null;
  readonly waiting: Readonly<Record<string, number>>;
}
