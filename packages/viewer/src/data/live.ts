// The live connection: one event stream, taken up again where it broke off.
//
// Read with fetch and not EventSource, which cannot be given a Last-Event-ID
// and gives up for good after a 503. Changes say *what* changed, never by how
// much: a page reads that window again, so an event told twice does no harm.

import type { LiveEvent } from '@framescope/protocol';
import { EventStreamParser } from './event-stream.ts';

export type LiveStatus = 'connecting' | 'open' | 'away';

const RETRY_FIRST_MS = 400;
const RETRY_MAX_MS = 4_000;

export class LiveClient {
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  readonly #statusListeners = new Set<(status: LiveStatus) => void>();
  #status: LiveStatus = 'connecting';
  #lastId: string | undefined;
  #failures = 0;

  get status(): LiveStatus {
    return this.#status;
  }

  /** Calls back for each event until the returned function is called. */
  onEvent(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onStatus(listener: (status: LiveStatus) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  /** Connects, and again whenever the connection ends. */
  start(): void {
    void this.#connect().finally(() => {
      this.#failures++;
      this.#setStatus('away');
      setTimeout(() => this.start(), this.#retryMs());
    });
  }

  #retryMs(): number {
    const backoff = RETRY_FIRST_MS * 2 ** Math.min(this.#failures - 1, 5);
    return Math.min(backoff, RETRY_MAX_MS) * (0.75 + Math.random() / 2);
  }

  async #connect(): Promise<void> {
    try {
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (this.#lastId !== undefined) headers['last-event-id'] = this.#lastId;
      const response = await fetch('/api/v1/live', { headers, cache: 'no-store' });
      if (!response.ok || !response.body) return;
      this.#failures = 0;
      this.#setStatus('open');
      await this.#read(response.body);
    } catch {
      // Refused or cut: the caller tries again, and the banner says so.
    }
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = new EventStreamParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const event of parser.push(decoder.decode(value, { stream: true }))) {
        if (event.id !== undefined) this.#lastId = event.id;
        this.#tell(JSON.parse(event.data) as LiveEvent);
      }
    }
  }

  #tell(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #setStatus(status: LiveStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#statusListeners) listener(status);
  }
}
