// Where on the timeline a turn is looked at.

import type { Turn } from '@framescope/protocol';
import { mainWait } from '../layout/turns.ts';
import { around, type Viewport } from './viewport.ts';

/** A turn with its speech before and the start of its answer: where the wait is in the middle. */
export function viewOfTurn(turn: Turn): Viewport {
  const wait = mainWait(turn);
  if (!wait) return around(turn.startNs, turn.endNs ?? turn.startNs + 4e9);
  const endNs = wait.endNs ?? wait.startNs + wait.waitNs;
  return around(wait.startNs - 7e8, endNs + 7e8, 0.12);
}
