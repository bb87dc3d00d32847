// The live connection as pages see it: events, and whether the collector is there.
//
// Changes say *what* changed, never by how much: a page reads that window
// again, so an event told twice does no harm.

import type { LiveEvent } from '@framescope/protocol';
import type { FromHub, ToHub } from './live-hub.ts';
import { LiveStream, type LiveSink, type LiveStatus } from './live-stream.ts';

export type { LiveStatus } from './live-stream.ts';

export class LiveClient {
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  readonly #statusListeners = new Set<(status: LiveStatus) => void>();
  #status: LiveStatus = 'connecting';

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

  /** Joins the stream that all tabs share; where the browser has no SharedWorker, opens one of its own. */
  start(): void {
    const sink: LiveSink = {
      event: event => this.#tell(event),
      status: status => this.#setStatus(status),
    };
    if (typeof SharedWorker === 'undefined') startOwn(sink);
    else startShared(sink);
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

function startOwn(sink: LiveSink): void {
  const stream = new LiveStream(sink);
  stream.start();
  document.addEventListener('visibilitychange', () => stream.setSeen(!document.hidden));
}

function startShared(sink: LiveSink): void {
  const worker = new SharedWorker(new URL('./live-worker.ts', import.meta.url), {
    type: 'module',
    name: 'framescope live',
  });
  const say = (word: ToHub): void => worker.port.postMessage(word);
  const sayLook = (): void => say(document.hidden ? 'hidden' : 'seen');
  worker.port.addEventListener('message', ({ data }: MessageEvent<FromHub>) => {
    if ('event' in data) sink.event(data.event);
    else sink.status(data.status);
  });
  worker.port.start();
  // A browser that has SharedWorkers but may not run ours: a stream of its own does.
  worker.addEventListener('error', () => startOwn(sink), { once: true });
  document.addEventListener('visibilitychange', sayLook);
  // A page kept for the back button is silent until it is shown again.
  addEventListener('pagehide', () => say('bye'));
  addEventListener('pageshow', sayLook);
  sayLook();
}
