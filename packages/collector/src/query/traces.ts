// GET /api/v1/traces: the latest to arrive first, those that pass.

import {
  passesFilter,
  type Filter,
  type FilterSubject,
  type FilterValue,
  type TraceSummary,
} from '@framescope/protocol';
import { sessionSubject } from '../filter/subjects.ts';
import { facetsOf } from '../store/facets.ts';
import type { PageRequest, StorePage, StoreReader } from '../store/store.ts';
import { isEmpty } from './frame-walk.ts';
import type { QueryContext } from './queries.types.ts';

/** Looked through for one page: about a tenth of a second. The cursor goes on from there. */
const LOOKED_MAX = 5_000;
const STEP = 500;

export async function traces(
  { reader }: QueryContext,
  { filter, ...page }: PageRequest & { readonly filter?: Filter },
): Promise<StorePage<TraceSummary>> {
  if (filter === undefined || isEmpty(filter)) return reader.traces(page);
  const sessions = new SessionSubjects(reader);
  const items: TraceSummary[] = [];
  let { cursor } = page;
  for (let looked = 0; looked < LOOKED_MAX; looked += STEP) {
    const limit = Math.min(STEP, page.limit - items.length);
    const found = await reader.traces({ limit, ...(cursor !== undefined && { cursor }) });
    for (const one of found.items)
      if (passesFilter(filter, traceSubject(one, await sessions.of(one)))) items.push(one);
    if (found.nextCursor === null) return { items, nextCursor: null };
    cursor = found.nextCursor;
    if (items.length >= page.limit) break;
  }
  return { items, nextCursor: cursor ?? null };
}

/** Many traces of a page belong to few sessions. */
class SessionSubjects {
  readonly #reader: StoreReader;
  readonly #known = new Map<string, FilterSubject | undefined>();

  constructor(reader: StoreReader) {
    this.#reader = reader;
  }

  async of({ sessionKey }: TraceSummary): Promise<FilterSubject | undefined> {
    if (sessionKey === null) return undefined;
    if (this.#known.has(sessionKey)) return this.#known.get(sessionKey);
    const detail = await this.#reader.session(sessionKey);
    const subject =
      detail &&
      sessionSubject(
        {
          row: 0,
          key: detail.key,
          id: detail.id,
          status: detail.status,
          startUnixNs: BigInt(detail.startUnixNs),
          facets: facetsOf(detail),
          isPinned: () => detail.pinned === true,
        },
        { hasWords: () => false },
      );
    this.#known.set(sessionKey, subject);
    return subject;
  }
}

export function traceSubject(
  trace: TraceSummary,
  session: FilterSubject | undefined,
): FilterSubject {
  const own: Readonly<Record<string, FilterValue>> = {
    name: trace.rootName,
    service: trace.service,
    trace: trace.traceId,
    duration: trace.durationNs,
    spans: trace.spanCount,
    errors: trace.errorCount,
    error: trace.errorCount > 0,
  };
  return {
    valuesOf: key => {
      const value = Object.hasOwn(own, key) ? own[key] : undefined;
      const others = session?.valuesOf(key) ?? [];
      return value === undefined ? others : key === 'service' ? [value, ...others] : [value];
    },
    hasWords: text =>
      trace.rootName.toLowerCase().includes(text) ||
      trace.service.toLowerCase().includes(text) ||
      trace.traceId === text ||
      (session?.hasWords(text) ?? false),
  };
}
