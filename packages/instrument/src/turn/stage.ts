// A stage: work inside a turn that is not per frame, such as one model request.

import { ATTR, NS_PER_MS, type DomainNs, type StageState } from '@framescope/protocol';
import { attributesOf, lean, momentOf, optionsOf, textUpTo } from '../coerce.ts';
import type { LiveSpan } from '../export/span-sink.ts';
import type { OtelContext } from '../otel/context.ts';
import type { Attributes } from '../ports.ts';
import type { Problems } from '../problems.ts';
import { bindTo } from './bind.ts';

const ERROR_LENGTH_MAX = 500;

/** What a stage begins with. `at` in ns of `scope.now()`, default now. */
export interface StageOptions {
  /** Which generation (speech) the work is for: moments of discarded ones are off the path. */
  readonly generation?: string;
  readonly attributes?: Attributes;
  /** When it began; default now. */
  readonly at?: DomainNs;
}

/**
 * What is known of the service that a stage asked. Milliseconds; what is not known is left out, what cannot
 * be so is shown as such and splits nothing.
 */
export interface VendorTimings {
  readonly name?: string;
  /** Round trip to it, as measured here (`VendorLine`). */
  readonly rttMs?: number;
  /** For a connection that had to be made in this stage (`VendorLine.connectMs`). */
  readonly connectMs?: number | undefined;
  /** By its own word: how long the request waited there. */
  readonly queueMs?: number;
  /** By its own word: from the request to its first answer, the queue included (`vendorTimings`). */
  readonly processingMs?: number;
}

/** How a stage ended. `at` in ns of `scope.now()`, default now. */
export interface StageEnd {
  /** Text of what went wrong. */
  readonly error?: string;
  /** True for work whose result was thrown away. */
  readonly discarded?: boolean;
  readonly attributes?: Attributes;
  /** The service that it asked: splits inference into network, queue and compute. */
  readonly vendor?: VendorTimings;
  readonly at?: DomainNs;
}

/** What a stage tells its turn. */
export interface StageHost {
  readonly problems: Problems;
  now(): DomainNs;
  stageChanged(stage: Stage, what: 'started' | 'first' | 'ended', at: DomainNs): void;
}

/**
 * Work inside a turn that is not per frame: `llm`, `stt`, … Got from `turn.stage(name)`. Off the audio
 * path; some microseconds a call. Never throws.
 */
export class Stage {
  readonly name: string;
  readonly #host: StageHost;
  readonly #span: LiveSpan;
  #state: StageState;

  /** Made by `Turn.stage`. */
  constructor(host: StageHost, span: LiveSpan, state: StageState) {
    this.#host = host;
    this.#span = span;
    this.#state = state;
    this.name = state.name;
  }

  /** First useful output: first word, first speakable token, first audio byte. Only the first call counts. */
  first(at?: DomainNs): void {
    this.#guarded('stage.first', now => {
      if (this.#state.firstAt !== undefined || this.#state.endedAt !== undefined) return;
      const firstAt = momentOf(at, now, 'stage.first', this.#host.problems);
      this.#state = { ...this.#state, firstAt };
      this.#host.stageChanged(this, 'first', firstAt);
    });
  }

  /** Ends the stage. Only the first call counts. */
  end(options?: StageEnd): void {
    this.#guarded('stage.end', now => {
      if (this.#state.endedAt !== undefined) return;
      const { at, error, discarded, attributes, vendor } = optionsOf(options);
      const { problems } = this.#host;
      const endedAt = momentOf(at, now, 'stage.end', problems);
      this.#state = lean<StageState>({
        ...this.#state,
        endedAt,
        attributes: {
          ...this.#state.attributes,
          ...attributesOf(attributes, 'stage.end', problems),
          ...(vendor === undefined ? {} : vendorAttributes(vendor)),
        },
        error: error === undefined ? undefined : (textUpTo(error, ERROR_LENGTH_MAX) ?? 'error'),
        discarded: discarded === true || undefined,
      });
      this.#span.end({ kind: 'stage', state: this.#state });
      this.#host.stageChanged(this, 'ended', endedAt);
    });
  }

  /** Runs `work` with this stage as the active span, so that spans of your client land in it. */
  run<T>(work: () => T): T {
    return this.#span.run(work);
  }

  /**
   * `listener`, run inside the stage whenever it is called: for emitters and timers. Costs and throws like
   * `run`.
   */
  bind<F extends (this: never, ...args: never[]) => unknown>(listener: F): F {
    return bindTo(this.#span, listener);
  }

  /**
   * OpenTelemetry's context with this stage's span: for code without async context (browsers), which
   * hands it on itself: `tracer.startSpan(name, {}, stage.context)`, `propagation.inject(stage.context, headers)`.
   */
  get context(): OtelContext {
    return this.#span.context();
  }

  /** What is known of it now. */
  get state(): StageState {
    const { spanId } = this.#span;
    return spanId === this.#state.spanId ? this.#state : { ...this.#state, spanId };
  }

  #guarded(where: string, work: (now: DomainNs) => void): void {
    this.#host.problems.guard(where, () => work(this.#host.now()));
  }
}

/** A duration that is none goes as −1: the collector says so, where a missing one would say nothing. */
function vendorAttributes(vendor: VendorTimings): Attributes {
  const { name, ...timings } = optionsOf(vendor);
  const told: Record<string, string | number> = {};
  if (typeof name === 'string') told[ATTR.vendorName] = name.slice(0, 100);
  for (const [key, attribute] of TIMINGS) {
    const ms: unknown = timings[key];
    if (ms === undefined) continue;
    const isGood = typeof ms === 'number' && ms >= 0 && ms < 1e9;
    told[attribute] = isGood ? Math.round(ms * NS_PER_MS) : -1;
  }
  return told;
}

const TIMINGS = [
  ['rttMs', ATTR.vendorRttNs],
  ['connectMs', ATTR.vendorConnectNs],
  ['queueMs', ATTR.vendorQueueNs],
  ['processingMs', ATTR.vendorProcessingNs],
] as const;
