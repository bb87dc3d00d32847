// The scope: one for each process. Holds what its sessions share: clock,
// transport, outbox, probes, the flush each second.
//
//   Session.hop.mark ─▶ ring ─┐ each second
//   Session.turn … ─▶ state ──┼─▶ record + state ─▶ packed ─▶ outbox ─▶ collector
//   probes ─▶ clock samples ──┘
//
// The entries give it a platform; every public method is guarded.

import { sessionTraceId, type DomainNs } from '@framescope/protocol';
import { attributesOf, nameOf, optionsOf } from './coerce.ts';
import { LeapWatch } from './clock/leap-watch.ts';
import { Prober } from './clock/prober.ts';
import { FlushRounds, type Flushing } from './export/flush-rounds.ts';
import { makePacker } from './export/frames-packer.ts';
import { Outbox } from './export/outbox.ts';
import { RecordBuilder, SortedRows } from './export/record-builder.ts';
import { SessionExporter } from './export/session-exporter.ts';
import type { SpanSink } from './export/span-sink.ts';
import { StateBook } from './export/state-book.ts';
import { Flights } from './flight/flights.ts';
import { SessionFlight } from './flight/session-flight.ts';
import type { ProbedHop } from './hop/stream.ts';
import { TimedMarks } from './hop/timed-marks.ts';
import { MarkRing, MarkRows } from './hot/mark-ring.ts';
import { forgetScope } from './newest-scope.ts';
import {
  bytesMaxOf,
  copyOf,
  endMsOf,
  flushMsOf,
  functionOr,
  placeOf,
  providerOf,
  randomHex,
  sessionIdOf,
  withPorts,
  type FramescopeOptions,
  type SessionOptions,
  type Stats,
} from './options.ts';
import { makeSpanSink } from './otel/make-span-sink.ts';
import type { Attributes, LoadReporting, Machine, Platform, Timer } from './ports.ts';
import { Problems } from './problems.ts';
import { Session } from './session.ts';
import { VERSION } from './version.ts';

/** 4,096 marks: 12 hops at 50 frames a second for 6 s without a flush. 92 kB a session. */
const RING_CAPACITY = 4_096;
const SESSIONS_MAX = 10_000;

interface Open {
  readonly session: Session;
  readonly exporter: SessionExporter;
  readonly flight: SessionFlight;
}

/** The platform-neutral half; use `Framescope` of the entry. */
export class Scope {
  readonly #platform: Platform;
  readonly #problems: Problems;
  readonly #role: string;
  readonly #flushMs: number;
  readonly #isEveryFrame: boolean;
  readonly #producer: string;
  readonly #packer: ReturnType<typeof makePacker>;
  readonly #outbox: Outbox;
  readonly #prober: Prober;
  readonly #leaps: LeapWatch;
  readonly #flights: Flights;
  readonly #spans: SpanSink;
  readonly #onAcknowledged: (recordIds: readonly string[]) => void;
  readonly #sorted = new SortedRows();
  readonly #rows = new MarkRows(RING_CAPACITY);
  readonly #open = new Map<Session, Open>();
  readonly #stopOnExit: () => void;
  /** Of the whole process; Node tells it. */
  protected readonly load: LoadReporting | undefined;
  readonly #rounds: FlushRounds;
  readonly #endMs: number;
  #shutdown: Promise<void> | undefined;

  constructor(options: FramescopeOptions, platform: Machine) {
    const given = copyOf(options);
    const problems = new Problems(given.onProblem);
    this.#problems = problems;
    this.#platform = withPorts(platform, given, problems);
    this.#role = given.role === undefined ? 'agent' : nameOf(given.role, 'agent', 'role', problems);
    this.#flushMs = flushMsOf(given.flushMs, problems);
    this.#isEveryFrame = given.frames === 'spans';
    this.#endMs = endMsOf(given.shutdownMs, problems);
    this.#producer = randomHex(this.#platform.random, 8);
    this.#onAcknowledged = functionOr(given.onAcknowledged, () => undefined);
    const { resource, headers, url, tracesUrl } = placeOf(given, this.#platform, problems);
    resource['service.instance.id'] ??= this.#producer;
    this.#packer = makePacker(
      (given.encoding ?? platform.encoding) === 'json' ? 'json' : 'protobuf',
      placeIn(resource),
      VERSION,
    );
    const { http, timers, random, clock } = this.#platform;
    this.#outbox = new Outbox({
      http,
      timers,
      random,
      headers,
      url: tracesUrl,
      format: this.#packer,
      bytesMax: bytesMaxOf(given.outboxBytesMax),
      problems,
    });
    this.#flights = this.#makeFlights(url, headers);
    this.#prober = new Prober(
      {
        clock,
        timers,
        http,
        headers,
        url: `${url}/v1/clock`,
        query: () => this.#flights.query(),
        heard: triggers => this.#hear(triggers),
      },
      sample => {
        for (const { exporter } of this.#open.values()) exporter.clockSample(sample);
      },
    );
    this.load = this.#makeLoad(given);
    this.#rounds = new FlushRounds({
      timers,
      now: () => clock.now(),
      everyMs: this.#flushMs,
      all: () =>
        Array.from<{ exporter: Flushing }, Flushing>(
          this.#open.values(),
          ({ exporter }) => exporter,
        ).concat(this.load ?? []),
      outbox: this.#outbox,
    });
    this.#leaps = new LeapWatch(clock, timers, () => this.#leapt());
    this.#spans = makeSpanSink(providerOf(given, this.#platform), {
      url: tracesUrl,
      headers,
      resource,
      problems,
      endMs: this.#endMs,
    });
    this.#stopOnExit = this.#platform.onExit(Scope.#weakLastFlush(new WeakRef(this)));
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
    await this.#rounds.round();
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
    this.#prober.stop();
    this.#leaps.stop();
    this.#stopOnExit();
    this.#outbox.close();
  }

  /** What was counted so far. */
  stats(): Stats {
    return {
      openSessions: this.#open.size,
      waitingItems: this.#outbox.waitingCount,
      problems: new Map(this.#problems.counts()),
    };
  }

  #startSession(options: Partial<SessionOptions>): Session {
    const book = new StateBook();
    const problems = this.#problems.within((code, count) => book.countProblem(code, count));
    const id = sessionIdOf(options.id, problems, () => randomHex(this.#platform.random, 8));
    const traceId = sessionTraceId(id);
    const { clock } = this.#platform;
    const refusingRing = new MarkRing(1, clock.makeColumn(1));
    refusingRing.close();
    const ring = new MarkRing(RING_CAPACITY, clock.makeColumn(RING_CAPACITY));
    const timed = new TimedMarks();
    const builder = new RecordBuilder(this.#sorted);
    const nextSpanId = (): string => randomHex(this.#platform.random, 8);
    const flight = this.#makeFlight(traceId, nextSpanId);
    const probes: ProbedHop[] = [];
    const shared = { traceId, clock, problems, ring, refusingRing, timed, builder, book, flight };
    let exporter: SessionExporter | undefined;
    const makeExporter = (session: Session): SessionExporter =>
      (exporter = new SessionExporter({
        ...shared,
        sessionId: id,
        producer: this.#producer,
        rows: this.#rows,
        packer: this.#packer,
        outbox: this.#outbox,
        rangesOf: facts =>
          [...session.streams()].find(one => one.name === facts.name)?.takeRanges() ?? [],
        badMarkCount: () => probes.reduce((sum, { probe }) => sum + probe.badCount, 0),
        sessionState: () => session.state(),
        onAcknowledged: this.#onAcknowledged,
      }));
    const session = new Session(
      {
        ...shared,
        id,
        probes,
        role: this.#role,
        isAuthority:
          typeof options.authority === 'boolean' ? options.authority : this.#role === 'agent',
        attributes: attributesOf(options.attributes, 'startSession', problems),
        flushMs: this.#flushMs,
        timers: this.#platform.timers,
        spans: this.#spans,
        nextSpanId,
        ended: one => this.#ended(one),
      },
      makeExporter,
    );
    if (exporter !== undefined) this.#admit(session, { session, exporter, flight });
    return session;
  }

  /** In virtual time only when asked for: the process's own load is none of a simulation's. */
  #makeLoad({ load, timers }: Partial<FramescopeOptions>): LoadReporting | undefined {
    if (!(load ?? !timers)) return undefined;
    return this.#platform.makeLoad?.({
      clock: this.#platform.clock,
      producer: this.#producer,
      packer: this.#packer,
      outbox: this.#outbox,
      problems: this.#problems,
      open: this.#open,
    });
  }

  #makeFlights(url: string, headers: Readonly<Record<string, string>>): Flights {
    const { clock, timers, http } = this.#platform;
    return new Flights({
      clock,
      timers,
      http,
      url,
      headers,
      problems: this.#problems,
      producer: this.#producer,
      packer: this.#packer,
      outbox: this.#outbox,
      all: () =>
        Array.from(this.#open.values(), ({ session, exporter, flight }) => ({
          traceId: session.traceId,
          recorder: flight.recorder,
          settle: () => exporter.flush(),
          common: () => exporter.common(),
        })),
    });
  }

  #makeFlight(traceId: string, nextSpanId: () => string): SessionFlight {
    return new SessionFlight({
      traceId,
      clock: this.#platform.clock,
      problems: this.#problems,
      spans: this.#spans,
      isEveryFrame: this.#isEveryFrame,
      nextSpanId,
      pull: trigger => this.#flights.pull(trigger),
    });
  }

  #admit(session: Session, open: Open): void {
    if (this.#shutdown !== undefined || this.#open.size >= SESSIONS_MAX) {
      this.#problems.report(
        'too_many_sessions',
        `startSession: shut down, or ${SESSIONS_MAX} sessions are open (session.end() ends one): not sent`,
      );
      return;
    }
    this.#open.set(session, open);
    for (const sample of this.#prober.recent()) open.exporter.clockSample(sample);
    this.#flights.start();
    this.#prober.start();
    this.#leaps.start();
    this.load?.start();
    this.#rounds.start();
  }

  async #end(): Promise<void> {
    const open = [...this.#open.keys()];
    // Ending a session flushes: a second flush would wait as long again for a collector that hangs.
    if (open.length > 0) await Promise.all(open.map(session => session.end()));
    else await this.flush();
    await quiet(this.#spans.shutdown());
  }

  async #ended(session: Session): Promise<void> {
    const open = this.#open.get(session);
    if (open === undefined) return;
    this.#problems.guard(
      'flight',
      () => this.#flights.settle(session.traceId),
      () => undefined,
    );
    this.#open.delete(session);
    open.exporter.flush();
    this.#problems.guard(
      'flight',
      () => open.flight.end(),
      () => undefined,
    );
    if (this.#open.size === 0) {
      this.#rounds.stop();
      this.#prober.stop();
      this.#leaps.stop();
      this.load?.stop();
      this.#flights.stop();
    }
    await this.#settled();
  }

  async #settled(): Promise<void> {
    await Promise.all([this.#outbox.flush(this.#endMs), this.#within(quiet(this.#spans.flush()))]);
  }

  /** Waits for `work`, but no longer than the end of a process may be held up. */
  async #within(work: Promise<void>): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<void>(resolve => {
      timer = this.#platform.timers.after(this.#endMs, resolve);
    });
    await Promise.race([work, late]);
    timer?.cancel();
  }

  #hear(triggers: unknown): void {
    this.#problems.guard(
      'flight',
      () => this.#flights.heard(triggers),
      () => undefined,
    );
  }

  /** Marks that wait are of two epochs: they leave at once, told apart. */
  #leapt(): void {
    this.#problems.report(
      'clock_jumped',
      'the clock jumped against the wall clock (sleep, or the time was set); a new epoch begins',
    );
    this.#rounds.all();
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
    this.#rounds.all();
    this.#problems.guard(
      'exit',
      () => this.#outbox.sendLast(),
      () => undefined,
    );
    await quiet(this.#spans.flush());
  }
}

/** A post a second leaves out what `service.instance.id` says as well. */
const placeIn = (resource: Attributes): Attributes =>
  Object.fromEntries(Object.entries(resource).filter(([key]) => key !== 'process.pid'));

/** Waits for what may fail; telemetry's failures stop here. */
const quiet = (work: Promise<void>): Promise<void> => work.catch(() => undefined);
