// What a session has to tell of itself, its turns and what was lost, until it is
// told with a flush (state-teller.ts). A page has this at once, what tells it later.

import type {
  LineageState,
  MediaFigures,
  MediaIntervalState,
  SetupState,
  TurnState,
} from '@framescope/protocol';
import type { DropReason } from './outbox.ts';

/** Ended turns that wait to be acknowledged. */
export const TURNS_MAX = 1_000;

/** Problems that have a drop reason of their own, or are no fault of what was handed in. */
const COUNTED_ELSEWHERE: ReadonlySet<string> = new Set([
  'ring_full',
  'bad_mark',
  'not_encoded',
  'provider_threw',
  'clock_jumped',
  'on_acknowledged_threw',
]);

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

/** A browser's odd number must not cost the whole flush: the collector takes whole ones from 0. */
export function wholeOnly(figures: MediaFigures): MediaFigures {
  const rounded = Object.entries(figures).map(([name, n]) => [name, Math.round(n)] as const);
  return Object.fromEntries(rounded.filter(([, n]) => Number.isSafeInteger(n) && n >= 0));
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

  countDropped(reason: DropReason, count: number): void {
    if (count <= 0) return;
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
    this.isDroppedTold = false;
  }

  /** What was handed in and made no sense: told beside what was dropped, so that it is seen. */
  countProblem(code: string, count: number): void {
    if (COUNTED_ELSEWHERE.has(code) || count <= 0) return;
    this.#dropped[code] = (this.#dropped[code] ?? 0) + count;
    this.isDroppedTold = false;
  }

  /** Cumulative counts of what was not delivered, and of what made no sense. */
  get dropped(): Readonly<Record<string, number>> {
    return this.#dropped;
  }
}
