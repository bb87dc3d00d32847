// What the writer remembers of sessions that are going on, so that most commits ask
// the disk for nothing. Bounded; what was let go is read from the volumes again.

import { sessionKey } from '@framescope/protocol';
import type { SessionName } from './volume-writer.ts';

const SESSIONS_MAX = 20_000;

export interface KnownSession {
  readonly name: SessionName;
  lastArrivalUnixNs: bigint;
  readonly flushes: FlushMemory;
}

/** The last sequence number of each producer of a session: what lies beyond was not sent before. */
export class FlushMemory {
  readonly #last = new Map<string, number>();
  /** The session began under this writer: a producer that is not known here has sent nothing. */
  readonly isWhole: boolean;

  constructor(isWhole: boolean) {
    this.isWhole = isWhole;
  }

  lastOf(producer: string): number | undefined {
    return this.#last.get(producer) ?? (this.isWhole ? -1 : undefined);
  }

  note(producer: string, seq: number): void {
    const last = this.#last.get(producer);
    if (last === undefined || seq > last) this.#last.set(producer, seq);
  }
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

/** A new session under an ID that was there before, or never. */
export function nextIncarnation(sessionId: string, before: KnownSession | undefined): SessionName {
  const incarnation = before ? before.name.incarnation + 1 : 0;
  return { key: sessionKey(sessionId, incarnation), id: sessionId, incarnation };
}
