// The arrow from raw data to what is shown: called by the writer's loop after
// each commit, off the path of the answer.
//
// An assembler is pure: it knows no store, no thread and no clock but the one
// handed to it. The loop gives it what was committed, asks from time to time
// what changed, writes that down and tells the viewers.

import type { ClockBook } from './clock/clock-book.ts';
import type { AssemblyBatch, DerivedRows, RawSession } from '../store/store.ts';

/** What viewers are told; the serving side turns it into `LiveEvent`s. */
export type Change =
  | { readonly type: 'session'; readonly sessionKey: string }
  | { readonly type: 'turns'; readonly sessionKey: string; readonly ticks: readonly number[] }
  /** New marks are readable: the window in `SessionNs` in which they fall. */
  | {
      readonly type: 'frames';
      readonly sessionKey: string;
      readonly fromNs: number;
      readonly toNs: number;
    }
  | { readonly type: 'rollup'; readonly fromUnixNs: string; readonly toUnixNs: string };

export interface Assembled {
  readonly derived: readonly DerivedRows[];
  readonly changes: readonly Change[];
  /**
   * Sessions that have to be read again, whole: `restore` each, and then call `tick` again; `leave`
   * those of which there is nothing.
   */
  readonly wanted: readonly string[];
  /** There was no time for all that is due. */
  readonly isMore?: boolean;
}

export interface AssemblerOptions {
  /** The collector's own clock, as it is and as it was. */
  readonly clockBook: ClockBook;
  /** When this collector started: sessions are not called broken off in the first three periods. */
  readonly startedUnixNs: bigint;
  /** Limits by measure, ns. */
  readonly budgets: Readonly<Record<string, number>>;
}

export interface TickOptions {
  /** The collector stops: what was put off comes now. */
  readonly isLast?: boolean;
  /** More waits to be read: what can be looked at later should be. */
  readonly isBusy?: boolean;
  /** Asked before each session; false: the rest waits. */
  readonly hasTime?: () => boolean;
}

export interface Assembler {
  /** True when the session is in memory. If not, and it is not new, the loop calls `restore` first. */
  has(sessionKey: string): boolean;
  /** All raw data of one session, after a start or when it had been let go. */
  restore(raw: RawSession): void;
  /**
   * Nothing that was heard of the session is missing in `raw`: retention took nothing meanwhile.
   * What is not in memory was not heard of.
   */
  isWhole(raw: RawSession): boolean;
  /** Another collector has it now: nothing of it is written any more. */
  forget(sessionKey: string): void;
  /** The store has nothing of a session that was wanted: it goes on with what is in memory. */
  leave(sessionKey: string): void;
  /** What one commit brought, each thing once. Must not throw on strange data. */
  ingest(batch: AssemblyBatch): void;
  /**
   * Called about four times a second and before closing. Answers what changed since the last
   * call, including what time alone changed (idle, broken off). May let go of quiet sessions.
   * What there is no time for comes next time.
   */
  tick(nowUnixNs: bigint, options?: TickOptions): Assembled;
}

export type MakeAssembler = (options: AssemblerOptions) => Assembler;
