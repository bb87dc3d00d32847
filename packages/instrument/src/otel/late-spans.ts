// Turn and stage spans that begin before what writes them is there: a page loads it
// when its first call begins. They have the IDs that were derived for them, and are
// begun anew, at their own time, when it comes.

import { context, trace, TraceFlags } from '@opentelemetry/api';
import type { LiveSpan, SpanEnd, SpanSink, SpanStart } from '../export/span-sink.ts';
import { contextOf, type OtelContext } from './context.ts';

/** Spans that wait; what begins later is not written. */
const WAITING_MAX = 2_048;

class LateSpan implements LiveSpan {
  /** Once it was begun. */
  real: LiveSpan | undefined;
  readonly #start: SpanStart;
  #end: SpanEnd | undefined;

  constructor(start: SpanStart) {
    this.#start = start;
  }

  get traceId(): string {
    return (this.real ?? this.#start).traceId;
  }
  get spanId(): string {
    return (this.real ?? this.#start).spanId;
  }

  end(end: SpanEnd): void {
    this.#end = end;
    this.real?.end(end);
  }

  run<T>(work: () => T): T {
    if (this.real !== undefined) return this.real.run(work);
    return typeof work === 'function' ? context.with(this.context(), work) : work;
  }

  context(): OtelContext {
    const { traceId, spanId } = this;
    const ids = { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
    return this.real?.context() ?? contextOf(trace.wrapSpanContext(ids));
  }

  begin(sink: SpanSink): void {
    this.real = sink.start(asReal(this.#start));
    if (this.#end !== undefined) this.real.end(this.#end);
  }
}

/** A sink knows its own spans only. */
function asReal(start: SpanStart): SpanStart {
  const { parent } = start;
  return parent instanceof LateSpan && parent.real !== undefined
    ? { ...start, parent: parent.real }
    : start;
}

/** Where spans go: to the sink once it is there. None of it throws. */
export class LateSpans implements SpanSink {
  #sink: SpanSink | undefined;
  readonly #waiting: LateSpan[] = [];

  /** What writes spans is there. */
  begin(sink: SpanSink): void {
    this.#sink = sink;
    for (const span of this.#waiting.splice(0)) span.begin(sink);
  }

  start(start: SpanStart): LiveSpan {
    if (this.#sink !== undefined) return this.#sink.start(asReal(start));
    const span = new LateSpan(start);
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(span);
    return span;
  }

  async flush(): Promise<void> {
    await this.#sink?.flush();
  }

  async shutdown(): Promise<void> {
    await this.#sink?.shutdown();
  }
}
