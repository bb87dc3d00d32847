// Walks the minutes of a measure of frames the cheapest way that answers the question: added up
// over all calls where no filter tells them apart, else session by session.

import { asksBeyond, passesFilter, type Filter } from '@framescope/protocol';
import { sessionSubject, wordsOf } from '../filter/subjects.ts';
import type { MinuteCursor } from '../rollup/minute-codec.ts';
import { isMetric, walkMetric } from './metric-minutes.ts';
import type { FacetSession, StoreReader, UnixRange } from '../store/store.ts';
import { QueryProblem } from './query-problem.ts';

export interface FrameWalk {
  readonly measure: string;
  readonly range: UnixRange;
  readonly filter?: Filter | undefined;
  /** `session` is undefined where minutes of all calls come together. */
  readonly visit: (
    entry: MinuteCursor,
    session: FacetSession | undefined,
    sessions: number,
  ) => void;
}

/** @throws {QueryProblem} when the filter asks about turns: frames belong to none. */
export async function walkFrames(reader: StoreReader, walk: FrameWalk): Promise<void> {
  const { measure, range, filter, visit } = walk;
  if (isMetric(measure)) {
    if (filter !== undefined && !isEmpty(filter))
      throw new QueryProblem(
        'bad_filter',
        'histograms that other programs sent belong to no session: no filter fits them',
      );
    return walkMetric(reader, measure, range, entry => visit(entry, undefined, 0));
  }
  if (filter === undefined || isEmpty(filter))
    return reader.scanGroup({
      measure,
      range,
      visit: (entry, sessions) => visit(entry, undefined, sessions),
      visitSession: (entry, session) => visit(entry, session, 1),
    });
  return walkSessions(reader, { ...walk, filter });
}

export async function walkSessions(
  reader: StoreReader,
  { measure, range, filter, visit }: FrameWalk,
): Promise<void> {
  if (filter !== undefined) refuseTurns(filter);
  const words = await wordsOf(filter, reader);
  const wants = (session: FacetSession): boolean =>
    filter === undefined || passesFilter(filter, sessionSubject(session, words));
  await reader.scanSessions({
    measure,
    range,
    wants,
    visit: (entry, session) => visit(entry, session, 1),
  });
}

export const isEmpty = (filter: Filter): boolean =>
  filter.kind === 'and' && filter.items.length === 0;

/** `v2v` is known of a session (its worst); other keys of turns say nothing about frames. */
function refuseTurns(filter: Filter): void {
  if (filter.kind === 'term') {
    if (filter.key !== 'v2v' && asksBeyond(filter, ['turn']))
      throw new QueryProblem(
        'bad_filter',
        `"${filter.key}" asks about turns, and this measure is one of frames: filter by what is known of the session`,
      );
  } else if (filter.kind === 'not') refuseTurns(filter.item);
  else if (filter.kind !== 'words') for (const item of filter.items) refuseTurns(item);
}
