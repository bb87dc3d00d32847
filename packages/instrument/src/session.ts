// What users hold: one call, as one process sees it.

import {
  frameSpanId,
  hopKey,
  sessionStartSpanId,
  SPAN,
  tick,
  ticksToNs,
  traceparent,
  turnSpanId,
  turnTraceId,
  type Anchor,
  type ClockSample,
  type DomainNs,
  type HopName,
  type LineageState,
  type MediaIntervalState,
  type SessionState,
  type SetupName,
  type SetupState,
  type StreamState,
  type Tick,
} from '@framescope/protocol';
import { errorNsOf, lean, momentOf, nameIfAny, nameOf, optionsOf, tickOf } from './coerce.ts';
import type { LiveSpan, SpanSink } from './export/span-sink.ts';
import type { StateBook } from './export/state-book.ts';
import type { FlightSession, TriggerRange } from './flight/session-flight.ts';
import { Stream, type ProbedHop, type StreamHost } from './hop/stream.ts';
import type { TimedMarks } from './hop/timed-marks.ts';
import type { MarkRing } from './hot/mark-ring.ts';
import type { Attributes, Clock, SessionPort, Timers } from './ports.ts';
import type { Problems } from './problems.ts';
import type { SessionFront } from './session-front.ts';
import { Turn, type TurnHost, type WaitOptions } from './turn/turn.ts';

const STREAMS_MAX = 32;
const HOPS_MAX = 512;
/** Turns whose trace IDs can still be asked for. */
const TURNS_KEPT = 256;
const SAMPLE_RATE_MAX = 768_000;
const DEFAULT_SAMPLE_RATE = 16_000;
/** What a trigger asks for when it does not say. */

export interface StreamOptions {
  /** Hertz: ticks a second of the stream's media clock. Default 16,000. */
  readonly sampleRate?: number;
  /** `up`: from the user toward the agent. Default: `up`, but `down` for a stream named `agent`. */
  readonly direction?: 'up' | 'down';
}

/** Where a turn begins. */
export interface TurnStart {
  /** The user's stream. Default: the first stream that goes up. */
  readonly stream?: Stream;
  /** First tick of the user's speech: the turn's identity. Default: where the stream stands. */
  readonly at?: number;
}

/** What a session needs of its scope. */
export interface SessionHost {
  readonly id: string;
  readonly traceId: string;
  readonly role: string;
  readonly isAuthority: boolean;
  readonly attributes: Attributes;
  readonly flushMs: number;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly ring: MarkRing;
  readonly refusingRing: MarkRing;
  readonly timed: TimedMarks;
  readonly timers: Timers;
  readonly front: SessionFront;
  readonly book: StateBook;
  readonly spans: SpanSink;
  readonly nextSpanId: () => string;
  ended(session: Session): Promise<void>;
}

/**
 * One call, as this process sees it. Got from `scope.startSession`; end it with `end()`. Nothing in it
 * throws or blocks, whatever the values and the order of the calls; what is wrong is counted and told.
 */
export class Session {
  readonly id: string;
  /** 32 hex digits, the same in every process that knows the session's ID. */
  readonly traceId: string;

  readonly #host: SessionHost;
  readonly #streams = new Map<string, Stream>();
  readonly #streamHost: StreamHost;
  readonly #turns: Turn[] = [];
  readonly #settling = new Set<() => void>();
  readonly #startedAt: DomainNs;
  readonly #startSpan: LiveSpan | undefined;
  #endedAt: DomainNs | undefined;
  #ending: Promise<void> | undefined;

  /** Made by `Framescope.startSession`. */
  constructor(host: SessionHost) {
    this.#host = host;
    this.id = host.id;
    this.traceId = host.traceId;
    this.#startedAt = this.#now();
    this.#streamHost = {
      role: host.role,
      ring: host.ring,
      refusingRing: host.refusingRing,
      timed: host.timed,
      problems: host.problems,
      now: () => this.#now(),
      enrol: (stream, make) => this.#enrol(stream, make),
      sample: (stream, name, value) => {
        const atNs = this.#now();
        host.front.tell(engine => engine.sample(stream, name, value, atNs));
      },
      underrun: (stream, fromTick, toTick) =>
        host.front.tell(engine => engine.event('underrun', stream, fromTick, toTick)),
    };
    const flown: FlightSession = {
      isEnded: () => this.isEnded,
      streamOf: name => this.#streams.get(name),
      firstStream: () => this.#firstStream('up'),
      turnOf: (stream, at) =>
        stream.direction === 'up' ? this.#turnAt(stream, at) : this.#turns.at(-1),
    };
    host.front.tell(engine => engine.attach(flown));
    this.#startSpan = host.isAuthority ? this.#announce() : undefined;
  }

  /**
   * The stream of that name, made at the first call; options count then. Rate and direction must be
   * the same in every process.
   */
  stream(name: string, options?: StreamOptions): Stream {
    const known = typeof name === 'string' ? this.#streams.get(name) : undefined;
    if (known !== undefined) return known;
    const { problems } = this.#host;
    const find = (): Stream => this.#findOrAdd(name, options);
    return problems.guard('session.stream', find, () => this.#findOrAdd('unnamed', undefined));
  }

  /** What transports and adapters in entries of their own hold of a session; not for users. */
  port(): SessionPort {
    const { clock, problems, timers, role } = this.#host;
    return {
      traceId: this.traceId,
      role,
      clock,
      timers,
      problems,
      streamOf: (anchor: Anchor) => this.stream(anchor.stream, anchor),
      clockSample: (sample: ClockSample) =>
        this.#host.front.tell(engine => engine.clockSample(sample)),
      mediaInterval: (one: MediaIntervalState) => this.#host.book.note('media', one),
      lineage: (one: LineageState) => this.#host.book.note('lineage', one),
      setup: (one: SetupState) => this.#host.book.note('setup', one),
      onEnd: (settle: () => void) => {
        this.#settling.add(settle);
        return () => void this.#settling.delete(settle);
      },
    };
  }

  /** The user began to speak. Only the turn authority of a session starts turns. */
  startTurn(start?: TurnStart): Turn {
    const begin = (): Turn => {
      const { stream, at } = optionsOf(start);
      const on = stream instanceof Stream ? stream : this.#firstStream('up');
      const given =
        at === undefined ? undefined : tickOf(at, 'session.startTurn', this.#host.problems);
      return this.#newTurn(on, given ?? on.position);
    };
    const { problems } = this.#host;
    return problems.guard('session.startTurn', begin, () =>
      this.#newTurn(this.#firstStream('up'), tick(0)),
    );
  }

  /**
   * The call was answered and the agent owes the first word: a turn whose first wait is a
   * `greeting`, open from now (or `at`). It stands on the agent's stream.
   */
  greeting(options?: WaitOptions): Turn {
    const begin = (): Turn => {
      const turn = this.#newTurn(this.#firstStream('down'), tick(0));
      turn.wait('greeting', { source: 'answered', ...optionsOf(options) });
      return turn;
    };
    const { problems } = this.#host;
    return problems.guard('session.greeting', begin, () =>
      this.#newTurn(this.#firstStream('down'), tick(0)),
    );
  }

  /**
   * Something of how the call came about, before anybody could speak: who is told of it, by any process of
   * the call, has its greeting's wait begin there. Names: `SETUP_MOMENTS`; `at` in ns of `scope.now()`,
   * default now. Where a page's connection is traced its own moments are told by the adapter.
   */
  setup(name: SetupName, options?: { readonly at?: DomainNs; readonly source?: string }): void {
    const { problems, book } = this.#host;
    const tell = (): void => {
      const { at, source } = optionsOf(options);
      book.note(
        'setup',
        lean<SetupState>({
          name: nameOf(name, 'call_started', 'session.setup', problems) as SetupName,
          at: momentOf(at, this.#now(), 'session.setup', problems),
          source: nameIfAny(source, 'session.setup', problems),
        }),
      );
    };
    problems.guard('session.setup', tell);
  }

  /** Trace ID of a sample: its turn's, or between turns the session's. Costs a hash at most. */
  traceIdOf(stream: Stream, at: number): string {
    const { problems } = this.#host;
    const find = (): string => this.#turnAt(stream, at)?.traceId ?? this.traceId;
    return problems.guard('session.traceIdOf', find, () => this.traceId);
  }

  /**
   * W3C `traceparent` for a request made for this very sample: in the trace of its turn or session,
   * under the turn's root span, `session.start`, or (with `hop`) the span of the frame that begins there.
   */
  traceparent(stream: Stream, at: number, hop?: { readonly name: HopName }): string {
    const make = (): string => {
      const turn = this.#turnAt(stream, at);
      const spanId = turn?.spanId ?? sessionStartSpanId(this.traceId);
      const key = hop === undefined ? undefined : hopKey({ ...hop.name, stream: stream.name });
      const own = key === undefined ? spanId : frameSpanId(this.traceId, stream.name, key, at);
      return traceparent(turn?.traceId ?? this.traceId, own, true);
    };
    const plain = (): string => traceparent(this.traceId, sessionStartSpanId(this.traceId), true);
    return this.#host.problems.guard('session.traceparent', make, plain);
  }

  /**
   * Something went wrong: every process of the session dumps what its flight recorder remembers of
   * a range of media, and a little around it. Where it is to be seen: spans `flight.dump` in the
   * session's trace. Default range: the last 10 s of the stream up to where it stands; default
   * stream: the first that goes up. `false` when this reason pulled too often: three at once, then
   * one in 30 s. Concealment at a `playout` hop, an underrun, pulls by itself. Costs a
   * microsecond; the dump is made half a second later. Never throws.
   */
  trigger(reason: string, range?: TriggerRange): boolean {
    const { front } = this.#host;
    const pull = (): boolean => front.trigger(reason, optionsOf(range));
    return this.#host.problems.guard('session.trigger', pull, () => false);
  }

  /**
   * Ends this process's part of the session: open turns end, what waits is sent. Resolves when it
   * is acknowledged, or after `shutdownMs`; marks made later are refused and counted. Never rejects.
   */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  get isEnded(): boolean {
    return this.#endedAt !== undefined;
  }

  async #end(): Promise<void> {
    const { problems, ring, timed, book } = this.#host;
    problems.guard('session.end', () => {
      // The last to come is the first to go: an adapter settles before it is taken off.
      for (const settle of [...this.#settling].toReversed()) settle();
      for (const turn of this.#turns) if (!turn.isEnded) turn.end();
      this.#endedAt = this.#now();
      book.sessionChanged();
      ring.close();
      timed.close();
    });
    await this.#host.ended(this).catch(() => undefined);
  }

  /** What this process says of the session. */
  state(): SessionState {
    const { attributes, isAuthority, flushMs } = this.#host;
    return lean<SessionState>({
      attributes,
      authority: isAuthority,
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      flushNs: errorNsOf(flushMs, 1_000),
      streams: [...this.#streams.values()].map(({ name, sampleRate, direction }) => ({
        name,
        sampleRate,
        direction,
      })),
    });
  }

  /** Streams that this process knows, in the order in which they came up. */
  streams(): Iterable<Stream> {
    return this.#streams.values();
  }

  #findOrAdd(name: string, options: StreamOptions | undefined): Stream {
    const { problems, book } = this.#host;
    const safeName = nameOf(name, 'unnamed', 'session.stream', problems);
    const known = this.#streams.get(safeName);
    if (known !== undefined) return known;
    const { sampleRate, direction } = optionsOf(options);
    const otherwise = safeName === 'agent' ? 'down' : 'up';
    const state: StreamState = {
      name: safeName,
      sampleRate: this.#rateOf(sampleRate),
      direction: direction === 'up' || direction === 'down' ? direction : otherwise,
    };
    const stream = new Stream(this.#streamHost, state);
    if (this.#streams.size >= STREAMS_MAX) {
      problems.report(
        'too_many_streams',
        `session.stream: more than ${STREAMS_MAX} streams; ${safeName} is not recorded`,
      );
      return this.#streams.values().next().value ?? stream;
    }
    this.#streams.set(safeName, stream);
    book.sessionChanged();
    return stream;
  }

  #rateOf(sampleRate: unknown): number {
    if (sampleRate === undefined) return DEFAULT_SAMPLE_RATE;
    if (typeof sampleRate === 'number' && Number.isSafeInteger(sampleRate))
      if (sampleRate > 0 && sampleRate <= SAMPLE_RATE_MAX) return sampleRate;
    this.#host.problems.report(
      'bad_argument',
      `session.stream: sampleRate is in hertz, 1 to ${SAMPLE_RATE_MAX}`,
    );
    return DEFAULT_SAMPLE_RATE;
  }

  #enrol(stream: Stream, make: (code: number) => ProbedHop): ProbedHop | undefined {
    const { front } = this.#host;
    if (front.hopCount >= HOPS_MAX) return undefined;
    const made = make(front.hopCount);
    front.enrol(stream, made.hop.name);
    return made;
  }

  #firstStream(direction: 'up' | 'down'): Stream {
    for (const stream of this.#streams.values()) if (stream.direction === direction) return stream;
    return this.stream(direction === 'up' ? 'mic' : 'agent');
  }

  #newTurn(stream: Stream, at: Tick): Turn {
    const { problems, isAuthority, book, spans } = this.#host;
    if (!isAuthority)
      problems.report(
        'not_authority',
        'session.startTurn: this process is not the turn authority; start the session with { authority: true } in exactly one process',
      );
    if (this.isEnded) problems.report('session_ended', 'session.startTurn: the session has ended');
    const place = this.#freePlace(at);
    const startedAt = this.#turnStart(stream, place);
    const span = spans.start({
      name: SPAN.turn,
      traceId: turnTraceId(this.traceId, stream.name, place),
      spanId: turnSpanId(this.traceId, stream.name, place),
      ...(this.#startSpan === undefined ? {} : { link: this.#startSpan }),
      startedAt,
      sessionId: this.id,
    });
    const turn = new Turn(this.#turnHost(stream), {
      tick: place,
      stream: stream.name,
      startedAt,
      span,
      positionOf: () => stream.position,
    });
    if (this.#turns.push(turn) > TURNS_KEPT) this.#turns.shift();
    if (!book.addTurn(turn))
      problems.report(
        'too_many_turns',
        'session.startTurn: too many turns nobody acknowledged; this one is not told',
      );
    return turn;
  }

  /** No two turns of a session share a tick: a later one moves on by a sample. */
  #freePlace(at: Tick): Tick {
    let place = at;
    while (this.#turns.some(turn => turn.tick === place)) place = tick(place + 1);
    return place;
  }

  /** When the speech began: now, less the media that has passed since. */
  #turnStart(stream: Stream, at: Tick): DomainNs {
    const now = this.#now();
    const passed = Math.max(0, stream.position - at);
    const start = now - ticksToNs(Math.min(passed, 30 * stream.sampleRate), stream.sampleRate);
    return momentOf(start, now, 'session.startTurn', this.#host.problems);
  }

  #turnHost(stream: Stream): TurnHost {
    const { problems, spans, nextSpanId, front } = this.#host;
    return {
      problems,
      now: () => this.#now(),
      bargedIn: onsetTick =>
        front.tell(engine => engine.event('barge_in', stream, onsetTick, onsetTick)),
      startStage: (name, parent, startedAt) =>
        spans.start({
          name,
          traceId: parent.traceId,
          spanId: nextSpanId(),
          parent,
          startedAt,
          sessionId: this.id,
        }),
    };
  }

  /** The zero-length span that opens the session's trace. */
  #announce(): LiveSpan {
    const span = this.#host.spans.start({
      name: SPAN.sessionStart,
      traceId: this.traceId,
      spanId: sessionStartSpanId(this.traceId),
      startedAt: this.#startedAt,
      sessionId: this.id,
      attributes: this.#host.attributes,
    });
    span.end({ kind: 'session' });
    return span;
  }

  #turnAt(stream: Stream, at: number): Turn | undefined {
    return this.#turns.findLast(turn => turn.covers(stream?.name, at));
  }

  #now(): DomainNs {
    return this.#host.clock.now();
  }
}
