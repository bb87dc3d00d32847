// What a page loads when its first call begins: the engine, with the page's HTTP,
// what watches its clock, and the moment before the page goes.

import { Engine, type EngineFacts } from '../../engine.ts';
import type { HttpRequest, HttpResponse } from '../../ports.ts';
import { PageClock } from './page-clock.ts';
import { watched } from './watched-clock.ts';

export function makeEngine(facts: EngineFacts): Engine {
  const { clock } = facts.platform;
  if (clock instanceof PageClock) watched(clock);
  return new Engine({ ...facts, platform: { ...facts.platform, http: browserHttp, onExit } });
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
