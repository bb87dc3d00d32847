// A span as a row of otel_traces and back, with nothing lost.
//
// That table holds attributes as maps of text, durations without a sign and no more. What it cannot say
// stands beside the row as JSON (`FramescopeExact`), and only that: the type of attributes that are no
// text, a duration below zero. Most rows of a service have the same few of them, so it takes no room.

import type { Attributes, AttributeValue, SpanId, TraceId } from '@framescope/protocol';
import { setAttribute } from '../../decode/check-span.ts';
import { sessionOf } from '../../decode/session-keys.ts';
import { base64Of, bytesText } from '../../decode/bytes-value.ts';
import type { DecodedSpan, DroppedCounts } from '../../decode/types.ts';
import type { StoredSpan } from '../store.ts';

/** By OTLP's numbers. */
const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'] as const;
const STATUSES = ['Unset', 'Ok', 'Error'] as const;

/** `i` whole number, `d` double, `b` boolean, `j` JSON, `y` bytes in base64. Text is not named. */
type ValueType = 'i' | 'd' | 'b' | 'j' | 'y';
type Types = Record<string, ValueType>;

/** Absent parts: nothing to say. */
interface Exact {
  /** Of attributes, resource, each event, each link. */
  a?: Types;
  r?: Types;
  e?: readonly Types[];
  l?: readonly Types[];
  /** Duration below zero, ns. */
  d?: string;
  /** Attributes of the scope. */
  s?: Attributes;
  /** Schema URLs of scope and resource. */
  u?: string;
  ru?: string;
  /** Flags; what the SDK left out of the span; flags of each link; attributes left out of each event and link. */
  f?: number;
  x?: DroppedCounts;
  lf?: readonly number[];
  ex?: readonly number[];
  lx?: readonly number[];
}

export interface SpanPlace {
  readonly sessionKey: string;
  readonly commit: number;
  readonly arrivalUnixNs: bigint;
  readonly isWanted: boolean;
}

/** Unix ns as ClickHouse reads a DateTime64(9), whatever its time zone (`best_effort`). */
export function dateTimeOf(unixNs: bigint): string {
  const ms = Number(unixNs / 1_000_000n);
  const rest = String(unixNs % 1_000_000n).padStart(6, '0');
  return `${new Date(ms).toISOString().slice(0, -1)}${rest}Z`;
}

/** For JSONEachRow into the spans table. */
export function rowOfSpan(span: DecodedSpan, place: SpanPlace): object {
  const exact: Exact = {};
  const attributes = textsOf(span.attributes);
  const resource = textsOf(span.resource.attributes);
  const events = span.events.map(one => textsOf(one.attributes));
  const links = span.links.map(one => textsOf(one.attributes));
  if (attributes.types) exact.a = attributes.types;
  if (resource.types) exact.r = resource.types;
  if (events.some(one => one.types)) exact.e = events.map(one => one.types ?? {});
  if (links.some(one => one.types)) exact.l = links.map(one => one.types ?? {});
  const durationNs = span.endUnixNs - span.startUnixNs;
  if (durationNs < 0n) exact.d = String(durationNs);
  if (span.scopeAttributes !== undefined) exact.s = span.scopeAttributes;
  if (span.scopeSchemaUrl !== undefined) exact.u = span.scopeSchemaUrl;
  if (span.resourceSchemaUrl !== undefined) exact.ru = span.resourceSchemaUrl;
  if (span.flags !== undefined) exact.f = span.flags;
  if (span.dropped !== undefined) exact.x = span.dropped;
  if (span.links.some(one => one.flags !== undefined))
    exact.lf = span.links.map(one => one.flags ?? 0);
  if (span.events.some(one => one.dropped !== undefined))
    exact.ex = span.events.map(one => one.dropped ?? 0);
  if (span.links.some(one => one.dropped !== undefined))
    exact.lx = span.links.map(one => one.dropped ?? 0);
  return {
    Timestamp: dateTimeOf(span.startUnixNs),
    TraceId: span.traceId,
    SpanId: span.spanId,
    ParentSpanId: span.parentSpanId ?? '',
    TraceState: span.traceState ?? '',
    SpanName: span.name,
    SpanKind: KINDS[span.kind] ?? KINDS[0],
    ServiceName: resource.texts['service.name'] ?? '',
    ResourceAttributes: resource.texts,
    ScopeName: span.scope,
    ScopeVersion: span.scopeVersion ?? '',
    SpanAttributes: attributes.texts,
    Duration: String(durationNs < 0n ? 0n : durationNs),
    StatusCode: STATUSES[span.statusCode] ?? STATUSES[0],
    StatusMessage: span.statusMessage,
    'Events.Timestamp': span.events.map(one => dateTimeOf(one.atUnixNs)),
    'Events.Name': span.events.map(one => one.name),
    'Events.Attributes': events.map(one => one.texts),
    'Links.TraceId': span.links.map(one => one.traceId),
    'Links.SpanId': span.links.map(one => one.spanId),
    'Links.TraceState': span.links.map(one => one.traceState ?? ''),
    'Links.Attributes': links.map(one => one.texts),
    FramescopeSession: place.sessionKey,
    FramescopeCommit: place.commit,
    FramescopeArrival: dateTimeOf(place.arrivalUnixNs),
    FramescopeWanted: place.isWanted ? 1 : 0,
    FramescopeExact: Object.keys(exact).length === 0 ? '' : JSON.stringify(exact),
  };
}

function textsOf(attributes: Attributes): { texts: Record<string, string>; types?: Types } {
  const texts: Record<string, string> = {};
  let types: Types | undefined;
  for (const [key, value] of Object.entries(attributes)) {
    const type = typeOf(value);
    setAttribute(texts, key, textOfValue(value, type));
    if (type === undefined) continue;
    types ??= {};
    setAttribute(types, key, type);
  }
  return types === undefined ? { texts } : { texts, types };
}

function textOfValue(value: AttributeValue, type: ValueType | undefined): string {
  if (type === 'y') return base64Of(value)!;
  return type === 'j' ? JSON.stringify(value) : String(value);
}

function typeOf(value: AttributeValue): ValueType | undefined {
  if (base64Of(value) !== undefined) return 'y';
  if (typeof value === 'string') return undefined;
  if (typeof value === 'boolean') return 'b';
  if (typeof value === 'number') return Number.isInteger(value) ? 'i' : 'd';
  return 'j';
}

/** What is selected of a span, in the form that `spanOfRow` reads. */
export const SPAN_COLUMNS = `
  toString(toUnixTimestamp64Nano(Timestamp)) AS start, TraceId AS traceId, SpanId AS spanId,
  ParentSpanId AS parentSpanId, SpanName AS name, SpanKind AS kind, ResourceAttributes AS resource,
  ScopeName AS scope, ScopeVersion AS scopeVersion, SpanAttributes AS attributes,
  toString(Duration) AS duration, StatusCode AS status, StatusMessage AS message,
  arrayMap(t -> toString(toUnixTimestamp64Nano(t)), Events.Timestamp) AS eventTimes,
  Events.Name AS eventNames, Events.Attributes AS eventAttributes, Links.TraceId AS linkTraces,
  Links.SpanId AS linkSpans, Links.Attributes AS linkAttributes, TraceState AS traceState,
  Links.TraceState AS linkStates`;

/** Columns of ours; a table that the exporter made has none of them. */
export const OUR_SPAN_COLUMNS = `
  FramescopeSession AS session, toString(FramescopeCommit) AS commit,
  toString(toUnixTimestamp64Nano(FramescopeArrival)) AS arrival, FramescopeExact AS exact`;

export const FOREIGN_SPAN_COLUMNS = `
  '' AS session, '0' AS commit, toString(toUnixTimestamp64Nano(Timestamp)) AS arrival, '' AS exact`;

export interface SpanRow {
  readonly start: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  readonly resource: Record<string, string>;
  readonly scope: string;
  readonly scopeVersion: string;
  readonly attributes: Record<string, string>;
  readonly duration: string;
  readonly status: string;
  readonly message: string;
  readonly eventTimes: readonly string[];
  readonly eventNames: readonly string[];
  readonly eventAttributes: readonly Record<string, string>[];
  readonly linkTraces: readonly string[];
  readonly linkSpans: readonly string[];
  readonly linkAttributes: readonly Record<string, string>[];
  readonly traceState: string;
  readonly linkStates: readonly string[];
  readonly session: string;
  readonly commit: string;
  readonly arrival: string;
  readonly exact: string;
}

/** `sessionKey`: of its trace, where the row itself names none. */
export function spanOfRow(row: SpanRow, sessionKey?: string | null): StoredSpan {
  const exact = row.exact === '' ? {} : (JSON.parse(row.exact) as Exact);
  const startUnixNs = BigInt(row.start);
  const attributes = valuesOf(row.attributes, exact.a);
  const resource = { attributes: valuesOf(row.resource, exact.r) };
  const session = sessionOf(attributes, resource.attributes);
  return {
    traceId: row.traceId as TraceId,
    spanId: row.spanId as SpanId,
    ...(row.parentSpanId !== '' && { parentSpanId: row.parentSpanId as SpanId }),
    name: row.name,
    kind: Math.max(0, KINDS.indexOf(row.kind as (typeof KINDS)[number])),
    startUnixNs,
    endUnixNs: startUnixNs + BigInt(exact.d ?? row.duration),
    statusCode: Math.max(0, STATUSES.indexOf(row.status as (typeof STATUSES)[number])),
    statusMessage: row.message,
    attributes,
    events: row.eventNames.map((name, i) => ({
      name,
      atUnixNs: BigInt(row.eventTimes[i]!),
      attributes: valuesOf(row.eventAttributes[i]!, exact.e?.[i]),
      ...((exact.ex?.[i] ?? 0) !== 0 && { dropped: exact.ex![i]! }),
    })),
    links: row.linkTraces.map((traceId, i) => ({
      traceId,
      spanId: row.linkSpans[i]!,
      attributes: valuesOf(row.linkAttributes[i]!, exact.l?.[i]),
      ...((row.linkStates[i] ?? '') !== '' && { traceState: row.linkStates[i]! }),
      ...((exact.lf?.[i] ?? 0) !== 0 && { flags: exact.lf![i]! }),
      ...((exact.lx?.[i] ?? 0) !== 0 && { dropped: exact.lx![i]! }),
    })),
    ...(row.traceState !== '' && { traceState: row.traceState }),
    ...(exact.f !== undefined && { flags: exact.f }),
    ...(exact.x !== undefined && { dropped: exact.x }),
    scope: row.scope,
    ...(row.scopeVersion !== '' && { scopeVersion: row.scopeVersion }),
    ...(exact.s !== undefined && { scopeAttributes: exact.s }),
    ...(exact.u !== undefined && { scopeSchemaUrl: exact.u }),
    ...(exact.ru !== undefined && { resourceSchemaUrl: exact.ru }),
    resource,
    ...(session && { sessionId: session.id, sessionRank: session.rank }),
    sessionKey: row.session === '' ? (sessionKey ?? null) : row.session,
    commit: Number(row.commit),
    arrivalUnixNs: BigInt(row.arrival),
  };
}

/** Attributes from their texts, and the types as `FramescopeExact` has them; '' for none. */
export const attributesOf = (texts: Record<string, string>, types: string): Attributes =>
  valuesOf(texts, types === '' ? undefined : (JSON.parse(types) as Types));

function valuesOf(texts: Record<string, string>, types: Types | undefined): Attributes {
  const values: Record<string, AttributeValue> = {};
  for (const [key, text] of Object.entries(texts))
    setAttribute(
      values,
      key,
      valueOf(text, types && Object.hasOwn(types, key) ? types[key] : undefined),
    );
  return values;
}

function valueOf(text: string, type: ValueType | undefined): AttributeValue {
  if (type === undefined) return text;
  if (type === 'b') return text === 'true';
  if (type === 'y') return bytesText(text);
  return type === 'j' ? (JSON.parse(text) as AttributeValue) : Number(text);
}
