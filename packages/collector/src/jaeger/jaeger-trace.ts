// A trace in the JSON of Jaeger's query API (the one its UI reads): microseconds, tags, processes.

import type { AttributeValue, Attributes } from '@framescope/protocol';
import { base64Of, shownValue } from '../decode/bytes-value.ts';
import type { DecodedSpan } from '../decode/types.ts';

export interface JaegerTag {
  readonly key: string;
  /** `binary`: the value is base64. */
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary';
  readonly value: string | number | boolean;
}

interface JaegerReference {
  readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
  readonly traceID: string;
  readonly spanID: string;
}

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly JaegerReference[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly JaegerTag[] }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<
    Record<string, { readonly serviceName: string; readonly tags: readonly JaegerTag[] }>
  >;
  readonly warnings: null;
}

/** What Jaeger calls a process that did not say its name. */
const NO_NAME = 'missing-service-name';

export function serviceOfSpan(span: DecodedSpan): string {
  const name = span.resource.attributes['service.name'];
  return typeof name === 'string' && name !== '' ? name : NO_NAME;
}

/** By OTLP's number; 0, unspecified, has no word. */
export const SPAN_KINDS: readonly string[] = [
  '',
  'internal',
  'server',
  'client',
  'producer',
  'consumer',
];

/** Of 128-bit IDs whose upper half is zero Jaeger writes the lower alone. */
export const jaegerTraceId = (traceId: string): string =>
  traceId.startsWith('0'.repeat(16)) ? traceId.slice(16) : traceId;

const micros = (unixNs: bigint): number => Number(unixNs / 1_000n);

export function jaegerTrace(spans: readonly DecodedSpan[]): JaegerTrace {
  const processes = new Map<string, { readonly id: string; readonly resource: Attributes }>();
  const shown = spans
    .toSorted((a, b) =>
      a.startUnixNs < b.startUnixNs ? -1 : a.startUnixNs > b.startUnixNs ? 1 : 0,
    )
    .map(span => {
      const resource = span.resource.attributes;
      const key = JSON.stringify(Object.entries(resource).toSorted());
      let process = processes.get(key);
      if (process === undefined)
        processes.set(key, (process = { id: `p${processes.size + 1}`, resource }));
      return jaegerSpan(span, process.id);
    });
  return {
    traceID: jaegerTraceId(spans[0]!.traceId),
    spans: shown,
    processes: Object.fromEntries(
      [...processes.values()].map(({ id, resource }) => [id, processOf(resource)]),
    ),
    warnings: null,
  };
}

function processOf(resource: Attributes): JaegerTrace['processes'][string] {
  const { 'service.name': name, ...rest } = resource;
  return {
    serviceName: typeof name === 'string' && name !== '' ? name : NO_NAME,
    tags: tagsOf(rest),
  };
}

function jaegerSpan(span: DecodedSpan, processID: string): JaegerSpan {
  const traceID = jaegerTraceId(span.traceId);
  return {
    traceID,
    spanID: span.spanId,
    operationName: span.name,
    references: [
      ...(span.parentSpanId === undefined
        ? []
        : [{ refType: 'CHILD_OF' as const, traceID, spanID: span.parentSpanId }]),
      ...span.links.map(link => ({
        refType: 'FOLLOWS_FROM' as const,
        traceID: jaegerTraceId(link.traceId),
        spanID: link.spanId,
      })),
    ],
    startTime: micros(span.startUnixNs),
    duration: Math.max(0, Number((span.endUnixNs - span.startUnixNs) / 1_000n)),
    tags: spanTags(span),
    logs: span.events.map(event => ({
      timestamp: micros(event.atUnixNs),
      fields: [{ key: 'event', type: 'string', value: event.name }, ...tagsOf(event.attributes)],
    })),
    processID,
    warnings: null,
  };
}

/** Attributes, and what OTLP holds beside them, under the keys of Jaeger's own translation. */
export function spanTags(span: DecodedSpan): JaegerTag[] {
  const more: JaegerTag[] = [];
  const text = (key: string, value: string): void => {
    if (value !== '') more.push({ key, type: 'string', value });
  };
  text('otel.scope.name', span.scope);
  text('otel.scope.version', span.scopeVersion ?? '');
  text('w3c.tracestate', span.traceState ?? '');
  text('span.kind', SPAN_KINDS[span.kind] ?? '');
  if (span.statusCode === 2) more.push({ key: 'error', type: 'bool', value: true });
  text('otel.status_code', ['', 'OK', 'ERROR'][span.statusCode] ?? '');
  text('otel.status_description', span.statusMessage);
  return [...tagsOf(span.attributes), ...more].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

const tagsOf = (attributes: Attributes): JaegerTag[] =>
  Object.entries(attributes).map(([key, value]) => tagOf(key, value));

function tagOf(key: string, value: AttributeValue): JaegerTag {
  const base64 = base64Of(value);
  if (base64 !== undefined) return { key, type: 'binary', value: base64 };
  if (typeof value === 'string') return { key, type: 'string', value };
  if (typeof value === 'boolean') return { key, type: 'bool', value };
  if (typeof value === 'number')
    return { key, type: Number.isInteger(value) ? 'int64' : 'float64', value };
  return { key, type: 'string', value: value === null ? '' : JSON.stringify(shownValue(value)) };
}
