// What the adapters of one session know of each other: a telephone line and a
// realtime model together make one call.

import type { Session } from '../../session.ts';
import { PayloadPlaces } from './payload-places.ts';

export class SharedCall {
  /** From the line toward the model. */
  readonly up: PayloadPlaces = new PayloadPlaces();
  /** From the model toward the line. */
  readonly down: PayloadPlaces = new PayloadPlaces();
  /** An adapter sends the agent's audio on, and sees its first frame leave. */
  hasSender = false;
  readonly #sent = new Set<() => void>();
  readonly #cleared = new Set<() => void>();

  /** Calls `heard` when agent audio was sent on. */
  onSent(heard: () => void): () => void {
    this.#sent.add(heard);
    return () => void this.#sent.delete(heard);
  }

  /** Calls `heard` when what was queued toward the user was thrown away. */
  onCleared(heard: () => void): () => void {
    this.#cleared.add(heard);
    return () => void this.#cleared.delete(heard);
  }

  sent(): void {
    for (const heard of this.#sent) heard();
  }

  cleared(): void {
    for (const heard of this.#cleared) heard();
  }
}

const calls = new WeakMap<Session, SharedCall>();

export function sharedCall(session: Session): SharedCall {
  const known = calls.get(session);
  if (known !== undefined) return known;
  const made = new SharedCall();
  calls.set(session, made);
  return made;
}
