// GET /api/v1/sessions: newest first, those that pass.
//
// Without a filter it is a walk down an index. With one, the facets of sessions are looked through
// in the same order; a filter that asks about turns lists the sessions with a turn that passes.

import { asksBeyond, passesFilter, type Filter, type SessionSummary } from '@framescope/protocol';
import { columnsOf, passingRows, sessionSubject, wordsOf } from '../filter/subjects.ts';
import { cursorOf, numbersOf } from '../store/cursor.ts';
import type { FacetSession, SessionFilter, StorePage, StoreReader } from '../store/store.ts';
import { isEmpty } from './frame-walk.ts';
import type { QueryContext } from './queries.types.ts';

const TIME_MIN = -(2n ** 62n);
const TIME_MAX = 2n ** 62n;

export interface SessionsAsked extends SessionFilter {
  readonly filter?: Filter;
}

export async function sessions(
  { reader }: QueryContext,
  { filter, ...page }: SessionsAsked,
): Promise<StorePage<SessionSummary>> {
  if (filter === undefined || isEmpty(filter)) return reader.sessions(page);
  const passes = await judgeOf(reader, filter, page);
  const found = await take(reader, page, passes);
  const items = await reader.summaries(found.slice(0, page.limit).map(one => one.key));
  const last = found[page.limit - 1];
  const hasMore = found.length > page.limit && last !== undefined;
  return { items, nextCursor: hasMore ? cursorOf(last.startUnixNs, last.row) : null };
}

type Judge = (session: FacetSession) => boolean;

async function judgeOf(
  reader: StoreReader,
  filter: Filter,
  { fromUnixNs = TIME_MIN, toUnixNs = TIME_MAX }: SessionFilter,
): Promise<Judge> {
  const words = await wordsOf(filter, reader);
  if (!asksOfTurns(filter)) return session => passesFilter(filter, sessionSubject(session, words));
  const table = await reader.waits({ fromUnixNs, toUnixNs }, { measures: wantedBy(filter) });
  const passing = passingRows(table, filter, words);
  const rows = new Set<number>();
  for (let row = 0; row < table.length; row++)
    if (passing[row] === 1) rows.add(table.sessions[table.session[row]!]!.row);
  return session => rows.has(session.row);
}

/** Terms such as `interrupted:true` are about waits: they need one column at least to have rows. */
const wantedBy = (filter: Filter): string[] => ['voice_to_voice.*', ...columnsOf(filter)];

/** `v2v` of a session is its worst: known without its turns. */
function asksOfTurns(filter: Filter): boolean {
  if (filter.kind === 'term') return filter.key !== 'v2v' && asksBeyond(filter, ['turn']);
  if (filter.kind === 'words') return false;
  return filter.kind === 'not' ? asksOfTurns(filter.item) : filter.items.some(asksOfTurns);
}

async function take(
  reader: StoreReader,
  page: SessionFilter,
  passes: Judge,
): Promise<FacetSession[]> {
  const [startNs, row] = numbersOf(page.cursor, 2) ?? [];
  const toUnixNs = startNs === undefined ? (page.toUnixNs ?? TIME_MAX) : startNs + 1n;
  const found: FacetSession[] = [];
  const range = { fromUnixNs: page.fromUnixNs ?? TIME_MIN, toUnixNs };
  await reader.scanFacets(range, session => {
    const isTold = session.startUnixNs === startNs && BigInt(session.row) >= row!;
    const isWanted = page.status === undefined || session.status === page.status;
    if (!isTold && isWanted && passes(session)) found.push(session);
    return found.length <= page.limit;
  });
  return found;
}
