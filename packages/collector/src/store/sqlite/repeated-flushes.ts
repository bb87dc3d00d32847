// Whether a flush was stored before. Sequence numbers rise as a rule, so most are known to be new
// by the last one of their producer; only what is not beyond it is looked for in the files.

import type { DecodedFlush } from '../../decode/types.ts';
import type { KnownSession } from './memory.ts';
import type { VolumeWriter } from './volume-writer.ts';

/** `volumes`: those in which a repeated flush may stand. */
export function isStoredFlush(
  flush: DecodedFlush,
  session: KnownSession,
  volumes: () => readonly VolumeWriter[],
): boolean {
  const last = session.flushes.lastOf(flush.producer);
  if (last !== undefined && flush.seq > last) return false;
  if (last === undefined && flush.seq > lastStored(flush.producer, session, volumes()))
    return false;
  return volumes().some(({ queries }) => {
    const its = queries.sessionByKey(session.name.key);
    return its !== undefined && queries.hasFlush(its.id, flush);
  });
}

/** Found out once: it is remembered. */
function lastStored(
  producer: string,
  { name, flushes }: KnownSession,
  volumes: readonly VolumeWriter[],
): number {
  let last = -1;
  for (const { queries } of volumes) {
    const its = queries.sessionByKey(name.key);
    if (its !== undefined) last = Math.max(last, queries.lastSeq(its.id, producer));
  }
  flushes.note(producer, last);
  return last;
}
