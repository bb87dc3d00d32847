// Triggers of all sessions of a scope: pulled here, told to the collector;
// pulled elsewhere, heard with a clock probe. Either way the session dumps what
// it remembers of that range of media, once for each trigger.
//
//   call.trigger ─▶ bucket ─┬▶ dump ─▶ span `flight.dump` ─▶ outbox
//                           └▶ POST /v1/triggers ─▶ collector ─▶ /v1/clock of the others

import {
  ATTR,
  decodeTrigger,
  encodeUtf8,
  frameSpanId,
  SPAN,
  TRIGGER_PREFIX_LENGTH,
  type Trigger,
} from '@framescope/protocol';
import type { SpanPacker } from '../export/frames-span.ts';
import type { Outbox } from '../export/outbox.ts';
import type { Attributes, Clock, Http, Timer, Timers } from '../ports.ts';
import type { Problems } from '../problems.ts';
import { FlightRecorder } from './recorder.ts';
import { TokenBuckets } from './token-buckets.ts';

/** Three at once, then one in 30 s; reasons are the user's words. */
const TRIGGER_BUCKETS = { burst: 3, refillNs: 30_000_000_000, reasonsMax: 32 };
/** Sessions asked for in one probe; with more, each is asked for in its turn. */
const ASKED_MAX = 32;
/** Triggers of which it is known that they were dumped. */
const SEEN_MAX = 256;
const LAG_EVERY_MS = 100;
const POST_TIMEOUT_MS = 5_000;
const POST_TRIES = 3;
const POST_AGAIN_MS = 1_000;
/** What follows a trigger is remembered too. */
const DUMP_AFTER_MS = 500;

/** A session that can dump. */
export interface Flight {
  readonly traceId: string;
  readonly recorder: FlightRecorder;
  /** Marks that wait belong to what is remembered; must not throw. */
  settle(): void;
  /** `session.id` and the clock. */
  common(): Attributes;
}

export interface FlightsPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly http: Http;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly producer: string;
  readonly packer: SpanPacker;
  readonly outbox: Pick<Outbox, 'enqueue'>;
  readonly problems: Problems;
  /** Open sessions, as of now. */
  readonly all: () => readonly Flight[];
}

export class Flights {
  readonly #ports: FlightsPorts;
  /** Of each session: one that goes wrong all the time silences no other. */
  readonly #buckets = new Map<string, TokenBuckets>();
  readonly #seen = new Set<string>();
  /** Pulled here, not dumped yet. */
  readonly #pending = new Map<Trigger, Timer>();
  /** Of the process: event-loop lag. */
  readonly #process = new FlightRecorder();
  #askedFrom = 0;
  #timer: Timer | undefined;

  constructor(ports: FlightsPorts) {
    this.#ports = ports;
  }

  /** Watches the event loop from now on, until `stop`. Starting twice does nothing. */
  start(): void {
    if (this.#timer !== undefined) return;
    const { timers, clock } = this.#ports;
    const startNs = clock.now();
    this.#timer = timers.after(LAG_EVERY_MS, () => {
      const nowNs = clock.now();
      const lagMs = Math.max(0, (nowNs - startNs) / 1e6 - LAG_EVERY_MS);
      this.#process.sample('', 'event_loop_lag_ms', Math.round(lagMs * 1_000) / 1_000, nowNs);
      this.#timer = undefined;
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Pulls a trigger: dumps here, and asks the session's other processes to. False when it may not. */
  pull(trigger: Trigger): boolean {
    const { clock, problems, timers } = this.#ports;
    // No problem: this is how it is meant, and the caller is told.
    if (!this.#bucketsOf(trigger.traceId).take(trigger.reason, clock.now())) return false;
    // Not now: whoever pulls it may be an audio callback, and what follows belongs to it.
    const dump = (): void => {
      this.#pending.delete(trigger);
      this.#dumpIfOpen(trigger);
    };
    const timer = timers.after(DUMP_AFTER_MS, () => problems.guard('flight', dump));
    this.#pending.set(trigger, timer);
    void this.#tell(trigger, 1);
    return true;
  }

  #bucketsOf(traceId: string): TokenBuckets {
    const known = this.#buckets.get(traceId) ?? new TokenBuckets(TRIGGER_BUCKETS);
    this.#buckets.set(traceId, known);
    return known;
  }

  /** The session ends: what was to be dumped in a moment is dumped now. Call it while it is open. */
  settle(traceId: string): void {
    this.#buckets.delete(traceId);
    for (const [trigger, timer] of this.#pending) {
      if (trigger.traceId !== traceId) continue;
      timer.cancel();
      this.#pending.delete(trigger);
      this.#dumpIfOpen(trigger);
    }
  }

  /** What a probe asks for, as a query: `&s=` and the sessions by the start of their trace IDs. */
  query(): string {
    const all = this.#ports.all();
    if (all.length === 0) return '';
    const from = all.length <= ASKED_MAX ? 0 : this.#askedFrom % all.length;
    this.#askedFrom = from + ASKED_MAX;
    const asked = [...all, ...all].slice(from, from + Math.min(ASKED_MAX, all.length));
    return `&s=${asked.map(({ traceId }) => traceId.slice(0, TRIGGER_PREFIX_LENGTH)).join('')}`;
  }

  /** Takes the `triggers` of a probe's answer. Foreign: anything may stand there. */
  heard(triggers: unknown): void {
    if (!Array.isArray(triggers)) return;
    for (const raw of triggers.slice(0, ASKED_MAX)) {
      const trigger = decodeTrigger(raw);
      if (trigger.ok) this.#dumpIfOpen(trigger.value);
    }
  }

  #dumpIfOpen(trigger: Trigger): void {
    const flight = this.#ports.all().find(one => one.traceId === trigger.traceId);
    if (flight !== undefined) this.#dump(flight, trigger);
  }

  #dump(flight: Flight, trigger: Trigger): void {
    const { clock, packer, outbox, producer, problems } = this.#ports;
    const key = `${trigger.traceId} ${trigger.id}`;
    if (this.#seen.has(key)) return;
    if (this.#seen.size >= SEEN_MAX) this.#seen.clear();
    this.#seen.add(key);
    flight.settle();
    const dump = flight.recorder.dump(trigger, clock.now(), this.#process);
    const { traceId, stream, fromTick } = trigger;
    const hop = `flight ${trigger.id} ${producer}`;
    const bytes = packer.pack([
      {
        name: SPAN.flightDump,
        traceId,
        spanId: frameSpanId(traceId, stream, hop, fromTick),
        startUnixNs: clock.zeroUnixNs + BigInt(Math.round(dump.fromNs)),
        endUnixNs: clock.zeroUnixNs + BigInt(Math.round(dump.toNs)),
        attributes: {
          ...flight.common(),
          [ATTR.flightId]: trigger.id,
          [ATTR.flightReason]: trigger.reason,
          [ATTR.flightStream]: stream,
          [ATTR.flightFromTick]: fromTick,
          [ATTR.flightToTick]: trigger.toTick,
          [ATTR.flightData]: JSON.stringify({ v: 1, series: dump.series }),
        },
      },
    ]);
    outbox.enqueue({
      recordIds: [],
      bytes,
      isWhole: true,
      settled: drop => {
        if (drop !== undefined)
          problems.report('dump_dropped', `a dump of the flight recorder was not taken: ${drop}`);
      },
    });
  }

  async #tell(trigger: Trigger, tries: number): Promise<void> {
    const { http, url, headers, timers, problems } = this.#ports;
    try {
      const answer = await http({
        method: 'POST',
        url: `${url}/v1/triggers`,
        headers: { ...headers, 'content-type': 'application/json' },
        body: encodeUtf8(JSON.stringify(trigger)),
        timeoutMs: POST_TIMEOUT_MS,
      });
      if (answer.status < 300) return;
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) {
        problems.report(
          'trigger_refused',
          `the collector refuses triggers with HTTP ${answer.status}: other processes will not dump`,
        );
        return;
      }
    } catch {
      // No answer: once more in a moment; an unreachable collector is told of elsewhere.
    }
    if (tries < POST_TRIES)
      timers.after(POST_AGAIN_MS * tries, () => void this.#tell(trigger, tries + 1));
  }
}
