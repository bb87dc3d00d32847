// Turns as their process tells them: whole at first, then by what changed since
// the revision told before. Here they are made whole again, one after the other.
//
// A change that overtook what it stands on waits for it; flushes of one process
// come in order, but a page that goes away posts a second time beside the first.

import type { StateMessage, TurnChange, TurnState } from '@framescope/protocol';
import { turnAfter } from '../../recognise/framescope.ts';

const TURNS_MAX = 20_000;
/** Of one turn: half a minute of flushes. */
const WAITING_MAX = 32;

interface Telling {
  told: TurnState | undefined;
  readonly waiting: TurnChange[];
}

export class ToldTurns {
  readonly #tellings = new Map<string, Telling>();
  readonly #refuse: (reason: string) => void;

  /** @param refuse Told the reason when a change can not be made. */
  constructor(refuse: (reason: string) => void) {
    this.#refuse = refuse;
  }

  /** The states that a message of this process leads to, in the order of their revisions. */
  take({ turns = [], changes = [] }: StateMessage, producer: string): TurnState[] {
    const states: TurnState[] = [];
    for (const state of turns) this.#add(state, this.#tellingOf(state, producer), states);
    for (const change of changes) this.#change(change, this.#tellingOf(change, producer), states);
    return states;
  }

  #add(state: TurnState, telling: Telling, states: TurnState[]): void {
    states.push(state);
    if (telling.told !== undefined && telling.told.rev > state.rev) return;
    telling.told = state;
    const next = telling.waiting.findIndex(change => change.base === state.rev);
    if (next >= 0) this.#change(telling.waiting.splice(next, 1)[0]!, telling, states);
  }

  #change(change: TurnChange, telling: Telling, states: TurnState[]): void {
    const { told, waiting } = telling;
    if (told !== undefined && told.rev >= change.rev) return;
    if (told === undefined || told.rev !== change.base) {
      if (waiting.length < WAITING_MAX) waiting.push(change);
      else this.#refuse('changes of a turn whose beginning is not known');
      return;
    }
    const state = turnAfter(told, change);
    if (state.ok) this.#add(state.value, telling, states);
    else this.#refuse('changes that make no turn');
  }

  #tellingOf({ stream, tick }: Pick<TurnState, 'stream' | 'tick'>, producer: string): Telling {
    const id = `${producer} ${stream} ${tick}`;
    const known = this.#tellings.get(id);
    if (known !== undefined) return known;
    const telling: Telling = { told: undefined, waiting: [] };
    if (this.#tellings.size < TURNS_MAX) this.#tellings.set(id, telling);
    return telling;
  }
}
