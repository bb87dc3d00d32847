// What the API asks of the queries: each is a function of the store and of
// checked parameters, in a file of its own. `undefined` answers 404.

import type {
  Comparison,
  CutOffs,
  Filter,
  FilterVocabulary,
  FramesWindow,
  Heatmap,
  MeasureInfo,
  Tail,
  TailWhy,
  Timeline,
  WhatIf,
} from '@framescope/protocol';
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

export interface FilteredRange extends MeasureRange {
  readonly filter?: Filter;
}

/** `query/heatmap.ts`: `heatmap`. `scale` absent: 4 */
export type HeatmapQuery = (
  context: QueryContext,
  range: FilteredRange & {
    readonly columns: number;
    readonly scale?: number;
    /** A session attribute or a place: one heatmap a value. */
    readonly group?: string;
  },
) => Promise<Heatmap | undefined>;

/** `query/tail.ts`: `tail` */
export type TailQuery = (
  context: QueryContext,
  range: FilteredRange & {
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

/** A box of the heatmap: values in (`minNs`, `maxNs`] that begin inside the two times. */
export interface TailBox extends FilteredRange {
  readonly minNs?: number;
  readonly maxNs?: number;
  readonly insideFromUnixNs?: bigint;
  readonly insideToUnixNs?: bigint;
}

/** `query/tail-why.ts` */
export type TailWhyQuery = (context: QueryContext, box: TailBox) => Promise<TailWhy | undefined>;

/** `query/what-if.ts` */
export type WhatIfQuery = (
  context: QueryContext,
  asked: FilteredRange & { readonly part: string; readonly byNs: number },
) => Promise<WhatIf | undefined>;

/** `query/cut-offs.ts` */
export type CutOffsQuery = (
  context: QueryContext,
  asked: FilteredRange & { readonly limit: number },
) => Promise<CutOffs>;

/** `query/compare.ts` */
export type CompareQuery = (
  context: QueryContext,
  asked: {
    readonly measure?: string;
    readonly a: FilteredRange & { readonly text: string };
    readonly b: FilteredRange & { readonly text: string };
  },
) => Promise<Comparison | undefined>;

/** `query/vocabulary.ts` */
export type VocabularyQuery = (
  context: QueryContext,
  asked: MeasureRange & { readonly for: 'sessions' | 'turns' | 'traces' },
) => Promise<FilterVocabulary>;
