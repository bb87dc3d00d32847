import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeTraces } from '../../src/decode/decode.ts';
import {
  attribute,
  bodyOf,
  encode,
  jsonBody,
  protobufBody,
  sdkSpans,
  spanJson,
} from '../support/otlp-bodies.ts';

const PROTOBUF = protobufBody(sdkSpans());
const JSON_BODY = jsonBody(sdkSpans());

/** A few bytes of a good body replaced, cut out or put in. */
const mutated = (body: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc
    .array(fc.tuple(fc.nat(body.length - 1), fc.nat(3), fc.uint8Array({ maxLength: 12 })), {
      minLength: 1,
      maxLength: 6,
    })
    .map(edits => {
      let bytes = [...body];
      for (const [at, removed, added] of edits)
        bytes = [...bytes.slice(0, at), ...added, ...bytes.slice(at + removed)];
      return Uint8Array.from(bytes);
    });

test('no mutation of a protobuf body makes decoding throw, and what it takes is well formed', () => {
  fc.assert(
    fc.property(mutated(PROTOBUF), body => expectWellFormed(body, 'protobuf')),
    {
      numRuns: 2_000,
    },
  );
});

test('no mutation of a JSON body makes decoding throw, and what it takes is well formed', () => {
  fc.assert(
    fc.property(mutated(JSON_BODY), body => expectWellFormed(body, 'json')),
    {
      numRuns: 2_000,
    },
  );
});

test('no bytes at all make decoding throw', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.constantFrom('json', 'protobuf'),
      expectWellFormed,
    ),
  );
});

test('any JSON in the place of a span, an attribute or a status is taken or refused by path', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom('span', 'attributes', 'status', 'events', 'links', 'value'),
      (json, place) => {
        const body =
          place === 'span'
            ? bodyOf(json)
            : place === 'value'
              ? bodyOf(spanJson({ attributes: [attribute('k', json as object)] }))
              : bodyOf(spanJson({ [place]: json }));
        expectWellFormed(body, 'json');
      },
    ),
  );
});

test('a flush with any attributes is taken or refused by path', () => {
  const values = fc.oneof(
    fc.string().map(stringValue => ({ stringValue })),
    fc.integer().map(intValue => ({ intValue })),
    fc.jsonValue().map(json => ({ stringValue: JSON.stringify(json) })),
  );
  const keys = fc.constantFrom(
    'framescope.record',
    'framescope.state',
    'framescope.seq',
    'session.id',
    'framescope.clock.domain',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(keys, values)), pairs => {
      const attributes = [
        attribute('framescope.producer', { stringValue: 'a'.repeat(16) }),
        ...pairs.map(([key, value]) => attribute(key, value)),
      ];
      expectWellFormed(
        encode({
          resourceSpans: [
            { scopeSpans: [{ spans: [spanJson({ name: 'audio.frames', attributes })] }] },
          ],
        }),
        'json',
      );
    }),
  );
});

function expectWellFormed(body: Uint8Array, encoding: 'json' | 'protobuf'): void {
  const result = decodeTraces(body, encoding);
  if (!result.ok) {
    expect(typeof result.problem).toBe('string');
    return;
  }
  for (const span of result.value.spans) {
    expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(span.startUnixNs >= 0n && span.startUnixNs < 2n ** 63n).toBe(true);
  }
}
