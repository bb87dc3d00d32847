import { expect, test } from 'vitest';
import { ColumnSink } from '../../src/decode/column-sink.ts';
import { decodeTraces } from '../../src/decode/decode.ts';
import { SpanColumns } from '../../src/decode/span-columns.ts';
import type { DecodedRequest } from '../../src/decode/types.ts';
import {
  attribute,
  bodyOf,
  encode,
  jsonBody,
  protobufBody,
  sdkSpans,
  spanJson,
} from '../support/otlp-bodies.ts';

const decodedJson = (bytes: Uint8Array): DecodedRequest => {
  const result = decodeTraces(bytes, 'json');
  if (!result.ok) throw new Error(`${result.path}: ${result.problem}`);
  return result.value;
};

const problemOf = (bytes: Uint8Array, encoding: 'json' | 'protobuf' = 'json'): string => {
  const result = decodeTraces(bytes, encoding);
  if (!result.ok) return `${result.path}: ${result.problem}`;
  const [first] = result.value.refused;
  return first ? `(one span) ${first.path}: ${first.problem}` : 'taken';
};

test('a body of the OpenTelemetry SDK says the same in protobuf and in JSON', () => {
  const spans = sdkSpans();
  const fromJson = decodeTraces(jsonBody(spans), 'json');
  const fromProtobuf = decodeTraces(protobufBody(spans), 'protobuf');
  expect(fromJson.ok).toBe(true);
  expect(fromProtobuf).toEqual(fromJson);
});

test('what the SDK put on a span comes out of its protobuf body', () => {
  const result = decodeTraces(protobufBody(sdkSpans()), 'protobuf');
  const spans = result.ok ? result.value.spans : [];
  const llm = spans.find(span => span.name === 'llm');
  const root = spans.find(span => span.name === 'turn');
  expect(llm).toMatchObject({
    parentSpanId: root?.spanId,
    kind: 3,
    startUnixNs: 1_700_000_000_123_456_789n,
    endUnixNs: 1_700_000_001_000_000_001n,
    statusCode: 2,
    statusMessage: 'too slow',
    attributes: { tokens: [1, 2, 3], words: ['höre', '你好', '🎙'] },
    events: [
      { name: 'first_token', atUnixNs: 1_700_000_000_323_456_789n, attributes: { index: 1 } },
    ],
    links: [{ traceId: root?.traceId, spanId: root?.spanId, attributes: { why: 'because' } }],
    scope: 'voice',
    resource: { attributes: { 'service.name': 'agent', 'cloud.region': 'eu-west-1' } },
  });
  expect(root).toMatchObject({
    sessionId: 'call-1',
    attributes: { 'turn.number': 3, share: 0.25, good: true },
  });
  expect(root?.parentSpanId).toBeUndefined();
});

test('a session.id on the resource counts for all its spans', () => {
  const attributes = [attribute('session.id', { stringValue: 'call-7' })];
  const body = encode({
    resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [spanJson()] }] }],
  });
  expect(decodedJson(body).spans[0]?.sessionId).toBe('call-7');
});

test('integers beyond 2^53 are kept as text, exactly', () => {
  const value = (intValue: unknown): unknown =>
    decodedJson(bodyOf(spanJson({ attributes: [attribute('n', { intValue })] }))).spans[0]
      ?.attributes['n'];
  expect([
    value('9007199254740991'),
    value('9007199254740993'),
    value('-9223372036854775808'),
  ]).toEqual([9_007_199_254_740_991, '9007199254740993', '-9223372036854775808']);
});

test('an attribute named __proto__ is an attribute', () => {
  const { spans } = decodedJson(
    bodyOf(spanJson({ attributes: [attribute('__proto__', { stringValue: 'x' })] })),
  );
  expect(Object.entries(spans[0]!.attributes)).toEqual([['__proto__', 'x']]);
});

test('one bad span is refused by path, and its neighbours are taken', () => {
  const result = decodedJson(
    bodyOf(spanJson(), spanJson({ traceId: 'abc' }), spanJson({ spanId: 'f'.repeat(16) })),
  );
  expect(result.spans.length).toBe(2);
  expect(result.refused).toEqual([
    {
      path: 'resourceSpans[0].scopeSpans[0].spans[1].traceId',
      problem: 'expected 32 hex digits, got 3 characters',
      reason: 'trace_id',
    },
  ]);
});

const at = 'resourceSpans[0].scopeSpans[0].spans[0]';
test.each([
  ['no hex', { traceId: 'z'.repeat(32) }, 'traceId: expected 32 hex digits, got 32 characters'],
  ['all-zero', { traceId: '0'.repeat(32) }, 'traceId: all-zero ID'],
  ['a number as ID', { spanId: 5 }, 'spanId: expected a string of 16 hex digits, got number'],
  ['a name of a wrong type', { name: 5 }, 'name: expected a string, got number'],
  [
    'attributes that are no list',
    { attributes: {} },
    'attributes: expected a list of { key, value }, got object',
  ],
  ['a time before 1970', { startTimeUnixNano: '-1' }, 'startTimeUnixNano: before 1970'],
  [
    'a time beyond 2262',
    { startTimeUnixNano: '9223372036854775808' },
    'startTimeUnixNano: 9223372036854775808 ns is beyond the year 2262',
  ],
  [
    'a status that is none',
    { status: { code: 9 } },
    'status.code: expected a whole number from 0 to 2, got 9',
  ],
])('a body with nothing but %s is malformed, and says where', (_what, change, expected) => {
  expect(problemOf(bodyOf(spanJson(change)))).toBe(`${at}.${expected}`);
});

test('the last nanosecond of 2262 is taken', () => {
  const endTimeUnixNano = '9223372036854775807';
  expect(problemOf(bodyOf(spanJson({ startTimeUnixNano: '0', endTimeUnixNano })))).toBe('taken');
});

test.each([
  ['nothing', '', ': not JSON: Unexpected end of JSON input'],
  ['a list', '[]', ': expected an object, got a list'],
  [
    'resourceSpans as a number',
    '{"resourceSpans":5}',
    'resourceSpans: expected a list, got number',
  ],
  [
    'spans as text',
    '{"resourceSpans":[{"scopeSpans":[{"spans":"x"}]}]}',
    'resourceSpans[0].scopeSpans[0].spans: expected a list, got string',
  ],
  [
    'a span that is null',
    '{"resourceSpans":[{"scopeSpans":[{"spans":[null]}]}]}',
    'resourceSpans[0].scopeSpans[0].spans[0]: expected an object, got null',
  ],
])('%s as a JSON body is refused whole', (_what, text, expected) => {
  expect(problemOf(Buffer.from(text))).toBe(expected);
});

test.each(['in front', 'behind'])('schema URLs are of their spans: %s', where => {
  const own = { schemaUrl: 'https://opentelemetry.io/schemas/1.38.0' };
  const whole = { schemaUrl: 'https://opentelemetry.io/schemas/1.37.0' };
  const spans = { spans: [spanJson({})] };
  const scopeSpans = where === 'in front' ? { ...own, ...spans } : { ...spans, ...own };
  const list = { scopeSpans: [scopeSpans, spans] };
  const resourceSpans = where === 'in front' ? { ...whole, ...list } : { ...list, ...whole };
  const bytes = Buffer.from(JSON.stringify({ resourceSpans: [resourceSpans, list] }));
  const columns = new SpanColumns();
  decodeTraces(bytes, 'json', new ColumnSink(columns));
  const urls = Array.from({ length: columns.length }, (_, row) => {
    const { scopeSchemaUrl, resourceSchemaUrl } = columns.spanAt(row);
    return [scopeSchemaUrl, resourceSchemaUrl];
  });
  expect(urls).toEqual([
    [own.schemaUrl, whole.schemaUrl],
    [undefined, whole.schemaUrl],
    [own.schemaUrl, undefined],
    [undefined, undefined],
  ]);
});

test('an empty request is taken in both encodings', () => {
  expect([problemOf(Buffer.from('{}')), problemOf(new Uint8Array(0), 'protobuf')]).toEqual([
    'taken',
    'taken',
  ]);
});

test('a protobuf body cut anywhere is refused or holds whole spans only', () => {
  const body = protobufBody(sdkSpans());
  for (let length = 1; length < body.length; length++) {
    const result = decodeTraces(body.subarray(0, length), 'protobuf');
    expect(result.ok).toBe(false);
  }
});

test.each([
  ['a varint of 11 bytes', 'ffffffffffffffffffff01', 'a varint longer than 10 bytes (at byte 10)'],
  ['a length beyond the end', '0aff01', '255 bytes announced, 0 left (at byte 3)'],
  ['field number 0', '0200', 'field number 0 (at byte 1)'],
  ['a group', '0b', 'wire type 3'],
  ['a number where spans should be', '0805', 'field 1 has wire type 0, expected 2 (at byte 1)'],
])('protobuf with %s is refused with its place', (_what, hex, expected) => {
  expect(problemOf(Buffer.from(hex, 'hex'), 'protobuf')).toContain(expected);
});

test('16 lists in one another are taken, and 17 more are refused', () => {
  const nest = (depth: number): object =>
    depth === 0 ? { intValue: 1 } : { arrayValue: { values: [nest(depth - 1)] } };
  const body = (depth: number): Uint8Array =>
    bodyOf(spanJson({ attributes: [attribute('n', nest(depth))] }));
  expect(problemOf(body(16))).toBe('taken');
  expect(problemOf(body(17))).toMatch(/nested deeper than 16$/);
});

test('JSON nested a hundred thousand deep is refused without falling over', () => {
  const text = `${'{"resourceSpans":['.repeat(100_000)}${']}'.repeat(100_000)}`;
  expect(problemOf(Buffer.from(text))).not.toBe('');
});
