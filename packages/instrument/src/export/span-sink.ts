// Where turns and stages become spans. Knows nothing of OpenTelemetry: otel/
// fills it with the user's provider, with one of our own, or with nothing.

import type { DomainNs, StageState, TurnState } from '@framescope/protocol';
import type { OtelContext } from '../otel/context.ts';
import type { Attributes } from '../ports.ts';

/** What a span begins with. */
export interface SpanStart {
  readonly name: string;
  /** IDs derived from the turn; a sink that may not choose IDs answers with others. */
  readonly traceId: string;
  readonly spanId: string;
  /** The span that this is a child of, as the sink made it. */
  readonly parent?: LiveSpan;
  /** The session's `session.start` span. */
  readonly link?: SpanIds;
  readonly startedAt: DomainNs;
  readonly sessionId: string;
  readonly attributes?: Attributes;
}

/** A span that a sink begins. */
export interface PlacedStart extends SpanStart {
  /** Attributes that every span of ours carries: session and clock. */
  readonly common: Attributes;
  /** Wall clock at domain time 0. */
  readonly zeroUnixNs: bigint;
}

export interface SpanIds {
  readonly traceId: string;
  readonly spanId: string;
}

export type SpanEnd =
  /** Asked when the span is written: its ID may have been chosen later than the turn began. */
  | { readonly kind: 'turn'; readonly state: () => TurnState }
  | { readonly kind: 'stage'; readonly state: StageState }
  | { readonly kind: 'session' }
  | { readonly kind: 'frame'; readonly endedAt: DomainNs; readonly attributes: SpanAttributes };

/** As OpenTelemetry takes them. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | string[]>>;

/** A span that has begun. */
export interface LiveSpan extends SpanIds {
  /** Once; times come from the state. Must not throw. */
  end(end: SpanEnd): void;
  /** Runs `work` as inside this span; throws only what `work` throws. */
  run<T>(work: () => T): T;
  /** OpenTelemetry's context with this span in it. */
  context(): OtelContext;
}

export interface SpanSink<Start = SpanStart> {
  /** Must not throw. */
  start(start: Start): LiveSpan;
  /** Resolves when everything ended so far was sent or given up. */
  flush(): Promise<void>;
  shutdown(): Promise<void>;
}
