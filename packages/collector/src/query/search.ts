// `/search`: an ID or words → calls, turns and traces that they may mean.

import type { SearchHit, SessionSummary, Turn } from '@framescope/protocol';
import type { StoreReader } from '../store/store.ts';

const HITS_MAX = 20;

/** Around the first match in a turn's words. */
const EXCERPT_LENGTH = 80;

export async function search(
  reader: StoreReader,
  query: string,
): Promise<{ readonly items: readonly SearchHit[] }> {
  const text = query.trim();
  const found = await reader.search(text, HITS_MAX);
  const traces = await Promise.all(found.traceIds.map(id => traceHit(reader, id)));
  const hits = [
    ...traces,
    ...found.sessions.map(sessionHit),
    ...found.turns.map(one => turnHit(one, text)),
  ];
  return { items: hits.slice(0, HITS_MAX) };
}

async function traceHit(reader: StoreReader, traceId: string): Promise<SearchHit> {
  const owner = await reader.traceOwner(traceId);
  return {
    kind: 'trace',
    title: traceId,
    detail: owner ? `trace of ${owner.sessionId}` : 'trace',
    sessionKey: owner?.sessionKey ?? null,
    tick: owner?.turnTick ?? null,
    traceId,
  };
}

const sessionHit = (session: SessionSummary): SearchHit => ({
  kind: 'session',
  title: session.id,
  detail: `${session.status.replace('_', ' ')}, ${session.services.join(', ')}`,
  sessionKey: session.key,
  tick: null,
  traceId: null,
});

function turnHit(found: { sessionKey: string; turn: Turn }, text: string): SearchHit {
  const needle = text.toLowerCase();
  const said = found.turn.words.find(one => one.text.toLowerCase().includes(needle));
  const at = said ? Math.max(0, said.text.toLowerCase().indexOf(needle) - EXCERPT_LENGTH / 2) : 0;
  return {
    kind: 'turn',
    title: said ? said.text.slice(at, at + EXCERPT_LENGTH) : `turn at ${found.turn.tick}`,
    detail: said ? `said by the ${said.who}` : '',
    sessionKey: found.sessionKey,
    tick: found.turn.tick,
    traceId: found.turn.traceId,
  };
}
