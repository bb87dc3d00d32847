// The writer's loop: bodies → decode → one commit for all that wait → answers
// → assemble → derived rows → changes. The same code runs in the writer thread
// and, for tests, in the thread of the caller.
//
// Group commit needs no timer: while one commit runs, the next bodies gather.
//
//   bodies   a b c │ d e f g │ h
//   commits     [a b c]  [d e f g]  [h]

import type { AnnotationInput } from '@framescope/protocol';
import type { Assembler } from '../assemble/assembler.ts';
import { decodeSignal } from '../decode/by-signal.ts';
import { ColumnSink } from '../decode/column-sink.ts';
import type { Redactor } from '../decode/redact.ts';
import { restrict } from '../decode/restrict.ts';
import { REFUSALS_NAMED_MAX } from '../decode/limits.ts';
import { SpanColumns } from '../decode/span-columns.ts';
import type { DecodedFlush, DecodedRequest, MetricPoint } from '../decode/types.ts';
import { CallCounts } from '../metrics/call-counts.ts';
import { StoreError } from '../store/errors.ts';
import type { CommittedBatch, DerivedRows, RawSession, StoreWriter } from '../store/store.ts';
import type { Answer, Body, FromWriter, WriterCounts } from './messages.ts';

/** A commit holds about this many bytes of bodies: larger ones make the answers of small ones late. */
const GROUP_BYTES_MAX: number = 2 * 1024 * 1024;

const TIDY_NS_A_TICK = 25_000_000;

/** Assembling goes in slices: a body that comes meanwhile waits for one of them at most. */
const SLICE_NS = 25_000_000;
/** Before it stops: whoever asked is waiting, and the next start takes up what is left. */
const LAST_NS = 3_000_000_000;

export interface LoopPorts {
  readonly store: StoreWriter;
  readonly assembler: Assembler;
  readonly nowUnixNs: () => bigint;
  /** Monotonic, ns; for counting only. */
  readonly nowNs: () => number;
  /** Called with each tick: looks whether the wall clock was set. */
  readonly keepClock: () => void;
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
  #isSliceWaiting = false;
  #isClosed = false;
  /** Derived rows that the disk had no room for: written before more are made. */
  #unwritten: readonly DerivedRows[] = [];
  #counts = new Counts();
  readonly #callCounts: CallCounts;

  constructor(ports: LoopPorts) {
    this.#ports = ports;
    this.#callCounts = new CallCounts(ports.nowUnixNs());
  }

  /** Takes up what an earlier run left: sessions whose rows do not cover their raw data. */
  resume(): void {
    const { store, assembler } = this.#ports;
    for (const { key } of store.unfinishedSessions()) {
      const raw = store.loadSession(key);
      if (raw) assembler.restore(raw);
    }
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
    if (outcome.committed) this.#assemble(outcome.committed);
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
    for (const request of requests) {
      for (const point of request.points ?? []) points.push(point);
      for (const span of request.spans) spans.add(span);
      for (const flush of request.flushes) flushes.push(flush);
    }
    if (spans.length + flushes.length + points.length === 0) return { ok: true };
    const startNs = this.#ports.nowNs();
    try {
      const arrivalUnixNs = this.#ports.nowUnixNs();
      const result = this.#ports.store.commit({ arrivalUnixNs, spans, flushes, points });
      this.#counts.commit(result.committed, result.repeatedCount);
      this.#counts.commitNs += this.#ports.nowNs() - startNs;
      return { ok: true, committed: result.committed };
    } catch (problem) {
      if (!(problem instanceof StoreError) || !problem.isRetryable) throw problem;
      return { ok: false, answer: { kind: 'unavailable', message: problem.message } };
    }
  }

  #assemble(committed: CommittedBatch): void {
    if (committed.tallies.length + committed.flushes.length === 0) return;
    const { store, assembler } = this.#ports;
    for (const { key, isNew } of committed.sessions) {
      if (isNew || assembler.has(key)) continue;
      const raw = store.loadSession(key);
      if (raw) assembler.restore(before(raw, committed.commit));
    }
    assembler.ingest(committed);
  }

  /** Call about four times a second: writes down what changed, and tells of it. */
  tick(isLast = false): void {
    this.#report();
    if (!this.#writeDerived(this.#unwritten)) return;
    this.#unwritten = [];
    this.#ports.keepClock();
    this.#assembleSome(isLast);
    this.#tidy();
  }

  /** A slice of what is due; the next one follows behind the messages that came meanwhile. */
  #assembleSome(isLast: boolean): void {
    const { nowNs, nowUnixNs, assembler, soon } = this.#ports;
    const untilNs = nowNs() + (isLast ? LAST_NS : SLICE_NS);
    const hasTime = (): boolean => nowNs() <= untilNs;
    const { derived, changes, isMore } = assembler.tick(nowUnixNs(), { isLast, hasTime });
    const isWritten = this.#writeDerived(derived);
    if (!isWritten) this.#unwritten = derived;
    if (changes.length > 0) this.#ports.post({ type: 'changes', changes });
    if (isLast || isMore !== true || !isWritten || this.#isSliceWaiting) return;
    this.#isSliceWaiting = true;
    soon(() => {
      this.#isSliceWaiting = false;
      // While bodies wait, a slice a tick has to do.
      if (this.#waiting.length === 0 && this.#unwritten.length === 0 && !this.#isClosed)
        this.#assembleSome(false);
    });
  }

  /** What can wait (packing, adding up) has a tenth of the time, and none while bodies wait. */
  #tidy(): void {
    const untilNs = this.#ports.nowNs() + TIDY_NS_A_TICK;
    try {
      while (this.#waiting.length === 0 && this.#ports.store.tidy(this.#ports.nowUnixNs()))
        if (this.#ports.nowNs() >= untilNs) return;
    } catch (problem) {
      if (!(problem instanceof StoreError) || !problem.isRetryable) throw problem;
    }
  }

  #writeDerived(rows: readonly DerivedRows[]): boolean {
    try {
      this.#ports.store.commitDerived(rows);
      for (const one of rows) this.#callCounts.take(one);
      return true;
    } catch (problem) {
      if (problem instanceof StoreError && problem.isRetryable) return false;
      throw problem;
    }
  }

  annotate(id: number, input: AnnotationInput): void {
    const { store, post } = this.#ports;
    try {
      post({ type: 'annotated', id, annotation: store.annotate(input) });
    } catch (problem) {
      if (!(problem instanceof StoreError) || !problem.isRetryable) throw problem;
      post({ type: 'annotated', id, annotation: undefined });
    }
  }

  #report(): void {
    const report = this.#callCounts.report();
    if (report !== undefined) this.#ports.post({ type: 'measures', report });
    if (this.#counts.isEmpty()) return;
    this.#ports.post({ type: 'counts', counts: this.#counts.take() });
    this.#counts = new Counts();
  }

  /** Commits what waits, writes what is derived, and closes the store. */
  close(): void {
    while (this.#waiting.length > 0) this.#drain();
    this.#isClosed = true;
    this.tick(true);
    this.#report();
    this.#ports.store.close();
    this.#ports.post({ type: 'closed' });
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

/** Without what the sender's token does not let it write. */
const permitted = (request: DecodedRequest, { onlySession }: Body): DecodedRequest =>
  onlySession === undefined ? request : restrict(request, onlySession);

/**
 * What is taken and not kept (gauges, records without a place) is counted, not told: exporters for
 * Go take a warning beside a count of 0 for a failure.
 */
function storedAnswer({ spans, rowCount = 0, flushes, points, refused }: DecodedRequest): Answer {
  const named = refused.slice(0, REFUSALS_NAMED_MAX).map(one => `${one.path}: ${one.problem}`);
  const more = refused.length - named.length;
  if (more > 0) named.push(`and ${more} more`);
  return {
    kind: 'stored',
    acceptedCount: spans.length + rowCount + flushes.length + (points?.length ?? 0),
    rejectedCount: refused.length,
    message: named.join('; '),
  };
}

/** What of a session was there before `commit`, which will be ingested by itself. */
function before(raw: RawSession, commit: number): RawSession {
  const spans = raw.spans.filter(span => span.commit < commit);
  const tallies = raw.tallies.filter(tally => tally.commit < commit);
  const flushes = raw.flushes.filter(flush => flush.commit < commit);
  const last = [...tallies, ...flushes].reduce((max, one) => Math.max(max, one.commit), 0);
  return { ...raw, spans, tallies, flushes, lastCommit: last };
}
