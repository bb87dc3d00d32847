// What the instrumentation takes from outside: clock, timers, HTTP, chance.
// The entries (index.node.ts, index.browser.ts) fill these with the platform;
// a simulator fills them with virtual time and a captured wire.

import type {
  Anchor,
  ClockDomainId,
  ClockSample,
  DomainNs,
  LoadFigures,
  LineageState,
  MediaIntervalState,
  SetupState,
  UnixNs,
} from '@framescope/protocol';
import type { Engine, EngineFacts } from './engine.ts';
import type { SpanPacker } from './export/frames-span.ts';
import type { Outbox } from './export/outbox.ts';
import type { Stream } from './hop/stream.ts';
import type { TimeColumn } from './hot/time-column.ts';
import type { Problems } from './problems.ts';

export type { TimeColumn } from './hot/time-column.ts';

/** One monotonic clock, and what its process believed the wall clock to say at its zero. */
export interface Clock {
  /** 16 hex digits; equal for processes that read the very same clock with the same zero. */
  readonly domain: ClockDomainId;
  /** Rises when the clock jumped against the wall clock (sleep, suspend, step). */
  readonly epoch: number;
  /** Wall clock at domain time 0, in this epoch. */
  readonly zeroUnixNs: UnixNs;
  /** No mark up to this reading is of this epoch; absent: nobody knows. */
  readonly epochFromNs?: DomainNs;
  /** When the process was started, on this clock; absent: nobody knows, as of a page. */
  readonly startedAt?: DomainNs;
  /** Whole ns since the domain's zero. Must not throw. */
  now(): DomainNs;
  /** A column that this clock stamps. Called once a session. */
  makeColumn(capacity: number): TimeColumn;
  /**
   * Compares with the wall clock and opens a new epoch after a jump; true if it did. Called ten
   * times a second while a session is open. Absent: the clock never jumps.
   */
  check?(): boolean;
}

/** A task that waits. Cancelling it twice, or after it ran, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Timers that do not keep a process alive. */
export interface Timers {
  /** Runs `task` once, `delayMs` from now. */
  after(delayMs: number, task: () => void): Timer;
}

/** One request of ours. Times are milliseconds. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Rejects after so long. */
  readonly timeoutMs: number;
  /** The page is going away: outlive it if the platform can. */
  readonly isLast?: boolean;
}

/** What came back. */
export interface HttpResponse {
  readonly status: number;
  /** Seconds of a `Retry-After` header, if there was one. */
  readonly retryAfterS?: number;
  readonly body: Uint8Array;
  /** True when a connection had to be made for it: its timing is no clock probe. */
  readonly isCold?: boolean;
}

/** One HTTP exchange. Rejects when no answer came; never throws. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

/** Something that went wrong in or around the instrumentation; it never throws instead. */
export interface Problem {
  /** Stable, e.g. `ring_full`, `collector_unreachable`, `bad_argument`. */
  readonly code: string;
  /** What, where, and what to do. */
  readonly message: string;
  /** How often it happened until now. */
  readonly count: number;
}

/** Attributes as OpenTelemetry takes them, without arrays. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** What a load meter reads; what the platform cannot tell is absent. */
export type LoadReading = Omit<LoadFigures, 'calls' | 'waiting'>;

/** Counts how busy the process is, from its making until `stop`. */
export interface LoadMeter {
  /** What was since the last reading, or since it was made. */
  read(): LoadReading;
  stop(): void;
}

/** What a report of load is made with. */
export interface LoadPorts {
  readonly clock: Clock;
  readonly producer: string;
  readonly packer: SpanPacker;
  readonly outbox: Pick<Outbox, 'enqueue'>;
  readonly problems: Problems;
  /** Sessions that are open now. */
  readonly open: { readonly size: number };
}

/** Reports how busy the process is from `start` to `stop`, with each flush. None of it throws. */
export interface LoadReporting {
  start(): void;
  stop(): void;
  gauge(name: string, value: number): void;
  flush(): void;
}

/** What a transport or an adapter needs of its session. */
export interface SessionPort {
  readonly traceId: string;
  readonly role: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly problems: Problems;
  /** The stream of that name, made if there is room. */
  streamOf(anchor: Anchor): Stream;
  clockSample(sample: ClockSample): void;
  /** Sends what a media stack measured with the next flush. */
  mediaInterval(interval: MediaIntervalState): void;
  /** Where a media axis bends, what came of which media. */
  lineage(one: LineageState): void;
  /** How the call came about, what became of its connection. */
  setup(one: SetupState): void;
  /** Calls `settle`, which must not throw, before the session ends its turns; answers how to stop that. */
  onEnd(settle: () => void): () => void;
}

/** What the environment says where the program does not. */
export interface SharedSettings {
  /** Base URL of the collector. */
  readonly endpoint: string;
  /** Where spans go, if that is not `/v1/traces` of the base. */
  readonly tracesUrl?: string;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** How records are packed; default protobuf. */
  readonly encoding?: 'protobuf' | 'json';
  /** Of the process: `service.name`, `host.name`, … */
  readonly resource: Attributes;
  /** A request is given up after so long. */
  readonly timeoutMs?: number;
  /** Nothing is sent at all. */
  readonly isDisabled?: boolean;
  /** False: no turn and stage spans, unless a provider is given. */
  readonly hasSpans?: boolean;
}

/** All that differs between Node, a browser and a simulation. */
export interface Platform extends SharedSettings {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly http: Http;
  /** Absent: the platform has no figures of its process, and a bundle for it no code for them. */
  readonly makeLoad?: (ports: LoadPorts) => LoadReporting;
  /** 0 ≤ x < 1. Backoff jitter and the producer's ID. */
  readonly random: () => number;
  /**
   * Calls `flush` when the process or page is about to go, `isGone` when nothing can wait for
   * answers any more; returns a function that stops that.
   */
  readonly onExit: (flush: (isGone: boolean) => Promise<void>) => () => void;
}

/** What a program may hand in instead of the platform's own. */
export type GivenPorts = Partial<Pick<Platform, 'clock' | 'timers' | 'random'>>;

/** A platform before its scope said which clock it reads. */
export interface Machine extends Omit<Platform, 'clock'> {
  /** Keeps what was handed in from throwing; absent: it is trusted. */
  readonly guardPorts?: (given: GivenPorts, problems: Problems) => GivenPorts;
  /** Its own clock: some milliseconds of measuring, which a scope with another clock does not need. */
  readonly makeClock: () => Clock;
  /** What sends, at once; */
  readonly makeEngine?: MakeEngine;
  /** or when the first session begins, out of a file of its own. */
  readonly loadEngine?: () => Promise<MakeEngine>;
}

export type MakeEngine = (facts: EngineFacts) => Engine;
