// What waits for its acknowledgement, packed: each item is the bytes of one
// OTLP request for one session and flush. Several are joined into one post.
//
//   enqueue ─▶ waiting ─▶ one post in flight ─┬ 200, nothing rejected → acknowledged
//                 ▲                           ├ 200, some rejected    → each alone, once;
//                 │                           │                          alone: counted
//                 │                           ├ 429, 5xx, no answer   → backoff, again
//                 └───────────────────────────┘ other                 → counted, dropped
//
// Memory is bounded: a full outbox refuses and counts. Nothing here blocks, and
// no timer keeps the process alive.

import type { Http, HttpResponse, Timer, Timers } from '../ports.ts';
import { textOf, type Problems } from '../problems.ts';

/** 8 MiB: an hour of a call with no collector, or a minute of a hundred calls. */
export const OUTBOX_BYTES_MAX: number = 8 * 1024 * 1024;
/** Copied, written and acknowledged at one go: a larger post would hold up the audio of this event loop. */
const POST_BYTES_MAX = 48 * 1024;
/** What piled up while the collector was away is sent in larger ones: a round trip each would take minutes. */
const PILE_BYTES = 512 * 1024;
/** These stay under what collectors commonly accept (4 MiB). */
const PILE_POST_BYTES_MAX = 1024 * 1024;
/** A browser's limit on all keepalive requests in flight is 64 KiB. */
const LAST_POST_BYTES_MAX = 60 * 1024;
const TIMEOUT_MS = 10_000;
const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 30_000;
/** A `Retry-After` beyond this is taken as this. */
const RETRY_AFTER_S_MAX = 300;

/** Why something was not delivered. Keys of `StateMessage.dropped`. */
export type DropReason =
  | 'outbox_full'
  | 'rejected'
  | 'refused'
  | 'too_large'
  | 'ring_full'
  | 'session_ended'
  | 'bad_mark'
  | 'not_encoded'
  | 'notes_full'
  | 'ended_unsent';

/** One session's flush, packed. */
export interface OutboxItem {
  /** Identities of the records in it: `producer/trace/seq/part`. */
  readonly recordIds: readonly string[];
  readonly bytes: Uint8Array;
  /** It goes with all that the resource says; others only with the name of the service. */
  readonly isWhole?: boolean;
  /** Settled once: acknowledged, or dropped and why. Must not throw. */
  readonly settled: (drop: DropReason | undefined) => void;
}

/** How items become a body; filled by otel/. */
export interface BodyFormat {
  readonly contentType: string;
  /** @param isWhole With the whole resource; else with the name of the service alone. */
  join(items: readonly Uint8Array[], isWhole: boolean): Uint8Array;
  /** Spans refused, of an answer to a successful post. */
  rejectedCount(body: Uint8Array): number;
}

export interface OutboxPorts {
  readonly http: Http;
  readonly timers: Timers;
  readonly random: () => number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: BodyFormat;
  readonly bytesMax: number;
  readonly problems: Problems;
}

export class Outbox {
  readonly #ports: OutboxPorts;
  #waiting: OutboxItem[] = [];
  #bytes = 0;
  #isPosting = false;
  #failures = 0;
  #retry: Timer | undefined;
  /** Items at the head that are sent one by one, since a post with them was partly refused. */
  #aloneCount = 0;
  readonly #idle = new Set<() => void>();
  #isHeld = false;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
  }

  /** Items neither acknowledged nor dropped, those in flight included. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** True while the collector does not answer. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Takes an item and sends when the wire is free; refuses, and settles, when full. */
  enqueue(item: OutboxItem): void {
    if (this.#bytes + item.bytes.length > this.#ports.bytesMax) {
      this.#ports.problems.report(
        'outbox_full',
        'the collector takes nothing: the outbox is full, records are dropped and counted',
      );
      item.settled('outbox_full');
      return;
    }
    this.#waiting.push(item);
    this.#bytes += item.bytes.length;
    this.#pump();
  }

  /** More comes in a moment: nothing is sent until `release`. What is urgent goes all the same. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#pump();
  }

  /** Resolves when nothing waits, or after `timeoutMs`. Tries at once, whatever the backoff. */
  flush(timeoutMs: number): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve();
    this.#hurry();
    return new Promise(resolve => {
      const done = (): void => {
        this.#idle.delete(done);
        timer.cancel();
        resolve();
      };
      const timer = this.#ports.timers.after(timeoutMs, done);
      this.#idle.add(done);
    });
  }

  /** The page goes: sends what fits, once, without waiting for answers. */
  sendLast(): void {
    if (this.#waiting.length === 0) return;
    const count = fitting(this.#waiting, LAST_POST_BYTES_MAX);
    void this.#post(this.#waiting.slice(0, count), true).catch(() => undefined);
  }

  /** Gives up: all that waits is settled as dropped. */
  close(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#settle(this.#waiting.length, 'ended_unsent');
  }

  #hurry(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#isHeld = false;
    this.#pump();
  }

  #pump(): void {
    if (this.#isPosting || this.#isHeld || this.#retry !== undefined) return;
    if (this.#waiting.length > 0) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isPosting = true;
    const bytesMax = this.#bytes > PILE_BYTES ? PILE_POST_BYTES_MAX : POST_BYTES_MAX;
    const count = this.#aloneCount > 0 ? 1 : fitting(this.#waiting, bytesMax);
    try {
      this.#judge(await this.#post(this.#waiting.slice(0, count), false), count);
    } catch (cause) {
      this.#failed(undefined, textOf(cause));
    }
    this.#isPosting = false;
    this.#pump();
  }

  #post(items: readonly OutboxItem[], isLast: boolean): Promise<HttpResponse> {
    const { http, url, headers, format } = this.#ports;
    return http({
      method: 'POST',
      url,
      headers: { ...headers, 'content-type': format.contentType },
      body: format.join(
        items.map(item => item.bytes),
        items.some(item => item.isWhole === true),
      ),
      timeoutMs: TIMEOUT_MS,
      ...(isLast ? { isLast } : {}),
    });
  }

  #judge(answer: HttpResponse, count: number): void {
    const { status } = answer;
    if (status >= 200 && status < 300) return this.#accepted(answer, count);
    if (status === 429 || status === 408 || status >= 500)
      return this.#failed(answer.retryAfterS, `HTTP ${status}`);
    // Too large together may be small enough apart; a body that is not understood stays so.
    if (count > 1) return this.#apart(count);
    this.#ports.problems.report(
      'refused',
      `the collector at ${this.#ports.url} refuses records with HTTP ${status}; is it a Framescope collector?`,
    );
    this.#settle(1, status === 413 ? 'too_large' : 'refused');
  }

  #accepted(answer: HttpResponse, count: number): void {
    this.#failures = 0;
    const rejected = this.#rejectedIn(answer.body);
    if (rejected > 0 && count > 1) return this.#apart(count);
    if (rejected > 0)
      this.#ports.problems.report(
        'rejected',
        `the collector rejected ${rejected} spans of a record; see its log for the reason`,
        rejected,
      );
    this.#settle(count, rejected > 0 ? 'rejected' : undefined);
  }

  /** OTLP forbids sending again what was rejected; which items it was, only posts of one can tell. */
  #apart(count: number): void {
    this.#aloneCount = count;
  }

  #rejectedIn(body: Uint8Array): number {
    try {
      return this.#ports.format.rejectedCount(body);
    } catch {
      // An answer that cannot be read rejects nothing: 200 is the acknowledgement.
      return 0;
    }
  }

  #failed(retryAfterS: number | undefined, reason: string): void {
    const { problems, random, timers, url } = this.#ports;
    this.#failures += 1;
    problems.report(
      'collector_unreachable',
      `no answer from ${url} (${reason}); records wait, up to ${this.#ports.bytesMax} bytes. Is the collector running? Set endpoint or OTEL_EXPORTER_OTLP_ENDPOINT`,
    );
    const base = Math.min(BACKOFF_MS * 2 ** Math.min(this.#failures - 1, 10), BACKOFF_MS_MAX);
    const asked = Math.min(Math.max(retryAfterS ?? 0, 0), RETRY_AFTER_S_MAX) * 1_000;
    // Full jitter on the upper half: senders that lost the collector together do not return together.
    const delayMs = Math.max(asked, base * (0.5 + random() / 2));
    this.#retry = timers.after(delayMs, () => {
      this.#retry = undefined;
      this.#pump();
    });
  }

  #settle(count: number, drop: DropReason | undefined): void {
    const done = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#aloneCount = Math.max(0, this.#aloneCount - count);
    for (const item of done) {
      this.#bytes -= item.bytes.length;
      item.settled(drop);
    }
    if (this.#waiting.length > 0) return;
    for (const done of this.#idle) done();
  }
}

/** How many from the head fit into one post; at least one. */
function fitting(items: readonly OutboxItem[], bytesMax: number): number {
  let bytes = 0;
  let count = 0;
  for (const item of items) {
    bytes += item.bytes.length;
    if (count > 0 && bytes > bytesMax) break;
    count += 1;
  }
  return count;
}
