// Which queries there are. The API serves a route for each, and its OpenAPI
// document names no other.

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

export const QUERIES: Queries = {};
