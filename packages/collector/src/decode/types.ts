// What decoding makes of an OTLP body: spans, records and live state, with no
// doubts left about types, lengths and IDs.
//
// Times are Unix nanoseconds as the sender wrote them: nothing is corrected
// here. `audio.frames` spans become records and states and are not kept as
// spans; every other span stays a span.

import type { Attributes, LoadFigures, SpanId, StateMessage, TraceId } from '@framescope/protocol';

/** One resource of a request: the process (or the service) that its spans came from. */
export interface DecodedResource {
  readonly attributes: Attributes;
}

export interface DecodedEvent {
  readonly name: string;
  readonly atUnixNs: bigint;
  readonly attributes: Attributes;
  /** Attributes that the sender's SDK left out; absent: 0. */
  readonly dropped?: number;
}

export interface DecodedLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
  /** Absent: empty. */
  readonly traceState?: string;
  /** Absent: 0. */
  readonly flags?: number;
  /** Attributes that the sender's SDK left out; absent: 0. */
  readonly dropped?: number;
}

/** What the sender's SDK left out of a span, and how much of it; what is absent is 0. */
export interface DroppedCounts {
  readonly attributes?: number;
  readonly events?: number;
  readonly links?: number;
}

/** What few spans say beside what all do. */
export interface SpanExtras {
  /** W3C's tracestate; absent: empty. */
  readonly traceState?: string;
  /** OTLP's flags: those of W3C in the low byte, whether the parent is remote above; absent: 0. */
  readonly flags?: number;
  readonly dropped?: DroppedCounts;
}

/** One OTLP span. */
export interface DecodedSpan extends SpanExtras {
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  /** Absent on a root. */
  readonly parentSpanId?: SpanId;
  readonly name: string;
  /** OTLP's SpanKind, 0–5. */
  readonly kind: number;
  readonly startUnixNs: bigint;
  /** Equals the start when the sender left it out. May be before it: stored as sent. */
  readonly endUnixNs: bigint;
  /** OTLP's status code: 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly attributes: Attributes;
  readonly events: readonly DecodedEvent[];
  readonly links: readonly DecodedLink[];
  readonly scope: string;
  /** Version of the scope; absent: none said. */
  readonly scopeVersion?: string;
  readonly scopeAttributes?: Attributes;
  /** URLs of the conventions that scope and resource follow; absent: none said. */
  readonly scopeSchemaUrl?: string;
  readonly resourceSchemaUrl?: string;
  readonly resource: DecodedResource;
  /** The session that the span names, else its resource (session-keys.ts); absent: none said. */
  readonly sessionId?: string;
  /** By which key; 0 is `session.id`, others are hints. Absent with `sessionId`: 0. */
  readonly sessionRank?: number;
}

/** Whose clock a span of ours was read on, from its attributes. */
export interface DecodedClock {
  readonly domain: string;
  readonly epoch: number;
  readonly zeroUnixNs: bigint;
}

/** One `audio.frames` span: a record, a state message, or both (or neither: a heart beat). */
export interface DecodedFlush {
  readonly sessionId: string;
  readonly traceId: TraceId;
  readonly spanId: SpanId;
  /** 16 hex digits. With session, seq and part: its identity. */
  readonly producer: string;
  readonly seq: number;
  readonly part: number;
  readonly clock: DecodedClock;
  /** First and last mark on the sender's wall clock; equal to the flush's time when it has none. */
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  /** The record as bytes, its CRC and shape checked by decoding it once; absent: no marks. */
  readonly record?: Uint8Array;
  readonly state?: StateMessage;
  readonly frameCount: number;
  readonly lostCount: number;
  readonly resource: DecodedResource;
}

/** How busy one process was in one interval. */
export interface DecodedLoad {
  /** 16 hex digits; empty when another framework told it. */
  readonly producer: string;
  /** Clock that the times were read on; empty: the wall clock. */
  readonly domain: string;
  readonly resource: DecodedResource;
  readonly startUnixNs: bigint;
  readonly endUnixNs: bigint;
  readonly figures: LoadFigures;
}

/** Why one span of a decodable body was refused. */
export interface Refusal {
  /** e.g. `resourceSpans[0].scopeSpans[0].spans[3].traceId`. */
  readonly path: string;
  readonly problem: string;
  /** A stable word for counting, e.g. `trace_id`, `record_crc`. */
  readonly reason: string;
}

/** One point of a histogram of time, as it was sent. */
export interface MetricPoint {
  /** `metric.<name>`: never mixed with measures of ours. */
  readonly measure: string;
  /** 16 hex digits of what tells one line of points from another. */
  readonly series: string;
  readonly attributes: Attributes;
  readonly resource: Attributes;
  readonly startUnixNs: bigint;
  readonly atUnixNs: bigint;
  /** True: counts everything since the start, and points are to be subtracted from each other. */
  readonly isCumulative: boolean;
  readonly count: number;
  readonly sumNs: number | null;
  readonly minNs: number | null;
  readonly maxNs: number | null;
  /** `Sketch.toBytes()`, at our scale. */
  readonly sketch: Uint8Array;
  /** False when the sender's buckets are wider than ours or have other bounds. */
  readonly isExact: boolean;
}

export interface DecodedRequest {
  /** Empty when they went into columns. */
  readonly spans: readonly DecodedSpan[];
  /** Spans that became rows of the columns. */
  readonly rowCount?: number;
  readonly flushes: readonly DecodedFlush[];
  readonly points?: readonly MetricPoint[];
  readonly loads?: readonly DecodedLoad[];
  /** Taken but not kept, by a stable word: log records without a context, gauges, sums. */
  readonly ignored?: Readonly<Record<string, number>>;
  /** Bad spans; the others of the same body are taken. */
  readonly refused: readonly Refusal[];
}
