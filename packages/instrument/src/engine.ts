// What sends: records made of marks, live state, clock probes, flight recorder,
// outbox. One for each scope. A page loads it when its first call begins; on Node
// it is there from the start.
//
//   ring, timed marks, book of each session ─▶ record + state ─▶ packed ─▶ outbox

import {
  domainNs,
  NS_PER_MS,
  type DomainNs,
  type SessionState,
  type SetupName,
} from '@framescope/protocol';
import { LeapWatch } from './clock/leap-watch.ts';
import { Prober } from './clock/prober.ts';
import { FlushRounds, type Flushing } from './export/flush-rounds.ts';
import { makePacker } from './export/frames-packer.ts';
import { Outbox, OUTBOX_BYTES_MAX } from './export/outbox.ts';
import { RecordBuilder, SortedRows } from './export/record-builder.ts';
import { SessionExporter } from './export/session-exporter.ts';
import type { SpanSink } from './export/span-sink.ts';
import type { StateBook } from './export/state-book.ts';
import { Flights } from './flight/flights.ts';
import { SessionFlight } from './flight/session-flight.ts';
import type { Stream } from './hop/stream.ts';
import type { TimedMarks } from './hop/timed-marks.ts';
import type { MarkRing } from './hot/mark-ring.ts';
import { MarkRows } from './hot/mark-rows.ts';
import type { FramescopeOptions } from './options.ts';
import { commonOf, makeSpanSink } from './otel/make-span-sink.ts';
import { functionOr, httpOf, placeOf, providerOf, type Place } from './place.ts';
import type { Attributes, Http, LoadReporting, Platform } from './ports.ts';
import type { Problems } from './problems.ts';
import type { SessionFront } from './session-front.ts';
import { VERSION } from './version.ts';

/** What a scope makes its engine of. */
export interface EngineFacts {
  readonly platform: Platform;
  readonly given: Partial<FramescopeOptions>;
  readonly problems: Problems;
  readonly producer: string;
  readonly flushMs: number;
  /** How long the end of a process may be held up. */
  readonly endMs: number;
  /** Marks that a ring holds. */
  readonly ringCapacity: number;
}

/** A session as its engine sees it. */
export interface EngineSession {
  readonly id: string;
  readonly traceId: string;
  readonly problems: Problems;
  readonly ring: MarkRing;
  readonly refusingRing: MarkRing;
  readonly timed: TimedMarks;
  readonly book: StateBook;
  readonly front: SessionFront;
  readonly nextSpanId: () => string;
  readonly state: () => SessionState;
  readonly streams: () => Iterable<Stream>;
  /** How the call came about, each step as ms before the session began. */
  readonly setupAgoMs: Readonly<Partial<Record<SetupName, number>>>;
  readonly setup: (name: SetupName, at: DomainNs) => void;
}

interface Open {
  readonly exporter: SessionExporter;
  readonly flight: SessionFlight;
}

/** Nobody waits longer for an agent to start. */
const COLD_MS_MAX = 120_000;
/** Marks after a session's end are told so long after the first of them, and again. */
const LATE_MARKS_MS = 2_000;

export class Engine {
  readonly load: LoadReporting | undefined;
  /** Where turn and stage spans go. */
  readonly spans: SpanSink;
  readonly #facts: EngineFacts;
  readonly #place: Place;
  readonly #hasSpans: boolean;
  readonly #http: Http;
  readonly #packer: ReturnType<typeof makePacker>;
  readonly #outbox: Outbox;
  readonly #prober: Prober;
  readonly #leaps: LeapWatch;
  readonly #flights: Flights;
  readonly #rounds: FlushRounds;
  readonly #sorted = new SortedRows();
  readonly #rows: MarkRows;
  readonly #open = new Map<EngineSession, Open>();
  #isClosed = false;

  constructor(facts: EngineFacts) {
    this.#facts = facts;
    const { platform, given, problems, endMs } = facts;
    const { timers, random, clock } = platform;
    const http = httpOf(given, platform);
    const place = problems.guard(
      'options',
      () => placeOf(given, platform, problems),
      () => placeOf({}, platform, problems),
    );
    const { url, tracesUrl, headers, resource } = place;
    resource['service.instance.id'] ??= facts.producer;
    this.#http = http;
    this.#place = place;
    const provider = providerOf(given, platform);
    this.#hasSpans = provider !== false;
    this.spans = makeSpanSink(provider, {
      url: tracesUrl,
      headers,
      resource,
      clock,
      problems,
      endMs,
    });
    this.#rows = new MarkRows(facts.ringCapacity);
    this.#packer = makePacker(
      (given.encoding ?? platform.encoding) === 'json' ? 'json' : 'protobuf',
      placeIn(resource),
      VERSION,
    );
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
    this.#flights = this.#makeFlights();
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
    this.load = this.#makeLoad();
    this.#rounds = new FlushRounds({
      timers,
      now: () => clock.now(),
      everyMs: facts.flushMs,
      all: () =>
        Array.from<{ exporter: Flushing }, Flushing>(
          this.#open.values(),
          ({ exporter }) => exporter,
        ).concat(this.load ?? []),
      outbox: this.#outbox,
    });
    this.#leaps = new LeapWatch(clock, timers, () => this.#leapt());
  }

  /** As the platform's. */
  onExit(flush: (isGone: boolean) => Promise<void>): () => void {
    return this.#facts.platform.onExit(flush);
  }

  /** Flushes that wait for their acknowledgement. */
  get waitingCount(): number {
    return this.#outbox.waitingCount;
  }

  /** From now on the session is flushed each period, and answers to triggers. */
  admit(session: EngineSession): void {
    const { exporter } = this.#openOf(session);
    for (const sample of this.#prober.recent()) exporter.clockSample(sample);
    this.#flights.start();
    this.#prober.start();
    this.#leaps.start();
    this.load?.start();
    this.#rounds.start();
  }

  /** The session is over: what waits is packed, and it is let go. */
  end(session: EngineSession): void {
    const { problems } = this.#facts;
    const { exporter, flight } = this.#openOf(session);
    problems.guard('flight', () => this.#flights.settle(session.traceId));
    this.#open.delete(session);
    exporter.flush();
    problems.guard('flight', () => flight.end());
    this.#watchEnded(session, exporter);
    if (this.#open.size > 0) return;
    this.#rounds.stop();
    this.#prober.stop();
    this.#leaps.stop();
    this.load?.stop();
    this.#flights.stop();
  }

  /** Marks that come after the end are counted, and that is told: a while after the first of them. */
  #watchEnded({ ring, timed, problems }: EngineSession, exporter: SessionExporter): void {
    const { timers } = this.#facts.platform;
    const tell = (): void => {
      if (this.#isClosed) return;
      problems.guard('flush', () => exporter.flush());
      watch();
    };
    const marked = (): void => {
      ring.onClosedMark = undefined;
      timed.onClosedMark = undefined;
      timers.after(LATE_MARKS_MS, tell);
    };
    const watch = (): void => {
      ring.onClosedMark = marked;
      timed.onClosedMark = marked;
    };
    watch();
  }

  /** All sessions flush, some at a time. */
  round(): Promise<void> {
    return this.#rounds.round();
  }

  /** Resolves when nothing waits, or the end has been held up for long enough. */
  settled(): Promise<void> {
    return this.#outbox.flush(this.#facts.endMs);
  }

  /** The page goes: what there is leaves at once, as much as fits. */
  sendLast(): void {
    this.#rounds.all();
    this.#facts.problems.guard('exit', () => this.#outbox.sendLast());
  }

  /** Nothing more is asked or sent; what waits is dropped. */
  close(): void {
    this.#isClosed = true;
    this.#prober.stop();
    this.#leaps.stop();
    this.#outbox.close();
  }

  /** Made at the first call. */
  #openOf(session: EngineSession): Open {
    const known = this.#open.get(session);
    if (known !== undefined) return known;
    const { platform, producer, given } = this.#facts;
    const { traceId, problems, ring, refusingRing, timed, book, front } = session;
    const builder = new RecordBuilder(this.#sorted);
    const flight = this.#makeFlight(session);
    const exporter = new SessionExporter({
      sessionId: session.id,
      traceId,
      problems,
      ring,
      refusingRing,
      timed,
      book,
      builder,
      flight,
      producer,
      clock: platform.clock,
      rows: this.#rows,
      packer: this.#packer,
      outbox: this.#outbox,
      rangesOf: facts =>
        [...session.streams()].find(one => one.name === facts.name)?.takeRanges() ?? [],
      sessionState: session.state,
      onAcknowledged: functionOr(given.onAcknowledged, () => undefined),
    });
    const open = { exporter, flight };
    this.#open.set(session, open);
    this.#tellSetup(session);
    front.start({
      attach: attached => flight.attach(attached),
      enrol: (stream, hop) => {
        builder.enrol(stream, hop);
        flight.enrol(stream, hop);
      },
      sample: (stream, name, value, atNs) => flight.recorder.sample(stream, name, value, atNs),
      event: (reason, stream, fromTick, toTick) => flight.event(reason, stream, fromTick, toTick),
      trigger: (reason, range) => flight.trigger(reason, range),
      clockSample: sample => exporter.clockSample(sample),
    });
    return open;
  }

  /** What came before: of the process too, if it was not warm long before the call. */
  #tellSetup({ state, setupAgoMs, setup }: EngineSession): void {
    const { authority, startedAt } = state();
    const { clock } = this.#facts.platform;
    const upMs = (startedAt - (clock.startedAt ?? -Infinity)) / NS_PER_MS;
    const isCold = authority && upMs < COLD_MS_MAX;
    const all = isCold ? { process_started: upMs, ...setupAgoMs } : setupAgoMs;
    for (const [name, ms] of Object.entries(all))
      setup(name as SetupName, domainNs(startedAt - ms * NS_PER_MS));
  }

  #makeFlight({ id, traceId, nextSpanId }: EngineSession): SessionFlight {
    const { problems, given } = this.#facts;
    return new SessionFlight({
      traceId,
      sessionId: id,
      problems,
      spans: this.spans,
      hasSpans: this.#hasSpans,
      isEveryFrame: given.frames === 'spans',
      nextSpanId,
      pull: trigger => this.#flights.pull(trigger),
    });
  }

  #makeFlights(): Flights {
    const { platform, problems, producer } = this.#facts;
    const { clock, timers } = platform;
    const { url, headers } = this.#place;
    return new Flights({
      clock,
      timers,
      http: this.#http,
      url,
      headers,
      problems,
      producer,
      packer: this.#packer,
      outbox: this.#outbox,
      all: () =>
        Array.from(this.#open, ([{ id, traceId }, { exporter, flight }]) => ({
          traceId,
          recorder: flight.recorder,
          settle: () => exporter.flush(),
          common: () => commonOf(id, clock),
        })),
    });
  }

  /** In virtual time only when asked for: the process's own load is none of a simulation's. */
  #makeLoad(): LoadReporting | undefined {
    const { platform, given, producer, problems } = this.#facts;
    if (!(given.load ?? !given.timers)) return undefined;
    return platform.makeLoad?.({
      clock: platform.clock,
      producer,
      packer: this.#packer,
      outbox: this.#outbox,
      problems,
      open: this.#open,
    });
  }

  #hear(triggers: unknown): void {
    this.#facts.problems.guard('flight', () => this.#flights.heard(triggers));
  }

  /** Marks that wait are of two epochs: they leave at once, told apart. */
  #leapt(): void {
    this.#facts.problems.report(
      'clock_jumped',
      'the clock jumped against the wall clock (sleep, or the time was set); a new epoch begins',
    );
    this.#rounds.all();
  }
}

const bytesMaxOf = (value: unknown): number =>
  typeof value === 'number' && value >= 0 ? value : OUTBOX_BYTES_MAX;

/** A post a second leaves out what `service.instance.id` says as well. */
const placeIn = (resource: Attributes): Attributes =>
  Object.fromEntries(Object.entries(resource).filter(([key]) => key !== 'process.pid'));
