// What the API asks of the queries: each is a function of the store and of
// checked parameters, in a file of its own. `undefined` answers 404.

import type { FramesWindow, Heatmap, MeasureInfo, Tail, Timeline } from '@framescope/protocol';
import type { StoreReader } from '../store/store.ts';

export interface QueryContext {
  readonly reader: StoreReader;
  readonly nowUnixNs: () => bigint;
  /** Limits by measure, ns. */
  readonly budgets: Readonly<Record<string, number>>;
}

/** Absent ends: the whole session. Offsets from its zero. */
export interface SessionWindow {
  readonly fromNs?: number;
  readonly toNs?: number;
}

/** `query/timeline.ts`: `timeline` */
export type TimelineQuery = (
  context: QueryContext,
  sessionKey: string,
  window: SessionWindow & { readonly buckets: number },
) => Promise<Timeline | undefined>;

/** `query/frames.ts`: `frames` */
export type FramesQuery = (
  context: QueryContext,
  sessionKey: string,
  window: SessionWindow,
) => Promise<FramesWindow | undefined>;

/** Absent ends: the last hour, or a day if that holds fewer than 500 turns. */
export interface MeasureRange {
  /** Absent: the best covered definition of voice-to-voice. */
  readonly measure?: string;
  readonly fromUnixNs?: bigint;
  readonly toUnixNs?: bigint;
}

/** `query/heatmap.ts`: `heatmap`. `scale` absent: 4 */
export type HeatmapQuery = (
  context: QueryContext,
  range: MeasureRange & { readonly columns: number; readonly scale?: number },
) => Promise<Heatmap | undefined>;

/** `query/tail.ts`: `tail` */
export type TailQuery = (
  context: QueryContext,
  range: MeasureRange & {
    readonly minNs?: number;
    readonly maxNs?: number;
    readonly outcome?: string;
    readonly limit: number;
  },
) => Promise<Tail | undefined>;

/** `query/measures.ts`: `measures` */
export type MeasuresQuery = (
  context: QueryContext,
) => Promise<{ readonly items: readonly MeasureInfo[] }>;
