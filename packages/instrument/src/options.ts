// What users hand to a scope, and how it is taken: whatever it is, a scope comes
// of it, and what made no sense is reported.

import { toHex, type SetupName } from '@framescope/protocol';
import { optionsOf, SESSION_ID_LENGTH_MAX } from './coerce.ts';
import type { TracerProviderOption } from './otel/make-span-sink.ts';
import type { Attributes, Clock, Http, Machine, Platform, Problem, Timers } from './ports.ts';
import type { Problems } from './problems.ts';

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
  /** Another clock: skewed for a demo, virtual in a simulation. Where it throws: on Node its last time counts; a page trusts it. */
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

/** What was handed in takes the platform's place; the platform may keep it from throwing. */
export function withPorts(
  machine: Machine,
  given: Partial<FramescopeOptions>,
  problems: Problems,
): Platform {
  const { clock, timers, random } = machine.guardPorts?.(given, problems) ?? given;
  return {
    ...machine,
    clock: typeof clock?.makeColumn === 'function' ? clock : machine.makeClock(),
    timers: typeof timers?.after === 'function' ? timers : machine.timers,
    random: typeof random === 'function' ? random : machine.random,
  };
}

/** A time that users say in ms, within its limits. */
export interface MsOption {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly otherwise: number;
}

export const FLUSH_MS: MsOption = { name: 'flushMs', least: 20, most: 60_000, otherwise: 1_000 };
/** A collector that hangs holds up an ending process by no more. */
export const END_MS: MsOption = { name: 'shutdownMs', least: 0, most: 60_000, otherwise: 2_000 };

export function msOf(
  value: unknown,
  { name, least, most, otherwise }: MsOption,
  problems: Problems,
): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  if (value !== undefined) problems.report('bad_argument', `${name}: from ${least} to ${most}`);
  return otherwise;
}

export function sessionIdOf(id: unknown, problems: Problems, otherwise: () => string): string {
  if (typeof id === 'string' && id.length > 0 && id.length <= SESSION_ID_LENGTH_MAX) return id;
  problems.report(
    'bad_argument',
    `startSession: id is 1 to ${SESSION_ID_LENGTH_MAX} characters, the same in every process of the call; a random one is used`,
  );
  return typeof id === 'string' && id.length > 0 ? id.slice(0, SESSION_ID_LENGTH_MAX) : otherwise();
}

/** Random hex digits, not all zero. */
export function randomHex(random: () => number, byteCount: number): string {
  const bytes = Uint8Array.from({ length: byteCount }, () => Math.floor(random() * 256));
  if (bytes.every(byte => byte === 0)) bytes[byteCount - 1] = 1;
  return toHex(bytes);
}
