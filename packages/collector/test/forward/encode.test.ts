import { expect, test } from 'vitest';
import { bytesText } from '../../src/decode/bytes-value.ts';
import { decodeTraces } from '../../src/decode/decode.ts';
import type { DecodedSpan } from '../../src/decode/types.ts';
import { encodeTraces } from '../../src/forward/encode.ts';
import { otlpRequest } from '../../src/files/otlp.ts';
import { jsonBody, sdkSpans } from '../support/otlp-bodies.ts';
import { spanOf } from '../support/spans.ts';

const URL_OF_SCOPE = 'https://opentelemetry.io/schemas/1.38.0';
const URL_OF_RESOURCE = 'https://opentelemetry.io/schemas/1.37.0';

function decodedAgain(spans: readonly DecodedSpan[]): readonly DecodedSpan[] {
  const result = decodeTraces(new Uint8Array(encodeTraces(spans)), 'protobuf');
  if (!result.ok) throw new Error(`${result.path}: ${result.problem}`);
  return result.value.spans;
}

test('what the SDK sent comes out as it went in', () => {
  const result = decodeTraces(jsonBody(sdkSpans()), 'json');
  if (!result.ok) throw new Error(result.problem);
  expect(decodedAgain(result.value.spans)).toEqual(result.value.spans);
});

test('every kind of value comes out as it went in', () => {
  const attributes = {
    text: 'höre 你好 🎙',
    empty: '',
    zero: 0,
    whole: Number.MAX_SAFE_INTEGER,
    negative: -42,
    least: Number.MIN_SAFE_INTEGER,
    share: -0.25,
    large: 1e300,
    yes: true,
    no: false,
    nothing: null,
    list: ['a', 1, true, [2, [3]]],
    map: { a: { b: 'c' }, 'd e': [] },
    bytes: bytesText('AAEC/w=='),
    listed: [bytesText('AA==')],
  };
  expect(decodedAgain([spanOf('a1', { attributes })])[0]?.attributes).toEqual(attributes);
});

test('what few spans have comes out as it went in, in both encodings', () => {
  const link = { traceId: 'b'.repeat(32), spanId: 'c'.repeat(16), attributes: {} };
  const spans = [
    spanOf('a1', { traceState: 'ot=th:c,vendor=1', flags: 0x301 }),
    spanOf('a2', { dropped: { attributes: 3, links: 1 }, flags: 0xffffffff }),
    spanOf('a3', {
      links: [link, { ...link, traceState: 'x=y', flags: 0x100, dropped: 5 }],
      attributes: { 'gen_ai.audio': bytesText('AAEC/w==') },
    }),
    spanOf('a4', { events: [{ name: 'e', atUnixNs: 7n, attributes: {}, dropped: 0xffffffff }] }),
    spanOf('a5', { scopeAttributes: { tier: 'edge', shard: 7 } }),
    spanOf('a6', { scopeSchemaUrl: URL_OF_SCOPE }),
    spanOf('a7', { scopeVersion: '2', resourceSchemaUrl: URL_OF_RESOURCE }),
    spanOf('a8', { scopeSchemaUrl: URL_OF_SCOPE, resourceSchemaUrl: URL_OF_RESOURCE }),
  ];
  expect(decodedAgain(spans)).toEqual(spans);
  const json = decodeTraces(Buffer.from(JSON.stringify(otlpRequest(spans))), 'json');
  expect(json.ok && json.value.spans).toEqual(spans);
});

test('spans of several resources and scopes keep them', () => {
  const spans = [
    spanOf('a1'),
    spanOf('a2', { scope: 'other' }),
    spanOf('b3', { resource: { attributes: { 'service.name': 'b' } }, kind: 3 }),
    spanOf('a4', { statusCode: 2, statusMessage: 'no' }),
    spanOf('a5', { scope: 'other', scopeVersion: '1.2' }),
  ];
  const byId = (a: DecodedSpan, b: DecodedSpan): number => (a.spanId < b.spanId ? -1 : 1);
  expect(decodedAgain(spans).toSorted(byId)).toEqual(spans);
});
