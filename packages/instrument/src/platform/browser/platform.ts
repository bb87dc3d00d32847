// A browser as a platform: what a page has at once.

import type { Machine, Timers } from '../../ports.ts';
import { PageClock } from './page-clock.ts';

export const browserTimers: Timers = {
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

export function makeMachine(): Machine {
  return {
    makeClock: () => new PageClock(),
    loadEngine: async () => (await import('./engine.ts')).makeEngine,
    timers: browserTimers,
    http: () => Promise.reject(new Error('nothing is sent before the engine is there')),
    random: Math.random,
    resource: { 'user_agent.original': navigator.userAgent },
    endpoint: 'http://127.0.0.1:4318',
    headers: {},
    onExit: () => () => undefined,
  };
}
