// The loop of assembly: news of commits → what they brought is read from the store →
// assembler → derived rows → changes. Runs beside the writer, in a thread of its own,
// so that no acknowledgement waits for it; for tests, in the thread of the caller.
//
// It reads in pieces of whole commits and looks at the clock between them: whoever
// asks something of it (an annotation, the end) waits for one piece at most.

import type { Assembler, Change } from '../assemble/assembler.ts';
import { CallCounts } from '../metrics/call-counts.ts';
import { StoreError } from '../store/errors.ts';
import type {
  AssemblyStore,
  CommittedBatch,
  DerivedChanges,
  DerivedRows,
  RawSession,
  SharedNews,
  TouchedSession,
} from '../store/store.ts';
import { changeIn } from './change.ts';
import type { FromAssembly, ToAssembly } from './messages.ts';
import type { News } from './news.ts';

const TIDY_NS_A_TICK = 25_000_000;

/** Passes go in slices; between them what was committed is read. */
const SLICE_NS = 50_000_000;
/** Before it stops: whoever asked is waiting, and the next start takes up what is left. */
const LAST_NS = 3_000_000_000;
/** Reading that takes more of a tick than this is work enough: passes wait until they bring more. */
const BUSY_NS_A_TICK = 50_000_000;
/** Flushes read at a time. */
const FLUSHES_A_READ = 400;

export interface AssemblyPorts {
  readonly store: AssemblyStore;
  readonly assembler: Assembler;
  readonly nowUnixNs: () => bigint;
  /** Monotonic, ns; for counting only. */
  readonly nowNs: () => number;
  /** Called with each tick: looks whether the wall clock was set. */
  readonly keepClock: () => void;
  /** Runs `work` soon, after what waits already. */
  readonly soon: (work: () => void) => void;
  readonly post: (message: FromAssembly) => void;
  /** News have been dealt with: there may be more. */
  readonly done: () => void;
}

/** News being read. */
interface Reading {
  readonly news: News;
  /** Sessions that no chunk has touched yet. */
  readonly untouched: Map<string, TouchedSession>;
}

export class AssemblyLoop {
  readonly #ports: AssemblyPorts;
  readonly #callCounts: CallCounts;
  readonly #news: News[] = [];
  #reading: Reading | undefined;
  /** Flushes of commits up to this one have been read, spans of those up to the other told. */
  #flushesDone: number;
  #spansDone: number;
  #isScheduled = false;
  #isSliceWaiting = false;
  #isClosed = false;
  /** Time spent reading since the last tick. */
  #readNs = 0;
  #isBusy = false;
  /** Derived rows that the disk had no room for: written before more are made. */
  #unwritten: readonly DerivedRows[] = [];
  /** Among several collectors: what is not dealt with yet. */
  #pulled: SharedNews | undefined;

  constructor(ports: AssemblyPorts) {
    this.#ports = ports;
    this.#callCounts = new CallCounts(ports.nowUnixNs());
    this.#flushesDone = this.#spansDone = ports.store.newestCommit();
  }

  /** Takes up what an earlier run left: sessions whose rows do not cover their raw data. */
  resume(): void {
    const { store, assembler } = this.#ports;
    // Among several it is said which are this one's.
    if (store.shared !== undefined) return;
    for (const { key } of store.unfinishedSessions()) {
      const raw = store.loadSession(key);
      if (raw) assembler.restore(raw);
    }
  }

  /** The writer committed something. */
  take(news: News): void {
    if (this.#ports.store.shared !== undefined) {
      this.#ports.done();
      return;
    }
    this.#news.push(news);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#ports.soon(() => {
      this.#isScheduled = false;
      if (this.#isClosed) return;
      const fromNs = this.#ports.nowNs();
      if (this.#readSome()) this.#schedule();
      this.#readNs += this.#ports.nowNs() - fromNs;
    });
  }

  /** Reads a piece; true when there is more. */
  #readSome(): boolean {
    const news = this.#reading?.news ?? this.#news.shift();
    if (news === undefined) return false;
    this.#reading ??= { news, untouched: new Map(news.sessions.map(one => [one.key, one])) };
    const { store, assembler, done } = this.#ports;
    const { flushes, lastCommit } =
      news.flushCount === 0
        ? { flushes: [], lastCommit: news.upTo }
        : store.flushesBetween(this.#flushesDone, news.upTo, FLUSHES_A_READ);
    const isLast = lastCommit >= news.upTo;
    const touched = isLast ? news.sessions : this.#sessionsOf(flushes, this.#reading);
    for (const { key } of touched) this.#restoreOnce(key, this.#reading);
    assembler.ingest({
      // Spans of all these commits are told with the last piece: until then none is covered.
      commit: isLast ? news.upTo : news.after,
      arrivalUnixNs: news.arrivalUnixNs,
      sessions: touched,
      spanCount: 0,
      tallies: isLast ? news.tallies : [],
      spans: isLast ? news.spans : [],
      flushes,
    });
    this.#flushesDone = Math.max(this.#flushesDone, lastCommit);
    if (!isLast) return true;
    this.#spansDone = news.upTo;
    this.#reading = undefined;
    done();
    return this.#news.length > 0;
  }

  #sessionsOf(
    flushes: readonly { readonly sessionKey: string }[],
    { news }: Reading,
  ): TouchedSession[] {
    const keys = new Set(flushes.map(one => one.sessionKey));
    return news.sessions.filter(one => keys.has(one.key));
  }

  /** A session that is not in memory is read back: what of it was dealt with before. */
  #restoreOnce(key: string, { untouched }: Reading): void {
    const { store, assembler } = this.#ports;
    const isNew = untouched.get(key)?.isNew === true;
    untouched.delete(key);
    if (isNew || assembler.has(key)) return;
    const raw = store.loadSession(key);
    if (raw) assembler.restore(this.#upToHere(raw));
  }

  /** What is beyond will come by itself. */
  #upToHere(raw: RawSession): RawSession {
    const spans = raw.spans.filter(span => span.commit <= this.#spansDone);
    const tallies = raw.tallies.filter(tally => tally.commit <= this.#spansDone);
    const flushes = raw.flushes.filter(flush => flush.commit <= this.#flushesDone);
    const last = [...tallies, ...flushes].reduce((max, one) => Math.max(max, one.commit), 0);
    return { ...raw, spans, tallies, flushes, lastCommit: last };
  }

  /** Call about four times a second: writes down what changed, and tells of it. */
  tick(isLast = false): void {
    const report = this.#callCounts.report();
    if (report !== undefined) this.#ports.post({ type: 'measures', report });
    if (!this.#writeDerived(this.#unwritten)) return;
    this.#unwritten = [];
    this.#ports.keepClock();
    if (!this.#pullShared()) return;
    this.#isBusy = this.#readNs > BUSY_NS_A_TICK;
    this.#readNs = 0;
    this.#assembleSome(isLast);
    this.#tidy();
  }

  /** A slice of what is due; the next one follows behind what was to be read meanwhile. */
  #assembleSome(isLast: boolean, lastUntilNs?: number): void {
    const { nowNs, nowUnixNs, assembler, soon } = this.#ports;
    const untilNs = lastUntilNs ?? nowNs() + (isLast ? LAST_NS : SLICE_NS);
    const hasTime = (): boolean => nowNs() <= untilNs;
    const { derived, changes, wanted, isMore } = assembler.tick(nowUnixNs(), {
      isLast,
      isBusy: this.#isBusy,
      hasTime,
    });
    for (const key of wanted) this.#readAgain(key);
    const isWritten = this.#writeDerived(derived);
    if (!isWritten) this.#unwritten = derived;
    if (changes.length > 0) this.#tell(changes);
    if (isMore !== true || !isWritten) return;
    // Those that were read again; the clock of a test may stand still, the list of them shrinks.
    if (isLast && hasTime() && wanted.length > 0) return this.#assembleSome(true, untilNs);
    if (isLast || this.#isSliceWaiting) return;
    this.#isSliceWaiting = true;
    soon(() => {
      this.#isSliceWaiting = false;
      if (this.#unwritten.length === 0 && !this.#isClosed) this.#assembleSome(false);
    });
  }

  #readAgain(key: string): void {
    const { store, assembler } = this.#ports;
    const raw = store.loadSession(key);
    // Retention may have taken its first volume since: what is held knows more than what is left.
    const isThere =
      raw !== undefined && raw.flushes.length + raw.tallies.length > 0 && assembler.isWhole(raw);
    // Among several collectors commits of others come too: what was pulled is dealt with by now.
    if (isThere) assembler.restore(store.shared === undefined ? this.#upToHere(raw) : raw);
    else assembler.leave(key);
  }

  /** What can wait (packing, adding up) has a tenth of the time, and none while there is more to read. */
  #tidy(): void {
    const untilNs = this.#ports.nowNs() + TIDY_NS_A_TICK;
    try {
      while (!this.#isBehind() && this.#ports.store.tidy(this.#ports.nowUnixNs()))
        if (this.#ports.nowNs() >= untilNs) return;
    } catch (problem) {
      if (!(problem instanceof StoreError) || !problem.isRetryable) throw problem;
    }
  }

  #isBehind(): boolean {
    return this.#reading !== undefined || this.#news.length > 0;
  }

  #tell(changes: readonly Change[]): void {
    const { post, store } = this.#ports;
    post({ type: 'changes', changes });
    retryable(() => store.shared?.publish(changes));
  }

  /** Among several collectors: what came for the sessions of this one. False while the store is away. */
  #pullShared(): boolean {
    const { store, assembler, post } = this.#ports;
    const { shared } = store;
    if (shared === undefined) return true;
    return retryable(() => {
      const { batch, lost, claimed, changes, limits } = (this.#pulled ??= shared.pull());
      if (limits !== undefined) post({ type: 'limits', limits });
      for (const key of lost) assembler.forget(key);
      if (changes.length > 0) post({ type: 'changes', changes });
      const whole = new Set(claimed);
      for (const { key } of batch?.sessions ?? []) if (!assembler.has(key)) whole.add(key);
      for (const key of whole) {
        const raw = store.loadSession(key);
        if (raw) assembler.restore(raw);
      }
      if (batch !== undefined) assembler.ingest(without(batch, whole));
      this.#pulled = undefined;
    });
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

  change(asked: ToAssembly): void {
    const { store, post } = this.#ports;
    const changed = changeIn<keyof DerivedChanges>(store, asked);
    const hasLimits = asked.name === 'setBudgets';
    post(hasLimits ? { ...changed, limits: { ...store.limits() } } : changed);
  }

  /** Reads what there is and writes what is derived, as far as time allows; the next start has the rest. */
  close(): void {
    const { nowNs, store, post } = this.#ports;
    const untilNs = nowNs() + LAST_NS;
    while (this.#readSome() && nowNs() <= untilNs);
    this.#isClosed = true;
    this.tick(true);
    const report = this.#callCounts.report();
    if (report !== undefined) post({ type: 'measures', report });
    store.close();
  }
}

/** True when the work was done; false when the store cannot do it now. */
function retryable(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (problem) {
    if (problem instanceof StoreError && problem.isRetryable) return false;
    throw problem;
  }
}

/** A batch without the sessions that were just read whole. */
function without(batch: CommittedBatch, whole: ReadonlySet<string>): CommittedBatch {
  const isLeft = (one: { readonly sessionKey: string | null }): boolean =>
    !whole.has(one.sessionKey ?? '');
  return {
    ...batch,
    sessions: batch.sessions.filter(one => !whole.has(one.key)),
    tallies: batch.tallies.filter(isLeft),
    spans: batch.spans.filter(isLeft),
    flushes: batch.flushes.filter(isLeft),
  };
}
