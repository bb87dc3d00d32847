// Which part of the live state goes with the next flush: what changed of turns
// since they were last put on their way, the session when it changed and every
// tenth time, drop counts when they rose. A turn goes whole the first time, with
// each session, and after something of it was dropped on the way; what is in the
// outbox is not packed twice.

import {
  changeOf,
  type JsonObject,
  type LineageState,
  type MediaFigures,
  type MediaIntervalState,
  type SessionState,
  type StateMessage,
  type TurnChange,
  type TurnState,
} from '@framescope/protocol';
import type { DropReason } from './outbox.ts';

/** Session state is repeated: a collector that lost its data learns of the session anew. */
const SESSION_EVERY = 10;
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
}

/** A browser's odd number must not cost the whole flush: the collector takes whole ones from 0. */
export function wholeOnly(figures: MediaFigures): MediaFigures {
  const rounded = Object.entries(figures).map(([name, n]) => [name, Math.round(n)] as const);
  return Object.fromEntries(rounded.filter(([, n]) => Number.isSafeInteger(n) && n >= 0));
}

interface Page {
  sentRev: number;
  ackedRev: number;
  /** As it was put on its way last; absent when it has to go whole. */
  sent: TurnState | undefined;
  /** Rises when something was dropped: what was told on top of that tells nothing. */
  losses: number;
}

/** What to do when the flush that carried a message is settled. */
export interface Told {
  readonly message: StateMessage | undefined;
  readonly settled: (isDelivered: boolean) => void;
}

export class StateBook {
  readonly #turns = new Map<ToldTurn, Page>();
  readonly #dropped: Record<string, number> = {};
  #notes: Notes = { media: [], lineage: [] };
  #isDroppedTold = true;
  #isSessionTold = false;
  #flushCount = 0;

  /** Takes a turn in; false if there are too many that nobody acknowledged. */
  addTurn(turn: ToldTurn): boolean {
    if (this.#turns.size >= TURNS_MAX) return false;
    this.#turns.set(turn, { sentRev: 0, ackedRev: 0, sent: undefined, losses: 0 });
    return true;
  }

  /** Call when the session's attributes, streams or end changed. */
  sessionChanged(): void {
    this.#isSessionTold = false;
  }

  /** Takes in what is told once; the oldest give way, and are counted, when nobody takes them. */
  note<Kind extends keyof Notes>(kind: Kind, one: Notes[Kind][number]): void {
    const notes: unknown[] = this.#notes[kind];
    notes.push(one);
    while (notes.length > NOTES_MAX) {
      notes.shift();
      this.countDropped('notes_full', 1);
    }
  }

  countDropped(reason: DropReason, count: number): void {
    if (count <= 0) return;
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
    this.#isDroppedTold = false;
  }

  /** What was handed in and made no sense: told beside what was dropped, so that it is seen. */
  countProblem(code: string, count: number): void {
    if (COUNTED_ELSEWHERE.has(code) || count <= 0) return;
    this.#dropped[code] = (this.#dropped[code] ?? 0) + count;
    this.#isDroppedTold = false;
  }

  /** Cumulative counts of what was not delivered, and of what made no sense. */
  get dropped(): Readonly<Record<string, number>> {
    return this.#dropped;
  }

  /** The message of this flush; an absent one means that nothing changed. */
  next(session: () => SessionState): Told {
    const isSessionDue = !this.#isSessionTold || this.#flushCount % SESSION_EVERY === 0;
    const pages = this.#changedPages();
    const isDropDue = !this.#isDroppedTold;
    const notes = this.#notes;
    this.#notes = { media: [], lineage: [] };
    const noted = Object.entries(notes).filter(([, list]) => list.length > 0);
    this.#flushCount += 1;
    this.#isSessionTold = true;
    this.#isDroppedTold = true;
    if (!isSessionDue && !isDropDue && pages.length + noted.length === 0)
      return { message: undefined, settled: () => undefined };
    const revs = pages.map(([turn, page]) => ({
      turn,
      page,
      before: page.sent,
      state: turn.snapshot(),
      losses: page.losses,
    }));
    for (const { page, state } of revs) {
      page.sentRev = state.rev;
      page.sent = state;
    }
    const turns = revs.flatMap(({ before, state }) =>
      before === undefined || isSessionDue ? [state] : [],
    );
    const changes = revs.flatMap(({ before, state }) =>
      before === undefined || isSessionDue ? [] : [turnChange(before, state)],
    );
    const message: StateMessage = {
      v: changes.length > 0 ? 2 : 1,
      ...(isSessionDue ? { session: session() } : {}),
      ...(turns.length > 0 ? { turns } : {}),
      ...(changes.length > 0 ? { changes } : {}),
      ...Object.fromEntries(noted),
      ...(isDropDue ? { dropped: { ...this.#dropped } } : {}),
    };
    const settled = (isDelivered: boolean): void => {
      if (isSessionDue && !isDelivered) this.#isSessionTold = false;
      if (isDropDue && !isDelivered) this.#isDroppedTold = false;
      if (!isDelivered) {
        const newer = this.#notes;
        this.#notes = notes;
        for (const one of newer.media) this.note('media', one);
        for (const one of newer.lineage) this.note('lineage', one);
      }
      for (const one of revs) this.#settle(one, isDelivered);
    };
    return { message, settled };
  }

  #changedPages(): [ToldTurn, Page][] {
    const pages: [ToldTurn, Page][] = [];
    for (const [turn, page] of this.#turns) if (turn.rev > page.sentRev) pages.push([turn, page]);
    return pages;
  }

  #settle(one: SentTurn, isDelivered: boolean): void {
    const { turn, page, state, losses } = one;
    if (!isDelivered) {
      page.losses += 1;
      page.sent = undefined;
      page.sentRev = Math.min(page.sentRev, page.ackedRev);
    } else if (losses === page.losses) page.ackedRev = Math.max(page.ackedRev, state.rev);
    if (turn.isEnded && page.ackedRev >= turn.rev) this.#turns.delete(turn);
  }
}

interface SentTurn {
  readonly turn: ToldTurn;
  readonly page: Page;
  readonly state: TurnState;
  readonly losses: number;
}

function turnChange(before: TurnState, state: TurnState): TurnChange {
  const { tick, stream, rev } = state;
  // The revision is told beside it; the same but for that, nothing is set.
  const set = changeOf({ ...before, rev }, state);
  return {
    tick,
    stream,
    base: before.rev,
    rev,
    set: typeof set === 'object' ? (set as JsonObject) : {},
  };
}
