// A turn as it was built last, kept until something of it is another.

import type { TurnFacts } from '../session-data.ts';
import type { BuiltTurn } from './turns.ts';

export interface HeldTurn {
  readonly built: BuiltTurn;
  /** Of its own state and of those joined to it. */
  readonly rev: string;
  readonly revision: number;
  readonly isSettled: boolean;
  told: string;
}

export const revOf = ({ state, joined = [] }: TurnFacts): string =>
  [state.rev, ...joined.map(one => one.state.rev)].join();

export const isUntold = (held: HeldTurn): boolean => held.told !== JSON.stringify(held.built.turn);
