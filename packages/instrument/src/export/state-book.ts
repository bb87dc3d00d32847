// What a session has to tell of itself, its turns and what was lost, until it is
// told with a flush (state-teller.ts). A page has this at once, what tells it later.

import type { LineageState, MediaIntervalState, SetupState, TurnState } from '@framescope/protocol';

/** Ended turns that wait to be acknowledged. */
export const TURNS_MAX = 1_000;

/** Intervals of media figures, and bends and derivations, that wait: two streams for two minutes without a collector. */
const NOTES_MAX = 256;

/** A turn as this book sees it. */
export interface ToldTurn {
  readonly rev: number;
  readonly isEnded: boolean;
  snapshot(): TurnState;
}

/** What is told once, in the next flush. */
export interface Notes {
  readonly media: MediaIntervalState[];
  readonly lineage: LineageState[];
  readonly setup: SetupState[];
}

/** What was told of a turn. */
export interface Page {
  sentRev: number;
  ackedRev: number;
  /** As it was put on its way last; absent when it has to go whole. */
  sent: TurnState | undefined;
  /** Rises when something was dropped: what was told on top of that tells nothing. */
  losses: number;
}

export class StateBook {
  readonly turns: Map<ToldTurn, Page> = new Map();
  notes: Notes = { media: [], lineage: [], setup: [] };
  isDroppedTold = true;
  isSessionTold = false;
  readonly #dropped: Record<string, number> = {};

  /** Takes a turn in; false if there are too many that nobody acknowledged. */
  addTurn(turn: ToldTurn): boolean {
    if (this.turns.size >= TURNS_MAX) return false;
    this.turns.set(turn, { sentRev: 0, ackedRev: 0, sent: undefined, losses: 0 });
    return true;
  }

  /** Call when the session's attributes, streams or end changed. */
  sessionChanged(): void {
    this.isSessionTold = false;
  }

  /** Takes in what is told once; the oldest give way, and are counted, when nobody takes them. */
  note<Kind extends keyof Notes>(kind: Kind, one: Notes[Kind][number]): void {
    const notes: unknown[] = this.notes[kind];
    notes.push(one);
    while (notes.length > NOTES_MAX) {
      notes.shift();
      this.countDropped('notes_full', 1);
    }
  }

  /** What was not delivered, and what was handed in and made no sense: told, so that it is seen. */
  countDropped(reason: string, count: number): void {
    if (count <= 0) return;
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
    this.isDroppedTold = false;
  }

  /** Cumulative counts of what was not delivered, and of what made no sense. */
  get dropped(): Readonly<Record<string, number>> {
    return this.#dropped;
  }
}
