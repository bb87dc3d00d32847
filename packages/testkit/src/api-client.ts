// The collector from outside: bodies in, answers out, over HTTP and nothing else.

import type {
  FramesWindow,
  Heatmap,
  Page,
  SessionDetail,
  SessionSummary,
  Tail,
  Turn,
} from '@framescope/protocol';
import { sessionKey } from '@framescope/protocol';
import { type SentBody } from './virtual-host.ts';

export class ApiClient {
  readonly url: string;

  constructor(url: string) {
    this.url = url.replace(/\/$/, '');
  }

  /** Posts one body as it was sent; anything but a whole acceptance is an error. */
  async post(sent: Pick<SentBody, 'path' | 'headers' | 'body'>): Promise<void> {
    const answer = await fetch(`${this.url}${sent.path}`, {
      method: 'POST',
      headers: sent.headers,
      body: new Uint8Array(sent.body),
    });
    const text = await answer.text();
    // Telemetry is answered 200 when it is stored; a trigger is only passed on: 202.
    if (!answer.ok || /rejected/i.test(text))
      throw new Error(`POST ${sent.path} answered ${answer.status}: ${text.slice(0, 300)}`);
  }

  /** The collector's clock, as `/v1/clock` tells it. */
  async clock(): Promise<{ readonly domain: string; readonly epoch: number; readonly t2: number }> {
    return this.#get('/v1/clock?t1=0');
  }

  session(id: string): Promise<SessionDetail> {
    return this.#get(`/api/v1/sessions/${sessionKey(id)}`);
  }

  /** Sessions that the filter passes, newest first; `cursor` from the page before. */
  sessionsLike(filter: string, cursor?: string): Promise<Page<SessionSummary>> {
    const query = new URLSearchParams({ filter, limit: '200' });
    if (cursor !== undefined) query.set('cursor', cursor);
    return this.#get(`/api/v1/sessions?${query.toString()}`);
  }

  sessions(limit = 100): Promise<Page<SessionSummary>> {
    return this.#get(`/api/v1/sessions?limit=${limit}`);
  }

  async turns(id: string): Promise<readonly Turn[]> {
    const page = await this.#get<Page<Turn>>(`/api/v1/sessions/${sessionKey(id)}/turns?limit=500`);
    return page.items;
  }

  frames(id: string, fromNs: number, toNs: number): Promise<FramesWindow> {
    const window = `fromNs=${Math.floor(fromNs)}&toNs=${Math.ceil(toNs)}`;
    return this.#get(`/api/v1/sessions/${sessionKey(id)}/frames?${window}`);
  }

  /** `query` as in the API: `measure`, `from`, `to`, … */
  heatmap(query: Readonly<Record<string, string>>): Promise<Heatmap> {
    return this.#get(`/api/v1/heatmap?${new URLSearchParams(query)}`);
  }

  tail(query: Readonly<Record<string, string>>): Promise<Tail> {
    return this.#get(`/api/v1/tail?${new URLSearchParams(query)}`);
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}${path}`, { headers: { accept: 'application/json' } });
    if (!answer.ok)
      throw new Error(
        `GET ${path} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`,
      );
    return (await answer.json()) as T;
  }
}
