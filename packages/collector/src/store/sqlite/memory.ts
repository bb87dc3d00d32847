// What the writer remembers so that most commits ask the disk for nothing:
// which spans of recent traces are stored, and which sessions are going on.
// Bounded; what was let go is read from the volumes again.

import type { DecodedSpan } from '../../decode/types.ts';
import type { SessionName } from './volume-writer.ts';

/** 2^18 span IDs are about 30 MB of strings. */
const SPAN_IDS_MAX: number = 1 << 18;

const SESSIONS_MAX = 20_000;

export interface KnownTrace {
  readonly spanIds: Set<string>;
  /** The session that a span of the trace named. */
  session: SessionName | undefined;
}

export class TraceMemory {
  readonly #traces = new Map<string, KnownTrace>();
  readonly #load: (traceId: string) => KnownTrace;
  #spanCount = 0;

  /** `load` answers what the volumes of the last 24 h hold of a trace. */
  constructor(load: (traceId: string) => KnownTrace) {
    this.#load = load;
  }

  of(traceId: string): KnownTrace {
    const known = this.#traces.get(traceId);
    if (known) return known;
    const loaded = this.#load(traceId);
    this.#traces.set(traceId, loaded);
    this.#spanCount += loaded.spanIds.size;
    return loaded;
  }

  /** True when it was not known: it is from now on. */
  add({ traceId, spanId }: DecodedSpan): boolean {
    const { spanIds } = this.of(traceId);
    if (spanIds.has(spanId)) return false;
    spanIds.add(spanId);
    this.#spanCount++;
    return true;
  }

  /** Lets go of the traces first seen longest ago. Call between commits. */
  trim(): void {
    for (const [traceId, { spanIds }] of this.#traces) {
      if (this.#spanCount <= SPAN_IDS_MAX) return;
      this.#spanCount -= spanIds.size;
      this.#traces.delete(traceId);
    }
  }

  clear(): void {
    this.#traces.clear();
    this.#spanCount = 0;
  }
}

export interface KnownSession {
  readonly name: SessionName;
  lastArrivalUnixNs: bigint;
}

export class SessionMemory {
  readonly #sessions = new Map<string, KnownSession>();

  get(sessionId: string): KnownSession | undefined {
    return this.#sessions.get(sessionId);
  }

  set(sessionId: string, session: KnownSession): void {
    this.#sessions.delete(sessionId);
    this.#sessions.set(sessionId, session);
  }

  trim(): void {
    for (const sessionId of this.#sessions.keys()) {
      if (this.#sessions.size <= SESSIONS_MAX) return;
      this.#sessions.delete(sessionId);
    }
  }

  clear(): void {
    this.#sessions.clear();
  }
}
