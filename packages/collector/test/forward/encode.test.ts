import { expect, test } from 'vitest';
import { decodeTraces } from '../../src/decode/decode.ts';
import type { DecodedSpan } from '../../src/decode/types.ts';
import { encodeTraces } from '../../src/forward/encode.ts';
import { jsonBody, sdkSpans } from '../support/otlp-bodies.ts';
import { spanOf } from '../support/spans.ts';

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
  };
  expect(decodedAgain([spanOf('a1', { attributes })])[0]?.attributes).toEqual(attributes);
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
