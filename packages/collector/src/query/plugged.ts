// Which queries there are. The API serves a route for each, and its OpenAPI
// document names no other.

import { frames } from './frames.ts';
import { heatmap } from './heatmap.ts';
import { measures } from './measures.ts';
import { tail } from './tail.ts';
import { timeline } from './timeline.ts';
import type {
  FramesQuery,
  HeatmapQuery,
  MeasuresQuery,
  TailQuery,
  TimelineQuery,
} from './queries.types.ts';

export interface Queries {
  readonly timeline?: TimelineQuery;
  readonly frames?: FramesQuery;
  readonly heatmap?: HeatmapQuery;
  readonly tail?: TailQuery;
  readonly measures?: MeasuresQuery;
}

export const QUERIES: Queries = { timeline, frames, heatmap, tail, measures };
