// Clock, timers and chance that were handed in, kept from throwing.

import type { FramescopeOptions } from '../options.ts';
import type { GivenPorts, Timers } from '../ports.ts';
import type { Problems } from '../problems.ts';
import { GuardedClock } from './guarded-clock.ts';

/** As handed in, less what is none. */
export function guardedPorts(
  { clock, timers, random }: Partial<FramescopeOptions>,
  problems: Problems,
): GivenPorts {
  const isClock = typeof clock === 'object' && clock !== null;
  return {
    ...(isClock ? { clock: new GuardedClock(clock, problems) } : {}),
    ...(typeof timers?.after === 'function' ? { timers: guardedTimers(timers, problems) } : {}),
    ...(typeof random === 'function'
      ? { random: () => problems.guard('random', random, Math.random) }
      : {}),
  };
}

const guardedTimers = (timers: Timers, problems: Problems): Timers => ({
  after: (delayMs, task) => {
    const none = { cancel: () => undefined };
    return problems.guard(
      'timers',
      () => timers.after(delayMs, task),
      () => none,
    );
  },
});
