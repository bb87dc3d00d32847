// Is there a simulated day already? A data folder that was kept from an hour ago
// would otherwise get a second one, shifted by an hour, over the first.

import type { SessionSummary } from '@framescope/protocol';
import type { ApiClient } from './api-client.ts';
import { DAY_END_ATTRIBUTE, dayOf, dayPrefix, SYNTHETIC_LABEL } from './day.ts';

const DAY_MS = 86_400_000;

export interface FoundDay {
  /** Where it ends: the latest that reaches into the day asked for. */
  readonly endUnixMs: number;
  readonly calls: number;
  /** Calls of it that are not there: its loading was broken off. */
  readonly missing: number;
}

/** The day of this seed that a day up to `endUnixMs` would overlap; undefined when there is none. */
export async function dayInStore(
  api: ApiClient,
  { seed, turns, endUnixMs }: { seed: number; turns: number; endUnixMs: number },
): Promise<FoundDay | undefined> {
  const ids = new Map<number, Set<string>>();
  for await (const session of simulated(api)) {
    const until = session.attributes[DAY_END_ATTRIBUTE];
    const ends = typeof until === 'string' ? Date.parse(until) : Number.NaN;
    const isOurs = session.id.startsWith(dayPrefix(seed));
    if (!isOurs || Number.isNaN(ends) || Math.abs(ends - endUnixMs) >= DAY_MS) continue;
    const known = ids.get(ends);
    if (known === undefined) ids.set(ends, new Set([session.id]));
    else known.add(session.id);
  }
  const found = Math.max(...ids.keys());
  if (!Number.isFinite(found)) return undefined;
  const there = ids.get(found)!;
  const wanted = [...dayOf({ seed, turns, endUnixMs: found })];
  const missing = wanted.filter(call => !there.has(call.id)).length;
  return { endUnixMs: found, calls: there.size, missing };
}

async function* simulated(api: ApiClient): AsyncGenerator<SessionSummary> {
  for (let cursor: string | undefined; ;) {
    const page = await api.sessionsLike(`synthetic:"${SYNTHETIC_LABEL}"`, cursor);
    yield* page.items;
    if (page.nextCursor === null) return;
    cursor = page.nextCursor;
  }
}
