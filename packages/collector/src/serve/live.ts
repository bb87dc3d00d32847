// Live changes over server-sent events: a snapshot, then what changed.
//
// Changes are kept as small notes ("this session changed"); what a session
// looks like is read when a note is sent, once for all listeners. A listener
// that comes back with the ID of a note still kept gets what it missed; any
// other gets a new snapshot.

import type { LiveEvent, SessionSummary } from '@framescope/protocol';
import type { Request, Response } from 'express';
import type { Change } from '../assemble/assembler.ts';
import type { StoreReader } from '../store/store.ts';
import { ApiError } from './problem.ts';

/** 2^12 notes: minutes of a busy collector, for a page whose connection broke. */
const KEPT_MAX: number = 1 << 12;

const LISTENERS_MAX = 256;

/** Bytes that a listener may be behind before it is cut off; it comes back for a snapshot. */
const BEHIND_BYTES_MAX: number = 4 * 1024 * 1024;

const SNAPSHOT_SESSIONS = 100;

const HEARTBEAT_MS = 15_000;

interface Note {
  readonly revision: number;
  readonly change: Change;
}

export class LiveHub {
  readonly #reader: StoreReader;
  readonly #notes: Note[] = [];
  readonly #listeners = new Set<Response>();
  readonly #heartbeat: NodeJS.Timeout;
  #revision: number;
  /** Notes are sent one lot after the other, however long reading takes. */
  #sending: Promise<void> = Promise.resolve();

  /** `firstRevision` rises from start to start, so that an ID of an earlier run is not mistaken. */
  constructor(reader: StoreReader, firstRevision: number) {
    this.#reader = reader;
    this.#revision = firstRevision;
    this.#heartbeat = setInterval(() => this.#broadcast(': still here\n\n'), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  listenerCount(): number {
    return this.#listeners.size;
  }

  /** Call after what changed can be read. */
  publish(changes: readonly Change[]): void {
    const notes = changes.map(change => ({ revision: ++this.#revision, change }));
    this.#notes.push(...notes);
    if (this.#notes.length > KEPT_MAX) this.#notes.splice(0, this.#notes.length - KEPT_MAX);
    if (this.#listeners.size === 0) return;
    this.#sending = this.#sending
      .then(async () => this.#broadcast(await this.#textOf(notes)))
      // The reader failed: listeners are told to come again rather than left with a gap.
      .catch(() => this.#cutAll());
  }

  /** @throws {ApiError} when there are too many listeners. */
  async listen(request: Request, response: Response): Promise<void> {
    if (this.#listeners.size >= LISTENERS_MAX)
      throw new ApiError(
        503,
        'too_many_listeners',
        `${LISTENERS_MAX} pages listen already; close one and reload`,
      );
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.on('close', () => this.#listeners.delete(response));
    const lastId = Number(request.headers['last-event-id'] ?? Number.NaN);
    // In line with the lots being sent: nothing is sent twice or left out in between.
    this.#sending = this.#sending
      .then(async () => this.#greet(response, lastId))
      .catch(() => void response.destroy());
    await this.#sending;
  }

  async #greet(response: Response, lastId: number): Promise<void> {
    const missed = this.#missedSince(lastId);
    const text = missed ? await this.#textOf(missed) : await this.#snapshot();
    // A comment first: the page knows at once that the line is open.
    response.write(`: framescope\n\n${text}`);
    if (!response.writableEnded && !response.destroyed) this.#listeners.add(response);
  }

  #missedSince(lastId: number): readonly Note[] | undefined {
    if (!Number.isSafeInteger(lastId) || lastId > this.#revision) return undefined;
    if (lastId === this.#revision) return [];
    const first = this.#notes[0];
    if (!first || first.revision > lastId + 1) return undefined;
    return this.#notes.filter(note => note.revision > lastId);
  }

  async #snapshot(): Promise<string> {
    const revision = this.#revision;
    const { items } = await this.#reader.sessions({ limit: SNAPSHOT_SESSIONS });
    return eventText(revision, { type: 'snapshot', sessions: items, revision });
  }

  async #textOf(notes: readonly Note[]): Promise<string> {
    const keys = notes.flatMap(({ change }) =>
      change.type === 'session' ? change.sessionKey : [],
    );
    const summaries = await this.#reader.summaries([...new Set(keys)]);
    const byKey = new Map(summaries.map(summary => [summary.key, summary]));
    return notes.map(note => noteText(note, byKey)).join('');
  }

  #broadcast(text: string): void {
    for (const response of this.#listeners) {
      if (response.writableLength > BEHIND_BYTES_MAX) response.destroy();
      else response.write(text);
    }
  }

  #cutAll(): void {
    for (const response of this.#listeners) response.destroy();
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const response of this.#listeners) response.end();
  }
}

function noteText({ revision, change }: Note, byKey: ReadonlyMap<string, SessionSummary>): string {
  if (change.type !== 'session') return eventText(revision, change);
  const session = byKey.get(change.sessionKey);
  return session ? eventText(revision, { type: 'session', session }) : '';
}

/** JSON has no line breaks of its own: one `data:` line. */
const eventText = (revision: number, event: LiveEvent): string =>
  `id: ${revision}\ndata: ${JSON.stringify(event)}\n\n`;
