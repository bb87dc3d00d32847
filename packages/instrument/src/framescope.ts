// The scope: one for each process. Holds what its sessions share, and hands them
// to its engine, which sends.
//
//   Session.hop.mark ─▶ ring ─┐ each second
//   Session.turn … ─▶ state ──┼─▶ engine ─▶ collector
//   probes ─▶ clock samples ──┘
//
// The entries give it a platform; every public method is guarded.

import { sessionTraceId, type DomainNs } from '@framescope/protocol';
import { attributesOf, nameOf, optionsOf } from './coerce.ts';
import type { Engine, EngineFacts, EngineSession } from './engine.ts';
import { StateBook } from './export/state-book.ts';
import { TimedMarks } from './hop/timed-marks.ts';
import { MarkRing } from './hot/mark-ring.ts';
import { forgetScope } from './newest-scope.ts';
import {
  copyOf,
  END_MS,
  FLUSH_MS,
  msOf,
  randomHex,
  sessionIdOf,
  withPorts,
  type FramescopeOptions,
  type SessionOptions,
  type Stats,
} from './options.ts';
import { LateSpans } from './otel/late-spans.ts';
import type { LoadReporting, Machine, Platform, Timer } from './ports.ts';
import { Problems, textOf } from './problems.ts';
import { SessionFront } from './session-front.ts';
import { Session } from './session.ts';

/** 4,096 marks: 12 hops at 50 frames a second for 6 s without a flush. 92 kB a session. */
const RING_CAPACITY = 4_096;
const SESSIONS_MAX = 10_000;
/** An engine that could not be loaded is asked for again. */
const LOAD_AGAIN_MS = 5_000;

/** The platform-neutral half; use `Framescope` of the entry. */
export class Scope {
  readonly #platform: Platform;
  readonly #problems: Problems;
  readonly #role: string;
  readonly #facts: EngineFacts;
  readonly #spans = new LateSpans();
  readonly #open = new Map<Session, EngineSession>();
  /** Over before the engine was there. */
  readonly #endedEarly: EngineSession[] = [];
  readonly #loadEngine: Machine['loadEngine'];
  /** Before the engine is there, nothing could be sent when the page goes. */
  #stopOnExit: (() => void) | undefined;
  #engine: Engine | undefined;
  #loading: Promise<void> | undefined;
  #shutdown: Promise<void> | undefined;
  /** Shut down, whatever was left. */
  #isOver = false;

  constructor(options: FramescopeOptions, machine: Machine) {
    const given = copyOf(options);
    const problems = new Problems(given.onProblem);
    this.#problems = problems;
    const platform = withPorts(machine, given, problems);
    this.#platform = platform;
    this.#role = given.role === undefined ? 'agent' : nameOf(given.role, 'agent', 'role', problems);
    const flushMs = msOf(given.flushMs, FLUSH_MS, problems);
    const endMs = msOf(given.shutdownMs, END_MS, problems);
    const producer = randomHex(platform.random, 8);
    const ringCapacity = RING_CAPACITY;
    this.#facts = {
      platform,
      given,
      problems,
      producer,
      flushMs,
      endMs,
      ringCapacity,
    };
    this.#loadEngine = machine.loadEngine;
    if (machine.makeEngine !== undefined) this.#start(machine.makeEngine(this.#facts));
  }

  /** Of the whole process; Node tells it. */
  protected get load(): LoadReporting | undefined {
    return this.#engine?.load;
  }

  /**
   * Begins this process's part of a call. Costs about 250 kB until it ends, the flight recorder's
   * minute included. The same ID in another
   * process is the same session.
   */
  startSession(options: SessionOptions): Session {
    const begin = (): Session => this.#startSession(optionsOf(options));
    return this.#problems.guard('startSession', begin, () => this.#startSession({}));
  }

  /** The scope's clock: whole ns since its domain's zero. For the `at` of moments. */
  now(): DomainNs {
    return this.#platform.clock.now();
  }

  /**
   * Sends what was marked so far. Resolves when it is acknowledged, or after `shutdownMs`. Never
   * rejects. Sessions are packed some at a time, half a millisecond each; call it at any time.
   */
  async flush(): Promise<void> {
    if (this.#engine === undefined && this.#open.size > 0) await this.#within(this.#soon());
    await this.#engine?.round();
    await this.#settled();
  }

  /**
   * Ends all sessions, sends what waits, stops. Resolves when all is acknowledged, and at the latest
   * after `shutdownMs`, whatever the collector does; what is left then is dropped. Never rejects.
   */
  shutdown(): Promise<void> {
    forgetScope(this);
    this.#shutdown ??= this.#shutDown();
    return this.#shutdown;
  }

  async #shutDown(): Promise<void> {
    await this.#within(this.#end());
    this.#stopOnExit?.();
    this.#isOver = true;
    this.#engine?.close();
  }

  /** What was counted so far. */
  stats(): Stats {
    return {
      openSessions: this.#open.size,
      waitingItems: this.#engine?.waitingCount ?? 0,
      problems: new Map(this.#problems.counts()),
    };
  }

  #startSession(options: Partial<SessionOptions>): Session {
    const book = new StateBook();
    const problems = this.#problems.within((code, count) => book.countDropped(code, count));
    const id = sessionIdOf(options.id, problems, () => randomHex(this.#platform.random, 8));
    const traceId = sessionTraceId(id);
    const { clock } = this.#platform;
    const refusingRing = new MarkRing(1, clock.makeColumn(1));
    refusingRing.close();
    const ring = new MarkRing(RING_CAPACITY, clock.makeColumn(RING_CAPACITY));
    const timed = new TimedMarks();
    const nextSpanId = (): string => randomHex(this.#platform.random, 8);
    const front = new SessionFront();
    const shared = {
      id,
      traceId,
      problems,
      ring,
      refusingRing,
      timed,
      book,
      front,
      nextSpanId,
    };
    const session = new Session({
      ...shared,
      clock,
      role: this.#role,
      isAuthority:
        typeof options.authority === 'boolean' ? options.authority : this.#role === 'agent',
      attributes: attributesOf(options.attributes, 'startSession', problems),
      flushMs: this.#facts.flushMs,
      timers: this.#platform.timers,
      spans: this.#spans,
      ended: one => this.#ended(one),
    });
    this.#admit(session, {
      ...shared,
      state: () => session.state(),
      streams: () => session.streams(),
      setupAgoMs: optionsOf(options.setup),
      setup: (name, at) => session.setup(name, { at }),
    });
    return session;
  }

  #admit(session: Session, one: EngineSession): void {
    if (this.#shutdown !== undefined || this.#open.size >= SESSIONS_MAX) {
      this.#problems.report(
        'too_many_sessions',
        `startSession: shut down, or ${SESSIONS_MAX} sessions are open (session.end() ends one): not sent`,
      );
      return;
    }
    this.#open.set(session, one);
    if (this.#engine === undefined) void this.#soon();
    else this.#engine.admit(one);
  }

  /** Resolves when the engine is there, which a page loads at its first call, or could not be loaded. */
  #soon(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    try {
      const makeEngine = await this.#loadEngine?.();
      if (makeEngine !== undefined) this.#start(makeEngine(this.#facts));
    } catch (cause) {
      this.#problems.report(
        'engine_missing',
        `a part of @framescope/instrument could not be loaded (${textOf(cause)}): marks wait, and what finds no room is counted; it is tried again`,
      );
      this.#platform.timers.after(LOAD_AGAIN_MS, () => {
        this.#loading = undefined;
        if (this.#open.size + this.#endedEarly.length > 0) void this.#soon();
      });
    }
  }

  /** Hands over what waited for the engine. */
  #start(engine: Engine): void {
    this.#engine = engine;
    this.#spans.begin(engine.spans);
    this.#stopOnExit = engine.onExit(Scope.#weakLastFlush(new WeakRef(this)));
    for (const one of this.#open.values()) engine.admit(one);
    for (const one of this.#endedEarly.splice(0)) engine.end(one);
    if (!this.#isOver) return;
    this.#stopOnExit();
    engine.close();
  }

  async #end(): Promise<void> {
    const open = [...this.#open.keys()];
    // Ending a session flushes: a second flush would wait as long again for a collector that hangs.
    if (open.length > 0) await Promise.all(open.map(session => session.end()));
    else await this.flush();
    await quiet(this.#spans.shutdown());
  }

  async #ended(session: Session): Promise<void> {
    const one = this.#open.get(session);
    if (one === undefined) return;
    this.#open.delete(session);
    if (this.#engine !== undefined) this.#engine.end(one);
    else {
      this.#endedEarly.push(one);
      await this.#within(this.#soon());
    }
    await this.#settled();
  }

  async #settled(): Promise<void> {
    await Promise.all([this.#engine?.settled(), this.#within(quiet(this.#spans.flush()))]);
  }

  /** Waits for `work`, but no longer than the end of a process may be held up. */
  async #within(work: Promise<void>): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>(resolve => {
      timer = this.#platform.timers.after(this.#facts.endMs, resolve);
    });
    await Promise.race([work, late]);
    timer?.cancel();
  }

  /**
   * For the end of the process, which must not keep a scope: one with an open session, or with
   * something on its way, is held by its timers and requests; one that was only forgotten has nothing
   * to flush. Static, since a closure of the constructor would hold `this`.
   */
  static #weakLastFlush(self: WeakRef<Scope>): (isGone: boolean) => Promise<void> {
    return async isGone => {
      const scope = self.deref();
      if (scope !== undefined) await scope.#lastFlush(isGone);
    };
  }

  async #lastFlush(isGone: boolean): Promise<void> {
    if (!isGone) return this.flush();
    this.#engine?.sendLast();
    await quiet(this.#spans.flush());
  }
}

/** Waits for what may fail; telemetry's failures stop here. */
const quiet = (work: Promise<void>): Promise<void> => work.catch(() => undefined);
