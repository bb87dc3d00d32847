// Hands spans on to one target: reads the store by commit, freezes bodies in
// the queue, sends them in order, one at a time, until each is acknowledged.
//
//   store ──fill──▶ queue on disk ──drain──▶ target
//     ▲ cursor: last commit looked at          ▲ backoff with jitter, Retry-After
//
// The store is the long queue: while the short one is full, nothing more is
// read, and nothing is lost until retention takes what was not read yet (which
// is counted). A crash between answer and drop sends the same bytes again;
// their IDs are the same, so the other side has them once.

import type { CommitPlace, ForwardTurn, StoreReader, StoredSpan } from '../store/store.ts';
import { encodeTraces, type OutSpan } from './encode.ts';
import type { Outcome, Transport } from './outcome.ts';
import type { ForwardQueue, QueuedBody } from './queue.ts';
import type { ForwardTarget } from './target.ts';

/** Spans looked at in one go. */
const READ_SPANS = 4_096;

/** Spans of one request, as SDKs batch. */
const BODY_SPANS = 512;

/** gRPC servers take 4 MiB by default. */
const BODY_BYTES_MAX: number = 3 * 1024 * 1024;

/** Of what the other side may ask for. */
const RETRY_AFTER_MS_MAX = 3_600_000;

export const BACKOFF_MS = { first: 250, most: 30_000 } as const;

/** Whose spans a batch is: looked at once, for corrected times and the ledger. */
export type Prepare = (
  spans: readonly StoredSpan[],
  target: ForwardTarget,
) => Promise<readonly OutSpan[]>;

export interface ForwardPorts {
  readonly reader: Pick<StoreReader, 'spansAfter' | 'lastCommit' | 'commitsLeap'>;
  /** Present where other collectors may hand on to the same target. */
  readonly turn?: ForwardTurn;
  readonly queue: ForwardQueue;
  readonly transport: Transport;
  readonly prepare: Prepare;
  readonly nowUnixNs: () => bigint;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: (message: string) => void;
}

/** As `/api/v1/forward` and `/metrics` tell it. */
export interface ForwardStatus {
  readonly target: string;
  readonly send: readonly string[];
  /** `stopped`: the thread of all targets died, and is started again. */
  readonly state: 'idle' | 'sending' | 'retrying' | 'stopped';
  /** Since the oldest span arrived that is not acknowledged; 0 when there is none. */
  readonly lagNs: number;
  /** Frozen on disk. */
  readonly waitingBytes: number;
  /** Commits of the store that were not looked at yet. */
  readonly unreadCommits: number;
  readonly sentSpans: number;
  readonly sentBodies: number;
  readonly retries: number;
  /** Said by the other side, in partial success or by refusing a body. */
  readonly rejectedSpans: number;
  /** Taken by retention before they were read. */
  readonly droppedCommits: number;
  readonly lastError: string | null;
}

export class Forwarder {
  readonly #target: ForwardTarget;
  readonly #ports: ForwardPorts;
  #cursor = 0;
  #isBegun = false;
  #noted = -1;
  #newest = 0;
  /** Arrival of the oldest commit that was not read. */
  #unreadUnixNs: bigint | undefined;
  #bodies: QueuedBody[] = [];
  #failures = 0;
  #state: ForwardStatus['state'] = 'idle';
  #lastError: string | null = null;
  #counts = { sentSpans: 0, sentBodies: 0, retries: 0, rejectedSpans: 0, droppedCommits: 0 };

  constructor(target: ForwardTarget, ports: ForwardPorts) {
    this.#target = target;
    this.#ports = ports;
  }

  /**
   * One step: reads what is due, sends one body. Answers after how many ms to call again; 0: at
   * once, there is more.
   */
  async step(): Promise<number> {
    if (!(await this.#isOurs())) {
      this.#state = 'idle';
      return IDLE_MS;
    }
    if (!this.#isBegun) await this.#begin();
    await this.#fill();
    const body = this.#nextBody();
    if (!body) {
      this.#state = 'idle';
      await this.#note();
      return IDLE_MS;
    }
    return this.#judge(body, await this.#ports.transport.send(body.bytes));
  }

  /** Among several collectors: another may hand on, and then begins where this one was. */
  async #isOurs(): Promise<boolean> {
    const { turn } = this.#ports;
    if (turn === undefined || (await turn.isOurs())) return true;
    this.#isBegun = false;
    this.#bodies = [];
    return false;
  }

  /** All that was read is acknowledged. */
  async #note(): Promise<void> {
    const { turn } = this.#ports;
    if (turn === undefined || this.#noted === this.#cursor) return;
    await turn.note(this.#cursor);
    this.#noted = this.#cursor;
  }

  async #begin(): Promise<void> {
    const { queue, reader, turn } = this.#ports;
    const last = await reader.lastCommit();
    const first = this.#target.fromStart ? 0 : (last?.commit ?? 0);
    if (turn !== undefined) {
      // What waits here is read again: another may have handed it on since.
      this.#cursor = (await turn.place()) ?? first;
      queue.clear(this.#cursor);
      await this.#note();
      this.#isBegun = true;
      return;
    }
    this.#cursor = queue.cursor() ?? first;
    if (queue.cursor() === undefined) queue.push([], this.#cursor);
    queue.saveCursor();
    this.#isBegun = true;
  }

  async #fill(): Promise<void> {
    const { queue, reader, nowUnixNs, prepare } = this.#ports;
    this.#newest = (await reader.lastCommit())?.commit ?? this.#cursor;
    if (queue.bytes() >= this.#target.queueBytesMax) return;
    const run = await reader.spansAfter(this.#cursor, READ_SPANS, true);
    this.#unreadUnixNs = run.first?.arrivalUnixNs;
    if (!run.first || !run.last) return;
    this.#noteGap(run.first.commit);
    const dueUnixNs = nowUnixNs() - BigInt(this.#target.delayMs) * 1_000_000n;
    const isDue = (one: CommitPlace): boolean => one.arrivalUnixNs <= dueUnixNs;
    const last = isDue(run.last) ? run.last : run.spans.findLast(isDue);
    if (!last) return;
    const { commit } = last;
    // By commit, not by time: what arrived before the wall clock was set back goes along.
    const due = run.spans.filter(span => span.commit <= commit);
    queue.push(this.#bodiesOf(await prepare(due, this.#target)), commit);
    this.#cursor = commit;
  }

  /** Commit numbers rise by one: a hole is a volume that retention took. */
  #noteGap(first: number): void {
    if (this.#ports.reader.commitsLeap === true) return;
    const missing = first - this.#cursor - 1;
    if (missing <= 0) return;
    this.#cursor = first - 1;
    this.#counts.droppedCommits += missing;
    this.#ports.log(
      `forward ${this.#target.name}: ${missing} commits were dropped by --max-size before they could be sent`,
    );
  }

  #bodiesOf(spans: readonly OutSpan[]): QueuedBody[] {
    const bodies: QueuedBody[] = [];
    const add = (some: readonly OutSpan[]): void => {
      const bytes = encodeTraces(some);
      const half = some.length >> 1;
      if (bytes.length <= BODY_BYTES_MAX || half === 0) {
        bodies.push({ bytes, spanCount: some.length });
        return;
      }
      add(some.slice(0, half));
      add(some.slice(half));
    };
    for (let i = 0; i < spans.length; i += BODY_SPANS) add(spans.slice(i, i + BODY_SPANS));
    return bodies;
  }

  #nextBody(): QueuedBody | undefined {
    if (this.#bodies.length === 0) this.#bodies = [...(this.#ports.queue.oldest() ?? [])];
    return this.#bodies[0];
  }

  #judge(body: QueuedBody, outcome: Outcome): number {
    if (outcome.kind === 'retry') return this.#waitAfter(outcome);
    this.#failures = 0;
    this.#state = 'sending';
    if (outcome.kind === 'refused') {
      this.#counts.rejectedSpans += body.spanCount;
      this.#tell(`${body.spanCount} spans were refused for good: ${outcome.why}`);
    } else {
      this.#counts.sentBodies++;
      this.#counts.sentSpans += body.spanCount - outcome.rejectedCount;
      this.#counts.rejectedSpans += outcome.rejectedCount;
      if (outcome.rejectedCount > 0)
        this.#tell(`${outcome.rejectedCount} spans were rejected: ${outcome.message}`);
      else this.#lastError = null;
    }
    this.#bodies.shift();
    if (this.#bodies.length === 0) this.#ports.queue.drop();
    return 0;
  }

  /**
   * Doubles from try to try, half of it by chance; what the other side asks for is a lower bound, up
   * to an hour: a date in the next century would be no wait at all to a timer of 31 bits.
   */
  #waitAfter({ why, afterMs = 0 }: Outcome & { kind: 'retry' }): number {
    this.#failures++;
    this.#counts.retries++;
    this.#state = 'retrying';
    this.#tell(why);
    const ms = Math.min(BACKOFF_MS.first * 2 ** (this.#failures - 1), BACKOFF_MS.most);
    return Math.max(Math.min(afterMs, RETRY_AFTER_MS_MAX), ms * (0.5 + this.#ports.random() / 2));
  }

  /** Once an error, not once a try. */
  #tell(error: string): void {
    if (error !== this.#lastError) this.#ports.log(`forward ${this.#target.name}: ${error}`);
    this.#lastError = error;
  }

  status(): ForwardStatus {
    const { queue, nowUnixNs } = this.#ports;
    const sinceUnixNs = queue.oldestUnixNs() ?? this.#unreadUnixNs;
    return {
      target: this.#target.name,
      send: [...this.#target.send],
      state: this.#state,
      lagNs: sinceUnixNs === undefined ? 0 : Math.max(0, Number(nowUnixNs() - sinceUnixNs)),
      waitingBytes: queue.bytes(),
      unreadCommits: this.#unread(),
      ...this.#counts,
      lastError: this.#lastError,
    };
  }

  /** Where numbers are times it is only known that there are some. */
  #unread(): number {
    const unread = Math.max(0, this.#newest - this.#cursor);
    return this.#ports.reader.commitsLeap === true ? Math.min(1, unread) : unread;
  }

  close(): void {
    this.#ports.transport.close();
    this.#ports.queue.saveCursor();
  }
}

/** How often the store is looked at when nothing waits. */
const IDLE_MS = 200;
