// A page's clock with what notices its leaps.

import { JumpWatch } from '../../clock/jump-watch.ts';
import { pageNow, type PageClock } from './page-clock.ts';

/** Measures where its zero stands, some milliseconds; and notices leaps, when asked, from now on. */
export function watched(clock: PageClock): PageClock {
  clock.watch ??= new JumpWatch({ now: pageNow, wallMs: Date.now });
  return clock;
}
