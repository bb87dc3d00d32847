import { expect, test } from 'vitest';
import { ColumnSink } from '../../src/decode/column-sink.ts';
import { decodeTraces, type Encoding } from '../../src/decode/decode.ts';
import { SpanColumns } from '../../src/decode/span-columns.ts';
import {
  attribute,
  bodyOf,
  jsonBody,
  protobufBody,
  sdkSpans,
  spanJson,
} from '../support/otlp-bodies.ts';

/** What the columns hold of a body, as objects. */
function throughColumns(bytes: Uint8Array, encoding: Encoding): unknown {
  const columns = new SpanColumns();
  const result = decodeTraces(bytes, encoding, new ColumnSink(columns));
  if (!result.ok) return result;
  return {
    spans: Array.from({ length: columns.length }, (_, row) => plain(columns.spanAt(row))),
    flushes: result.value.flushes,
    refused: result.value.refused,
  };
}

function throughObjects(bytes: Uint8Array, encoding: Encoding): unknown {
  const result = decodeTraces(bytes, encoding);
  if (!result.ok) return result;
  const { spans, flushes, refused } = result.value;
  return { spans: spans.map(plain), flushes, refused };
}

const plain = (span: object): unknown =>
  JSON.parse(
    JSON.stringify(span, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
    (key, value: unknown) =>
      key === 'resource' ? (value as { attributes: unknown }).attributes : value,
  );

test('what the SDK sends means the same in columns as in objects', () => {
  for (const body of [
    { bytes: jsonBody(sdkSpans()), encoding: 'json' as const },
    { bytes: protobufBody(sdkSpans()), encoding: 'protobuf' as const },
  ])
    expect(throughColumns(body.bytes, body.encoding)).toEqual(
      throughObjects(body.bytes, body.encoding),
    );
});

/** Attribute values of OTLP/JSON at their edges. */
const VALUES: readonly object[] = [
  { stringValue: '' },
  { stringValue: 'a "quoted" \\ text \u0007 \u20ac \ud83c\udf99' },
  { stringValue: '__proto__' },
  { intValue: '0' },
  { intValue: -5 },
  { intValue: '-9007199254740991' },
  { intValue: '9007199254740993' },
  { intValue: '-9223372036854775808' },
  { intValue: 1e21 },
  { doubleValue: 0.1 },
  { doubleValue: -1e-300 },
  { doubleValue: 'NaN' },
  { doubleValue: 3 },
  { boolValue: true },
  { boolValue: false },
  { boolValue: 'true' },
  { arrayValue: { values: [{ intValue: 1 }, { stringValue: 'x' }] } },
  { kvlistValue: { values: [{ key: '__proto__', value: { intValue: 1 } }] } },
  { bytesValue: 'AAE=' },
  {},
];

test.each(VALUES.map(value => [JSON.stringify(value), value] as const))(
  'the attribute value %s means the same in columns as in objects',
  (_, value) => {
    const body = bodyOf(
      spanJson({ attributes: [attribute('a', value), attribute('__proto__', value)] }),
      spanJson({ attributes: [attribute('a', value), attribute('a', { intValue: 7 })] }),
    );
    expect(throughColumns(body, 'json')).toEqual(throughObjects(body, 'json'));
  },
);

const CHANGES: readonly object[] = [
  { traceId: '0123456789ABCDEF0123456789ABCDEF' },
  { traceId: '0'.repeat(32) },
  { traceId: 'xyz' },
  { spanId: '0123' },
  { parentSpanId: '' },
  { parentSpanId: '0000000000000000' },
  { parentSpanId: 'fedcba9876543210' },
  { kind: 6 },
  { kind: null },
  { kind: 'SPAN_KIND_SERVER' },
  { startTimeUnixNano: 0, endTimeUnixNano: 0 },
  { startTimeUnixNano: '9223372036854775807', endTimeUnixNano: '9223372036854775807' },
  { startTimeUnixNano: '9223372036854775808' },
  { startTimeUnixNano: '18446744073709551615' },
  { startTimeUnixNano: '1700000000999999999', endTimeUnixNano: '1700000000000000001' },
  { startTimeUnixNano: '1500000000000000000000' },
  { endTimeUnixNano: '' },
  { status: { code: 2, message: 'no' } },
  { status: { code: 3 } },
  { status: {} },
  { events: [] },
  { events: [{ name: 'e', timeUnixNano: '5', attributes: [attribute('k', { intValue: 1 })] }] },
  { events: [{ name: 'e', timeUnixNano: '5', droppedAttributesCount: 2 }] },
  { links: [{ traceId: 'a'.repeat(32), spanId: 'a'.repeat(16), droppedAttributesCount: 2 }] },
  { links: [{ traceId: '0'.repeat(32), spanId: '0'.repeat(16) }] },
  { flags: 257, droppedAttributesCount: 1, traceState: 'a=b' },
  { unknown: { deep: [1, 2, { x: null }] } },
  { name: 'audio.frames' },
  { attributes: [attribute('session.id', { stringValue: 'call' })] },
  { attributes: [attribute('session.id', { stringValue: '' })] },
  { attributes: [attribute('session.id', { intValue: 12 })] },
  { attributes: [attribute('session.id', { stringValue: 'x'.repeat(10_241) })] },
];

test.each(CHANGES.map(change => [JSON.stringify(change).slice(0, 80), change] as const))(
  'a span with %s means the same in columns as in objects',
  (_, change) => {
    const body = bodyOf(spanJson(), spanJson(change), spanJson({ name: 'last' }));
    expect(throughColumns(body, 'json')).toEqual(throughObjects(body, 'json'));
  },
);

test('a body that turns out unreadable leaves no rows behind', () => {
  const columns = new SpanColumns();
  const sink = new ColumnSink(columns);
  const good = protobufBody(sdkSpans());
  expect(decodeTraces(good, 'protobuf', sink).ok).toBe(true);
  expect(decodeTraces(good.subarray(0, good.length - 3), 'protobuf', sink).ok).toBe(false);
  expect(decodeTraces(bodyOf(spanJson()).subarray(0, 150), 'json', sink).ok).toBe(false);
  expect(columns.length).toBe(3);
});

test('columns that are cleared and filled again hold what came last', () => {
  const columns = new SpanColumns();
  const sink = new ColumnSink(columns);
  for (let round = 0; round < 3; round++) {
    columns.clear();
    for (let i = 0; i < 5_000; i++) decodeTraces(bodyOf(spanJson({ name: `n${i}` })), 'json', sink);
    expect([columns.length, columns.spanAt(4_999).name]).toEqual([5_000, 'n4999']);
  }
});

test('the version of a scope is kept beside its name', () => {
  for (const [bytes, encoding] of [
    [jsonBody(sdkSpans()), 'json'],
    [protobufBody(sdkSpans()), 'protobuf'],
  ] as const) {
    const columns = new SpanColumns();
    decodeTraces(bytes, encoding, new ColumnSink(columns));
    expect(columns.spanAt(0)).toMatchObject({ scope: 'voice', scopeVersion: '1.2.3' });
  }
});
