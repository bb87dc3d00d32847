// The writer's loop: bodies → decode → one commit for all that wait → answers.
// What was committed is told to assembly (assembly-loop.ts), which nobody waits
// for. The same code runs in the writer thread and, for tests, in the thread of
// the caller.
//
// Group commit needs no timer: while one commit runs, the next bodies gather.
//
//   bodies   a b c │ d e f g │ h
//   commits     [a b c]  [d e f g]  [h]

import { decodeSignal } from '../decode/by-signal.ts';
import { ColumnSink } from '../decode/column-sink.ts';
import type { Redactor } from '../decode/redact.ts';
import { restrict } from '../decode/restrict.ts';
import { REFUSALS_NAMED_MAX } from '../decode/limits.ts';
import { SpanColumns } from '../decode/span-columns.ts';
import type { DecodedFlush, DecodedLoad, DecodedRequest, MetricPoint } from '../decode/types.ts';
import { StoreError } from '../store/errors.ts';
import type { CommittedBatch, RawChanges, RawWriter } from '../store/store.ts';
import { changeIn } from './change.ts';
import type { Answer, Body, FromWriter, ToChange, WriterCounts } from './messages.ts';
import { NewsDraft, type News } from './news.ts';

/** A commit holds about this many bytes of bodies: larger ones make the answers of small ones late. */
const GROUP_BYTES_MAX: number = 2 * 1024 * 1024;

/** What goes out of old files has a tenth of the time, and none while bodies wait. */
const RETAIN_NS_A_TICK = 25_000_000;

export interface LoopPorts {
  readonly store: RawWriter;
  readonly nowUnixNs: () => bigint;
  /** Monotonic, ns; for counting only. */
  readonly nowNs: () => number;
  /** Hands news to assembly; called again only after `assemblyDone`. */
  readonly tell: (news: News) => void;
  /** Runs `work` soon, after what waits already. */
  readonly soon: (work: () => void) => void;
  readonly post: (message: FromWriter) => void;
  /** Absent: everything is kept as it was sent. */
  readonly redactor?: Redactor;
}

interface Waiting {
  readonly id: number;
  readonly body: Body;
}

export class WriterLoop {
  readonly #ports: LoopPorts;
  readonly #waiting: Waiting[] = [];
  /** Spans of the commit in the making; filled again and again. */
  readonly #sink = new ColumnSink(new SpanColumns());
  #isScheduled = false;
  readonly #news = new NewsDraft();
  #isAssemblyBusy = false;
  #counts = new Counts();

  constructor(ports: LoopPorts) {
    this.#ports = ports;
  }

  /** Keeps a call, or lets it go: what retention has to know. */
  change(asked: ToChange<keyof RawChanges>): void {
    const { store, post } = this.#ports;
    post(changeIn<keyof RawChanges>(store, asked));
  }

  accept(id: number, body: Body): void {
    this.#waiting.push({ id, body });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#ports.soon(() => this.#drain());
  }

  #drain(): void {
    this.#isScheduled = false;
    const group = this.#takeGroup();
    if (this.#waiting.length > 0) {
      this.#isScheduled = true;
      this.#ports.soon(() => this.#drain());
    }
    if (group.length > 0) this.#commitGroup(group);
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { body } of this.#waiting) {
      if (count > 0 && bytes + body.bytes.length > GROUP_BYTES_MAX) break;
      bytes += body.bytes.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #commitGroup(group: readonly Waiting[]): void {
    const answers: [number, Answer][] = [];
    const requests: { id: number; request: DecodedRequest }[] = [];
    this.#sink.columns.clear();
    for (const { id, body } of group) {
      // A token of one session is enforced on objects, and words are taken out of them.
      const isPlain = body.onlySession === undefined && this.#ports.redactor === undefined;
      const sink = isPlain ? this.#sink : undefined;
      const result = decodeSignal(body.bytes, body.encoding, body.signal ?? 'traces', sink);
      if (result.ok) requests.push({ id, request: this.#kept(result.value, body) });
      else {
        this.#counts.malformedBodies++;
        answers.push([id, { kind: 'malformed', path: result.path, problem: result.problem }]);
      }
    }
    const outcome = this.#commit(requests.map(one => one.request));
    for (const { id, request } of requests)
      answers.push([id, outcome.ok ? storedAnswer(request) : outcome.answer]);
    this.#ports.post({ type: 'answers', answers });
    if (!outcome.ok) return;
    for (const { request } of requests) this.#counts.refuse(request);
    if (outcome.committed) this.#news.add(outcome.committed);
    this.#tell();
  }

  #kept(request: DecodedRequest, body: Body): DecodedRequest {
    const { redactor } = this.#ports;
    const allowed = permitted(request, body);
    return redactor ? redactor.redact(allowed) : allowed;
  }

  #commit(
    requests: readonly DecodedRequest[],
  ): { ok: true; committed?: CommittedBatch } | { ok: false; answer: Answer } {
    const spans = this.#sink.columns;
    const flushes: DecodedFlush[] = [];
    const points: MetricPoint[] = [];
    const loads: DecodedLoad[] = [];
    for (const request of requests) {
      for (const point of request.points ?? []) points.push(point);
      for (const load of request.loads ?? []) loads.push(load);
      for (const span of request.spans) spans.add(span);
      for (const flush of request.flushes) flushes.push(flush);
    }
    if (spans.length + flushes.length + points.length + loads.length === 0) return { ok: true };
    if (this.#news.isFull) return { ok: false, answer: BEHIND };
    const startNs = this.#ports.nowNs();
    try {
      const arrivalUnixNs = this.#ports.nowUnixNs();
      const result = this.#ports.store.commit({ arrivalUnixNs, spans, flushes, points, loads });
      this.#counts.commit(result.committed, result.repeatedCount);
      this.#counts.commitNs += this.#ports.nowNs() - startNs;
      return { ok: true, committed: result.committed };
    } catch (problem) {
      if (!(problem instanceof StoreError) || !problem.isRetryable) throw problem;
      return { ok: false, answer: { kind: 'unavailable', message: problem.message } };
    }
  }

  /** Hands over what was committed since assembly was last told; while it is busy, that gathers. */
  #tell(): void {
    if (this.#news.isEmpty || this.#isAssemblyBusy) return;
    this.#isAssemblyBusy = true;
    this.#ports.tell(this.#news.take());
  }

  /** Assembly has dealt with what it was told. */
  assemblyDone(): void {
    this.#isAssemblyBusy = false;
    this.#tell();
  }

  /** Call about four times a second: counts are told, and what is too old or too much goes. */
  tick(): void {
    this.#report();
    const untilNs = this.#ports.nowNs() + RETAIN_NS_A_TICK;
    try {
      while (this.#waiting.length === 0 && this.#ports.store.retain(this.#ports.nowUnixNs()))
        if (this.#ports.nowNs() >= untilNs) return;
    } catch (problem) {
      if (!(problem instanceof StoreError) || !problem.isRetryable) throw problem;
    }
  }

  #report(): void {
    if (this.#counts.isEmpty()) return;
    this.#ports.post({ type: 'counts', counts: this.#counts.take() });
    this.#counts = new Counts();
  }

  /** Commits what waits, and answers what assembly has not been told. The store stays open: see `close`. */
  finish(): News | undefined {
    while (this.#waiting.length > 0) this.#drain();
    this.#report();
    return this.#news.isEmpty ? undefined : this.#news.take();
  }

  /** After assembly, which reads what is written here. */
  close(): void {
    this.#ports.store.close();
  }
}

class Counts {
  commits = 0;
  spans = 0;
  flushes = 0;
  repeated = 0;
  points = 0;
  malformedBodies = 0;
  commitNs = 0;
  readonly #refused = new Map<string, number>();
  readonly #ignored = new Map<string, number>();

  commit(committed: CommittedBatch, repeatedCount: number): void {
    this.commits++;
    this.spans += committed.spanCount;
    this.flushes += committed.flushes.length;
    this.repeated += repeatedCount;
  }

  refuse({ refused, ignored = {}, points = [] }: DecodedRequest): void {
    for (const { reason } of refused)
      this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
    for (const [kind, count] of Object.entries(ignored))
      this.#ignored.set(kind, (this.#ignored.get(kind) ?? 0) + count);
    this.points += points.length;
  }

  isEmpty(): boolean {
    return (
      this.commits +
        this.points +
        this.malformedBodies +
        this.#refused.size +
        this.#ignored.size ===
      0
    );
  }

  take(): WriterCounts {
    const { commits, spans, flushes, points, repeated, malformedBodies, commitNs } = this;
    const refused = Object.fromEntries(this.#refused);
    const ignored = Object.fromEntries(this.#ignored);
    return {
      commits,
      spans,
      flushes,
      points,
      repeated,
      malformedBodies,
      refused,
      ignored,
      commitNs,
    };
  }
}

const BEHIND: Answer = {
  kind: 'unavailable',
  message: 'assembly is too far behind; send it again later',
};

/** Without what the sender's token does not let it write. */
const permitted = (request: DecodedRequest, { onlySession }: Body): DecodedRequest =>
  onlySession === undefined ? request : restrict(request, onlySession);

/**
 * What is taken and not kept (gauges, records without a place) is counted, not told: exporters for
 * Go take a warning beside a count of 0 for a failure.
 */
function storedAnswer(request: DecodedRequest): Answer {
  const { spans, rowCount = 0, flushes, points, loads, refused } = request;
  // A blocked loop of another framework was counted as the span that it is.
  const ownLoads = (loads ?? []).filter(one => one.producer !== '').length;
  const named = refused.slice(0, REFUSALS_NAMED_MAX).map(one => `${one.path}: ${one.problem}`);
  const more = refused.length - named.length;
  if (more > 0) named.push(`and ${more} more`);
  return {
    kind: 'stored',
    acceptedCount: spans.length + rowCount + flushes.length + (points?.length ?? 0) + ownLoads,
    rejectedCount: refused.length,
    message: named.join('; '),
  };
}
