// Times of a page (`performance.now()`, and times since the epoch that browsers
// put together from `timeOrigin`) on the session's clock.

import { NS_PER_MS } from '@framescope/protocol';
import type { Clock } from '../../ports.ts';

/** Ms of `performance.now()` → ns on the session's clock, injected or not. */
export function clockNsOf(clock: Clock, pageMs: number): number {
  return clock.now() - Math.round((performance.now() - pageMs) * NS_PER_MS);
}

/** Ms since the epoch, as `RTCRtpContributingSource.timestamp` → ms of `performance.now()`. */
export const pageMsOf = (epochMs: number): number => epochMs - performance.timeOrigin;
