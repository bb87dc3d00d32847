// The scope: one for each process. Holds what its sessions share: clock,
// transport, outbox, probes, the flush each second.
//
//   Session.hop.mark ─▶ ring ─┐ each second
//   Session.turn … ─▶ state ──┼─▶ record + state ─▶ packed ─▶ outbox ─▶ collector
//   probes ─▶ clock samples ──┘
//
// The entries give it a platform; every public method is guarded.

import { sessionTraceId, toHex, type DomainNs } from '@framescope/protocol';
import { attributesOf, nameOf, optionsOf, SESSION_ID_LENGTH_MAX } from './coerce.ts';
import { GuardedClock } from './clock/guarded-clock.ts';
import { LeapWatch } from './clock/leap-watch.ts';
import { Prober } from './clock/prober.ts';
import { FlushRounds } from './export/flush-rounds.ts';
import { makePacker } from './export/frames-packer.ts';
import { Outbox, OUTBOX_BYTES_MAX } from './export/outbox.ts';
import { RecordBuilder, SortedRows } from './export/record-builder.ts';
import { SessionExporter } from './export/session-exporter.ts';
import type { SpanSink } from './export/span-sink.ts';
import { StateBook } from './export/state-book.ts';
import { Flights, type Flight } from './flight/flights.ts';
import { Promoter } from './flight/promoter.ts';
import { FlightRecorder } from './flight/recorder.ts';
import type { ProbedHop } from './hop/stream.ts';
import { TimedMarks } from './hop/timed-marks.ts';
import { MarkRing, MarkRows } from './hot/mark-ring.ts';
import { makeSpanSink, type TracerProviderOption } from './otel/make-span-sink.ts';
import type { Attributes, Clock, Http, Platform, Problem, Timer, Timers } from './ports.ts';
import { Problems } from './problems.ts';
import { Session } from './session.ts';
import { VERSION } from './version.ts';

/** 4,096 marks: 12 hops at 50 frames a second for 6 s without a flush. 92 kB a session. */
const RING_CAPACITY = 4_096;
const FLUSH_MS = 1_000;
const FLUSH_MS_MIN = 20;
const FLUSH_MS_MAX = 60_000;
/** A collector that hangs holds up an ending process by no more. */
const END_MS = 2_000;
const END_MS_MAX = 60_000;
const SESSIONS_MAX = 10_000;

export interface FramescopeOptions {
  /** `service.name` of the resource. */
  readonly serviceName: string;
  /** Base URL of the collector; default `OTEL_EXPORTER_OTLP_ENDPOINT`, else http://127.0.0.1:4318. */
  readonly endpoint?: string;
  /** `client`, `edge`, `agent` (default) or your own: the first half of this process's hop names. */
  readonly role?: string;
  /** More resource attributes: `cloud.region`, `service.instance.id`, … */
  readonly resource?: Attributes;
  /** Sent with each request, e.g. `{ authorization: 'Bearer …' }`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How often records leave; default 1,000, from 20 to 60,000. */
  readonly flushMs?: number;
  /**
   * How long `flush`, `session.end` and `shutdown` wait at most for a collector that does not
   * answer, in ms; default 2,000, from 0 to 60,000.
   */
  readonly shutdownMs?: number;
  /** Where turn and stage spans go: your provider; `false` for no spans; default one of our own. */
  readonly tracerProvider?: TracerProviderOption;
  /** How records are packed; default by `OTEL_EXPORTER_OTLP_PROTOCOL`, else `protobuf`. */
  readonly encoding?: 'protobuf' | 'json';
  /** Told the first problem of each code. Never called from `mark`. */
  readonly onProblem?: (problem: Problem) => void;
  /**
   * Told the IDs (`producer/trace/seq/part`) of records the collector has stored. Called before
   * anything else happens with them, so that a sender may keep a list on disk.
   */
  readonly onAcknowledged?: (recordIds: readonly string[]) => void;
  /** Bytes that may wait for a collector; default 8 MiB. */
  readonly outboxBytesMax?: number;
  /** Another clock: skewed for a demo, virtual in a simulation. */
  readonly clock?: Clock;
  /** Other timers, HTTP and chance: for a simulation in virtual time. */
  readonly timers?: Timers;
  readonly http?: Http;
  readonly random?: () => number;
}

export interface SessionOptions {
  /** `session.id`: the call's ID, the same in every process. Any characters, up to 10,000. */
  readonly id: string;
  readonly attributes?: Attributes;
  /** True in the one process that decides turns; default: role `agent`. */
  readonly authority?: boolean;
}

/** What a scope did so far. */
export interface Stats {
  readonly openSessions: number;
  /** Flushes that wait for their acknowledgement. */
  readonly waitingItems: number;
  /** How often each problem happened. */
  readonly problems: ReadonlyMap<string, number>;
}

interface Open {
  readonly session: Session;
  readonly exporter: SessionExporter;
  readonly flight: Flight;
}

/** The platform-neutral half; use `Framescope` of the entry. */
export class Scope {
  readonly #platform: Platform;
  readonly #problems: Problems;
  readonly #role: string;
  readonly #flushMs: number;
  readonly #producer: string;
  readonly #packer: ReturnType<typeof makePacker>;
  readonly #outbox: Outbox;
  readonly #prober: Prober;
  readonly #leaps: LeapWatch;
  readonly #flights: Flights;
  readonly #spans: SpanSink;
  readonly #onAcknowledged: (recordIds: readonly string[]) => void;
  readonly #sorted = new SortedRows(RING_CAPACITY);
  readonly #rows = new MarkRows(RING_CAPACITY);
  readonly #open = new Map<Session, Open>();
  readonly #stopOnExit: () => void;
  readonly #rounds: FlushRounds;
  readonly #endMs: number;
  #isShutDown = false;

  constructor(options: FramescopeOptions, platform: Platform) {
    const given = copyOf(options);
    const problems = new Problems(given.onProblem);
    this.#problems = problems;
    this.#platform = withPorts(platform, given, problems);
    this.#role = given.role === undefined ? 'agent' : nameOf(given.role, 'agent', 'role', problems);
    this.#flushMs = flushMsOf(given.flushMs, problems);
    this.#endMs = endMsOf(given.shutdownMs, problems);
    this.#producer = randomHex(this.#platform.random, 8);
    this.#onAcknowledged = functionOr(given.onAcknowledged, () => undefined);
    const { resource, headers, url } = this.#place(given);
    this.#packer = makePacker(
      (given.encoding ?? platform.encoding) === 'json' ? 'json' : 'protobuf',
      resource,
      VERSION,
    );
    const { http, timers, random, clock } = this.#platform;
    this.#outbox = new Outbox({
      http,
      timers,
      random,
      headers,
      url: `${url}/v1/traces`,
      format: this.#packer,
      bytesMax: bytesMaxOf(given.outboxBytesMax),
      problems,
    });
    this.#flights = new Flights({
      clock,
      timers,
      http,
      url,
      headers,
      problems,
      producer: this.#producer,
      packer: this.#packer,
      outbox: this.#outbox,
      all: () => Array.from(this.#open.values(), ({ flight }) => flight),
    });
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
    this.#rounds = new FlushRounds({
      timers,
      now: () => clock.now(),
      everyMs: this.#flushMs,
      all: () => Array.from(this.#open.values(), ({ exporter }) => exporter),
      outbox: this.#outbox,
    });
    this.#leaps = new LeapWatch(clock, timers, () => this.#leapt());
    this.#spans = makeSpanSink(given.tracerProvider, {
      url: `${url}/v1/traces`,
      headers,
      resource,
      problems,
      endMs: this.#endMs,
    });
    this.#stopOnExit = this.#platform.onExit(isGone => this.#lastFlush(isGone));
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
  async shutdown(): Promise<void> {
    if (this.#isShutDown) return;
    this.#isShutDown = true;
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
    const problems = this.#problems;
    const id = sessionIdOf(options.id, problems, () => randomHex(this.#platform.random, 8));
    const traceId = sessionTraceId(id);
    const { clock } = this.#platform;
    const refusingRing = new MarkRing(1, clock.makeColumn(1));
    refusingRing.close();
    const ring = new MarkRing(RING_CAPACITY, clock.makeColumn(RING_CAPACITY));
    const timed = new TimedMarks();
    const builder = new RecordBuilder(this.#sorted);
    const recorder = new FlightRecorder();
    const promoter = new Promoter(traceId);
    const book = new StateBook();
    const probes: ProbedHop[] = [];
    const shared = {
      traceId,
      clock,
      problems,
      ring,
      refusingRing,
      timed,
      builder,
      book,
      recorder,
      promoter,
    };
    let exporter: SessionExporter | undefined;
    const made: { flight?: Flight } = {};
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
        promote: (rows, count) => session.promote(promoter.take(rows, count)),
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
        nextSpanId: () => randomHex(this.#platform.random, 8),
        pull: trigger => made.flight !== undefined && this.#flights.pull(made.flight, trigger),
        ended: one => this.#ended(one),
      },
      makeExporter,
    );
    if (exporter === undefined) return session;
    const { flush, common } = boundOf(exporter);
    made.flight = { traceId, recorder, settle: flush, common };
    this.#admit(session, { session, exporter, flight: made.flight });
    return session;
  }

  #admit(session: Session, open: Open): void {
    if (this.#isShutDown || this.#open.size >= SESSIONS_MAX) {
      this.#problems.report(
        'too_many_sessions',
        `startSession: the scope was shut down, or ${SESSIONS_MAX} sessions are open; this one is not sent. End sessions with session.end()`,
      );
      return;
    }
    this.#open.set(session, open);
    this.#flights.start();
    this.#prober.start();
    this.#leaps.start();
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
    this.#open.delete(session);
    open.exporter.flush();
    if (this.#open.size === 0) {
      this.#rounds.stop();
      this.#prober.stop();
      this.#leaps.stop();
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

  #place(given: Partial<FramescopeOptions>): {
    resource: Attributes;
    headers: Readonly<Record<string, string>>;
    url: string;
  } {
    const problems = this.#problems;
    const { endpoint, resource, headers } = this.#platform;
    const instance = { 'service.instance.id': this.#producer };
    const service = nameOf(given.serviceName, 'unknown_service', 'serviceName', problems);
    const given2 = attributesOf(given.resource, 'resource', problems);
    return {
      resource: { ...instance, ...resource, 'service.name': service, ...given2 },
      headers: { ...headers, ...headersOf(given.headers) },
      url: urlOf(given.endpoint, endpoint, problems),
    };
  }
}

const boundOf = (exporter: SessionExporter): Pick<SessionExporter, 'flush' | 'common'> => ({
  flush: () => exporter.flush(),
  common: () => exporter.common(),
});

/** Options whose getters throw count as none: from here on they are plain values. */
function copyOf(options: FramescopeOptions): Partial<FramescopeOptions> {
  try {
    return { ...optionsOf(options) };
  } catch {
    return {};
  }
}

/** What was handed in takes the platform's place, kept from throwing. */
function withPorts(
  platform: Platform,
  given: Partial<FramescopeOptions>,
  problems: Problems,
): Platform {
  const { clock, timers, random } = given;
  const isClock = typeof clock === 'object' && clock !== null;
  return {
    ...platform,
    clock: isClock ? new GuardedClock(clock, problems) : platform.clock,
    timers: typeof timers?.after === 'function' ? guardedTimers(timers, problems) : platform.timers,
    http: functionOr(given.http, platform.http),
    random:
      typeof random === 'function'
        ? () => problems.guard('random', random, platform.random)
        : platform.random,
  };
}

const guardedTimers = (timers: Timers, problems: Problems): Timers => ({
  after: (delayMs, task) => {
    const none = { cancel: () => undefined };
    return problems.guard(
      'timers',
      () => timers.after(delayMs, task),
      () => none,
    );
  },
});

const functionOr = <T>(value: T | undefined, otherwise: T): T =>
  typeof value === 'function' ? value : otherwise;

/** Waits for what may fail; telemetry's failures stop here. */
const quiet = (work: Promise<void>): Promise<void> => work.catch(() => undefined);

function flushMsOf(value: unknown, problems: Problems): number {
  if (value === undefined) return FLUSH_MS;
  if (typeof value === 'number' && value >= FLUSH_MS_MIN && value <= FLUSH_MS_MAX) return value;
  problems.report('bad_argument', `flushMs: from ${FLUSH_MS_MIN} to ${FLUSH_MS_MAX}`);
  return FLUSH_MS;
}

function endMsOf(value: unknown, problems: Problems): number {
  if (value === undefined) return END_MS;
  if (typeof value === 'number' && value >= 0 && value <= END_MS_MAX) return value;
  problems.report('bad_argument', `shutdownMs: from 0 to ${END_MS_MAX}`);
  return END_MS;
}

const bytesMaxOf = (value: unknown): number =>
  typeof value === 'number' && value >= 0 ? value : OUTBOX_BYTES_MAX;

function sessionIdOf(id: unknown, problems: Problems, otherwise: () => string): string {
  if (typeof id === 'string' && id.length > 0 && id.length <= SESSION_ID_LENGTH_MAX) return id;
  problems.report(
    'bad_argument',
    `startSession: id is 1 to ${SESSION_ID_LENGTH_MAX} characters, the same in every process of the call; a random one is used`,
  );
  return typeof id === 'string' && id.length > 0 ? id.slice(0, SESSION_ID_LENGTH_MAX) : otherwise();
}

function urlOf(given: unknown, otherwise: string, problems: Problems): string {
  if (given === undefined) return otherwise;
  if (typeof given === 'string' && /^https?:\/\/[^\s]+$/.test(given))
    return given.replace(/\/+$/, '');
  problems.report(
    'bad_argument',
    `endpoint: a URL such as http://127.0.0.1:4318; ${otherwise} is used`,
  );
  return otherwise;
}

function headersOf(given: unknown): Readonly<Record<string, string>> {
  if (typeof given !== 'object' || given === null) return {};
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(given))
    if (typeof value === 'string') out[name.toLowerCase()] = value;
  return out;
}

/** Random hex digits, not all zero. */
function randomHex(random: () => number, byteCount: number): string {
  const bytes = Uint8Array.from({ length: byteCount }, () => Math.floor(random() * 256));
  if (bytes.every(byte => byte === 0)) bytes[byteCount - 1] = 1;
  return toHex(bytes);
}
