// How a session's call came about, and what became of its connections: told by
// whichever process saw it, kept as it was told.
//
//   client  call_started ── signalled ── ice_connected ── dtls_connected ···· connection_lost ── restored
//   edge            agent_requested
//   agent                   agent_started ── (its session is open: agent_ready)

import type { SetupName, SetupState } from '@framescope/protocol';
import type { ClockKey } from './clock/clock-graph.ts';

/** A page that reconnects each second for ten minutes; beyond it nobody reads them. */
const MOMENTS_MAX = 1_200;

export interface ToldSetup extends SetupState {
  readonly clock: ClockKey;
  readonly producer: string;
}

export class SetupLog {
  readonly #all: ToldSetup[] = [];

  /** False when there are too many. Sent again, it is kept once. */
  add(state: SetupState, clock: ClockKey, producer: string): boolean {
    const isKnown = this.#all.some(
      one => one.name === state.name && one.at === state.at && one.producer === producer,
    );
    if (isKnown) return true;
    if (this.#all.length >= MOMENTS_MAX) return false;
    this.#all.push({ ...state, clock, producer });
    return true;
  }

  /** What kinds of moments were told: with another one a ledger is another. */
  get names(): string {
    return [...new Set(this.#all.map(one => one.name))].join();
  }

  get size(): number {
    return this.#all.length;
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  named(name: SetupName): readonly ToldSetup[] {
    return this.#all.filter(one => one.name === name);
  }
}
