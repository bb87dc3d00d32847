// What a volume holds of one session, for assembly to take it up again: all its
// spans counted, and those whole that a recogniser wants.

import type { StoredSpan, SpanTally } from '../store.ts';
import { TraceGroups } from './commit-rows.ts';
import type { VolumeSpans } from './volume-spans.ts';
import { SpanTallies, WantedRows } from './wanted.ts';

export interface RawSpans {
  readonly spans: StoredSpan[];
  readonly tallies: SpanTally[];
}

/** Adds what a volume holds of a session. */
export function rawSpansOf(
  volume: VolumeSpans,
  session: { readonly row: bigint; readonly key: string },
  into: RawSpans,
): void {
  const wanted = new WantedRows();
  volume.eachBlock(session.row, (block, rows) => {
    const { columns } = block;
    const tallies = new SpanTallies(columns, 2);
    const groups = new TraceGroups();
    const words = columns.idWords();
    groups.begin(columns.length);
    wanted.begin(columns);
    for (const row of rows) {
      tallies.add(row, 1, groups.traceOf(words, row));
      if (wanted.has(row)) into.spans.push(volume.spanAt(block, row));
    }
    for (const tally of tallies.finish(block.row, () => session.key)) into.tallies.push(tally);
    return true;
  });
}
