// Turn and stage spans through a provider of our own, when the user has none.
//
// Spans are written when they end, with explicit times, by a provider whose ID
// generator hands out the IDs we derived: a turn's root has exactly the trace
// and span ID that every other process computes for it. While a span is open
// its context is a bare SpanContext, which is all that children need.

import { SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import { SCOPE_NAME } from '@framescope/protocol';
import type { LiveSpan, SpanEnd, SpanSink, PlacedStart } from '../export/span-sink.ts';
import { textOf, type Problems } from '../problems.ts';
import type { SpanSinkFacts } from './make-span-sink.ts';
import type { FinishedSpan, OwnProvider } from './own-provider.ts';
import { VERSION } from '../version.ts';
import { hrTimeOf } from './hr-time.ts';
import { contextOf } from './context.ts';
import { runInSpan } from './run-in-span.ts';
import { endDataOf, unixOf } from './span-data.ts';

/** Spans that end before the SDK is loaded. */
const WAITING_MAX = 2_048;

export class OwnSpanSink implements SpanSink<PlacedStart> {
  readonly #facts: SpanSinkFacts;
  readonly #problems: Problems;
  #provider: OwnProvider | undefined;
  #loading: Promise<void> | undefined;
  #isMissing = false;
  #waiting: FinishedSpan[] = [];

  constructor(facts: SpanSinkFacts) {
    this.#facts = facts;
    this.#problems = facts.problems;
  }

  start(start: PlacedStart): LiveSpan {
    const { traceId, spanId } = start;
    const span = trace.wrapSpanContext({ traceId, spanId, traceFlags: TraceFlags.SAMPLED });
    return {
      traceId,
      spanId,
      end: end => this.#end(start, end),
      run: work => runInSpan(span, this.#problems, work),
      context: () => contextOf(span),
    };
  }

  async flush(): Promise<void> {
    await this.#loading;
    await this.#provider?.flush();
  }

  async shutdown(): Promise<void> {
    await this.#loading;
    await this.#provider?.shutdown();
  }

  #end(start: PlacedStart, end: SpanEnd): void {
    this.#loading ??= this.#load();
    if (this.#isMissing) return;
    const { attributes, status, endUnixNs } = endDataOf(start, end);
    const { traceId, spanId, parent, link } = start;
    const span: FinishedSpan = {
      name: start.name,
      kind: SpanKind.INTERNAL,
      traceId,
      spanId,
      parentSpanId: parent?.spanId,
      links: link === undefined ? [] : [{ context: { ...link, traceFlags: TraceFlags.SAMPLED } }],
      startTime: hrTimeOf(unixOf(start, start.startedAt)),
      endTime: hrTimeOf(endUnixNs),
      attributes: { ...start.common, ...attributes },
      status,
    };
    if (this.#provider !== undefined) this.#write(span);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(span);
    else
      this.#problems.report(
        'spans_full',
        'turn and stage spans were dropped before the SDK was loaded',
      );
  }

  async #load(): Promise<void> {
    try {
      const { makeOwnProvider } = await import('./own-provider.ts');
      this.#provider = makeOwnProvider(this.#facts, { name: SCOPE_NAME, version: VERSION });
      for (const span of this.#waiting) this.#write(span);
    } catch (cause) {
      this.#isMissing = true;
      this.#problems.report(
        'sdk_missing',
        `turn and stage spans are not written: install @opentelemetry/sdk-trace-base, @opentelemetry/exporter-trace-otlp-http and @opentelemetry/resources, or give a tracerProvider, or false (${textOf(cause)}). Records and live state flow all the same`,
      );
    }
    this.#waiting = [];
  }

  #write(span: FinishedSpan): void {
    try {
      this.#provider?.write(span);
    } catch (cause) {
      this.#problems.report('provider_threw', `a span could not be written: ${textOf(cause)}`);
    }
  }
}
