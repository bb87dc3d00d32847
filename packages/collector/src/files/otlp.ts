// Stored spans as OTLP/JSON again: grouped by resource and scope, in order of time.
//
// What the store keeps of a value is its JSON form: a whole number is written as an integer, and a
// double that happens to be whole (below 2^53) becomes one.

import type { AttributeValue, Attributes } from '@framescope/protocol';
import { base64Of } from '../decode/bytes-value.ts';
import { scopeText } from '../decode/scope.ts';
import type { DecodedSpan } from '../decode/types.ts';

export interface OtlpValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  /** In base64. */
  readonly bytesValue?: string;
  readonly arrayValue?: { readonly values: readonly OtlpValue[] };
  readonly kvlistValue?: { readonly values: readonly OtlpKeyValue[] };
}

export interface OtlpKeyValue {
  readonly key: string;
  readonly value: OtlpValue;
}

export interface OtlpRequest {
  readonly resourceSpans: readonly object[];
}

export function otlpValue(value: AttributeValue): OtlpValue {
  if (value === null) return {};
  const base64 = base64Of(value);
  if (base64 !== undefined) return { bytesValue: base64 };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (isList(value)) return { arrayValue: { values: value.map(otlpValue) } };
  return { kvlistValue: { values: otlpAttributes(value) } };
}

const isList = (value: AttributeValue): value is readonly AttributeValue[] => Array.isArray(value);

export const otlpAttributes = (attributes: Attributes): OtlpKeyValue[] =>
  Object.entries(attributes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value: otlpValue(value) }));

/** An empty list is left out, as OTLP/JSON writers do. */
const listed = <K extends string, T>(
  name: K,
  items: readonly T[],
): { readonly [P in K]?: readonly T[] } =>
  (items.length === 0 ? {} : { [name]: items }) as { readonly [P in K]?: readonly T[] };

export function otlpSpan(span: DecodedSpan): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.traceState !== undefined && { traceState: span.traceState }),
    ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
    ...(span.flags !== undefined && { flags: span.flags }),
    name: span.name,
    ...(span.kind !== 0 && { kind: span.kind }),
    startTimeUnixNano: String(span.startUnixNs),
    endTimeUnixNano: String(span.endUnixNs),
    ...listed('attributes', otlpAttributes(span.attributes)),
    ...droppedOf(span),
    ...listed(
      'events',
      span.events.map(event => ({
        timeUnixNano: String(event.atUnixNs),
        name: event.name,
        ...listed('attributes', otlpAttributes(event.attributes)),
        ...(event.dropped !== undefined && { droppedAttributesCount: event.dropped }),
      })),
    ),
    ...listed(
      'links',
      span.links.map(link => ({
        traceId: link.traceId,
        spanId: link.spanId,
        ...(link.traceState !== undefined && { traceState: link.traceState }),
        ...(link.flags !== undefined && { flags: link.flags }),
        ...listed('attributes', otlpAttributes(link.attributes)),
        ...(link.dropped !== undefined && { droppedAttributesCount: link.dropped }),
      })),
    ),
    status: {
      ...(span.statusMessage !== '' && { message: span.statusMessage }),
      ...(span.statusCode !== 0 && { code: span.statusCode }),
    },
  };
}

const droppedOf = ({ dropped = {} }: DecodedSpan): object => ({
  ...(dropped.attributes !== undefined && { droppedAttributesCount: dropped.attributes }),
  ...(dropped.events !== undefined && { droppedEventsCount: dropped.events }),
  ...(dropped.links !== undefined && { droppedLinksCount: dropped.links }),
});

interface Group {
  readonly first: DecodedSpan;
  readonly scopes: Map<string, DecodedSpan[]>;
}

const scopeOf = ({ scope, scopeVersion, scopeAttributes = {} }: DecodedSpan): object => ({
  ...(scope !== '' && { name: scope }),
  ...(scopeVersion !== undefined && { version: scopeVersion }),
  ...listed('attributes', otlpAttributes(scopeAttributes)),
});

const schemaUrl = (url: string | undefined): object =>
  url === undefined ? {} : { schemaUrl: url };

/** One request with all spans. */
export function otlpRequest(spans: readonly DecodedSpan[]): OtlpRequest {
  const groups = new Map<string, Group>();
  const inOrder = spans.toSorted((a, b) =>
    a.startUnixNs < b.startUnixNs ? -1 : a.startUnixNs > b.startUnixNs ? 1 : 0,
  );
  for (const span of inOrder) {
    const resource = span.resource.attributes;
    const id = JSON.stringify([Object.entries(resource).toSorted(), span.resourceSchemaUrl]);
    let group = groups.get(id);
    if (group === undefined) groups.set(id, (group = { first: span, scopes: new Map() }));
    const scope = scopeText(span);
    const same = group.scopes.get(scope);
    if (same === undefined) group.scopes.set(scope, [span]);
    else same.push(span);
  }
  return {
    resourceSpans: [...groups.values()].map(({ first, scopes }) => ({
      resource: { ...listed('attributes', otlpAttributes(first.resource.attributes)) },
      scopeSpans: [...scopes.values()].map(own => ({
        scope: scopeOf(own[0]!),
        spans: own.map(otlpSpan),
        ...schemaUrl(own[0]!.scopeSchemaUrl),
      })),
      ...schemaUrl(first.resourceSchemaUrl),
    })),
  };
}
