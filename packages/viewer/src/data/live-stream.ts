// One event stream from the collector, taken up again where it broke off.
//
// Read with fetch and not EventSource, which cannot be given a Last-Event-ID
// and gives up for good after a 503. A stream that has said nothing for 40 s is
// dead, whatever the socket believes: the collector speaks every 15 s. While
// somebody looks, a broken line is tried again within a second, always: a page
// that is looked at must not sit out a back-off.

import type { LiveEvent } from '@framescope/protocol';
import { EventStreamParser } from './event-stream.ts';

export type LiveStatus = 'connecting' | 'open' | 'away';

const RETRY_SEEN_MS = 700;
const RETRY_HIDDEN_MAX_MS = 10_000;
/** The collector says "still here" every 15 s: two missed and a bit. */
export const SILENCE_MS = 40_000;

/** What the stream needs of the world; passed in so that a test can be the world. */
export interface LiveWorld {
  fetch(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response>;
  after(ms: number, run: () => void): () => void;
  random(): number;
}

export interface LiveSink {
  event(event: LiveEvent): void;
  status(status: LiveStatus): void;
}

export const BROWSER_WORLD: LiveWorld = {
  fetch: (headers, signal) => fetch('/api/v1/live', { headers, signal, cache: 'no-store' }),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

export class LiveStream {
  readonly #sink: LiveSink;
  readonly #world: LiveWorld;
  #status: LiveStatus = 'connecting';
  #lastId: string | undefined;
  #failures = 0;
  #isSeen = true;
  #isClosed = false;
  #connection: AbortController | undefined;
  #cancelRetry: (() => void) | undefined;
  #cancelWatchdog: (() => void) | undefined;

  constructor(sink: LiveSink, world: LiveWorld = BROWSER_WORLD) {
    this.#sink = sink;
    this.#world = world;
  }

  get status(): LiveStatus {
    return this.#status;
  }

  /** Connects, and again whenever the connection ends. */
  start(): void {
    void this.#connect().finally(() => this.#ended());
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#cancelWatchdog?.();
    this.#connection?.abort();
  }

  /** Says whether anybody looks. When somebody comes back to a broken line it is tried at once. */
  setSeen(isSeen: boolean): void {
    const isBack = isSeen && !this.#isSeen;
    this.#isSeen = isSeen;
    if (isBack && this.#cancelRetry) this.#retry();
  }

  #ended(): void {
    this.#cancelWatchdog?.();
    if (this.#isClosed) return;
    this.#failures++;
    this.#setStatus('away');
    this.#cancelRetry = this.#world.after(this.#retryMs(), () => this.#retry());
  }

  #retry(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.start();
  }

  #retryMs(): number {
    const backoff = this.#isSeen ? 1 : 2 ** Math.min(this.#failures, 5);
    return Math.min(RETRY_SEEN_MS * backoff, RETRY_HIDDEN_MAX_MS) * (0.6 + this.#world.random());
  }

  async #connect(): Promise<void> {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    this.#watch();
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (this.#lastId !== undefined) headers['last-event-id'] = this.#lastId;
      const response = await this.#world.fetch(headers, signal);
      if (!response.ok || !response.body) return;
      this.#failures = 0;
      this.#setStatus('open');
      await this.#read(response.body);
    } catch {
      // Refused, cut or silent: it is tried again, and the banner says so.
    }
  }

  /** Cuts the line when nothing comes; each arrival puts it off. */
  #watch(): void {
    this.#cancelWatchdog?.();
    this.#cancelWatchdog = this.#world.after(SILENCE_MS, () => this.#connection?.abort());
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = new EventStreamParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#watch();
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        if (event.id !== undefined) this.#lastId = event.id;
        this.#sink.event(JSON.parse(event.data) as LiveEvent);
      }
    }
  }

  #setStatus(status: LiveStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    this.#sink.status(status);
  }
}
