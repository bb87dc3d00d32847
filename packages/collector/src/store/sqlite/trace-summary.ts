// One line of the list of traces, from the directory alone: no pack is opened.

import type { TraceSummary } from '@framescope/protocol';
import type { TracePart } from './volume-spans.ts';

/** `parts` is not empty. */
export function summaryOfTrace(traceId: string, parts: readonly TracePart[]): TraceSummary {
  const first = parts.reduce((a, b) => (b.startUnixNs < a.startUnixNs ? b : a));
  const shown = parts.find(part => part.isRoot) ?? first;
  const endUnixNs = parts.reduce(
    (end, part) => (part.endUnixNs > end ? part.endUnixNs : end),
    first.startUnixNs,
  );
  return {
    traceId,
    rootName: shown.name,
    service: shown.service,
    startUnixNs: String(first.startUnixNs),
    durationNs: Number(endUnixNs - first.startUnixNs),
    spanCount: parts.reduce((sum, part) => sum + part.count, 0),
    errorCount: parts.reduce((sum, part) => sum + part.errorCount, 0),
    sessionKey: parts.find(part => part.sessionKey !== null)?.sessionKey ?? null,
  };
}
