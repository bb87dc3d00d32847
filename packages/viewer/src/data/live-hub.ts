// One event stream for all tabs: a browser opens six connections to a host,
// and with one stream a tab the seventh tab would wait forever.
//
//   tab ─┐                       words of a tab:      seen, hidden, bye
//   tab ─┼─ port ─ hub ─ stream  words of the hub:    event, status
//   tab ─┘
//
// Runs in a SharedWorker. Who joins late gets a snapshot of its own, read after
// it was added: what changes meanwhile it is told like everyone else.

import type { LiveEvent, SessionSummary } from '@framescope/protocol';
import type { LiveSink, LiveStatus } from './live-stream.ts';

export type ToHub = 'seen' | 'hidden' | 'bye';
export type FromHub = { readonly event: LiveEvent } | { readonly status: LiveStatus };

export interface HubPort {
  postMessage(message: FromHub): void;
}

/** The stream as the hub needs it. */
export interface HubStream {
  readonly status: LiveStatus;
  start(): void;
  close(): void;
  setSeen(isSeen: boolean): void;
}

export interface HubParts {
  stream(sink: LiveSink): HubStream;
  /** The newest sessions, for a snapshot. */
  sessions(): Promise<readonly SessionSummary[]>;
}

export class LiveHub {
  readonly #parts: HubParts;
  readonly #ports = new Map<HubPort, boolean>();
  #stream: HubStream | undefined;

  constructor(parts: HubParts) {
    this.#parts = parts;
  }

  /** Takes a word of a tab; its first one makes it known. */
  take(port: HubPort, word: ToHub): void {
    const isNew = !this.#ports.has(port);
    if (word === 'bye') this.#ports.delete(port);
    else this.#ports.set(port, word === 'seen');
    if (isNew && word !== 'bye') this.#join(port);
    this.#stream?.setSeen([...this.#ports.values()].includes(true));
    if (this.#ports.size > 0) return;
    this.#stream?.close();
    this.#stream = undefined;
  }

  #join(port: HubPort): void {
    if (this.#stream) {
      port.postMessage({ status: this.#stream.status });
      void this.#snapshotFor(port);
      return;
    }
    this.#stream = this.#parts.stream({
      event: event => this.#tell({ event }),
      status: status => this.#tell({ status }),
    });
    this.#stream.start();
  }

  async #snapshotFor(port: HubPort): Promise<void> {
    try {
      const sessions = await this.#parts.sessions();
      port.postMessage({ event: { type: 'snapshot', sessions, revision: 0 } });
    } catch {
      // Away: the stream's return brings a snapshot or the changes.
    }
  }

  #tell(message: FromHub): void {
    for (const port of this.#ports.keys()) port.postMessage(message);
  }
}
