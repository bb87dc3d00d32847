// Spans from the latest to arrive backwards, a few commits at a time: what a search
// looks through. Reading a block gives all traces of its commit at once, where a
// trace after the other would open the same block again and again.

import { isWhole } from '../query/fold.ts';
import type { CommitBound, StoredSpan, StoreReader } from '../store/store.ts';

/** One walk looks through about so many: beyond, a narrower question is wanted. */
const WALK_SPANS_MAX = 200_000;
/** Spans of a step: the first steps are small, since they often have all that is wanted. */
const STEP_SPANS = { first: 1_000, most: 16_000 } as const;
/** Clocks of senders may be ahead; what arrived longer than this before the range is not in it. */
const AHEAD_NS = 86_400_000_000_000n;
/** Spans mostly arrive within this of their start. */
const ARRIVE_NS = 3_600_000_000_000n;

interface Range {
  readonly fromUnixNs: bigint;
  readonly toUnixNs: bigint;
}

/**
 * The newest first, no log records and nothing pending. Where a range lies further back than one
 * walk from the newest commit reaches, a second walk begins with what arrived at its end.
 */
export async function* spansBackwards(
  reader: StoreReader,
  range: Range,
): AsyncGenerator<StoredSpan[]> {
  const reached = yield* walk(reader, {}, range);
  if (reached === undefined) return;
  const arrivedUnixNs = range.toUnixNs + ARRIVE_NS;
  yield* walk(reader, { commit: reached, arrivedUnixNs }, range);
}

/** Answers the last commit that was looked at; undefined when there is nothing behind it. */
async function* walk(
  reader: StoreReader,
  from: CommitBound,
  { fromUnixNs }: Range,
): AsyncGenerator<StoredSpan[], number | undefined> {
  let before = from;
  let limit: number = STEP_SPANS.first;
  for (let looked = 0; looked < WALK_SPANS_MAX;) {
    const { spans, first } = await reader.spansBefore(before, limit);
    if (first === undefined) return undefined;
    looked += spans.length + 1;
    before = { ...from, commit: first.commit };
    yield spans.filter(isWhole).toReversed();
    if (first.arrivalUnixNs < fromUnixNs - AHEAD_NS) return undefined;
    limit = Math.min(limit * 2, STEP_SPANS.most);
  }
  return before.commit;
}
