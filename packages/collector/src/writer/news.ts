// What the writer tells assembly of its commits. Records and live state stand in
// the store and are read there; spans are told counted, since they stand packed.
//
// News gather while assembly is busy: then they are told as one, so that what waits
// is a few numbers a session, however far behind it is.

import type { CommittedBatch, SpanTally, StoredSpan, TouchedSession } from '../store/store.ts';

/** Of the commits in (after, upTo]. */
export interface News {
  readonly after: number;
  readonly upTo: number;
  readonly arrivalUnixNs: bigint;
  /** `isNew`: nothing of it was stored before these commits. */
  readonly sessions: readonly TouchedSession[];
  /** At most one a session and resource; its commit is the last one's. */
  readonly tallies: readonly SpanTally[];
  readonly spans: readonly StoredSpan[];
  readonly flushCount: number;
}

/** As many as a session lists. */
const TRACES_MAX = 256;
/** Spans for assembly that may wait; then bodies are refused until some are gone. */
const SPANS_MAX = 50_000;

export class NewsDraft {
  #after: number | undefined;
  #upTo = 0;
  #arrivalUnixNs = 0n;
  #flushCount = 0;
  #sessions = new Map<string, TouchedSession>();
  /** By session, then by the object of the resource: a process sends one and the same. */
  #tallies = new Map<string, Map<object, SpanTally>>();
  #spans: StoredSpan[] = [];

  /** True when assembly is so far behind that no more should be taken in. */
  get isFull(): boolean {
    return this.#spans.length >= SPANS_MAX;
  }

  get isEmpty(): boolean {
    return this.#after === undefined;
  }

  add(batch: CommittedBatch): void {
    if (batch.tallies.length + batch.flushes.length === 0) return;
    this.#after ??= batch.commit - 1;
    this.#upTo = batch.commit;
    this.#arrivalUnixNs = batch.arrivalUnixNs;
    this.#flushCount += batch.flushes.length;
    for (const session of batch.sessions)
      if (!this.#sessions.has(session.key)) this.#sessions.set(session.key, session);
    for (const tally of batch.tallies) this.#count(tally);
    for (const span of batch.spans) this.#spans.push(span);
  }

  #count(tally: SpanTally): void {
    let ofSession = this.#tallies.get(tally.sessionKey);
    if (ofSession === undefined) this.#tallies.set(tally.sessionKey, (ofSession = new Map()));
    const before = ofSession.get(tally.resource);
    ofSession.set(tally.resource, before === undefined ? tally : together(before, tally));
  }

  /** All there is, and none of it twice. */
  take(): News {
    const news: News = {
      after: this.#after ?? this.#upTo,
      upTo: this.#upTo,
      arrivalUnixNs: this.#arrivalUnixNs,
      sessions: [...this.#sessions.values()],
      tallies: [...this.#tallies.values()].flatMap(ofSession => [...ofSession.values()]),
      spans: this.#spans,
      flushCount: this.#flushCount,
    };
    this.#after = undefined;
    this.#flushCount = 0;
    this.#sessions = new Map();
    this.#tallies = new Map();
    this.#spans = [];
    return news;
  }
}

function together(before: SpanTally, next: SpanTally): SpanTally {
  return {
    ...next,
    traceIds: [...new Set([...before.traceIds, ...next.traceIds])].slice(-TRACES_MAX),
    count: before.count + next.count,
    errorCount: before.errorCount + next.errorCount,
    startUnixNs: next.startUnixNs < before.startUnixNs ? next.startUnixNs : before.startUnixNs,
    endUnixNs: next.endUnixNs > before.endUnixNs ? next.endUnixNs : before.endUnixNs,
  };
}
