// Spans that came before their trace named its session are the session's as well:
// parents end last, and often only the root says whose call it is.

import type { SpanColumns } from '../../decode/span-columns.ts';
import { traceHash } from './commit-rows.ts';
import { addRows, type RawSpans } from './session-raw.ts';
import type { TracePart } from './volume-spans.ts';
import type { Commit, SessionName, VolumeWriter } from './volume-writer.ts';

export interface AdoptedTrace {
  readonly columns: SpanColumns;
  /** A row of the trace, in the batch that named its session. */
  readonly row: number;
  readonly session: SessionName;
  readonly commit: Commit;
  /** Where assembly is told of the adopted spans. */
  readonly into: RawSpans;
}

/** `volumes`: the one that is written, which has a transaction open, first. */
export function adoptSpans(trace: AdoptedTrace, volumes: readonly VolumeWriter[]): void {
  const { columns, row, commit } = trace;
  const hash = traceHash(columns.idWords(), row * 8);
  for (const [i, volume] of volumes.entries()) {
    const parts = volume
      .partsOf(hash, () => columns.traceId(row))
      .filter(part => part.sessionKey === null && part.commit < commit.number);
    if (parts.length === 0) continue;
    const adopt = (): void => {
      for (const part of parts) adoptPart(volume, part, trace);
    };
    // An older file has a transaction of its own: adopting again changes nothing.
    if (i === 0) adopt();
    else volume.transaction(adopt);
  }
}

function adoptPart(
  volume: VolumeWriter,
  part: TracePart,
  { session, commit, into }: AdoptedTrace,
): void {
  const block = volume.spans.blockIn(part.commit);
  if (!block) return;
  const owner = volume.touchSession(session, { number: part.commit, arrivalUnixNs: 0n });
  volume.adopt(owner, part, commit.number);
  const rows = Array.from({ length: part.count }, (_, i) => part.from + i);
  addRows(volume.spans, { block, rows, byCommit: commit.number }, session.key, into);
}
