// The assembler: sessions in memory, each looked at when it changed.
//
// Memory is bounded: of a session only the last half minute is held as marks, one
// that is over and told is let go, and when all of them together hold too many
// marks, the quietest go first. The store has everything; if one of them speaks
// again it is read back.

import { SessionAssembly } from './session-assembly.ts';
import type { AssemblyBatch, DerivedRows, RawSession } from '../store/store.ts';
import type { Assembled, Assembler, AssemblerOptions, Change, TickOptions } from './assembler.ts';
import type { Rereads } from './sealing.ts';

/** 26 bytes a mark: half a gigabyte. */
const MARKS_MAX = 20_000_000;
/** A pass costs about half a microsecond a mark: this many a tick keep answers quick. */
const PASS_MARKS_MAX = 400_000;
/** Half a microsecond, in three tenths of the time… */
const CYCLE_NS_A_MARK = 1_667;
/** …and no longer than a page waits for what is new. */
const CYCLE_NS_MAX = 1_500_000_000;
/** Each is all marks of a call. */
const WANTED_MAX = 4;
const ENDED_QUIET_NS = 5_000_000_000n;
const BROKEN_QUIET_NS = 60_000_000_000n;

export class SessionEngine implements Assembler {
  readonly #options: AssemblerOptions;
  readonly #sessions = new Map<string, SessionAssembly>();
  /** Of sessions that are being read again. */
  readonly #rereads = new Map<string, Rereads>();

  constructor(options: AssemblerOptions) {
    this.#options = options;
  }

  has(sessionKey: string): boolean {
    return this.#sessions.has(sessionKey);
  }

  forget(sessionKey: string): void {
    this.#sessions.delete(sessionKey);
  }

  /** Marks held, of all sessions. */
  get markCount(): number {
    let count = 0;
    for (const session of this.#sessions.values()) count += session.data.markCount;
    return count;
  }

  restore(raw: RawSession): void {
    if (raw.flushes.length + raw.tallies.length === 0) return;
    // Nobody remembers with which offsets its rows were computed: they may be others now.
    const session = new SessionAssembly(raw.key, raw.id, {
      ...this.#options,
      revision: raw.revision === undefined ? 0 : raw.revision + 1,
      ...this.#rereadsOf(raw.key),
    });
    this.#sessions.set(raw.key, session);
    session.add(raw, raw.lastCommit);
  }

  isWhole(raw: RawSession): boolean {
    return this.#sessions.get(raw.key)?.isAllIn(raw) ?? true;
  }

  #rereadsOf(key: string): { readonly rereads?: Rereads } {
    const rereads = this.#rereads.get(key);
    this.#rereads.delete(key);
    return rereads === undefined ? {} : { rereads };
  }

  leave(sessionKey: string): void {
    this.#rereads.delete(sessionKey);
    this.#sessions.get(sessionKey)?.leave();
  }

  ingest(batch: AssemblyBatch): void {
    const flushes = bySession(batch.flushes);
    const spans = bySession(batch.spans);
    const tallies = bySession(batch.tallies);
    for (const { key, id } of batch.sessions) {
      const news = {
        flushes: flushes.get(key) ?? [],
        spans: spans.get(key) ?? [],
        tallies: tallies.get(key) ?? [],
      };
      const hasNews = news.flushes.length + news.tallies.length > 0;
      if (hasNews) this.#of(key, id).add(news, batch.commit);
      else this.#sessions.get(key)?.add(news, batch.commit);
    }
  }

  #of(key: string, id: string): SessionAssembly {
    let session = this.#sessions.get(key);
    if (session === undefined) {
      session = new SessionAssembly(key, id, this.#options);
      this.#sessions.set(key, session);
    }
    return session;
  }

  tick(
    nowUnixNs: bigint,
    { isLast = false, isBusy = false, hasTime }: TickOptions = {},
  ): Assembled {
    const derived: DerivedRows[] = [];
    const changes: Change[] = [];
    const wanted: string[] = [];
    let marks = 0;
    let isMore = false;
    const pace = { isBusy, cycleNs: this.#cycleNs() };
    for (const session of this.#sessions.values()) {
      if (!session.isDue(nowUnixNs, pace) && !(isLast && session.isDirty)) continue;
      isMore = hasTime?.() === false || (marks > PASS_MARKS_MAX && !isLast);
      if (isMore) break;
      marks += session.data.markCount;
      const pass = session.pass(nowUnixNs);
      if (pass === undefined) {
        const count = session.rereads.count + 1;
        this.#rereads.set(session.key, { count, lastUnixNs: nowUnixNs });
        wanted.push(session.key);
        if (wanted.length >= WANTED_MAX) break;
        continue;
      }
      derived.push(pass.derived);
      changes.push(...pass.changes);
      // Behind the others: whoever waited longest comes first next time.
      this.#sessions.delete(session.key);
      this.#sessions.set(session.key, session);
    }
    this.#letGo(nowUnixNs);
    return { derived, changes, wanted, isMore: isMore || wanted.length > 0 };
  }

  /** Of a hundred calls each is looked at less often than a lone one: more of what is looked at is new. */
  #cycleNs(): bigint {
    return BigInt(Math.min(CYCLE_NS_MAX, Math.round(this.markCount * CYCLE_NS_A_MARK)));
  }

  #letGo(nowUnixNs: bigint): void {
    for (const session of this.#sessions.values())
      if (isOver(session, nowUnixNs)) this.#sessions.delete(session.key);
    let marks = this.markCount;
    if (marks <= MARKS_MAX) return;
    const quietest = [...this.#sessions.values()]
      .filter(session => !session.isDirty)
      .toSorted((a, b) => (a.lastArrivalUnixNs < b.lastArrivalUnixNs ? -1 : 1));
    for (const session of quietest) {
      if (marks <= MARKS_MAX) break;
      marks -= session.data.markCount;
      this.#sessions.delete(session.key);
    }
  }
}

function isOver(session: SessionAssembly, nowUnixNs: bigint): boolean {
  if (session.isDirty) return false;
  const quietNs = nowUnixNs - session.lastArrivalUnixNs;
  if (session.status === 'ended') return quietNs > ENDED_QUIET_NS;
  return session.status === 'broken_off' && quietNs > BROKEN_QUIET_NS;
}

function bySession<T extends { readonly sessionKey: string | null }>(
  items: readonly T[],
): Map<string | null, T[]> {
  const groups = new Map<string | null, T[]>();
  for (const item of items) {
    const group = groups.get(item.sessionKey);
    if (group) group.push(item);
    else groups.set(item.sessionKey, [item]);
  }
  return groups;
}
