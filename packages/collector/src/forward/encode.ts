// Spans → one `ExportTraceServiceRequest` in protobuf, by hand: grouped by
// resource and scope, in the order they came.

import type { AttributeValue, Attributes } from '@framescope/protocol';
import { base64Of } from '../decode/bytes-value.ts';
import { scopeText } from '../decode/scope.ts';
import type { DecodedLink, DecodedSpan, SpanExtras } from '../decode/types.ts';
import { bytesField, textField, varint, varintField } from '../receive/protobuf.ts';

/** What is encoded of a span. */
export type OutSpan = Pick<
  DecodedSpan,
  | 'traceId'
  | 'spanId'
  | 'parentSpanId'
  | 'name'
  | 'kind'
  | 'startUnixNs'
  | 'endUnixNs'
  | 'statusCode'
  | 'statusMessage'
  | 'attributes'
  | 'events'
  | 'links'
  | 'scope'
  | 'scopeVersion'
  | 'scopeAttributes'
  | 'scopeSchemaUrl'
  | 'resourceSchemaUrl'
  | keyof SpanExtras
  | 'resource'
>;

interface Scoped {
  readonly span: OutSpan;
  readonly spans: Buffer[];
}

const scopeOf = ({ scope, scopeVersion, scopeAttributes = {} }: OutSpan): Buffer =>
  Buffer.concat([
    textField(1, scope),
    ...(scopeVersion === undefined ? [] : [textField(2, scopeVersion)]),
    keyValues(3, scopeAttributes),
  ]);

const schemaUrl = (url: string | undefined): Buffer[] =>
  url === undefined ? [] : [textField(3, url)];

export function encodeTraces(spans: readonly OutSpan[]): Buffer {
  const groups = new Map<string, { span: OutSpan; scopes: Map<string, Scoped> }>();
  for (const span of spans) {
    const key = JSON.stringify([span.resource.attributes, span.resourceSchemaUrl]);
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { span, scopes: new Map() }));
    const scope = scopeText(span);
    const list = group.scopes.get(scope);
    const bytes = bytesField(2, encodeSpan(span));
    if (list) list.spans.push(bytes);
    else group.scopes.set(scope, { span, spans: [bytes] });
  }
  const resources = [...groups.values()].map(({ span, scopes }) => {
    const resource = bytesField(1, keyValues(1, span.resource.attributes));
    const scopeSpans = [...scopes.values()].map(one =>
      bytesField(
        2,
        Buffer.concat([
          bytesField(1, scopeOf(one.span)),
          ...one.spans,
          ...schemaUrl(one.span.scopeSchemaUrl),
        ]),
      ),
    );
    const url = schemaUrl(span.resourceSchemaUrl);
    return bytesField(1, Buffer.concat([resource, ...scopeSpans, ...url]));
  });
  return Buffer.concat(resources);
}

function encodeSpan(span: OutSpan): Buffer {
  const parts = [
    bytesField(1, Buffer.from(span.traceId, 'hex')),
    bytesField(2, Buffer.from(span.spanId, 'hex')),
    textField(5, span.name),
    varintField(6, span.kind),
    fixed64(7, span.startUnixNs),
    fixed64(8, span.endUnixNs),
    keyValues(9, span.attributes),
  ];
  if (span.parentSpanId !== undefined)
    parts.push(bytesField(4, Buffer.from(span.parentSpanId, 'hex')));
  parts.push(...extraFields(span));
  for (const event of span.events)
    parts.push(
      bytesField(
        11,
        Buffer.concat([
          fixed64(1, event.atUnixNs),
          textField(2, event.name),
          keyValues(3, event.attributes),
          count(4, event.dropped),
        ]),
      ),
    );
  for (const link of span.links)
    parts.push(
      bytesField(
        13,
        Buffer.concat([
          bytesField(1, Buffer.from(link.traceId, 'hex')),
          bytesField(2, Buffer.from(link.spanId, 'hex')),
          ...stateAndFlags(link, { state: 3, flags: 6 }),
          keyValues(4, link.attributes),
          count(5, link.dropped),
        ]),
      ),
    );
  const status = [];
  if (span.statusMessage !== '') status.push(textField(2, span.statusMessage));
  if (span.statusCode !== 0) status.push(varintField(3, span.statusCode));
  if (status.length > 0) parts.push(bytesField(15, Buffer.concat(status)));
  return Buffer.concat(parts);
}

function extraFields(span: OutSpan): Buffer[] {
  const { attributes = 0, events = 0, links = 0 } = span.dropped ?? {};
  const counts = [
    [10, attributes],
    [12, events],
    [14, links],
  ] as const;
  return [
    ...stateAndFlags(span, { state: 3, flags: 16 }),
    ...counts.map(([field, of]) => count(field, of)),
  ];
}

/** Zero is what is not written. */
const count = (field: number, of = 0): Buffer =>
  of === 0 ? Buffer.alloc(0) : varintField(field, of);

function stateAndFlags(
  { traceState, flags }: Pick<DecodedLink, 'traceState' | 'flags'>,
  fields: { readonly state: number; readonly flags: number },
): Buffer[] {
  return [
    ...(traceState === undefined ? [] : [textField(fields.state, traceState)]),
    ...(flags === undefined ? [] : [fixed32(fields.flags, flags)]),
  ];
}

function keyValues(field: number, attributes: Attributes): Buffer {
  return Buffer.concat(
    Object.entries(attributes).map(([key, value]) => bytesField(field, keyValue(key, value))),
  );
}

const keyValue = (key: string, value: AttributeValue): Buffer =>
  Buffer.concat([textField(1, key), bytesField(2, anyValue(value))]);

function anyValue(value: AttributeValue): Buffer {
  const base64 = base64Of(value);
  if (base64 !== undefined) return bytesField(7, Buffer.from(base64, 'base64'));
  if (typeof value === 'string') return textField(1, value);
  if (typeof value === 'boolean') return varintField(2, value ? 1 : 0);
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? int64(3, value) : double(4, value);
  if (value === null) return Buffer.alloc(0);
  if (Array.isArray(value)) {
    const items = (value as readonly AttributeValue[]).map(one => bytesField(1, anyValue(one)));
    return bytesField(5, Buffer.concat(items));
  }
  return bytesField(6, keyValues(1, value as Attributes));
}

function int64(field: number, value: number): Buffer {
  if (value >= 0) return varintField(field, value);
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) + 0x80);
  return Buffer.concat([varint(field * 8), Buffer.from([...bytes, Number(rest)])]);
}

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = field * 8 + 1;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

function fixed32(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return Buffer.concat([varint(field * 8 + 5), bytes]);
}

function fixed64(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = field * 8 + 1;
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value), 1);
  return bytes;
}
