// One commit in the making: what it touches, how its spans are written, what is told of it.

import type { SpanColumns } from '../../decode/span-columns.ts';
import type { DecodedFlush, DecodedLoad, MetricPoint } from '../../decode/types.ts';
import type { CommitResult, CommittedBatch, TouchedSession } from '../store.ts';
import type { IntakeResult } from './span-intake.ts';
import type { Commit, VolumeWriter } from './volume-writer.ts';

/** One commit in the making. */
export interface Draft {
  readonly commit: Commit;
  readonly touched: Map<string, TouchedSession>;
  /** Row IDs in the current volume by session key. */
  readonly rowIds: Map<string, number>;
  readonly flushes: { readonly flush: DecodedFlush; readonly key: string }[];
  readonly points: MetricPoint[];
  readonly loads: readonly DecodedLoad[];
  repeatedCount: number;
}

/** The spans of a commit in the making. */
export interface SpanDraft {
  readonly columns: SpanColumns;
  readonly intake: IntakeResult;
  readonly draft: Draft;
}

/** The new rows of a batch, with all that is found by them. */
export function writeSpans(volume: VolumeWriter, { columns, intake, draft }: SpanDraft): void {
  const rows = intake.finish(session => draft.rowIds.get(session.key)!);
  volume.writeSpans(columns, rows, draft.commit);
  const counts = new Uint32Array(intake.sessions.length + 1);
  for (let row = 0; row < columns.length; row++)
    if (intake.isNew(row)) counts[intake.sessionOf[row]!]!++;
  for (const [i, session] of intake.sessions.entries())
    volume.writeSessionPart(draft.rowIds.get(session.key)!, draft.commit, counts[i + 1]!);
}

export function resultOf(
  draft: Draft,
  spans: Pick<CommittedBatch, 'spans' | 'tallies' | 'spanCount'>,
): CommitResult {
  const { number: commit, arrivalUnixNs } = draft.commit;
  return {
    committed: {
      commit,
      arrivalUnixNs,
      sessions: [...draft.touched.values()],
      ...spans,
      // The decoder's own objects, which nobody else has: a second one of each costs more than its row.
      flushes: draft.flushes.map(({ flush, key }) =>
        Object.assign(flush, { sessionKey: key, commit, arrivalUnixNs }),
      ),
    },
    repeatedCount: draft.repeatedCount,
  };
}
