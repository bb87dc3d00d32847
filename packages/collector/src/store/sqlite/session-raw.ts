// What a volume holds of one session, for assembly to take it up again: all its
// spans counted, and those whole that a recogniser wants.

import type { StoredSpan, SpanTally } from '../store.ts';
import { TraceGroups } from './commit-rows.ts';
import type { SessionRows, VolumeSpans } from './volume-spans.ts';
import { SpanTallies, WantedRows } from '../span-tallies.ts';

export interface RawSpans {
  readonly spans: StoredSpan[];
  readonly tallies: SpanTally[];
}

/** Adds what a volume holds of a session in commits behind `after`. */
export function rawSpansOf(
  volume: VolumeSpans,
  session: { readonly row: bigint; readonly key: string; readonly after: number },
  into: RawSpans,
): void {
  volume.eachBlock(session.row, found => {
    if (found.block.row.commit > session.after) addRows(volume, found, session.key, into);
    return true;
  });
}

/** Adds some rows of a block: they count as having come with `byCommit`. */
export function addRows(
  volume: VolumeSpans,
  { block, rows, byCommit }: SessionRows,
  sessionKey: string,
  into: RawSpans,
): void {
  const { columns } = block;
  const commit = { commit: byCommit, arrivalUnixNs: block.row.arrivalUnixNs };
  const tallies = new SpanTallies(columns, 2);
  const groups = new TraceGroups();
  const wanted = new WantedRows();
  const words = columns.idWords();
  groups.begin(columns.length);
  wanted.begin(columns);
  for (const row of rows) {
    tallies.add(row, 1, groups.traceOf(words, row));
    if (wanted.has(row))
      into.spans.push(Object.assign(volume.spanAt(block, row), { sessionKey, ...commit }));
  }
  for (const tally of tallies.finish(commit, () => sessionKey)) into.tallies.push(tally);
}
