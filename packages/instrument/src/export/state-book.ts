// Which part of the live state goes with the next flush: turns that changed
// since they were last put on their way, the session when it changed and every
// tenth time, drop counts when they rose. What was dropped on the way is told
// again; what is in the outbox is not packed twice.

import type {
  LineageState,
  MediaFigures,
  MediaIntervalState,
  SessionState,
  StateMessage,
  TurnState,
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
    this.#turns.set(turn, { sentRev: 0, ackedRev: 0 });
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
    const changed = [...this.#turns].filter(([turn, page]) => turn.rev > page.sentRev);
    const isDropDue = !this.#isDroppedTold;
    const notes = this.#notes;
    this.#notes = { media: [], lineage: [] };
    const noted = Object.entries(notes).filter(([, list]) => list.length > 0);
    this.#flushCount += 1;
    this.#isSessionTold = true;
    this.#isDroppedTold = true;
    if (!isSessionDue && !isDropDue && changed.length + noted.length === 0)
      return { message: undefined, settled: () => undefined };
    const revs = changed.map(([turn, page]) => {
      page.sentRev = turn.rev;
      return { turn, page, rev: turn.rev };
    });
    const message: StateMessage = {
      v: 1,
      ...(isSessionDue ? { session: session() } : {}),
      ...(changed.length > 0 ? { turns: changed.map(([turn]) => turn.snapshot()) } : {}),
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

  #settle(one: { turn: ToldTurn; page: Page; rev: number }, isDelivered: boolean): void {
    const { turn, page, rev } = one;
    if (isDelivered) page.ackedRev = Math.max(page.ackedRev, rev);
    else page.sentRev = Math.min(page.sentRev, page.ackedRev);
    if (turn.isEnded && page.ackedRev >= turn.rev) this.#turns.delete(turn);
  }
}
