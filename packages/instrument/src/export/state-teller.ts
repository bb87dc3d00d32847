// Which part of the live state goes with the next flush: what changed of turns
// since they were last put on their way, the session when it changed and every
// tenth time, drop counts when they rose. A turn goes whole the first time, with
// each session, and after something of it was dropped on the way; what is in the
// outbox is not packed twice.

import {
  changeOf,
  type JsonObject,
  type MediaFigures,
  type MediaIntervalState,
  type SessionState,
  type StateMessage,
  type TurnChange,
  type TurnState,
} from '@framescope/protocol';
import type { Page, StateBook, ToldTurn } from './state-book.ts';

/** Session state is repeated: a collector that lost its data learns of the session anew. */
const SESSION_EVERY = 10;

/** What to do when the flush that carried a message is settled. */
export interface Told {
  readonly message: StateMessage | undefined;
  readonly settled: (isDelivered: boolean) => void;
}

export class StateTeller {
  readonly #book: StateBook;
  #flushCount = 0;

  constructor(book: StateBook) {
    this.#book = book;
  }

  /** The message of this flush; an absent one means that nothing changed. */
  next(session: () => SessionState): Told {
    const book = this.#book;
    const isSessionDue = !book.isSessionTold || this.#flushCount % SESSION_EVERY === 0;
    const pages = this.#changedPages();
    const isDropDue = !book.isDroppedTold;
    const notes = book.notes;
    book.notes = { media: [], lineage: [], setup: [] };
    const noted = Object.entries(notes).filter(([, list]) => list.length > 0);
    this.#flushCount += 1;
    book.isSessionTold = true;
    book.isDroppedTold = true;
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
      ...(notes.media.length > 0 ? { media: notes.media.map(whole) } : {}),
      ...(isDropDue ? { dropped: { ...book.dropped } } : {}),
    };
    const settled = (isDelivered: boolean): void => {
      if (isSessionDue && !isDelivered) book.isSessionTold = false;
      if (isDropDue && !isDelivered) book.isDroppedTold = false;
      if (!isDelivered) {
        const newer = book.notes;
        book.notes = notes;
        for (const one of newer.media) book.note('media', one);
        for (const one of newer.lineage) book.note('lineage', one);
        for (const one of newer.setup) book.note('setup', one);
      }
      for (const one of revs) this.#settle(one, isDelivered);
    };
    return { message, settled };
  }

  #changedPages(): [ToldTurn, Page][] {
    const pages: [ToldTurn, Page][] = [];
    for (const [turn, page] of this.#book.turns)
      if (turn.rev > page.sentRev) pages.push([turn, page]);
    return pages;
  }

  #settle(one: SentTurn, isDelivered: boolean): void {
    const { turn, page, state, losses } = one;
    if (!isDelivered) {
      page.losses += 1;
      page.sent = undefined;
      page.sentRev = Math.min(page.sentRev, page.ackedRev);
    } else if (losses === page.losses) page.ackedRev = Math.max(page.ackedRev, state.rev);
    if (turn.isEnded && page.ackedRev >= turn.rev) this.#book.turns.delete(turn);
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

/** A browser's odd number must not cost the whole flush: the collector takes whole ones from 0. */
function wholeOnly(figures: MediaFigures): MediaFigures {
  const rounded = Object.entries(figures).map(([name, n]) => [name, Math.round(n)] as const);
  return Object.fromEntries(rounded.filter(([, n]) => Number.isSafeInteger(n) && n >= 0));
}

const whole = (one: MediaIntervalState): MediaIntervalState => ({
  ...one,
  figures: wholeOnly(one.figures),
});
