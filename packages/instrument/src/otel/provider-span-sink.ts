// Turn and stage spans through the user's own TracerProvider.
//
// With the API alone nobody can choose the IDs of a span. A trace ID can be
// had, though: a span whose parent is remote belongs to its parent's trace. So
// a turn's root is started under a remote parent (turn trace, turn span ID)
// that exists nowhere; the span gets an ID of the provider's choice, and that
// one is what the state carries. Backends show it as the root of its trace
// ("parent missing"). The sampled flag on the parent keeps parent-based
// samplers from dropping turns.

import {
  ROOT_CONTEXT,
  SpanKind,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { SCOPE_NAME } from '@framescope/protocol';
import {
  type LiveSpan,
  type SpanEnd,
  type SpanSink,
  type PlacedStart,
} from '../export/span-sink.ts';
import { textOf, type Problems } from '../problems.ts';
import { VERSION } from '../version.ts';
import { noSpans } from './no-spans.ts';
import { hrTimeOf } from './hr-time.ts';
import { contextOf } from './context.ts';
import { runInSpan } from './run-in-span.ts';
import { endDataOf, unixOf } from './span-data.ts';

export class ProviderSpanSink implements SpanSink<PlacedStart> {
  readonly #provider: TracerProvider;
  readonly #problems: Problems;
  readonly #spans = new WeakMap<LiveSpan, Span>();
  #tracer: Tracer | undefined;

  constructor(provider: TracerProvider, problems: Problems) {
    this.#provider = provider;
    this.#problems = problems;
  }

  start(start: PlacedStart): LiveSpan {
    try {
      return this.#start(start);
    } catch (cause) {
      this.#problems.report(
        'provider_threw',
        `tracerProvider: ${textOf(cause)}; the turn is told without a span`,
      );
      return noSpans.start(start);
    }
  }

  async flush(): Promise<void> {
    const provider = this.#provider as TracerProvider & { forceFlush?: () => Promise<void> };
    await provider.forceFlush?.();
  }

  /** The provider is the user's: it is flushed, not shut down. */
  shutdown(): Promise<void> {
    return this.flush();
  }

  #start(start: PlacedStart): LiveSpan {
    this.#tracer ??= this.#provider.getTracer(SCOPE_NAME, VERSION);
    const span = this.#tracer.startSpan(
      start.name,
      {
        kind: SpanKind.INTERNAL,
        startTime: hrTimeOf(unixOf(start, start.startedAt)),
        attributes: start.common,
        links:
          start.link === undefined
            ? []
            : [{ context: { ...start.link, traceFlags: TraceFlags.SAMPLED } }],
      },
      this.#parentOf(start),
    );
    const { traceId, spanId } = span.spanContext();
    const live: LiveSpan = {
      traceId,
      spanId,
      end: end => this.#end(span, start, end),
      run: work => runInSpan(span, this.#problems, work),
      context: () => contextOf(span),
    };
    this.#spans.set(live, span);
    return live;
  }

  #parentOf(start: PlacedStart): Context {
    const parent = start.parent === undefined ? undefined : this.#spans.get(start.parent);
    if (parent !== undefined) return trace.setSpan(ROOT_CONTEXT, parent);
    const { traceId, spanId } = start;
    const remote = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
    return trace.setSpanContext(ROOT_CONTEXT, remote);
  }

  #end(span: Span, start: PlacedStart, end: SpanEnd): void {
    try {
      const { attributes, status, endUnixNs } = endDataOf(start, end);
      span.setAttributes({ ...attributes });
      if (status !== undefined) span.setStatus(status);
      span.end(hrTimeOf(endUnixNs));
    } catch (cause) {
      this.#problems.report('provider_threw', `a span could not be ended: ${textOf(cause)}`);
    }
  }
}
