// Logs and metrics from anybody: whatever comes is taken or refused with a path, and never throws.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSignal, type Signal } from '../../src/decode/by-signal.ts';
import { NESTING_MAX } from '../../src/decode/limits.ts';
import { encode } from '../support/otlp-bodies.ts';

const SIGNALS = ['logs', 'metrics'] as const;

const outcome = (bytes: Uint8Array, encoding: 'json' | 'protobuf', signal: Signal): string => {
  const result = decodeSignal(bytes, encoding, signal);
  return result.ok ? 'taken' : result.problem;
};

/** Fields of OTLP's logs and metrics, their wire types, and lengths that may lie. */
const message: fc.Arbitrary<Uint8Array> = fc.letrec<{ message: Uint8Array; field: Uint8Array }>(
  tie => ({
    message: fc
      .array(tie('field'), { maxLength: 5, depthIdentifier: 'message' })
      .map(fields => Buffer.concat(fields)),
    field: fc.oneof(
      { depthIdentifier: 'message', depthSize: 'medium' },
      fc
        .tuple(
          fc.integer({ min: 0, max: 15 }),
          fc.integer({ min: 0, max: 7 }),
          fc.uint8Array({ maxLength: 12 }),
        )
        .map(([field, wire, bytes]) => Buffer.from([field * 8 + wire, ...bytes])),
      fc
        .tuple(fc.integer({ min: 1, max: 12 }), tie('message'), fc.integer({ min: -1, max: 1 }))
        .map(([field, inner, lie]) =>
          Buffer.from([
            field * 8 + 2,
            Math.min(127, Math.max(0, inner.length + lie)),
            ...inner.slice(0, 127),
          ]),
        ),
    ),
  }),
).message;

test('protobuf of any shape is taken or refused, and never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(message, fc.uint8Array({ maxLength: 200 })),
      fc.constantFrom(...SIGNALS),
      (bytes, signal) => {
        expect(outcome(bytes, 'protobuf', signal)).toEqual(expect.any(String));
      },
    ),
    { numRuns: 3_000 },
  );
});

const names = fc.constantFrom(
  'timeUnixNano',
  'startTimeUnixNano',
  'aggregationTemporality',
  'name',
  'unit',
  'histogram',
  'exponentialHistogram',
  'dataPoints',
  'attributes',
  'body',
  'key',
  'value',
  'traceId',
  'spanId',
  'count',
  'bucketCounts',
  'explicitBounds',
  'positive',
  'offset',
  'scale',
  'stringValue',
  'kvlistValue',
  'values',
  '__proto__',
);

const json: fc.Arbitrary<unknown> = fc.letrec<{ any: unknown; object: unknown }>(tie => ({
  object: fc.dictionary(names, tie('any'), { maxKeys: 5, depthIdentifier: 'json' }),
  any: fc.oneof(
    { depthIdentifier: 'json', depthSize: 'medium' },
    fc.constantFrom(
      '',
      's',
      '1',
      '-1',
      'x'.repeat(32),
      '0'.repeat(16),
      1,
      2,
      -1,
      1e300,
      true,
      null,
    ),
    fc.array(tie('any'), { maxLength: 3, depthIdentifier: 'json' }),
    tie('object'),
  ),
})).object;

/** What holds records and points, so that most of what is made is read at all. */
const framed = (signal: Signal, item: unknown): object =>
  signal === 'logs'
    ? { resourceLogs: [{ scopeLogs: [{ logRecords: [item] }] }] }
    : {
        resourceMetrics: [
          {
            scopeMetrics: [
              {
                metrics: [
                  item,
                  { unit: 's', histogram: { aggregationTemporality: 1, dataPoints: [item] } },
                  {
                    unit: 's',
                    exponentialHistogram: { aggregationTemporality: 2, dataPoints: [item] },
                  },
                ],
              },
            ],
          },
        ],
      };

test('JSON of any shape is taken or refused, and never throws', () => {
  fc.assert(
    fc.property(json, fc.constantFrom(...SIGNALS), (item, signal) => {
      const body = framed(signal, item);
      expect(outcome(encode(body), 'json', signal)).toEqual(expect.any(String));
    }),
    { numRuns: 3_000 },
  );
});

const nested = (depth: number): object =>
  depth === 0 ? { stringValue: 'x' } : { arrayValue: { values: [nested(depth - 1)] } };

const logWith = (body: object): Uint8Array =>
  encode({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ traceId: 'a'.repeat(32), body }] }] }] });

test('values nested to the limit are taken, one deeper is refused', () => {
  expect(outcome(logWith(nested(NESTING_MAX)), 'json', 'logs')).toBe('taken');
  expect(outcome(logWith(nested(NESTING_MAX + 1)), 'json', 'logs')).toBe(
    `nested deeper than ${NESTING_MAX}`,
  );
});
