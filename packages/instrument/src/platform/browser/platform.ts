// A browser as a platform. Each page is a clock domain of its own: origins of
// other tabs and workers are not trusted.

import { domainNs, NS_PER_MS, toHex, type DomainNs, type UnixNs } from '@framescope/protocol';
import { JumpWatch } from '../../clock/jump-watch.ts';
import type { Clock, HttpRequest, HttpResponse, Machine, Timers } from '../../ports.ts';
import { BrowserTimeColumn } from './time-column.ts';

const now = (): DomainNs => domainNs(Math.round(performance.now() * NS_PER_MS));

export class BrowserClock implements Clock {
  readonly domain: string = toHex(crypto.getRandomValues(new Uint8Array(8)));
  readonly #watch = new JumpWatch({ now, wallMs: Date.now });

  get epoch(): number {
    return this.#watch.epoch;
  }
  get zeroUnixNs(): UnixNs {
    return this.#watch.zeroUnixNs;
  }

  get epochFromNs(): DomainNs {
    return this.#watch.epochFromNs;
  }

  now(): DomainNs {
    return now();
  }

  makeColumn(capacity: number): BrowserTimeColumn {
    return new BrowserTimeColumn(capacity);
  }

  check(): boolean {
    return this.#watch.check();
  }
}

export const browserTimers: Timers = {
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

export function makeMachine(): Machine {
  return {
    makeClock: () => new BrowserClock(),
    loadEngine: async () => {
      const { Engine } = await import('../../engine.ts');
      return facts => new Engine(facts);
    },
    timers: browserTimers,
    http: browserHttp,
    random: Math.random,
    resource: { 'user_agent.original': navigator.userAgent },
    endpoint: 'http://127.0.0.1:4318',
    headers: {},
    onExit,
  };
}

async function browserHttp(request: HttpRequest): Promise<HttpResponse> {
  const answer = await fetch(request.url, {
    method: request.method,
    headers: { ...request.headers },
    // A copy: `fetch` takes no view of a buffer that may be shared.
    ...(request.body === undefined ? {} : { body: new Uint8Array(request.body) }),
    keepalive: request.isLast === true,
    cache: 'no-store',
    signal: AbortSignal.timeout(request.timeoutMs),
  });
  const retryAfterS = Number(answer.headers.get('retry-after') ?? Number.NaN);
  return {
    status: answer.status,
    body: new Uint8Array(await answer.arrayBuffer()),
    ...(Number.isFinite(retryAfterS) ? { retryAfterS } : {}),
  };
}

/** `pagehide` and hidden: on phones a page is often never told anything more. */
function onExit(flush: (isGone: boolean) => Promise<void>): () => void {
  const gone = (): void => void flush(true);
  const hidden = (): void => {
    if (document.visibilityState === 'hidden') gone();
  };
  addEventListener('pagehide', gone);
  document.addEventListener('visibilitychange', hidden);
  return () => {
    removeEventListener('pagehide', gone);
    document.removeEventListener('visibilitychange', hidden);
  };
}
