// The waits of one turn: what opened them, what happened in them, what closed
// them. No part is computed here: the collector does that, from moments, marks
// and clock samples alone.
//
//   llm asked ─ speech end told ─ decided ─ first voiced      moments that come
//   (pending)   opens a wait      in it     closes it         before a wait opens
//                                                             wait for it
//
// A moment that stands for two facts (a stage began = the model was asked) is
// recorded once: what the user says by `moment` wins over what a stage implies.

import type { MomentState, WaitKind, WaitState } from '@framescope/protocol';
import { lean } from '../coerce.ts';

export const WAITS_MAX = 32;
export const MOMENTS_MAX = 128;

/** Moments of a decision that falls when the user goes on speaking after all. */
const REVOKED_BY_SPEECH: readonly string[] = ['turn_decided', 'transcript_final'];

interface HeldMoment {
  readonly moment: MomentState;
  /** True when a stage implied it. */
  readonly isImplied: boolean;
}

interface HeldWait {
  readonly kind: WaitKind;
  opens: WaitState['opens'];
  closes: WaitState['closes'];
  outcome: WaitState['outcome'];
  moments: HeldMoment[];
}

export class Waits {
  readonly #waits: HeldWait[] = [];
  #pending: HeldMoment[] = [];

  /** The wait that is open now, if any. */
  get isOpen(): boolean {
    return this.#open() !== undefined;
  }

  /**
   * Opens a wait; false when there are too many. An open `response` is opened anew: the user went
   * on, and the last end of speech counts.
   */
  open(kind: WaitKind, opens: WaitState['opens']): boolean {
    const open = this.#open();
    if (open?.kind === 'response' && kind === 'response') {
      open.opens = opens;
      open.moments = open.moments.filter(one => !REVOKED_BY_SPEECH.includes(one.moment.name));
      return true;
    }
    if (this.#waits.length >= WAITS_MAX) return false;
    this.#waits.push({
      kind,
      opens,
      closes: undefined,
      moments: this.#pending,
      outcome: undefined,
    });
    this.#pending = [];
    return true;
  }

  /** Closes the open wait; false if none is open. */
  close(closes: NonNullable<WaitState['closes']>): boolean {
    const open = this.#open();
    if (open === undefined) return false;
    open.closes = closes;
    return true;
  }

  /** The last answer turned out to be a filler: false if there was none, or it is known. */
  markFiller(): boolean {
    const closed = this.#waits.findLast(wait => wait.closes !== undefined);
    if (closed?.closes === undefined || closed.closes.filler === true) return false;
    closed.closes = { ...closed.closes, filler: true };
    return true;
  }

  /** Says how the last wait without an outcome went: the authority knows better than the marks. */
  settle(outcome: NonNullable<WaitState['outcome']>): void {
    const last = this.#waits.at(-1);
    if (last !== undefined && last.outcome === undefined) last.outcome = outcome;
  }

  /** Records a moment in the open wait, or for the next one. False when there are too many. */
  moment(moment: MomentState, isImplied: boolean): boolean {
    const open = this.#open();
    const list = open === undefined ? this.#pending : open.moments;
    const held = { moment, isImplied };
    const other = list.findIndex(one => isSame(one, held));
    if (other >= 0 && list[other]!.isImplied !== isImplied) {
      if (!isImplied) list[other] = held;
      return true;
    }
    if (list.length >= MOMENTS_MAX) return false;
    list.push(held);
    return true;
  }

  /** What came after the last wait belongs to it: no other will come. */
  finish(): void {
    this.#waits.at(-1)?.moments.push(...this.#pending);
    this.#pending = [];
  }

  snapshot(): readonly WaitState[] {
    return this.#waits.map(wait =>
      lean<WaitState>({ ...wait, moments: wait.moments.map(one => one.moment) }),
    );
  }

  #open(): HeldWait | undefined {
    const last = this.#waits.at(-1);
    return last !== undefined && last.closes === undefined && last.outcome === undefined
      ? last
      : undefined;
  }
}

/** One fact told twice, once by the user and once by a stage. */
const isSame = (a: HeldMoment, b: HeldMoment): boolean =>
  a.moment.name === b.moment.name && a.moment.generation === b.moment.generation;
