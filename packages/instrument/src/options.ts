// What users hand to a scope, and how it is taken: whatever it is, a scope comes
// of it, and what made no sense is reported.

import { toHex, type SetupName } from '@framescope/protocol';
import { GuardedClock } from './clock/guarded-clock.ts';
import { attributesOf, nameOf, optionsOf, SESSION_ID_LENGTH_MAX } from './coerce.ts';
import type { TracerProviderOption } from './otel/make-span-sink.ts';
import type { Attributes, Clock, Http, Machine, Platform, Problem, Timers } from './ports.ts';
import type { Problems } from './problems.ts';

const FLUSH_MS = 1_000;
const FLUSH_MS_MIN = 20;
const FLUSH_MS_MAX = 60_000;
/** A collector that hangs holds up an ending process by no more. */
const END_MS = 2_000;
const END_MS_MAX = 60_000;

/**
 * What a scope is made of; all but the name has a default. What makes no sense is reported
 * (`bad_argument`) and replaced by its default; nothing throws.
 */
export interface FramescopeOptions {
  /** `service.name` of the resource; default `OTEL_SERVICE_NAME`, else `unknown_service`. */
  readonly serviceName?: string;
  /** Base URL of the collector; default `OTEL_EXPORTER_OTLP_ENDPOINT`, else http://127.0.0.1:4318. */
  readonly endpoint?: string;
  /** `client`, `edge`, `agent` (default) or your own: the first half of this process's hop names. */
  readonly role?: string;
  /**
   * More resource attributes: `cloud.region`, `service.instance.id`, …, or the OpenTelemetry Resource
   * that your provider has: then its spans and our records are of one process.
   */
  readonly resource?: Attributes | { readonly attributes: object };
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
  /**
   * `records` (default): packed, for our collector. `spans`: there is none; every frame at every hop
   * becomes a span `frame <hop>` of its turn's trace, from when it was due until it passed, through
   * `tracerProvider`, and nothing is sent to us. That costs 20 to 40 µs and 400 (protobuf) to 900
   * bytes (JSON) a mark, where records take a microsecond and some bytes, and `BatchSpanProcessor`
   * drops without telling: for one call and a debugger, not for a fleet.
   */
  readonly frames?: 'records' | 'spans';
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
  /**
   * Node: how busy the process is (event-loop lag, CPU, memory, calls, queues of `gauge`), one small
   * span a second beside the records, while a session is open; default true.
   */
  readonly load?: boolean;
  /** Another clock: skewed for a demo, virtual in a simulation. */
  readonly clock?: Clock;
  /** Other timers, HTTP and chance: for a simulation in virtual time. */
  readonly timers?: Timers;
  readonly http?: Http;
  readonly random?: () => number;
}

/** Who a call is. Counted when it starts; later changes are not seen. */
export interface SessionOptions {
  /** `session.id`: the call's ID, the same in every process. Any characters, up to 10,000. */
  readonly id: string;
  readonly attributes?: Attributes;
  /**
   * How the call came about until now, each as milliseconds ago: `{ call_started: 340, signalled: 0 }`. What
   * follows is told by `session.setup`.
   */
  readonly setup?: Readonly<Partial<Record<SetupName, number>>>;
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

/** Options whose getters throw count as none: from here on they are plain values. */
export function copyOf(options: FramescopeOptions): Partial<FramescopeOptions> {
  try {
    return { ...optionsOf(options) };
  } catch {
    return {};
  }
}

/** What was handed in takes the platform's place, kept from throwing. */
export function withPorts(
  platform: Machine,
  given: Partial<FramescopeOptions>,
  problems: Problems,
): Platform {
  const { clock, timers, random } = given;
  const isClock = typeof clock === 'object' && clock !== null;
  return {
    ...platform,
    clock: isClock ? new GuardedClock(clock, problems) : platform.makeClock(),
    timers: typeof timers?.after === 'function' ? guardedTimers(timers, problems) : platform.timers,
    http: httpOf(given, platform),
    random:
      typeof random === 'function'
        ? () => problems.guard('random', random, platform.random)
        : platform.random,
  };
}

/** `OTEL_SDK_DISABLED` sends nothing, spans for frames nothing of ours; a time limit of the environment holds for what is exported. */
function httpOf(given: Partial<FramescopeOptions>, platform: Omit<Platform, 'clock'>): Http {
  const { isDisabled, timeoutMs } = platform;
  if (isDisabled === true || given.frames === 'spans')
    return () => Promise.resolve({ status: 200, body: new Uint8Array() });
  const http = functionOr(given.http, platform.http);
  if (timeoutMs === undefined) return http;
  return request => http(request.method === 'POST' ? { ...request, timeoutMs } : request);
}

/** The user's provider; else none where the environment asks for none. */
export function providerOf(
  given: Partial<FramescopeOptions>,
  { isDisabled, hasSpans }: Platform,
): TracerProviderOption | undefined {
  const isOff = isDisabled === true || hasSpans === false;
  return given.tracerProvider ?? (isOff ? false : undefined);
}

/** Who this process is, and where it sends. */
export interface Place {
  readonly resource: Record<string, string | number | boolean>;
  readonly headers: Readonly<Record<string, string>>;
  /** Base URL of the collector. */
  readonly url: string;
  readonly tracesUrl: string;
}

export function placeOf(
  given: Partial<FramescopeOptions>,
  platform: Platform,
  problems: Problems,
): Place {
  const url = urlOf(given.endpoint, platform.endpoint, problems);
  const own = attributesOf(resourceIn(given.resource), 'resource', problems);
  const named = given.serviceName ?? platform.resource['service.name'];
  const service = nameOf(named, 'unknown_service', 'serviceName', problems);
  const isElsewhere = given.endpoint === undefined && platform.tracesUrl !== undefined;
  return {
    resource: { ...platform.resource, 'service.name': service, ...own },
    headers: { ...platform.headers, ...headersOf(given.headers) },
    url,
    tracesUrl: isElsewhere ? platform.tracesUrl! : `${url}/v1/traces`,
  };
}

/** Attributes, also of an OpenTelemetry Resource. */
function resourceIn(resource: unknown): unknown {
  if (typeof resource !== 'object' || resource === null) return resource;
  const attributes: unknown = Reflect.get(resource, 'attributes');
  return typeof attributes === 'object' && attributes !== null ? attributes : resource;
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

export const functionOr = <T>(value: T | undefined, otherwise: T): T =>
  typeof value === 'function' ? value : otherwise;

export function flushMsOf(value: unknown, problems: Problems): number {
  if (value === undefined) return FLUSH_MS;
  if (typeof value === 'number' && value >= FLUSH_MS_MIN && value <= FLUSH_MS_MAX) return value;
  problems.report('bad_argument', `flushMs: from ${FLUSH_MS_MIN} to ${FLUSH_MS_MAX}`);
  return FLUSH_MS;
}

export function endMsOf(value: unknown, problems: Problems): number {
  if (value === undefined) return END_MS;
  if (typeof value === 'number' && value >= 0 && value <= END_MS_MAX) return value;
  problems.report('bad_argument', `shutdownMs: from 0 to ${END_MS_MAX}`);
  return END_MS;
}

export function sessionIdOf(id: unknown, problems: Problems, otherwise: () => string): string {
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
export function randomHex(random: () => number, byteCount: number): string {
  const bytes = Uint8Array.from({ length: byteCount }, () => Math.floor(random() * 256));
  if (bytes.every(byte => byte === 0)) bytes[byteCount - 1] = 1;
  return toHex(bytes);
}
